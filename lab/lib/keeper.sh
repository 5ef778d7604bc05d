#!/bin/bash
# Keeps one host running: keeper.sh NAME. systemd-nspawn ends with 133 when the host asked for a reboot.
set -euo pipefail

LAB_FOLDER=$(cd "$(dirname "$0")/.." && pwd)
. "$LAB_FOLDER/lib/common.sh"
. "$LAB_FOLDER/lib/groups.sh"

name=$1
folder=$LAB_HOSTS/$name

boot() {
    enter_group "$name"
    exec systemd-nspawn --quiet --directory="$folder/root" --machine="$LAB_NAME-$name" --hostname="$name" \
        --register=no --keep-unit --network-namespace-path="/run/netns/fleetlab$LAB_NUMBER-$name" --console=pipe \
        --link-journal=no --resolv-conf=off --timezone=off --boot
}

enter_group "$name.keeper"
status=133
while [ "$status" = 133 ]; do
    boot &
    printf '%s\n' "$!" >"$folder/nspawn"
    status=0
    wait "$!" || status=$?
done
rm -f "$folder/nspawn"
printf 'the host ended with status %s\n' "$status"
