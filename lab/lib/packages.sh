# shellcheck shell=bash
# Builds the stand-in packages: packages/NAME/{package.conf,tree,scripts} -> a .deb and a .rpm of a version.

# The releases of Canopsis there are packages of; 3.26.1 is the lab's own. The packages of a release are made when somebody asks
# for them. What differs between releases is marked in the files with @FROM 3.29.0@ and @BEFORE 3.29.0@: see fill_release.
LAB_RELEASES="3.12.0 3.13.0 3.17.0 3.18.0 3.22.0 3.23.0 3.24.0 3.25.0 3.26.0 3.26.1 3.27.0 3.28.0 3.29.0 3.30.0 3.31.0 3.32.0 3.33.0"
LAB_RELEASES+=" 3.34.0 3.35.0 3.36.0 3.37.0 3.38.0 3.39.0 3.40.0 3.41.0 3.42.0 3.43.1 3.44.0 3.45.0 3.46.0 3.47.0 3.48.0"

is_release() {
    [[ " $LAB_RELEASES " == *" $1 "* ]]
}

# The folder with the keys and the packages of the operating system: deb/*.deb, rpm/*.rpm and the public key. In unknown-key/ is
# the same, signed with a key that no host knows.
package_pool() {
    tree packages "$(package_digest)" make_packages
}

# The folder with the packages of one release of Canopsis, and unknown-key/ as above.
release_pool() {
    local digest
    digest=$(release_digest)
    tree "canopsis-$1" "$digest" make_release "$1"
}

package_digest() {
    digest_of_files lib/packages.sh lib/signing.sh packages
}

# Changes with every package, and with the keys they are signed with.
release_digest() {
    local pool
    pool=$(package_pool)
    { package_digest && sha256sum <"$pool/lab.asc"; } | digest
}

make_packages() {
    local pool=$1
    say "building the packages of the operating system"
    start_pool "$pool"
    make_signing_key "$pool"
    make_signing_key "$pool/unknown-key"
    for_each_package system make_package "$pool"
    finish_pool "$pool" "$pool"
}

make_release() {
    local pool=$1
    say "building the packages of Canopsis $2"
    start_pool "$pool"
    for_each_package canopsis make_package "$pool" "$2"
    finish_pool "$pool" "$(package_pool)"
}

start_pool() {
    mkdir -p "$1/deb" "$1/rpm" "$1/unknown-key"
    ln -s ../deb "$1/unknown-key/deb"
}

# finish_pool POOL KEYS
finish_pool() {
    describe_debs "$1"
    cp -a "$1/rpm" "$1/unknown-key/"
    sign_rpms "$2" "$1"/rpm/*.rpm
    sign_rpms "$2/unknown-key" "$1"/unknown-key/rpm/*.rpm
}

# Calls "FUNCTION POOL NAME VERSION" for the packages of a repository, with what package.conf says set; of Canopsis's only
# those of one release: for_each_package REPOSITORY FUNCTION POOL [RELEASE]. The calls run at the same time.
for_each_package() {
    local wanted=$1 function=$2 pool=$3 release=${4:-} folder name version jobs=() job
    for folder in "$LAB_FOLDER"/packages/*/; do
        name=$(basename "$folder")
        for version in ${release:-$(versions_in "$wanted" "$name")}; do
            (
                read_package "$name" "$version"
                [ "$repository" = "$wanted" ] || exit 0
                [[ " $versions " == *" $version "* ]] || exit 0
                "$function" "$pool" "$name" "$version"
            ) &
            jobs+=("$!")
        done
    done
    for job in "${jobs[@]}"; do
        wait "$job"
    done
}

# The versions of a package, if it is one of that repository.
versions_in() {
    (
        read_package "$2" 0.0.0
        [ "$repository" != "$1" ] || printf '%s\n' "$versions"
    )
}

# Sets what package.conf says of a package in one version.
read_package() {
    name=$1 version=$2 versions='' revision=1 summary='' deb_depends='' rpm_requires='' rpm_provides='' conflicts='' config_folders=''
    kinds='deb rpm' repository=canopsis component=main links='' content=$1 scripts=$1 unused=''
    . "$LAB_FOLDER/packages/$1/package.conf"
}

# Whether the package is being made in that version or a later one; for package.conf.
from() {
    [ "$(version_number "$version")" -ge "$(version_number "$1")" ]
}

version_number() {
    local major minor fix
    IFS=. read -r major minor fix <<<"$1"
    printf '%s\n' $((major * 1000000 + minor * 1000 + ${fix:-0}))
}

make_package() {
    local pool=$1 name=$2 version=$3 kind work
    work=$(mktemp -d)
    for kind in $kinds; do
        rm -rf "$work/tree" "$work/scripts"
        fill_template "$name" "$version" "$work"
        "make_$kind" "$name" "$version" "$work" "$pool"
    done
    rm -rf "$work"
}

# Copies the trees and scripts that make a package, as they are in its version.
fill_template() {
    local name=$1 version=$2 work=$3 part link
    mkdir -p "$work/tree" "$work/scripts"
    for part in $content; do
        cp -a "$LAB_FOLDER/packages/$part/tree/." "$work/tree/"
    done
    for part in $scripts; do
        cp -a "$LAB_FOLDER/packages/$part/scripts/." "$work/scripts/"
    done
    for part in $unused; do
        rm -rf "${work:?}/tree/$part"
    done
    for link in $links; do
        mkdir -p "$work/tree/$(dirname "${link%%=*}")"
        ln -s "${link#*=}" "$work/tree/${link%%=*}"
    done
    chown -R root:root "$work/tree"
    fill_release "$work" "$version" "$name"
}

