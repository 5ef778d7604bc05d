# shellcheck shell=bash
# The lab's network: a bridge on the machine, and for each host a network namespace with one cable to it.
# There is no way out of it: a host reaches the other hosts and the machine's repository server, nothing else.

# The guard goes first and stays: without it a connection to a host that is down would follow the default route.
raise_network() {
    ip route replace unreachable "$LAB_RANGE.0/24" metric 4000000
    if ! ip link show "$LAB_BRIDGE" >/dev/null 2>&1; then
        ip link add "$LAB_BRIDGE" type bridge
        ip address add "$LAB_RANGE.1/24" dev "$LAB_BRIDGE"
    fi
    ip link set "$LAB_BRIDGE" up
}

lower_network() {
    local name
    command -v ip >/dev/null || return 0
    for name in $(lab_namespaces); do
        ip netns del "$name"
    done
    for name in $(ip -o link show | sed -nE "s/^[0-9]+: (fl$LAB_NUMBER-[0-9]+)[@:].*/\1/p"); do
        ip link del "$name" 2>/dev/null || true
    done
    ip link del "$LAB_BRIDGE" 2>/dev/null || true
    ip route del unreachable "$LAB_RANGE.0/24" metric 4000000 2>/dev/null || true
}

lab_namespaces() {
    ip netns list | cut -d' ' -f1 | grep "^fleetlab$LAB_NUMBER-" || true
}

host_namespace() {
    printf 'fleetlab%s-%s\n' "$LAB_NUMBER" "$1"
}

# The machine's end of a host's cable, named after the last byte of the host's address.
host_cable() {
    printf 'fl%s-%s\n' "$LAB_NUMBER" "$(host_value "$1" number)"
}

plug_host() {
    local name=$1 space cable
    space=$(host_namespace "$name")
    cable=$(host_cable "$name")
    ip netns add "$space"
    ip link add "$cable" type veth peer name eth0 netns "$space"
    ip link set "$cable" master "$LAB_BRIDGE" up
    ip -n "$space" address add "$(host_value "$name" address)/24" dev eth0
    ip -n "$space" link set lo up
    ip -n "$space" link set eth0 up
}

unplug_host() {
    local space
    space=$(host_namespace "$1")
    if [ -e "/run/netns/$space" ]; then
        ip netns del "$space"
    fi
    # The kernel takes a namespace apart later; the cable must be gone before its name is used again.
    ip link del "$(host_cable "$1")" 2>/dev/null || true
}
