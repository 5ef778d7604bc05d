# shellcheck shell=bash
# Disturbances of one host, and how to end them: `lab NAME HOST` calls fault_NAME HOST.

# The cable is pulled: a session hangs, a new connection times out.
fault_cut() {
    ip link set "$(host_cable "$1")" down
}

# Ends every disturbance of the host's line, disk, package lock and repository.
fault_heal() {
    local space
    space=$(host_namespace "$1")
    ip link set "$(host_cable "$1")" up
    ip netns exec "$space" nft delete table inet lab 2>/dev/null || true
    tc qdisc del dev "$(host_cable "$1")" root 2>/dev/null || true
    mount -o "remount,size=$LAB_DISK_SIZE" "$LAB_HOSTS/$1/disk"
    repair_repository "$1"
    if host_is_running "$1"; then
        # The pattern matches what is there; a plain name that is not there would be an error.
        exec_in "$1" systemctl stop 'lab-package-lock*'
    fi
}

# New connections to sshd are refused; sessions that are open live on.
fault_refuse() {
    ip netns exec "$(host_namespace "$1")" nft -f - <<'RULES'
table inet lab {
    chain lab_input {
        type filter hook input priority 0
        tcp dport 22 ct state new reject with tcp reset
    }
}
RULES
}

# Open sessions are reset at this moment; new ones are welcome.
fault_reset() {
    ip netns exec "$(host_namespace "$1")" ss -tK state established sport = :22 >/dev/null
}

# The line carries only so much: fault_slow NAME [RATE].
fault_slow() {
    tc qdisc replace dev "$(host_cable "$1")" root tbf rate "${2:-256kbit}" burst 4kb latency 400ms
}

# The disk is full, or has so many bytes left: fault_fill_disk NAME [BYTES]. It shrinks to what is on it, which takes
# neither time nor memory. What the host writes in between may be more than that: then once more.
fault_fill_disk() {
    local disk=$LAB_HOSTS/$1/disk keep=${2:-0} used tries
    [[ $keep =~ ^[0-9]+$ ]] || die "the disk keeps a number of bytes free, not \"$keep\""
    for tries in $(seq 1 20); do
        used=$(df --block-size=1 --output=used "$disk" | tail -n 1)
        if mount -o "remount,size=$((used + keep))" "$disk" 2>/dev/null; then
            return
        fi
    done
    die "the disk of $1 could not be shrunk to $used bytes in $tries tries"
}

# Another process holds the package manager's locks, for ever or for a while: fault_hold_package_lock NAME [SECONDS].
# Returns once it has them.
fault_hold_package_lock() {
    local name=$1 seconds=${2:-} kind program=/run/fleet-lab/hold_package_lock.pl
    [[ $seconds =~ ^[0-9]*$ ]] || die "the lock is held for a number of seconds, not \"$seconds\""
    kind=$(system_kind "$(host_value "$name" system)")
    exec_in "$name" sh -c 'mkdir -p /run/fleet-lab && cat >"$1"' sh "$program" <"$LAB_FOLDER/lib/hold_package_lock.pl"
    # shellcheck disable=SC2086  # no word if there are no seconds
    exec_in "$name" /usr/lib/fleet-lab/real/systemd-run --quiet --collect --unit=lab-package-lock --service-type=notify \
        perl "$program" "$kind" $seconds ||
        die "the package lock of $name could not be taken; lab exec $name journalctl -u lab-package-lock says why"
}

# For this host alone, the repository of Canopsis is gone or signed by somebody else: fault_break_repository NAME gone|signature.
# Nothing changes on the host: the server looks who asks.
fault_break_repository() {
    case ${2:-} in
    gone | signature) ;;
    *) die "a repository is broken in one of two ways: gone or signature" ;;
    esac
    mkdir -p "$LAB_REPOSITORY/broken"
    printf '%s\n' "$2" >"$LAB_REPOSITORY/broken/$(host_value "$1" address)"
}

repair_repository() {
    rm -f "$LAB_REPOSITORY/broken/$(host_value "$1" address)"
}

# The power goes: every process of the host ends at once. Tree and cable stay.
fault_crash() {
    cut_power "$1"
}

# Power comes back: boots a host whose power was cut.
fault_start() {
    ! host_is_running "$1" || die "host $1 is running"
    start_host "$1"
    await_hosts "$1"
}

# The host reboots by itself, in order.
fault_reboot() {
    local leader
    leader=$(host_leader "$1") || die "host $1 is not running"
    kill -RTMIN+5 "$leader"
}
