import FleetCore

/// The list of runs that `fleet history` prints, in the order given.
public struct HistoryReport: Sendable {
    private let records: [RunRecord]

    /// Reports on runs, the newest first.
    public init(_ records: [RunRecord]) { self.records = records }

    /// The list for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        guard !records.isEmpty else { return "No runs are on record here.\n" }
        var table = Table(header: ["RUN", "STARTED", "BY", "OUTCOME"])
        for record in records {
            let what = record.command.map { "exec: \($0.command)" } ?? record.target.map { "to \($0): \(TextReport.counts(record))" }
            table.rows.append(
                Table.Row(
                    cells: [
                        record.id.text, shown(record.started), String((record.person ?? "-").prefix(16)).escapedForTerminal(),
                        record.outcome.rawValue,
                    ],
                    roles: record.outcome.role.map { [3: $0] } ?? [:], notes: what.map { [$0.escapedForTerminal()] } ?? []))
        }
        return table.lines(style).joined(separator: "\n") + "\n"
    }

    /// The list as JSON, with a line feed at the end.
    public func json() throws -> String { try JSONText.of(HistoryJSON(runs: records.map(HistoryJSON.Run.init))) }
}

private struct HistoryJSON: Encodable {
    struct Run: Encodable {
        var run: String
        @OrNull var kind: String?
        @OrNull var target: String?
        @OrNull var command: String?
        @OrNull var person: String?
        @OrNull var started: String?
        @OrNull var ended: String?
        var outcome: String
        @OrNull var exit_status: Int32?
        var counts: [String: Int]

        init(_ record: RunRecord) {
            run = record.id.text
            kind = record.kind?.rawValue
            target = record.target?.description
            command = record.command?.command
            person = record.person
            started = record.started
            ended = record.ended
            outcome = record.outcome.rawValue
            exit_status = record.exitStatus?.rawValue
            counts = Dictionary(uniqueKeysWithValues: record.counts.map { ($0.key.rawValue, $0.value) })
        }
    }

    var schema = JSONReport.schema
    var runs: [Run]
}
