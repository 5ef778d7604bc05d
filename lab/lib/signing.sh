# shellcheck shell=bash
# The key the lab's repositories are signed with. The secret half lies beside the packages it signed: it
# protects nothing, it is there so that the hosts check signatures as real ones do.

make_signing_key() {
    local pool=$1
    with_gpg_home "" make_key_in "$pool"
}

make_key_in() {
    local pool=$1
    gpg --quiet --batch --pinentry-mode loopback --passphrase '' --quick-generate-key 'Fleet lab <lab@example.invalid>' rsa2048 sign never
    gpg --quiet --batch --export >"$pool/lab.gpg"
    gpg --quiet --batch --armor --export >"$pool/lab.asc"
    gpg --quiet --batch --pinentry-mode loopback --passphrase '' --export-secret-keys >"$pool/secret.gpg"
}

# Runs a command with a throwaway gpg home that knows the key of a pool (or none), and leaves no agent behind.
# The home is in /run or /tmp: an agent's socket path is short by law.
with_gpg_home() {
    local pool=$1
    shift
    (
        GNUPGHOME=$(mktemp -d)
        export GNUPGHOME
        trap 'gpgconf --kill all >/dev/null 2>&1 || true; rm -rf "$GNUPGHOME"' EXIT
        if [ -n "$pool" ]; then
            gpg --quiet --batch --import "$pool/secret.gpg" 2>/dev/null
        fi
        "$@"
    )
}

# Signs rpm packages with the key of a pool: sign_rpms KEYS FILE...
sign_rpms() {
    local keys=$1
    shift
    with_gpg_home "$keys" rpmsign --define '_gpg_name Fleet lab' --define '__gpg /usr/bin/gpg' --addsign "$@" >/dev/null 2>&1
}

# Signs a Release file: InRelease beside it.
sign_release() {
    gpg --quiet --batch --yes --clearsign --output "$1/InRelease" "$1/Release"
}

# Signs an rpm repository's index.
sign_repomd() {
    gpg --quiet --batch --yes --armor --detach-sign "$1/repodata/repomd.xml"
}
