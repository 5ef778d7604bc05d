# shellcheck shell=bash
# The Debian packages the lab needs on the machine.

# Command looked for, and the package that brings it.
LAB_TOOLS="
systemd-nspawn:systemd-container
mmdebstrap:mmdebstrap
apt-ftparchive:apt-utils
gpg:gnupg
rpmbuild:rpm
createrepo_c:createrepo-c
ip:iproute2
nft:nftables
ssh-keygen:openssh-client
zstd:zstd
nsenter:util-linux
$LAB_PYTHON:python3
"

install_tools() {
    local line missing=()
    for line in $LAB_TOOLS; do
        command -v "${line%%:*}" >/dev/null || missing+=("${line#*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing: ${missing[*]}; only Debian's apt-get is known to install them"
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { apt-get -o DPkg::Lock::Timeout=300 update &&
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y --no-install-recommends install "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "could not install ${missing[*]}"
    fi
    rm -f "$log"
}
