# shellcheck shell=bash
# Builds the stand-in packages: packages/NAME/{package.conf,tree,scripts} -> a .deb and a .rpm per version.

# The folder with every package file: deb/*.deb, rpm/*.rpm and the public key. In unknown-key/ is the same, signed with a
# key that no host knows.
package_pool() {
    tree packages "$(digest_of_files lib/packages.sh lib/signing.sh packages)" make_packages
}

make_packages() {
    local pool=$1 work
    say "building the stand-in packages"
    work=$(mktemp -d)
    mkdir -p "$pool/deb" "$pool/rpm"
    for_each_package_version make_package "$work" "$pool"
    describe_debs "$pool"
    mkdir "$pool/unknown-key"
    ln -s ../deb "$pool/unknown-key/deb"
    cp -a "$pool/rpm" "$pool/unknown-key/"
    sign_pool "$pool"
    sign_pool "$pool/unknown-key"
    rm -rf "$work"
}

sign_pool() {
    make_signing_key "$1"
    sign_rpms "$1"/rpm/*.rpm
}

# Calls "ARGUMENTS... NAME VERSION" for everything under packages/, with the values of its package.conf set.
for_each_package_version() {
    local folder version versions revision summary deb_depends rpm_requires rpm_provides config_folders kinds repository links
    for folder in "$LAB_FOLDER"/packages/*/; do
        versions='' revision=1 summary='' deb_depends='' rpm_requires='' rpm_provides='' config_folders='' kinds='deb rpm' repository=canopsis links=''
        . "$folder/package.conf"
        for version in $versions; do
            "$@" "$(basename "$folder")" "$version"
        done
    done
}

make_package() {
    local work=$1 pool=$2 name=$3 version=$4 kind
    for kind in $kinds; do
        rm -rf "$work/tree" "$work/scripts"
        fill_template "$name" "$version" "$work"
        "make_$kind" "$name" "$version" "$work" "$pool"
    done
}

# Copies a package's tree and scripts, with @NAME@ and @VERSION@ filled in.
fill_template() {
    local name=$1 version=$2 work=$3 part link
    for part in tree scripts; do
        mkdir -p "$work/$part"
        if [ -d "$LAB_FOLDER/packages/$name/$part" ]; then
            cp -a "$LAB_FOLDER/packages/$name/$part/." "$work/$part/"
        fi
    done
    for link in $links; do
        mkdir -p "$work/tree/$(dirname "${link%%=*}")"
        ln -s "${link#*=}" "$work/tree/${link%%=*}"
    done
    chown -R root:root "$work/tree"
    find "$work/tree" "$work/scripts" -type f -exec sed -i "s/@VERSION@/$version/g; s/@NAME@/$name/g" {} +
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
    local control=$work/tree/DEBIAN
    mkdir "$control"
    {
        printf 'Package: %s\nVersion: %s-%s\nArchitecture: amd64\n' "$name" "$version" "$revision"
        [ -z "$deb_depends" ] || printf 'Depends: %s\n' "$deb_depends"
        printf 'Maintainer: Fleet lab <lab@example.invalid>\nSection: net\nPriority: optional\nDescription: %s\n' "$summary"
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
        (cd "$pool" && apt-ftparchive packages "deb/$(basename "$deb")" | sed 's|^Filename: deb/|Filename: pool/deb/|') >"$deb.entry"
    done
}
