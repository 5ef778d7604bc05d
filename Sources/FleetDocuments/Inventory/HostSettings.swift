import FleetCore

/// What one place of an inventory says about hosts: a host itself, a group's defaults or the file's.
struct HostSettings {
    /// The address, which may hold a range, and the line it stands on.
    var address: (text: String, line: Int)?
    var port: UInt16?
    var user: String?
    var identity: String?
    var knownHosts: String?
    var become: Become?
    var edition: Edition?
    var stack: Stack?
    var packages: PackageScope?
    var customer: String?
    /// Each label by its name.
    var labels: [String: String] = [:]
    /// The step files of its add-ons, absolute; none if it says that there are none.
    var addons: [String]?
    var accounts: AccountPolicy?
    var services: ServicePlace?
    /// Reasons by the names of gates; said of a host alone, never of several.
    var overrides: [String: String] = [:]
    var settle: Duration?
    var web = WebSettings()

    /// These settings, with those of the place around it where these say nothing.
    func over(_ outer: HostSettings) -> HostSettings {
        HostSettings(
            address: address ?? outer.address, port: port ?? outer.port, user: user ?? outer.user,
            identity: identity ?? outer.identity, knownHosts: knownHosts ?? outer.knownHosts, become: become ?? outer.become,
            edition: edition ?? outer.edition, stack: stack ?? outer.stack, packages: packages ?? outer.packages,
            customer: customer ?? outer.customer, labels: outer.labels.merging(labels) { _, own in own }, addons: addons ?? outer.addons,
            accounts: accounts ?? outer.accounts, services: services ?? outer.services,
            overrides: overrides, settle: settle ?? outer.settle, web: web.over(outer.web))
    }

    /// The host of this name and address; what is said nowhere has the value ``Host`` gives it.
    func host(named name: HostName, at address: String, in groups: [String]) -> Host {
        var host = Host(
            name: name, address: address, identity: identity, knownHosts: knownHosts, customer: customer, labels: labels, groups: groups)
        host.addons = addons
        if let port { host.port = port }
        if let user { host.user = user }
        if let become { host.become = become }
        if let edition { host.edition = edition }
        if let stack { host.stack = stack }
        if let packages { host.packages = packages }
        if let accounts { host.accounts = accounts }
        if let services { host.services = services }
        host.overrides = overrides
        if let settle { host.settle = settle }
        host.web = web.access
        return host
    }
}

extension HostSettings {
    /// The keys a host may have, in the order they are documented.
    enum Key: String, CaseIterable {
        case address, port, user, identity
        case knownHosts = "known_hosts"
        case become, edition, stack, packages, customer, labels, addons, accounts, services, overrides, settle, web
    }

    /// Keys that Fleet will have and does not have yet.
    static let keysToCome: Set<String> = [
        "window", "vars", "jump", "password", "passphrase", "become_password", "become_user", "become_method", "agent", "priority",
        "procedure", "steps", "notes", "limits", "timeout",
    ]

    /// Other tools' words for keys, Ansible's before all.
    static let wordsElsewhere: [String: String] = [
        "ansible_host": "address", "ansible_ssh_host": "address", "host": "address", "hostname": "address", "ip": "address",
        "ansible_port": "port", "ansible_ssh_port": "port", "ansible_user": "user", "ansible_ssh_user": "user", "username": "user",
        "login": "user", "ansible_ssh_private_key_file": "identity", "ansible_private_key_file": "identity", "key": "identity",
        "identity_file": "identity", "ansible_become": "become", "sudo": "become", "children": "groups", "scope": "packages",
        "label": "labels", "site": "labels", "tags": "labels",
    ]
}
