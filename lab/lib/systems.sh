# shellcheck shell=bash
# How a host presents itself: the files and commands by which a program tells systems apart.

# Systems a host can be, and the kind of packages each has.
system_kind() {
    case $1 in
    deb8 | deb9 | deb12) echo deb ;;
    rpm) echo rpm ;;
    esac
}

# dress ROOT SYSTEM, on the tree of one host. rpm hosts are dressed in their layer.
dress() {
    case $2 in
    deb8) dress_as_debian "$1" 8 8.11 'jessie' 215 ;;
    deb9) dress_as_debian "$1" 9 9.13 'stretch' 232 ;;
    esac
}

dress_as_debian() {
    local root=$1 major=$2 full=$3 codename=$4 systemd=$5
    {
        printf 'PRETTY_NAME="Debian GNU/Linux %s (%s)"\nNAME="Debian GNU/Linux"\n' "$major" "$codename"
        printf 'VERSION_ID="%s"\nVERSION="%s (%s)"\n' "$major" "$major" "$codename"
        [ "$major" -lt 9 ] || printf 'VERSION_CODENAME=%s\n' "$codename"
        printf 'ID=debian\nHOME_URL="https://www.debian.org/"\n'
    } >"$root/usr/lib/os-release"
    printf '%s\n' "$full" >"$root/etc/debian_version"
    # As an administrator leaves Debian's archive who never needed more.
    [ "$major" != 9 ] || sed -i 's/ non-free$//' "$root/etc/apt/sources.list.d/system.list"
    limit_systemd "$root" "$systemd"
}

dress_as_centos7() {
    local root=$1
    {
        printf 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
        printf 'PRETTY_NAME="CentOS Linux 7 (Core)"\nCPE_NAME="cpe:/o:centos:centos:7"\n'
    } >"$root/usr/lib/os-release"
    printf 'CentOS Linux release 7.9.2009 (Core)\n' >"$root/etc/centos-release"
    ln -sf centos-release "$root/etc/redhat-release"
    ln -sf centos-release "$root/etc/system-release"
    rm -rf "$root"/etc/debian_version "$root"/usr/bin/{apt,apt-*,dpkg,dpkg-*,dnf} "$root"/etc/{apt,dpkg} "$root"/var/lib/{apt,dpkg}
    ln -s dnf-3 "$root/usr/bin/yum"
    mkdir -p "$root/etc/rpm"
    printf '%%_dbpath /var/lib/rpm\n' >"$root/etc/rpm/macros"
    install -m 755 "$LAB_FOLDER/systems/getenforce" "$root/usr/sbin/getenforce"
    ln -s getenforce "$root/usr/sbin/selinuxenabled"
    limit_systemd "$root" 219
}

# Puts a wrapper before systemctl and systemd-run that refuses what an older systemd does not know.
limit_systemd() {
    local root=$1 version=$2 command
    printf '%s\n' "$version" >"$root/usr/lib/fleet-lab/systemd-version"
    for command in systemctl systemd-run; do
        install -m 755 "$LAB_FOLDER/systems/old-systemd" "$root/usr/bin/$command.new"
        mv "$root/usr/bin/$command.new" "$root/usr/bin/$command"
    done
}
