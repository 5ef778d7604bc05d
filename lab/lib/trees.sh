# shellcheck shell=bash
# File trees: made once, kept as compressed tars in the cache, unpacked once per clone. A tree is named after a
# digest of what made it and never changes afterwards, so a running host can't lose the ground it stands on.

# An overlay can't have its upper folder on another overlay (as in a container): there, memory is used instead.
prepare_places() {
    local place
    mkdir -p "$LAB_HOSTS" "$LAB_TREES"
    for place in "$LAB_HOSTS" "$LAB_TREES"; do
        if [ "$(stat -f -c %T "$place")" = overlayfs ]; then
            mount -t tmpfs -o mode=755 tmpfs "$place"
        fi
    done
}

# Prints the folder of a tree, making or unpacking it first: tree NAME DIGEST MAKER [ARGUMENTS...].
# MAKER is called with an empty folder to fill, and the arguments. Both the tar and the folder appear by a rename, whole or not at all.
tree() {
    local name=$1-$2 maker=$3 folder=$LAB_TREES/$1-$2 tar=$LAB_CACHE/$1-$2.tar.zst work
    shift 3
    if [ ! -d "$folder" ]; then
        mkdir -p "$LAB_TREES" "$LAB_CACHE"
        work=$LAB_TREES/.making-$name
        forget_tree "$work"
        mkdir -p "$work"
        if [ -f "$tar" ] && tar --zstd -C "$work" --xattrs --xattrs-include='*' --numeric-owner -xpf "$tar" 2>/dev/null; then
            :
        else
            forget_tree "$work"
            mkdir -p "$work"
            "$maker" "$work" "$@" >&2
            pack_tree "$work" "$tar"
        fi
        mv "$work" "$folder"
    fi
    printf '%s\n' "$folder"
}

# Older tars of the same tree go, unless the cache is shared with others.
pack_tree() {
    local part
    if [ "$LAB_CACHE" = "$LAB_FOLDER/.cache" ]; then
        find "$LAB_CACHE" -maxdepth 1 -name "$(basename "${2%-*}")-????????????????.tar.zst*" -delete
    fi
    part=$(mktemp "$2.XXXXXX")
    tar -C "$1" --xattrs --xattrs-include='*' --numeric-owner --sort=name -cpf - . | zstd -q -3 -T0 -f -o "$part"
    mv "$part" "$2"
}

# Removes the trees no tar of the cache stands for any more, and what a killed run left half made.
forget_old_trees() {
    local folder
    for folder in "$LAB_TREES"/.making-* "$LAB_TREES"/*; do
        if [ -d "$folder" ] && [ ! -f "$LAB_CACHE/$(basename "$folder").tar.zst" ]; then
            forget_tree "$folder"
        fi
    done
}

# Removes a tree, and what a killed run left mounted in it.
forget_tree() {
    local tree=$1
    unmount_under "$tree"
    rm -rf --one-file-system "$tree"
}

# Unmounts everything below a folder, innermost first.
unmount_under() {
    local under=$1 point points
    points=$(awk -v under="$under/" -v self="$under" 'index($5, under) == 1 || $5 == self { print $5 }' /proc/self/mountinfo |
        LC_ALL=C sort -r)
    for point in $points; do
        umount -l "$(printf '%b' "$point")" || return 1
    done
}

# Calls "FUNCTION ROOT ARGUMENTS..." on lower trees under a fresh layer; what it changed is left in LAYER/upper.
# on_layer LAYER LOWERDIRS FUNCTION ARGUMENTS...
on_layer() {
    local layer=$1 lower=$2 status=0
    shift 2
    mkdir -p "$layer/upper" "$layer/work" "$layer/root"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
    mount -t proc proc "$layer/root/proc"
    set +e
    (
        set -e
        "$1" "$layer/root" "${@:2}"
    )
    status=$?
    set -e
    unmount_under "$layer"
    rm -rf "$layer/work" "$layer/root"
    return "$status"
}

# Runs a command inside a tree as its root, with the tree's own environment.
inside() {
    local root=$1
    shift
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
        DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}
