import FleetCore

/// What preflight learned about one host.
public struct CheckedHost: Hashable, Sendable {
    /// The host.
    public var host: Host
    /// Its facts; nil if they could not be read.
    public var facts: HostFacts?
    /// How far an upgrade to the target goes; nil without a target or a known version.
    public var upgradeClass: UpgradeClass?
    /// What each gate found.
    public var findings: [GateFinding]
    /// Why it could not be asked; nil if it could.
    public var unreachable: Reason?

    /// Creates what was learned.
    public init(
        host: Host, facts: HostFacts?, upgradeClass: UpgradeClass? = nil, findings: [GateFinding] = [], unreachable: Reason? = nil
    ) {
        self.host = host
        self.facts = facts
        self.upgradeClass = upgradeClass
        self.findings = findings
        self.unreachable = unreachable
    }

    /// Whether the host can be upgraded, in one stable word.
    public enum Verdict: String, Hashable, Sendable, CaseIterable {
        /// Every gate passed.
        case ready
        /// It can be upgraded, and something is worth knowing.
        case warned
        /// It is at the target already.
        case current
        /// It must not be upgraded.
        case blocked
        /// It could not be asked.
        case unreachable
    }

    /// Whether the host can be upgraded.
    public var verdict: Verdict {
        if unreachable != nil { return .unreachable }
        if findings.contains(where: { $0.verdict == .block }) || upgradeClass == .major || upgradeClass == .downgrade { return .blocked }
        // Without facts nothing says that it may be touched.
        if facts == nil { return .blocked }
        if upgradeClass == UpgradeClass.none, facts?.lockHolder == nil, facts?.canBeRepaired == false { return .current }
        return findings.contains { $0.verdict == .warn } ? .warned : .ready
    }
}

/// What `fleet check` prints: a line per host, and under it why it can't be upgraded or what is worth knowing.
public struct CheckReport: Sendable {
    private let hosts: [CheckedHost]
    private let target: CanopsisVersion?

    /// Reports on checked hosts, every selected one, in the order of the inventory.
    public init(_ hosts: [CheckedHost], target: CanopsisVersion?) {
        self.hosts = hosts
        self.target = target
    }

    /// 0 if every host can be upgraded or is current, 3 if one is blocked, 4 if one could not be asked.
    public var exitStatus: ExitStatus {
        ExitStatus.first(
            of: hosts.map { host in
                switch host.verdict {
                case .ready, .warned, .current: .done
                case .blocked: .failed
                case .unreachable: .unreachable
                }
            })
    }

    /// The table for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        var table = Table(header: ["HOST", "VERDICT", "VERSION", "UPGRADE", "SYSTEM"])
        for host in hosts {
            var row = Table.Row(
                cells: [
                    host.host.name.text, host.verdict.rawValue, host.facts?.installedVersion?.description ?? "-",
                    host.upgradeClass?.rawValue ?? "-",
                    String((host.facts.map { "\($0.system.id) \($0.system.version)" } ?? "-").escapedForTerminal().prefix(16)),
                ],
                roles: [1: host.verdict.role])
            if let reason = host.unreachable { row.notes.append(reason.text) }
            for finding in host.findings where finding.verdict != .pass {
                row.notes.append("\(finding.gate): \(finding.text)".escapedForTerminal())
                if !finding.remedy.isEmpty { row.notes.append("  -> \(finding.remedy)".escapedForTerminal()) }
            }
            table.rows.append(row)
        }
        return table.lines(style).joined(separator: "\n") + "\n\n\(summary)\n"
    }

    /// `5 hosts: 3 ready, 2 blocked`.
    public var summary: String {
        let counts = CheckedHost.Verdict.allCases.compactMap { verdict -> String? in
            let number = hosts.count { $0.verdict == verdict }
            return number == 0 ? nil : "\(number) \(verdict.rawValue)"
        }
        return "\(counted(hosts.count, "host"))\(target.map { ", to \($0)" } ?? ""): \(counts.joined(separator: ", "))"
    }

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String {
        try JSONText.of(
            CheckJSON(target: target?.description, exit_status: exitStatus.rawValue, hosts: hosts.map(CheckJSON.Checked.init)))
    }
}

extension CheckedHost.Verdict {
    fileprivate var role: Style.Role {
        switch self {
        case .ready: .good
        case .warned, .unreachable: .uncertain
        case .current: .quiet
        case .blocked: .bad
        }
    }
}

private struct CheckJSON: Encodable {
    struct Checked: Encodable {
        var name: String
        var address: String
        var verdict: String
        @OrNull var reason: ReasonJSON?
        @OrNull var version: String?
        @OrNull var `class`: String?
        @OrNull var system: SystemJSON?
        @OrNull var offered: [String]?
        var edition: String
        var stack: String
        var findings: [FindingJSON]

        init(_ checked: CheckedHost) {
            name = checked.host.name.text
            address = checked.host.address
            verdict = checked.verdict.rawValue
            reason = checked.unreachable.map(ReasonJSON.init)
            version = checked.facts?.installedVersion?.description
            `class` = checked.upgradeClass?.rawValue
            system = checked.facts.map { SystemJSON($0.system) }
            if let facts = checked.facts, case .packages(let packages) = facts.offer {
                offered = Set(packages.compactMap { CanopsisVersion(packageVersion: $0.version) }).sorted().map(\.description)
            }
            edition = checked.host.edition.rawValue
            stack = checked.host.stack.rawValue
            findings = checked.findings.map(FindingJSON.init)
        }
    }

    var schema = JSONReport.schema
    @OrNull var target: String?
    var exit_status: Int32
    var hosts: [Checked]
}

/// An operating system as reports publish it.
struct SystemJSON: Encodable {
    var id: String
    var version: String
    var name: String

    init(_ system: OperatingSystem) {
        id = system.id.escapedForTerminal()
        version = system.version.escapedForTerminal()
        name = system.name.escapedForTerminal()
    }
}
