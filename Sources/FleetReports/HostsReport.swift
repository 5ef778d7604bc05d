import FleetCore

/// The inventory with every default resolved: what `fleet hosts list` prints.
public struct HostsReport: Sendable {
    private let hosts: [Host]

    /// Reports on hosts, in the order given.
    public init(_ hosts: [Host]) { self.hosts = hosts }

    /// The list for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        guard !hosts.isEmpty else { return "No host is selected.\n" }
        var table = Table(header: ["HOST", "LOGIN", "EDITION", "STACK", "PACKAGES"])
        for host in hosts {
            let login = Self.login(host).escapedForTerminal()
            let fits = login.columns <= 32
            var row = Table.Row(cells: [
                host.name.text, fits ? login : "", host.edition.rawValue, host.stack.rawValue, host.packages.rawValue,
            ])
            var more = fits ? [] : [login]
            if host.become != .none { more.append("become \(host.become.rawValue)") }
            if let customer = host.customer { more.append("customer \(customer)") }
            if !host.labels.isEmpty {
                more.append("labels " + host.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))
            }
            if host.web != WebAccess() {
                more.append("web \(host.web.address)" + (host.web.user.map { " as \($0)" } ?? ""))
            }
            more.append("add-ons " + (host.addons.map { $0.isEmpty ? "none" : $0.joined(separator: ", ") } ?? "not declared"))
            if host.services == .remote { more.append("services on other machines") }
            for (gate, reason) in host.overrides.sorted(by: { $0.key < $1.key }) { more.append("\(gate) overridden: \(reason)") }
            if !host.groups.isEmpty { more.append("groups \(host.groups.joined(separator: ", "))") }
            if !more.isEmpty { row.notes = [more.joined(separator: "; ").escapedForTerminal()] }
            table.rows.append(row)
        }
        return table.lines(style).joined(separator: "\n") + "\n"
    }

    private static func login(_ host: Host) -> String {
        let address = host.address.contains(":") && host.port != 22 ? "[\(host.address)]" : host.address
        return "\(host.user)@\(address)\(host.port == 22 ? "" : ":\(host.port)")"
    }

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String { try JSONText.of(HostsJSON(hosts: hosts.map(HostsJSON.Entry.init))) }
}

private struct WebJSON: Encodable {
    var url: String
    @OrNull var user: String?
    @OrNull var password_file: String?
    var tls: String

    init(_ web: WebAccess) {
        url = web.address.description
        user = web.user
        password_file = web.passwordFile
        tls = web.tls.rawValue
    }
}

private struct HostsJSON: Encodable {
    struct Entry: Encodable {
        var name: String
        var address: String
        var port: UInt16
        var user: String
        @OrNull var identity: String?
        @OrNull var known_hosts: String?
        var become: String
        var edition: String
        var stack: String
        var packages: String
        @OrNull var customer: String?
        var labels: [String: String]
        @OrNull var addons: [String]?
        var accounts: String
        var services: String
        var overrides: [String: String]
        var settle: String
        var web: WebJSON
        var groups: [String]

        init(_ host: Host) {
            name = host.name.text
            address = host.address
            port = host.port
            user = host.user
            identity = host.identity
            known_hosts = host.knownHosts
            become = host.become.rawValue
            edition = host.edition.rawValue
            stack = host.stack.rawValue
            packages = host.packages.rawValue
            customer = host.customer
            labels = host.labels
            addons = host.addons
            accounts = host.accounts.rawValue
            services = host.services.rawValue
            overrides = host.overrides
            settle = host.settle.text
            web = WebJSON(host.web)
            groups = host.groups
        }
    }

    var schema = JSONReport.schema
    var hosts: [Entry]
}
