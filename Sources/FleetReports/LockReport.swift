import FleetCore

/// Which run has which host: what `fleet lock list` prints.
public struct LockReport: Sendable {
    private let entries: [(name: HostName, standing: Standing)]

    private enum Standing {
        case free
        case locked(LockHolder)
        case unread(Reason)
    }

    /// Reports on hosts, in the order given.
    public init(_ hosts: [HostName], _ readings: [HostName: FactReading]) {
        entries = hosts.map { name in
            switch readings[name] {
            case .facts(let facts): (name, facts.lockHolder.map(Standing.locked) ?? .free)
            case .failure(let reason): (name, .unread(reason))
            case nil: (name, .unread(Reason(.connectFailed)))
            }
        }
    }

    /// 0, or 4 where a host could not be asked.
    public var exitStatus: ExitStatus {
        entries.contains { if case .unread = $0.standing { true } else { false } } ? .unreachable : .done
    }

    /// The list for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        var table = Table(header: ["HOST", "LOCK", "RUN"])
        for (name, standing) in entries {
            switch standing {
            case .free: continue
            case .locked(let holder):
                let state = holder.isInUse ? "in use" : holder.isUnfinished ? "unfinished" : "stale"
                table.rows.append(
                    Table.Row(
                        cells: [name.text, state, holder.run?.text ?? "?"], roles: holder.isInUse ? [:] : [1: .bad], notes: [holder.text]))
            case .unread(let reason):
                table.rows.append(Table.Row(cells: [name.text, "could not tell", ""], roles: [1: .uncertain], notes: [reason.text]))
            }
        }
        let free = entries.filter { if case .free = $0.standing { true } else { false } }.map(\.name)
        var lines = table.rows.isEmpty ? [] : table.lines(style)
        if !free.isEmpty { lines += "Not locked: \(HostSet.folded(free))".wrapped(indent: 0, hanging: 4) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String { try JSONText.of(LocksJSON(hosts: entries.map { LocksJSON.Entry($0.name, $0.standing) })) }

    private struct LocksJSON: Encodable {
        struct Entry: Encodable {
            var name: String
            var state: String
            @OrNull var run: String?
            @OrNull var person: String?
            @OrNull var purpose: String?
            @OrNull var step: String?
            @OrNull var heard_seconds_ago: Int?
            @OrNull var reason: ReasonJSON?

            init(_ name: HostName, _ standing: Standing) {
                self.name = name.text
                switch standing {
                case .free: state = "free"
                case .unread(let why): (state, reason) = ("unknown", ReasonJSON(why))
                case .locked(let holder):
                    state = holder.isInUse ? "in_use" : holder.isUnfinished ? "unfinished" : "stale"
                    run = holder.run?.text
                    person = holder.person
                    purpose = holder.purpose.isEmpty ? nil : holder.purpose
                    step = holder.step.isEmpty ? nil : holder.step
                    heard_seconds_ago = holder.ageSeconds
                }
            }
        }

        var schema = JSONReport.schema
        var hosts: [Entry]
    }
}
