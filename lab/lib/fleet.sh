# shellcheck shell=bash
# All hosts together: up, down, list.

# Seconds that booting may take: some for the first, and some for every host, as all share the cores.
LAB_BOOT_LIMIT=60
LAB_BOOT_LIMIT_PER_HOST=4

build() {
    prepare_places
    package_pool >/dev/null
    lower_folders deb "$LAB_FIRST_CANOPSIS" core python >/dev/null
    lower_folders rpm "$LAB_FIRST_CANOPSIS" core python >/dev/null
    make_login_key
}

make_login_key() {
    if [ ! -f "$LAB_STATE/id_ed25519" ] || [ ! -f "$LAB_STATE/id_ed25519.pub" ]; then
        rm -f "$LAB_STATE"/id_ed25519*
        ssh-keygen -q -t ed25519 -N '' -C fleet-lab -f "$LAB_STATE/id_ed25519"
    fi
    chmod 600 "$LAB_STATE/id_ed25519"
}

# Boots hosts beside those that run. One that is there already is made anew.
up() {
    local word name names=() started
    [ $# -gt 0 ] || die "name the hosts, as in: lab up h1 h2 h3:deb9 h4:rpm"
    started=$(uptime_now)
    build
    claim_lab
    remove_dead_hosts
    for word in "$@"; do
        remove_host "${word%%:*}"
    done
    for word in "$@"; do
        define_host "$word"
        names+=("${word%%:*}")
    done
    raise_limits
    raise_network
    publish_first
    serve_repository
    local -A lower
    for name in "${names[@]}"; do
        word=$(host_variant "$name")
        # shellcheck disable=SC2086  # four words
        [ -n "${lower[$word]:-}" ] || lower[$word]=$(lower_folders $word)
    done
    in_parallel boot_host "${names[@]}"
    write_inventory
    await_hosts "${names[@]}"
    in_parallel settle_host "${names[@]}"
    for name in "${names[@]}"; do
        touch "$LAB_HOSTS/$name/ready"
    done
    say "up in $(seconds_since "$started") s: ${names[*]}"
}

# in_parallel FUNCTION NAME...: calls it for all hosts at once.
in_parallel() {
    local function=$1 name job jobs=() status=0
    shift
    for name in "$@"; do
        "$function" "$name" &
        jobs+=("$!")
    done
    for job in ${jobs[@]+"${jobs[@]}"}; do
        wait "$job" || status=1
    done
    [ "$status" = 0 ] || die "$function failed on a host; see above"
}

# What tells the layer of a host from others: kind, release, edition and stack.
host_variant() {
    printf '%s %s %s %s\n' "$(system_kind "$(host_value "$1" system)")" "$(host_value "$1" release)" "$(host_value "$1" edition)" "$(host_value "$1" stack)"
}

boot_host() {
    local name=$1
    prepare_host "$name" "${lower[$(host_variant "$name")]}"
    plug_host "$name"
    start_host "$name"
}

await_hosts() {
    local name words=()
    for name in "$@"; do
        words+=("$name=$(host_value "$name" address)")
    done
    "$LAB_PYTHON" "$LAB_FOLDER/lib/await_hosts.py" $((LAB_BOOT_LIMIT + $# * LAB_BOOT_LIMIT_PER_HOST)) "${words[@]}" ||
        die "not every host came up; look inside with: lab exec NAME journalctl -b, or at .state/hosts/NAME/keeper.log"
}

# One unit of a Python host is enabled but was left stopped by the deployment.
settle_host() {
    if [ -L "$LAB_HOSTS/$1/root/etc/systemd/system/multi-user.target.wants/$LAB_STOPPED_UNIT" ]; then
        exec_in "$1" systemctl stop "$LAB_STOPPED_UNIT"
    fi
}

# The 22nd host would fail without a word for want of inotify instances.
raise_limits() {
    local limit=/proc/sys/fs/inotify/max_user_instances
    [ "$(cat $limit)" -ge 4096 ] || printf '4096\n' >$limit
}

serve_repository() {
    if ! group_is_alive http; then
        (
            enter_group http
            in_background "$LAB_STATE/http.log" "$LAB_PYTHON" "$LAB_FOLDER/lib/http_server.py" "$LAB_REPOSITORY" "$LAB_RANGE.1" 80
        )
    fi
}

# What a killed command left behind, or a restart of the machine. A host without power is not dead: it has its tree.
remove_dead_hosts() {
    local name
    for name in $(all_host_folders); do
        if [ ! -f "$LAB_HOSTS/$name/ready" ] || ! mountpoint -q "$LAB_HOSTS/$name/root"; then
            remove_host "$name"
        fi
    done
}

all_host_folders() {
    [ ! -d "$LAB_HOSTS" ] || ls -A "$LAB_HOSTS"
}

# Takes down the named hosts, or everything. Finds what is there by looking, so that it works after anything.
down() {
    local name
    if [ $# -gt 0 ]; then
        for name in "$@"; do
            require_host "$name"
        done
        for name in "$@"; do
            remove_host "$name"
        done
        write_inventory
        return
    fi
    hold_number
    refuse_others_lab
    end_group ""
    # shellcheck disable=SC2046  # a list of names
    in_parallel clear_host $(all_host_folders)
    lower_network
    remove_inventory
    unmount_under "$LAB_STATE"
    forget_old_trees
    rm -rf "$LAB_REPOSITORY" "$LAB_STATE/http.log" "$LAB_STATE/number" "$LAB_RUNTIME"
}

# One lab with this number on the machine: the one of the clone that brought it up. And one lab in a clone.
claim_lab() {
    hold_number
    refuse_others_lab
    if [ "$(cat "$LAB_STATE/number" 2>/dev/null)" != "$LAB_NUMBER" ] && [ -n "$(all_host_folders)" ]; then
        die "this clone has a lab up with number $(cat "$LAB_STATE/number"): take it down with FLEET_LAB_NUMBER=$(cat "$LAB_STATE/number") lab down"
    fi
    mkdir -p "$LAB_RUNTIME"
    printf '%s\n' "$LAB_FOLDER" >"$LAB_RUNTIME/owner"
    printf '%s\n' "$LAB_NUMBER" >"$LAB_STATE/number"
}

refuse_others_lab() {
    local owner
    owner=$(cat "$LAB_RUNTIME/owner" 2>/dev/null || true)
    if [ -n "$owner" ] && [ "$owner" != "$LAB_FOLDER" ] && [ -x "$owner/lab" ] && [ -n "$(group_processes)" ]; then
        die "lab number $LAB_NUMBER belongs to $owner: take it down there, or set FLEET_LAB_NUMBER to another number here"
    fi
}

list() {
    local name state
    for name in $(host_names); do
        state=running
        host_is_running "$name" || state=stopped
        printf '%-12s %-15s %-6s %-7s %-5s %-7s %-6s %s\n' "$name" "$(host_value "$name" address)" "$(host_value "$name" system)" \
            "$(host_value "$name" release)" "$(host_value "$name" edition)" "$(host_value "$name" stack)" "$(host_value "$name" habits)" "$state"
    done
    say "the repository offers: $(published)"
}
