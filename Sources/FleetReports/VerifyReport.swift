import FleetCore

/// What `fleet verify` prints: how each host is, and under it whatever is not as it should be or could not be told.
public struct VerifyReport: Sendable {
    private let hosts: [(name: HostName, health: InstanceHealth)]
    private let expected: CanopsisVersion?

    /// Reports on hosts, every selected one, in the order of the inventory.
    public init(_ hosts: [(name: HostName, health: InstanceHealth)], expected: CanopsisVersion?) {
        self.hosts = hosts
        self.expected = expected
    }

    /// 0 if every host is healthy, 3 if one is not, 4 if one could not be told.
    public var exitStatus: ExitStatus {
        ExitStatus.first(
            of: hosts.map { host in
                switch host.health.health {
                case .healthy: .done
                case .unhealthy: .failed
                case .couldNotTell: .unreachable
                }
            })
    }

    /// The table for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        guard !hosts.isEmpty else { return "No host is selected.\n" }
        var table = Table(header: ["HOST", "HEALTH", "VERSION"])
        for (name, health) in hosts {
            var row = Table.Row(
                cells: [name.text, health.health.words, health.version?.description ?? "-"], roles: [1: health.health.role])
            if let reason = health.reason { row.notes.append(reason.text) }
            for check in health.checks where check.health != .healthy {
                row.notes.append("\(check.subject.rawValue): \(check.text)".escapedForTerminal())
            }
            table.rows.append(row)
        }
        let counts = Health.allCases.compactMap { health -> String? in
            let number = hosts.count { $0.health.health == health }
            return number == 0 ? nil : "\(number) \(health.words)"
        }
        let target = expected.map { ", expected at \($0)" } ?? ""
        return table.lines(style).joined(separator: "\n")
            + "\n\n\(counted(hosts.count, "host"))\(target): \(counts.joined(separator: ", "))\n"
    }

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String {
        try JSONText.of(
            VerifyJSON(
                expected: expected?.description, exit_status: exitStatus.rawValue,
                hosts: hosts.map { VerifyJSON.Verified($0.name, $0.health) }))
    }
}

private struct VerifyJSON: Encodable {
    struct Verified: Encodable {
        var name: String
        var health: String
        @OrNull var reason: ReasonJSON?
        @OrNull var version: String?
        var checks: [Check]

        init(_ name: HostName, _ health: InstanceHealth) {
            self.name = name.text
            self.health = health.health.rawValue
            reason = health.reason.map(ReasonJSON.init)
            version = health.version?.description
            checks = health.checks.map {
                Check(subject: $0.subject.rawValue, health: $0.health.rawValue, text: $0.text.escapedForTerminal())
            }
        }
    }

    struct Check: Encodable {
        var subject: String
        var health: String
        var text: String
    }

    var schema = JSONReport.schema
    @OrNull var expected: String?
    var exit_status: Int32
    var hosts: [Verified]
}

extension Health {
    var role: Style.Role {
        switch self {
        case .healthy: .good
        case .unhealthy: .bad
        case .couldNotTell: .uncertain
        }
    }

    /// The JSON spelling with spaces.
    var words: String { rawValue.split(separator: "_").joined(separator: " ") }
}
