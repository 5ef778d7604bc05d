import FleetCore

/// A run under way as text: live lines for a terminal, one plain line per event for everything else.
public enum ProgressView {
    /// The live lines: totals first, then a line per host at work, each at most `width` columns wide.
    ///
    /// - Parameters:
    ///   - record: the run so far.
    ///   - waves: how many waves the plan has.
    ///   - now: the moment to count from, for elapsed times.
    ///   - mostLines: how many lines there may be in all, 3 or more; hosts beyond are counted in the last one.
    public static func live(_ record: RunRecord, waves: Int, now: Timestamp, width: Int, mostLines: Int = 20) -> [String] {
        let hosts = record.hosts
        let working = hosts.filter { $0.outcome == .running }
        var head = record.wave.map { "wave \($0) of \(waves)" } ?? "starting"
        // First, since a narrow terminal cuts the end off.
        if let pause = record.pause { head += "  \(Self.text(of: pause, now: now))" }
        if record.stop != nil || record.signal != nil { head += "  stopping: waiting for \(working.count) at work" }
        let over = hosts.filter { $0.outcome != .running && $0.outcome != .notStarted }
        head += "  \(over.count) of \(hosts.count) done"
        let counts = record.counts
        let told = HostOutcome.allCases.filter { $0 != .running && $0 != .notStarted }.compactMap { outcome in
            counts[outcome].map { "\($0) \(outcome.rawValue)" }
        }
        if !told.isEmpty { head += " (" + told.joined(separator: ", ") + ")" }
        if let time = shownDuration(from: record.started, to: now.description) { head += "  \(time)" }

        let longest = working.map(\.name.text.columns).max() ?? 0
        var lines = working.map { host -> String in
            let step = host.steps.last { $0.outcome == nil }
            if let lost = host.lostSince {
                let time = shownDuration(from: lost, to: now.description) ?? ""
                let doing = step.map { "; its step \($0.id.rawValue) goes on without us" } ?? ""
                return "  \(host.name.text.padded(to: longest))  reconnecting  \(time.padded(to: 6)) the connection was lost\(doing)"
            }
            let time = shownDuration(from: step?.started ?? host.started, to: now.description) ?? ""
            let (name, title) = (step?.id.rawValue ?? "looking", step?.title.escapedForTerminal() ?? "how the host is before")
            return "  \(host.name.text.padded(to: longest))  \(name.padded(to: 13)) \(time.padded(to: 6)) \(title)"
        }
        let mostLines = max(3, mostLines)
        if lines.count > mostLines - 1 {
            let hidden = lines.count - (mostLines - 2)
            lines = lines.prefix(mostLines - 2) + ["  and \(hidden) more hosts at work"]
        }
        return ([head] + lines).map { cut($0, to: width) }
    }

    /// What one event says to a person who reads along; nil for one that says nothing new.
    public static func line(for event: RunEvent, in record: RunRecord, waves: Int) -> String? {
        switch event {
        case .waveStarted(let number):
            let hosts = record.hosts.filter { $0.wave == number }.map(\.name)
            return "wave \(number) of \(waves) begins: \(HostSet.folded(hosts))"
        case .pauseStarted(let number, let length):
            return "wave \(number) of \(waves) begins in \(length); Ctrl-C ends the pause and starts nothing new".escapedForTerminal()
        case .approvalNeeded(let number): return "wave \(number) of \(waves) waits for an approval"
        case .approved(let number, let person): return "wave \(number) of \(waves) is approved by \(person)".escapedForTerminal()
        case .hostHeldBack(let host, let reason): return "\(host): \(reason.text)"
        case .hostStarted(let host): return "\(host): connecting"
        case .stepIntended(let host, let step, let title, _): return "\(host): \(step.rawValue): \(title)".escapedForTerminal()
        case .stepEnded(let host, let step, let outcome, _, let reason, _):
            let time = record[host]?.steps.last { $0.id == step }.flatMap { shownDuration(from: $0.started, to: $0.ended) }
            let text = "\(host): \(step.rawValue) \(outcome.rawValue)"
            return text + (time.map { " after \($0)" } ?? "") + (reason.map { ": \($0.text)" } ?? "")
        case .hostEnded(let host, let outcome, let reason, let version):
            let standing = record[host]
            // The host's words were told when its step ended.
            let isTold = reason != nil && standing?.steps.last?.reason == reason
            let time = standing.flatMap { shownDuration(from: $0.started, to: $0.ended) }
            var text = "\(host): \(outcome.rawValue.uppercased())"
            if outcome == .upgraded, let from = standing?.from, let version { text += " \(from) -> \(version)" }
            return text + (time.map { " after \($0)" } ?? "") + (reason.map { ": \(isTold ? $0.brief : $0.text)" } ?? "")
        case .stepAwaited(let host, let step, let title, _): return "\(host): \(step) waits for a person: \(title)".escapedForTerminal()
        case .stepAnswered(let host, let step, let answer):
            let words = answer.verdict == .done ? "is done, says" : "is left out by"
            return "\(host): \(step) \(words) \(answer.person)\(answer.note.map { ": \($0)" } ?? "")".escapedForTerminal()
        case .rolloutStopped(let reason): return "STOPPED: \(reason): no further host is started".escapedForTerminal()
        case .interrupted(let signal):
            return "SIG\(signal): nothing new is started, the hosts at work finish; once more leaves them to themselves"
                .escapedForTerminal()
        case .runResumed(let resume): return "taken up again by \(resume.person) on \(resume.machine)".escapedForTerminal()
        case .linkLost(let host, let words): return "\(host): RECONNECTING: \(words)".escapedForTerminal()
        case .linkRestored(let host): return "\(host): connected again"
        case .stepRepeated(let host, let step, let reason, _): return "\(host): \(step.rawValue) begins again: \(reason.text)"
        case .hookIntended: return nil
        case .hookEnded(let moment, let ending):
            guard ending.outcome != .ok else { return nil }
            return "\(moment.text) \(ending.text)"
        case .baselineTaken, .stateSaved, .runStarted, .stepStarted, .stepProgress, .runEnded, .commandRun: return nil
        }
    }

    /// `wave 2 begins in 4m 10s`, counted down.
    static func text(of pause: Pause, now: Timestamp) -> String {
        let over = Timestamp(pause.since).map { now.duration(since: $0) } ?? .zero
        return "wave \(pause.wave) begins in \(shown(max(.zero, pause.length - over)))"
    }

    /// What the second request to stop means.
    public static func leaving(_ signal: String) -> String {
        "SIG\(signal) again: leaving; what was started goes on on the hosts without Fleet".escapedForTerminal()
    }

    /// A line with the moment of its event before it, to the second and in UTC: `2026-11-23T14:25:01Z h1: connecting`.
    public static func stamped(_ line: String, at time: String) -> String {
        let moment = Timestamp(time)?.description ?? Timestamp(milliseconds: 0).description
        return "\(moment.prefix(19))Z \(line)"
    }

    private static func cut(_ text: String, to width: Int) -> String {
        text.columns <= width ? text : (width > 1 ? text.cut(to: width - 1) : "") + "…"
    }
}
