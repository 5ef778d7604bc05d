# shellcheck shell=bash
# What the hosts can install: two repositories over HTTP, each with an apt suite "stable" and an rpm index, signed.
# "canopsis" offers the published versions of Canopsis, "system" every package of the operating system. A third,
# "canopsis-unknown-key", is the first one as signed by somebody else: see http_server.py.

LAB_FIRST_VERSIONS="3.25.0 3.26.0"

# Publishes versions of Canopsis; apt's and yum's indexes are built aside and appear together, by one rename.
publish() {
    local version pool
    [ $# -gt 0 ] || die "name the versions to offer, as in: lab publish 3.25.0 3.26.0 3.27.0"
    for version in "$@"; do
        known_versions | grep -qxF -- "$version" || die "no stand-in package has version $version; there are: $(known_versions | xargs)"
    done
    pool=$(package_pool)
    publish_repository canopsis canopsis "$pool" "$@"
    publish_repository canopsis-unknown-key canopsis "$pool/unknown-key" "$@"
    printf '%s\n' "$*" >"$LAB_REPOSITORY/published"
}

# The state `up` starts from: the first versions, unless something else has been published since the last `down`.
publish_first() {
    local pool
    pool=$(package_pool)
    if [ "$(readlink "$LAB_REPOSITORY/system/pool")" != "$pool" ] || [ ! -f "$LAB_REPOSITORY/published" ] ||
        [ "$(readlink "$LAB_REPOSITORY/canopsis/pool")" != "$pool" ]; then
        publish_repository system system "$pool"
        # shellcheck disable=SC2046  # a list of versions
        publish $(cat "$LAB_REPOSITORY/published" 2>/dev/null || printf '%s' "$LAB_FIRST_VERSIONS")
    fi
}

published() {
    cat "$LAB_REPOSITORY/published" 2>/dev/null || true
}

known_versions() {
    for_each_package_version print_version_of canopsis | LC_ALL=C sort -uV
}

print_version_of() {
    if [ "$repository" = "$1" ]; then
        printf '%s\n' "$3"
    fi
}

# publish_repository NAME CONTENT POOL [VERSION...]: the packages whose package.conf says repository=CONTENT, all if no
# version is named.
publish_repository() {
    local name=$1 content=$2 pool=$3 serial next
    shift 3
    serial=$(next_serial)
    next=$LAB_REPOSITORY/.$name.$serial
    rm -rf "$next"
    mkdir -p "$next/dists/stable/main/binary-amd64" "$next/rpm"
    ln -s "$pool" "$next/pool"
    for_each_package_version add_to_index "$content" "$next" "$pool" " $* "
    with_gpg_home "$pool" finish_indexes "$next" "$serial"
    ln -sfn "$next" "$LAB_REPOSITORY/.$name.new"
    mv -T "$LAB_REPOSITORY/.$name.new" "$LAB_REPOSITORY/$name"
    forget_older "$name" "$serial"
}

# A number that grows with every publishing; it is the index's time too, because apt ignores an index that
# is not newer than the one it has.
next_serial() {
    local now last
    mkdir -p "$LAB_REPOSITORY"
    now=$(date +%s)
    last=$(cat "$LAB_REPOSITORY/serial" 2>/dev/null || echo 0)
    [ "$now" -gt "$last" ] || now=$((last + 1))
    printf '%s\n' "$now" | tee "$LAB_REPOSITORY/serial"
}

add_to_index() {
    local wanted=$1 next=$2 pool=$3 versions=$4 name=$5 version=$6 kind
    [ "$repository" = "$wanted" ] || return 0
    case $versions in
    *[!\ ]*) [[ $versions == *" $version "* ]] || return 0 ;;
    esac
    for kind in $kinds; do
        case $kind in
        deb) cat "$pool/deb/${name}_$version-${revision}_amd64.deb.entry" >>"$next/dists/stable/main/binary-amd64/Packages" ;;
        rpm) ln -s "$pool/rpm/$name-$version-$revision.el7.x86_64.rpm" "$next/rpm/" ;;
        esac
    done
}

finish_indexes() {
    local next=$1 serial=$2 suite=$1/dists/stable
    gzip -9nk "$suite/main/binary-amd64/Packages"
    {
        printf 'Origin: Fleet lab\nLabel: Fleet lab\nSuite: stable\nCodename: stable\nArchitectures: amd64\nComponents: main\n'
        printf 'Date: %s\nSHA256:\n' "$(LC_ALL=C date -u -d "@$serial" '+%a, %d %b %Y %H:%M:%S UTC')"
        (cd "$suite" && for file in main/binary-amd64/Packages*; do
            printf ' %s %s %s\n' "$(sha256sum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")" "$file"
        done)
    } >"$suite/Release"
    sign_release "$suite"
    createrepo_c --quiet --revision "$serial" "$next/rpm" >/dev/null
    sign_repomd "$next/rpm"
}

# Keeps the index before this one: a host may be reading it.
forget_older() {
    local name=$1 serial=$2 folder
    for folder in "$LAB_REPOSITORY/.$name".[0-9]*; do
        if [ "${folder##*.}" -lt "$((serial - 60))" ]; then
            rm -rf "$folder"
        fi
    done
}
