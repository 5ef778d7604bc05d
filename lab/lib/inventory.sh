# shellcheck shell=bash
# What Fleet and the tests are told about the lab: inventory/lab.yaml and inventory/lab.known_hosts.

LAB_CUSTOMERS=(acme globex initech umbrella)

write_inventory() {
    local name
    mkdir -p "$LAB_INVENTORY"
    {
        printf '# Written by lab/lab; the hosts that are up now.\n'
        printf 'defaults: {user: root, port: 22, identity: ../lab/.state/id_ed25519, known_hosts: lab.known_hosts, '
        printf 'edition: core, stack: python, packages: system, addons: none, settle: 5s}\n'
        printf 'groups:\n  lab:\n    hosts:'
        [ -n "$(host_names)" ] || printf ' {}'
        printf '\n'
        for name in $(host_names); do
            inventory_entry "$name"
        done
    } | in_place_of "$LAB_INVENTORY/lab.yaml"
    for name in $(host_names); do
        known_hosts_lines "$name"
    done | in_place_of "$LAB_INVENTORY/lab.known_hosts"
}

inventory_entry() {
    local name=$1 stack edition
    stack=$(host_value "$name" stack)
    edition=$(host_value "$name" edition)
    printf '      %s: {address: %s, customer: %s' "$name" "$(host_value "$name" address)" \
        "${LAB_CUSTOMERS[$(($(host_value "$name" number) % ${#LAB_CUSTOMERS[@]}))]}"
    [ "$edition" = core ] || printf ', edition: %s' "$edition"
    [ "$stack" = python ] || printf ', stack: %s' "$stack"
    printf '}\n'
}

known_hosts_lines() {
    local key
    for key in "$LAB_HOSTS/$1"/root/etc/ssh/ssh_host_*_key.pub; do
        printf '%s %s\n' "$(host_value "$1" address)" "$(cut -d' ' -f1,2 "$key")"
    done
}

remove_inventory() {
    rm -f "$LAB_INVENTORY/lab.yaml" "$LAB_INVENTORY/lab.known_hosts"
}

# Puts what comes in where a file is, whole or not at all.
in_place_of() {
    local part
    part=$(mktemp "$1.XXXXXX")
    cat >"$part"
    chmod 644 "$part"
    mv "$part" "$1"
}