# Makes the files of a folder those of a release: fills in @VERSION@ and @NAME@, and drops each line marked at its end for other
# releases. "@FROM X@" is for X and later, "@BEFORE X@" for what is earlier than X; a "#" before the mark goes with it.
fill_release() {
    local folder=$1 version=$2 name=$3 file
    { find "$folder" -type f -exec grep -lE '@(FROM|BEFORE) [0-9.]+@$' {} + || true; } | while IFS= read -r file; do
        awk -v version="$version" '
            function number(text, parts) { split(text, parts, "."); return parts[1] * 1000000 + parts[2] * 1000 + parts[3] }
            {
                while (match($0, /[ \t]*(#[ \t]*)?@(FROM|BEFORE) [0-9.]+@$/)) {
                    split(substr($0, RSTART, RLENGTH), words, "@")
                    split(words[2], mark, " ")
                    if ((number(version) >= number(mark[2])) != (mark[1] == "FROM")) next
                    $0 = substr($0, 1, RSTART - 1)
                }
                print
            }' "$file" >"$file.filled"
        # The file keeps its mode.
        cat "$file.filled" >"$file"
        rm "$file.filled"
    done
    find "$folder" -type f -exec sed -i "s/@VERSION@/$version/g; s/@NAME@/$name/g" {} +
}

# Paths, from the root, of the files the administrator may edit.
config_files() {
    local folder
    for folder in $config_folders; do
        (cd "$1" && find "$folder" -type f -printf '/%p\n' | LC_ALL=C sort)
    done
}

make_deb() {
    local name=$1 version=$2 work=$3 pool=$4
    local control=$work/tree/DEBIAN section=net
    [ "$component" = main ] || section=$component/net
    mkdir "$control"
    {
        printf 'Package: %s\nVersion: %s-%s\nArchitecture: amd64\n' "$name" "$version" "$revision"
        [ -z "$deb_depends" ] || printf 'Depends: %s\n' "$deb_depends"
        [ -z "$conflicts" ] || printf 'Conflicts: %s\nReplaces: %s\n' "$conflicts" "$conflicts"
        printf 'Maintainer: Fleet lab <lab@example.invalid>\nSection: %s\nPriority: optional\nDescription: %s\n' "$section" "$summary"
    } >"$control/control"
    config_files "$work/tree" >"$control/conffiles"
    {
        printf '#!/bin/sh\nset -e\n[ "$1" = configure ] || exit 0\n'
        cat_if_there "$work/scripts/user" "$work/scripts/configure"
    } >"$control/postinst"
    chmod 755 "$control/postinst"
    dpkg-deb --root-owner-group -Zgzip -z1 -b "$work/tree" "$pool/deb/${name}_$version-${revision}_amd64.deb" >/dev/null
}

make_rpm() {
    local name=$1 version=$2 work=$3 pool=$4
    {
        printf 'Name: %s\nVersion: %s\nRelease: %s.el7\nSummary: %s\nLicense: MIT\nAutoReqProv: no\n' \
            "$name" "$version" "$revision" "$summary"
        [ -z "$rpm_requires" ] || printf 'Requires: %s\n' "$rpm_requires"
        [ -z "$rpm_provides" ] || printf 'Provides: %s\n' "$rpm_provides"
        [ -z "$conflicts" ] || printf 'Conflicts: %s\n' "$conflicts"
        printf '%%description\n%s\n' "$summary"
        printf '%%install\ncp -a %s/tree/. %%{buildroot}/\n' "$work"
        printf '%%pre -p /bin/sh\n%s\n' "$(cat_if_there "$work/scripts/user")"
        printf '%%post -p /bin/sh\n%s\n' "$(cat_if_there "$work/scripts/configure")"
        printf '%%files\n'
        rpm_files "$work/tree"
    } >"$work/spec"
    rpmbuild --quiet -bb --target x86_64 --define "_topdir $work/rpm" --define "_rpmdir $pool/rpm" \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' --define 'debug_package %{nil}' \
        --define '__os_install_post %{nil}' --define '_binary_payload w1.gzdio' --define '_build_id_links none' \
        --define "_dbpath $work/rpmdb" "$work/spec" >"$work/rpmbuild.log" 2>&1 || {
        cat "$work/rpmbuild.log" >&2
        die "rpmbuild could not make $name $version"
    }
}

rpm_files() {
    local path config
    config=$(config_files "$1")
    (cd "$1" && find . \( -type f -o -type l \) -printf '/%P\n' | LC_ALL=C sort) | while IFS= read -r path; do
        if printf '%s\n' "$config" | grep -qxF -- "$path"; then
            printf '%%config(noreplace) '
        fi
        case $path in
        /opt/canopsis/*) printf '%%attr(-,canopsis,canopsis) ' ;;
        esac
        printf '%s\n' "$path"
    done
}

cat_if_there() {
    local file
    for file in "$@"; do
        if [ -f "$file" ]; then
            cat "$file"
        fi
    done
}

# Writes beside every .deb its entry for a Packages index, so that publishing is putting entries together.
describe_debs() {
    local pool=$1 deb
    for deb in "$pool"/deb/*.deb; do
        (cd "$pool" && apt-ftparchive packages "deb/$(basename "$deb")") >"$deb.entry"
    done
}
