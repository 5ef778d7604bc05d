# shellcheck shell=bash
# Names, places and small words that every part of the lab uses.

# The lab's number is the third byte of its addresses. Two clones on one machine can each have a lab of
# their own when they use different numbers.
LAB_NUMBER=${FLEET_LAB_NUMBER:-7}
if [[ ! $LAB_NUMBER =~ ^(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$ ]]; then
    echo "lab: FLEET_LAB_NUMBER is a number from 0 to 255, not \"$LAB_NUMBER\"" >&2
    exit 2
fi
LAB_RANGE=198.18.$LAB_NUMBER
LAB_BRIDGE=fleetlab$LAB_NUMBER
LAB_NAME=fleet-lab-$LAB_NUMBER

LAB_STATE=$LAB_FOLDER/.state
LAB_CACHE=${FLEET_LAB_CACHE:-$LAB_FOLDER/.cache}
LAB_HOSTS=$LAB_STATE/hosts
LAB_TREES=$LAB_STATE/trees
LAB_REPOSITORY=$LAB_STATE/repository
LAB_RUNTIME=/run/$LAB_NAME
LAB_INVENTORY=$(dirname "$LAB_FOLDER")/inventory

# Debian's own Python: another one on the PATH may be slow to start or lack a module.
LAB_PYTHON=/usr/bin/python3

# Says something to the person; what a command answers goes to stdout, this goes to stderr.
say() {
    printf 'lab: %s\n' "$*" >&2
}

# Ends the command with a problem and what to do about it.
die() {
    say "$@"
    exit 1
}

# The SHA-256 of what comes in, cut to what is enough for a file name.
digest() {
    sha256sum | cut -c1-16
}

# The digest of files' names and contents: changes when any of them does.
digest_of_files() {
    (cd "$LAB_FOLDER" && find "$@" -type f -printf '%p %m\n' -exec sha256sum {} + | LC_ALL=C sort) | digest
}

# Seconds since the machine started, with fractions.
uptime_now() {
    cut -d' ' -f1 /proc/uptime
}

seconds_since() {
    awk -v a="$1" -v b="$(uptime_now)" 'BEGIN { printf "%.1f", b - a }'
}

# Holds this clone's lab for this command: two commands that build or boot must not interleave. The lock goes with
# the process.
hold_lab() {
    mkdir -p "$LAB_STATE"
    exec 9>"$LAB_STATE/lock"
    wait_for_lock 9 "$LAB_STATE/lock"
}

# Holds the lab's number, which all clones of the machine share.
hold_number() {
    exec 8>"/run/lock/$LAB_NAME"
    wait_for_lock 8 "/run/lock/$LAB_NAME"
}

wait_for_lock() {
    if ! flock -n "$1"; then
        say "another lab command is at work; waiting for it"
        flock -w 600 "$1" || die "another lab command has held $2 for ten minutes"
    fi
}

# Starts what stays when this command ends: in a session of its own, and without the locks, which would else be
# held as long as it lives. in_background LOG COMMAND...
in_background() {
    local log=$1
    shift
    setsid "$@" </dev/null >>"$log" 2>&1 8>&- 9>&- &
}
