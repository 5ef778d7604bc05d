# shellcheck shell=bash
# One host: its folder in the state, its tree, starting and ending it.
#
#   .state/hosts/NAME/   number address system release                one value per file
#                        stack edition habits logins mongo
#                        ready                                        there once the host has come up
#                        disk root                                    its own disk (upper, work), and the tree as it sees it
#                        nspawn                                       process id of systemd-nspawn while it runs

# What fits on a host's disk, which is memory: as large as a host should find it, and never that full.
LAB_DISK_SIZE=2g

host_value() {
    cat "$LAB_HOSTS/$1/$2"
}

host_names() {
    local folder
    for folder in "$LAB_HOSTS"/*/; do
        [ ! -f "$folder/address" ] || basename "$folder"
    done | LC_ALL=C sort -V
}

require_host() {
    [ -f "$LAB_HOSTS/${1:-}/address" ] || die "there is no host \"${1:-}\" in the lab; there are: $(host_names | xargs)"
}

# Writes down what a host is to be, from a word such as h4:rpm or h5:deb9:cat:go:noisy.
define_host() {
    local word=$1 name=${1%%:*} option system=deb12 stack=python edition=core habits='' logins=many mongo=there number release=$LAB_FIRST_CANOPSIS
    [[ $name =~ ^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$ ]] || die "\"$name\" is no host name: small letters, digits and dashes, as in h1"
    for option in $(tr ':' ' ' <<<"$word" | cut -s -d' ' -f2-); do
        case $option in
        deb) system=deb12 ;;
        deb8 | deb9 | deb12 | rpm) system=$option ;;
        go | python) stack=$option ;;
        cat | core) edition=$option ;;
        noisy | plain) habits=$option ;;
        few-logins) logins=few ;;
        no-mongo) mongo=absent ;;
        [0-9]*.*.*)
            is_release "$option" || die "no stand-in package has version $option; there are: $LAB_RELEASES"
            release=$option
            ;;
        *) die "\"$option\" in \"$word\" is not known; there are deb deb8 deb9 deb12 rpm, python go, core cat, plain noisy, few-logins, no-mongo, and releases such as 3.25.0" ;;
        esac
    done
    number=$(free_number "$name")
    [ -n "$habits" ] || { [ $((number % 2)) = 0 ] && habits=noisy || habits=plain; }
    mkdir -p "$LAB_HOSTS/$name"
    (
        cd "$LAB_HOSTS/$name" || exit
        printf '%s\n' "$number" >number
        printf '%s\n' "$system" >system
        printf '%s\n' "$release" >release
        printf '%s\n' "$stack" >stack
        printf '%s\n' "$edition" >edition
        printf '%s\n' "$habits" >habits
        printf '%s\n' "$logins" >logins
        printf '%s\n' "$mongo" >mongo
        printf '%s.%s\n' "$LAB_RANGE" "$number" >address
    )
}

# The last byte of a host's address: hN gets 10 + N if it can, others are counted down from 250.
free_number() {
    local name=$1 taken number
    taken=" $(host_names | while read -r other; do host_value "$other" number; done | xargs) "
    if [[ $name =~ ^h([1-9][0-9]{0,2})$ ]]; then
        number=$((BASH_REMATCH[1] + 10))
        if [ "$number" -le 250 ] && [[ $taken != *" $number "* ]]; then
            printf '%s\n' "$number"
            return
        fi
    fi
    number=250
    while [[ $taken == *" $number "* ]]; do
        number=$((number - 1))
    done
    [ "$number" -gt 10 ] || die "the lab's range has no address left"
    printf '%s\n' "$number"
}

# Mounts a host's tree and gives it an identity, before its first boot.
prepare_host() {
    local name=$1 lower=$2 disk=$LAB_HOSTS/$1/disk root=$LAB_HOSTS/$1/root
    mkdir -p "$disk" "$root"
    mount -t tmpfs -o "mode=755,size=$LAB_DISK_SIZE" tmpfs "$disk"
    mkdir "$disk/upper" "$disk/work"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work" "$root"
    dress "$root" "$(host_value "$name" system)"
    give_identity "$root" "$name"
    give_access "$root"
    if [ "$(host_value "$name" habits)" = noisy ]; then
        give_habits "$root" "$name"
    fi
    # Without the lab's line, sshd turns connections away at random when ten are not yet logged in.
    if [ "$(host_value "$name" logins)" = few ]; then
        sed -i '/^MaxStartups /d' "$root/etc/ssh/sshd_config.d/lab.conf"
    fi
    if [ "$(host_value "$name" mongo)" = absent ]; then
        rm "$root/usr/bin/mongo"
    fi
}

give_identity() {
    local root=$1 name=$2 type
    printf '%s\n' "$name" >"$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$root/etc/hosts"
    tr -d '-' </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    for type in ed25519 ecdsa; do
        ssh-keygen -q -t "$type" -N '' -C "$name" -f "$root/etc/ssh/ssh_host_${type}_key"
    done
}

give_access() {
    local root=$1 user
    install -D -m 600 "$LAB_STATE/id_ed25519.pub" "$root/root/.ssh/authorized_keys"
    for user in ops dashy fishy cshy nosudo; do
        install -d -m 700 "$root/home/$user/.ssh"
        install -m 600 "$LAB_STATE/id_ed25519.pub" "$root/home/$user/.ssh/authorized_keys"
        chown -R --reference="$root/home/$user" "$root/home/$user/.ssh"
    done
}

# What administrators do to their hosts: French, a banner before the login, a shell start-up file that talks.
give_habits() {
    local root=$1 name=$2 user
    printf 'LANG=fr_FR.UTF-8\n' | tee "$root/etc/default/locale" >"$root/etc/locale.conf"
    printf '*****\n*  %s - accès réservé, toute connexion est enregistrée\n*****\n' "$name" >"$root/etc/issue.net"
    printf 'Banner /etc/issue.net\n' >"$root/etc/ssh/sshd_config.d/habits.conf"
    for user in root home/ops; do
        printf 'echo "Bienvenue sur %s, il y a $(who | wc -l) utilisateur(s)"\n' "$name" |
            cat - "$root/$user/.bashrc" >"$root/$user/.bashrc.new"
        chown --reference="$root/$user/.bashrc" "$root/$user/.bashrc.new"
        mv "$root/$user/.bashrc.new" "$root/$user/.bashrc"
    done
}

# Boots a host whose tree is mounted and whose cable is plugged; a keeper of its own boots it again when it reboots.
start_host() {
    in_background "$LAB_HOSTS/$1/keeper.log" bash "$LAB_FOLDER/lib/keeper.sh" "$1"
}

# Ends every process of a host at once; its tree stays mounted and its cable plugged.
cut_power() {
    end_group "$1.keeper"
    end_group "$1"
    rm -f "$LAB_HOSTS/$1/nspawn"
}

# Process id, on the machine, of a host's systemd.
host_leader() {
    local nspawn children
    nspawn=$(cat "$LAB_HOSTS/$1/nspawn" 2>/dev/null) || return 1
    [ "$(cat "/proc/$nspawn/comm" 2>/dev/null)" = systemd-nspawn ] || return 1
    children=$(cat "/proc/$nspawn/task/$nspawn/children")
    [ -n "$children" ] || return 1
    printf '%s\n' "${children%% *}"
}

host_is_running() {
    host_leader "$1" >/dev/null
}

# Runs a command inside a host, without its network.
exec_in() {
    local name=$1 leader
    shift
    leader=$(host_leader "$name") || die "host $name is not running"
    nsenter --target "$leader" --all --wdns=/ env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 "$@" 8>&- 9>&-
}

# Ends a host and removes every trace of it. Made to be repeated: each part may already be gone.
remove_host() {
    [ -d "$LAB_HOSTS/$1" ] || return 0
    cut_power "$1"
    clear_host "$1"
}

# Removes what is left of a host when its processes have ended.
clear_host() {
    local name=$1
    [ ! -f "$LAB_HOSTS/$name/number" ] || unplug_host "$name"
    [ ! -f "$LAB_HOSTS/$name/address" ] || { repair_repository "$name" && forget_offer "$name"; }
    unmount_under "$LAB_HOSTS/$name"
    rm -rf --one-file-system "${LAB_HOSTS:?}/$name"
}
