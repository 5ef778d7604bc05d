import FleetCore

/// How a run stands at this moment: what `fleet status` prints. Its JSON is that of ``JSONReport``.
public struct StatusReport: Sendable {
    private let record: RunRecord
    private let now: String
    private let context: ReportContext

    /// Reports on a run at the moment `now`, RFC 3339.
    public init(_ record: RunRecord, now: String, context: ReportContext) {
        self.record = record
        self.now = now
        self.context = context
    }

    /// The standing for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        let elapsed = shownDuration(from: record.started, to: record.ended ?? now).map { ", \($0)" } ?? ""
        let state =
            record.isOpen || record.ended != nil ? record.outcome.rawValue : "\(record.outcome.rawValue), its coordinator is gone"
        var lines = [style.paint("Run \(record.id): \(state)\(elapsed)", record.outcome.role)]
        if let command = record.command { lines += command.command.escapedForTerminal().wrapped(indent: 2) }
        lines += heading
        // Whose wave waits for an approval is counted above; what to do about it is the last line.
        for host in record.hosts where host.outcome == .running || host.needsAttention || host.awaitedStep != nil {
            lines += line(host).wrapped(indent: 2, hanging: 6).map { style.paint($0, host.outcome.role) }
        }
        if let next = TextReport(record, context: context).nextCommand, !record.isOpen {
            lines += next.lines
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var heading: [String] {
        guard record.command == nil else { return [] }
        var lines: [String] = []
        let waves = record.hosts.compactMap(\.wave).max() ?? 0
        let wave = record.wave.map { "wave \($0) of \(max($0, waves)), " } ?? ""
        lines += "\(wave)\(counted(record.hosts.count, "host")): \(TextReport.counts(record))".wrapped(indent: 2)
        if record.isOpen, let pause = record.pause, let now = Timestamp(now) {
            lines.append("  " + ProgressView.text(of: pause, now: now))
        }
        if let stop = record.stop {
            let tail = record.isOpen ? "; the hosts at work finish, no other is started" : ""
            lines += "stopped: \(stop)\(tail)".escapedForTerminal().wrapped(indent: 2, hanging: 4)
        }
        if let signal = record.signal { lines.append("  interrupted by SIG\(signal.escapedForTerminal())") }
        return lines
    }

    private func line(_ host: HostRecord) -> String {
        let step = host.decisiveStep
        if host.outcome == .running {
            let since = shownDuration(from: step?.started ?? host.started, to: now) ?? ""
            return "\(host.name)  \(step.map { "\($0.id.rawValue): \($0.title.escapedForTerminal())" } ?? "getting ready")  \(since)"
        }
        let reason = host.reason.map { ": \($0.brief)" } ?? ""
        return "\(host.name)  \(host.outcome.words)\(step.map { " at \($0.id.rawValue)" } ?? "")\(reason)"
    }
}
