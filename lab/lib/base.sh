# shellcheck shell=bash
# The two trees every host stands on: Debian 12 with systemd and sshd, and above it dnf and rpm for the
# CentOS-like hosts. Both come from the mirror of the machine's own apt sources.

LAB_BASE_PACKAGES=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,openssh-sftp-server,sudo,procps,iproute2,iputils-ping,less,curl,gpgv,ca-certificates,nftables,locales,tcsh,libreadline8
# Unpacked but not installed: installed, fish would bring Python and man to hosts that are to have neither.
LAB_BASE_UNPACKED="fish fish-common libpcre2-32-0"
# Of this one a single file is kept: the JavaScript engine that the stand-in for MongoDB's shell runs on. The real shell of
# MongoDB 3.6 has an older version of the same engine.
LAB_BASE_ENGINE=libmozjs-102-dev
LAB_RPM_PACKAGES="dnf rpm"

base_tree() {
    tree base "$(digest_of_files lib/base.sh)" make_base
}

rpm_tools_tree() {
    local base
    base=$(base_tree)
    tree rpm-tools "$(digest <"$base/usr/lib/fleet-lab/stamp")" make_rpm_tools
}

# The mirror of the machine's own bookworm archive.
debian_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
    [ -n "$mirror" ] || die "the apt sources of this machine name no Debian 12 (bookworm main) archive to build hosts from"
    printf '%s\n' "$mirror"
}

# What the machine's apt is told about reaching its archive: proxies, certificates, a clock that is off.
machine_apt_settings() {
    apt-config dump | grep -E '^Acquire::(https?::Proxy|https?::.*::Proxy|https::CaInfo|https::Verify-|Check-|Retries|Max-FutureTime)' || true
}

make_base() {
    local root=$1 settings log
    settings=$(mktemp)
    log=$(mktemp)
    machine_apt_settings >"$settings"
    say "making the base tree (about a minute)"
    if ! mmdebstrap --quiet --variant=minbase --include="$LAB_BASE_PACKAGES" --aptopt="$settings" \
        --customize-hook="chroot \"\$1\" sh -ec 'cd /tmp; apt-get -qq download $LAB_BASE_UNPACKED; for p in *.deb; do dpkg -x \$p /; rm \$p; done'" \
        --customize-hook="chroot \"\$1\" sh -ec 'cd /tmp; apt-get -qq download $LAB_BASE_ENGINE; mkdir -p /usr/lib/fleet-lab;
            dpkg --fsys-tarfile $LAB_BASE_ENGINE*.deb | tar -xO ./usr/bin/js102 >/usr/lib/fleet-lab/js; rm *.deb; chmod 755 /usr/lib/fleet-lab/js'" \
        bookworm "$root" "deb $(debian_mirror) bookworm main" >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "mmdebstrap could not make the base tree"
    fi
    rm -f "$settings" "$log"
    make_template "$root"
}

# Turns a fresh system into one that can be booted many times: no identity, no mirror, nothing that wakes up by itself.
make_template() {
    local root=$1 unit
    : >"$root/etc/machine-id"
    rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/lib/dbus/machine-id
    rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/*mmdebstrap* \
        "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/usr/share/doc/* "$root"/usr/share/man/*
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        getty@tty1.service console-getty.service systemd-udevd.service systemd-udev-trigger.service \
        systemd-networkd.service systemd-timesyncd.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/ssh/sshd_config.d"
    printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
    printf 'MaxStartups 200:30:400\nUseDNS no\n' >"$root/etc/ssh/sshd_config.d/lab.conf"
    # The real commands, for the wrappers of hosts that present themselves with an older systemd.
    mkdir -p "$root/usr/lib/fleet-lab/real"
    ln "$root/usr/bin/systemctl" "$root/usr/bin/systemd-run" "$root/usr/lib/fleet-lab/real/"
    new_stamp >"$root/usr/lib/fleet-lab/stamp"
    inside "$root" localedef -i fr_FR -f UTF-8 fr_FR.UTF-8
    rm -rf "$root"/usr/share/i18n/locales/* "$root"/usr/share/i18n/charmaps/*
}

# Tells one making of the base tree from another: what was made on the one does not fit the other.
new_stamp() {
    cat /proc/sys/kernel/random/uuid
}

make_rpm_tools() {
    local upper=$1 layer=$1.layer base
    base=$(base_tree)
    say "making the dnf and rpm tree (about a minute)"
    forget_tree "$layer"
    on_layer "$layer" "$base" install_rpm_tools
    rm -rf "$upper"
    mv "$layer/upper" "$upper"
    rm -rf "$layer"
}

install_rpm_tools() {
    local root=$1 log
    log=$(mktemp)
    printf 'deb %s bookworm main\n' "$(debian_mirror)" >"$root/etc/apt/sources.list"
    machine_apt_settings >"$root/etc/apt/apt.conf.d/99machine"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    # shellcheck disable=SC2086  # a list of packages
    if ! { inside "$root" apt-get -qq update &&
        inside "$root" apt-get -y -qq --no-install-recommends install $LAB_RPM_PACKAGES; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "could not install dnf and rpm into their tree"
    fi
    rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/apt.conf.d/99machine "$root"/etc/resolv.conf \
        "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/doc/* "$root"/usr/share/man/*
    rm -f "$log"
}
