# shellcheck shell=bash
# Control groups: what belongs to the lab, and the only way it is ended. Every process the lab leaves running is
# in a group of its own, in every hierarchy (each host's systemd needs one to itself), so taking down never has
# to guess by name or by a number that may have been given to somebody else.

# Folders of the hierarchies in use, one per line. An empty cpuset takes no tasks, so that one is left out.
group_hierarchies() {
    awk '($3 == "cgroup" || $3 == "cgroup2") && $4 !~ /(^|,)cpuset(,|$)/ { print $2 }' /proc/mounts
}

# Puts the calling shell, and what it starts, into a group: enter_group NAME.
enter_group() {
    local hierarchy
    for hierarchy in $(group_hierarchies); do
        mkdir -p "$hierarchy/$LAB_NAME/$1"
        printf '%s\n' "$BASHPID" >"$hierarchy/$LAB_NAME/$1/cgroup.procs"
    done
}

# The processes of a group and of the groups below it; of the whole lab if no name is given. A process is in the
# same group of every hierarchy, so the first one tells.
group_processes() {
    local hierarchy
    hierarchy=$(group_hierarchies | head -n 1)
    if [ -d "$hierarchy/$LAB_NAME/${1:-}" ]; then
        find "$hierarchy/$LAB_NAME/${1:-}" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    fi
}

group_is_alive() {
    [ -n "$(group_processes "$1")" ]
}

# Ends every process of a group at once and removes the group. There is no gentle way here: see stop_host.
end_group() {
    local pids tries
    for tries in $(seq 1 200); do
        pids=$(group_processes "${1:-}")
        [ -n "$pids" ] || break
        # shellcheck disable=SC2086  # a list of numbers
        kill -KILL $pids 2>/dev/null || true
        sleep 0.02
    done
    [ -z "$pids" ] || die "processes of ${1:-the lab} do not end: ${pids//$'\n'/ }"
    : "$tries"
    remove_group "${1:-}"
}

remove_group() {
    local hierarchy
    for hierarchy in $(group_hierarchies); do
        [ ! -d "$hierarchy/$LAB_NAME/${1:-}" ] || find "$hierarchy/$LAB_NAME/${1:-}" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}
