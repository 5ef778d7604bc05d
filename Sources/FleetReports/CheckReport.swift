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

/// What `fleet check` prints: hosts by gates, equal hosts on one line, and what each gate found where it is not a pass.
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
        let gates = gatesWorthSaying
        let legend = gates.isEmpty ? [] : [style.paint("gates: . pass, w warned, B blocked, o overridden, ? not looked at", .quiet)]
        var sections = [matrix(of: gates).lines(style) + legend]
        sections += gates.enumerated().map { number, gate in findings(of: gate, as: Self.letter(number), style) }
        sections.append([summary])
        return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// The gates that are not a pass for every host, in the order of the gates; those of the way to the target come last.
    private var gatesWorthSaying: [String] {
        var found: [String] = []
        for finding in hosts.flatMap(\.findings) where finding.verdict != .pass && !found.contains(finding.gate) {
            found.append(finding.gate)
        }
        let order = Preflight.Gate.allCases.map(\.rawValue)
        return order.filter(found.contains) + found.filter { !order.contains($0) }
    }

    /// `A` to `Z`, then `a` to `z`: more gates than letters there are not.
    private static func letter(_ number: Int) -> String {
        let scalar = number < 26 ? 0x41 + number : 0x61 + min(number - 26, 25)
        return String(UnicodeScalar(UInt8(scalar)))
    }

    /// A line for all hosts that stand alike: a point is a pass, `w` a warning, `B` keeps it out, `o` would and is overridden, `?` was
    /// not looked at.
    private func matrix(of gates: [String]) -> Table {
        let letters = gates.isEmpty ? [] : [gates.indices.map(Self.letter).joined()]
        var table = Table(header: ["HOST", "VERDICT", "VERSION", "UPGRADE", "SYSTEM"] + letters)
        var groups: [(cells: [String], hosts: [CheckedHost])] = []
        for host in hosts {
            let cells = cells(of: host, gates)
            if let place = groups.firstIndex(where: { $0.cells == cells && $0.hosts[0].unreachable?.text == host.unreachable?.text }) {
                groups[place].hosts.append(host)
            } else {
                groups.append((cells, [host]))
            }
        }
        for (cells, hosts) in groups {
            let reason = hosts[0].unreachable.map { [$0.text] } ?? []
            table.rows.append(
                Table.Row(cells: [HostSet.folded(hosts.map(\.host.name))] + cells, roles: [1: hosts[0].verdict.role], notes: reason))
        }
        return table
    }

    private func cells(of host: CheckedHost, _ gates: [String]) -> [String] {
        let system = host.facts.map { "\($0.system.id) \($0.system.version)" } ?? "-"
        let marks = gates.map { gate in
            let found = host.findings.filter { $0.gate == gate }
            if found.isEmpty { return host.facts == nil ? "?" : "." }
            if found.contains(where: { $0.verdict == .block }) { return "B" }
            if found.contains(where: { $0.overridden != nil }) { return "o" }
            return found.contains { $0.verdict == .warn } ? "w" : "."
        }
        return [
            host.verdict.rawValue, host.facts?.installedVersion?.description ?? "-", host.upgradeClass?.rawValue ?? "-",
            String(system.escapedForTerminal().prefix(16)),
        ] + (gates.isEmpty ? [] : [marks.joined()])
    }

    /// What a gate found, each sentence once with the hosts it is said of, what keeps hosts out first.
    private func findings(of gate: String, as letter: String, _ style: Style) -> [String] {
        var groups: [(finding: GateFinding, hosts: [HostName])] = []
        for host in hosts {
            for finding in host.findings where finding.gate == gate && finding.verdict != .pass {
                if let place = groups.firstIndex(where: { $0.finding == finding }) {
                    groups[place].hosts.append(host.host.name)
                } else {
                    groups.append((finding, [host.host.name]))
                }
            }
        }
        let blocking = groups.filter { $0.finding.verdict == .block }
        var lines = [style.paint("\(letter)  \(gate)", .heading)]
        for (finding, names) in blocking + groups.filter({ $0.finding.verdict != .block }) {
            let verdict = finding.verdict == .block ? "blocked" : finding.overridden.map { "overridden (\($0))" } ?? "warned"
            lines += "\(HostSet.folded(names)) \(verdict): \(finding.text)".escapedForTerminal().wrapped(indent: 3, hanging: 5)
            if !finding.remedy.isEmpty { lines += "-> \(finding.remedy)".escapedForTerminal().wrapped(indent: 5, hanging: 8) }
        }
        return lines
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
