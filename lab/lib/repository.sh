# shellcheck shell=bash
# What the hosts can install: two repositories over HTTP, each with an apt suite "stable" and an rpm index, signed.
# "canopsis" offers the published versions of Canopsis, "system" every package of the operating system. A third,
# "canopsis-unknown-key", is the first one as signed by somebody else; "canopsis-ADDRESS" is there if one host is offered something
# else than the others: see http_server.py. "debian" is another name of "system", as hosts call their archive.

LAB_FIRST_VERSIONS="3.25.0 3.26.0"

# Publishes versions of Canopsis; apt's and yum's indexes are built aside and appear together, by one rename.
publish() {
    [ $# -gt 0 ] || die "name the versions to offer, as in: lab publish 3.25.0 3.26.0 3.27.0"
    publish_canopsis "" "$@"
    printf '%s\n' "$*" >"$LAB_REPOSITORY/published"
}

# Offers versions to one host, whatever the others are offered; without versions, the same again as to them: offer NAME [VERSION...].
offer() {
    local address
    address=$(host_value "$1" address)
    if [ $# -gt 1 ]; then
        publish_canopsis "-$address" "${@:2}"
        return
    fi
    # Published anew, because apt ignores an index that is older than the one it has.
    # shellcheck disable=SC2046  # a list of versions
    publish $(published)
    forget_offer "$1"
}

forget_offer() {
    local name
    for name in "canopsis-$(host_value "$1" address)" "canopsis-unknown-key-$(host_value "$1" address)"; do
        rm -rf "${LAB_REPOSITORY:?}/$name" "$LAB_REPOSITORY/.$name".[0-9]*
    done
}

# publish_canopsis SUFFIX VERSION...
publish_canopsis() {
    local suffix=$1 version
    shift
    for version in "$@"; do
        is_release "$version" || die "no stand-in package has version $version; there are: $LAB_RELEASES"
    done
    for version in "$@"; do
        release_pool "$version" >/dev/null
    done
    publish_repository "canopsis$suffix" . "$@"
    publish_repository "canopsis-unknown-key$suffix" unknown-key "$@"
}

# The state `up` starts from: the first versions, unless something else has been published since the last `down`.
publish_first() {
    if [ "$(cat "$LAB_REPOSITORY/digest" 2>/dev/null)" != "$(release_digest)" ]; then
        publish_repository system .
        ln -sfn system "$LAB_REPOSITORY/debian"
        # shellcheck disable=SC2046  # a list of versions
        publish $(cat "$LAB_REPOSITORY/published" 2>/dev/null || printf '%s' "$LAB_FIRST_VERSIONS")
        release_digest >"$LAB_REPOSITORY/digest"
    fi
}

published() {
    cat "$LAB_REPOSITORY/published" 2>/dev/null || true
}

# publish_repository NAME PART [VERSION...]: the packages of these releases of Canopsis, or those of the operating system if there
# are none. PART is what a pool has them in: "." or "unknown-key", which also says whose signature it is.
publish_repository() {
    local name=$1 part=$2 version serial next
    shift 2
    serial=$(next_serial)
    next=$LAB_REPOSITORY/.$name.$serial
    rm -rf "$next"
    mkdir -p "$next/dists/stable" "$next/rpm" "$next/pool"
    add_component "$next" main
    if [ $# = 0 ]; then
        add_component "$next" non-free
        add_to_index "$next" "$(package_pool)" "$part" system
    fi
    for version in "$@"; do
        add_to_index "$next" "$(release_pool "$version")" "$part" "$version"
    done
    with_gpg_home "$(package_pool)/$part" finish_indexes "$next" "$serial"
    ln -sfn "$next" "$LAB_REPOSITORY/.$name.new"
    mv -T "$LAB_REPOSITORY/.$name.new" "$LAB_REPOSITORY/$name"
    forget_older "$name" "$serial"
}

add_component() {
    mkdir "$1/dists/stable/$2" "$1/dists/stable/$2/binary-amd64"
    : >"$1/dists/stable/$2/binary-amd64/Packages"
}

# Adds a pool to an index being made, its .deb files as pool/LABEL: add_to_index NEXT POOL PART LABEL.
add_to_index() {
    local next=$1 pool=$2 part=$3 label=$4 entry component
    ln -s "$pool" "$next/pool/$label"
    for entry in "$pool"/deb/*.entry; do
        component=main
        ! grep -q '^Section: non-free/' "$entry" || component=non-free
        sed "s|^Filename: |Filename: pool/$label/|" "$entry" >>"$next/dists/stable/$component/binary-amd64/Packages"
    done
    ln -s "$pool/$part"/rpm/*.rpm "$next/rpm/"
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

finish_indexes() {
    local next=$1 serial=$2 suite=$1/dists/stable components
    components=$(cd "$suite" && echo *)
    gzip -9nk "$suite"/*/binary-amd64/Packages
    {
        printf 'Origin: Fleet lab\nLabel: Fleet lab\nSuite: stable\nCodename: stable\nArchitectures: amd64\nComponents: %s\n' "$components"
        printf 'Date: %s\nSHA256:\n' "$(LC_ALL=C date -u -d "@$serial" '+%a, %d %b %Y %H:%M:%S UTC')"
        (cd "$suite" && for file in */binary-amd64/Packages*; do
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
