import FleetCore

/// Where a reader finds the rest: what the next command needs and a run's record does not hold.
public struct ReportContext: Hashable, Sendable {
    /// The folder of the runs, as the operator would type it.
    public var logs: String
    /// The inventory of the run, as the operator would type it; nil if it is not known.
    public var inventory: String?
    /// Whether the folder has to be named with `--logs`.
    public var namesLogs: Bool

    /// Creates a context.
    public init(logs: String, inventory: String? = nil, namesLogs: Bool = false) {
        self.logs = logs
        self.inventory = inventory
        self.namesLogs = namesLogs
    }
}

/// A run for people: what `fleet report` and the end of `fleet upgrade` print, right at 80 columns.
public struct TextReport: Sendable {
    private let record: RunRecord
    private let context: ReportContext
    private let style: Style
    private let earlier: [HostName: Duration]

    /// Reports on a run.
    ///
    /// - Parameter earlier: how long the service of each host was down in its run before.
    public init(_ record: RunRecord, context: ReportContext, style: Style = .plain, earlier: [HostName: Duration] = [:]) {
        self.record = record
        self.earlier = earlier
        self.context = context
        self.style = style
    }

    /// The report, with a line feed at the end.
    public var text: String {
        var sections = [headLines]
        if let command = record.command {
            sections.append(Self.lines(of: command))
        } else {
            sections.append(hostTable)
            sections += waitingSections
            sections += failureSections
            sections.append(warningLines)
            sections.append(hookLines)
        }
        sections.append(footLines)
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private var headLines: [String] {
        let status = record.exitStatus.map { " (exit status \($0.rawValue))" } ?? ""
        var lines = [style.paint("Run \(record.id): \(record.outcome.rawValue)\(status)", record.outcome.role)]
        if let command = record.command { lines += command.command.escapedForTerminal().wrapped(indent: 2) }
        var facts: [String] = []
        if let target = record.target { facts.append("to \(target)") }
        let person = record.person.map { " by \($0)" } ?? ""
        let machine = record.machine.map { " on \($0)" } ?? ""
        facts.append("started \(shown(record.started))\(person)\(machine)".escapedForTerminal())
        if let duration = shownDuration(from: record.started, to: record.ended) { facts.append("took \(duration)") }
        if !record.isOpen, record.ended == nil { facts.append("the coordinator is gone without having ended it") }
        lines += facts.joined(separator: ", ").wrapped(indent: 2)
        if let purpose = record.purpose { lines += "for: \(purpose.escapedForTerminal())".wrapped(indent: 2, hanging: 4) }
        lines += readers.flatMap { $0.wrapped(indent: 2, hanging: 4) }
        if let stop = record.stop { lines += "stopped: \(stop.escapedForTerminal())".wrapped(indent: 2, hanging: 4) }
        if let signal = record.signal { lines.append("  interrupted by SIG\(signal.escapedForTerminal())") }
        if record.command == nil { lines += "\(counted(record.hosts.count, "host")): \(Self.counts(record))".wrapped(indent: 2) }
        if let downtime = record.downtime {
            lines += "service down per host: \(shown(downtime.median)) in the median, \(shown(downtime.most)) at most".wrapped(indent: 2)
        }
        return lines
    }

    /// `release notes read by ana: 3.25.1, 3.26.0`, a line for each person.
    private var readers: [String] {
        var people: [String] = []
        for note in record.notes where !people.contains(note.person) { people.append(note.person) }
        return people.map { person in
            let versions = record.notes.filter { $0.person == person }.map(\.version.description)
            return "release notes read by \(person.escapedForTerminal()): \(versions.joined(separator: ", "))"
        }
    }

    /// `2 upgraded, 1 failed`: what was done comes first, then what needs a look, then what was left.
    static func counts(_ record: RunRecord) -> String {
        let order: [HostOutcome] = [
            .upgraded, .running, .waiting, .failed, .unknown, .unreachable, .aborted, .blocked, .deferred, .skipped, .notStarted,
        ]
        let counts = record.counts
        return order.compactMap { outcome in counts[outcome].map { "\($0) \(outcome.words)" } }.joined(separator: ", ")
    }

    private var hostTable: [String] {
        // Nobody's service was down, as far as anybody knows, in a run that came to no restart.
        let isMeasured = record.downtime != nil
        var table = Table(header: ["HOST", "OUTCOME", "VERSION", "TIME"] + (isMeasured ? ["DOWN"] : []))
        for host in record.hosts {
            var row = Table.Row(
                cells: [
                    host.name.text, host.outcome.words, Self.versions(host), shownDuration(from: host.started, to: host.ended) ?? "",
                ] + (isMeasured ? [host.downtime.map { shown($0) } ?? ""] : []),
                roles: host.outcome.role.map { [1: $0] } ?? [:])
            if let reason = host.reason { row.notes = [Self.note(host, reason)] }
            if host.downtime != nil, let before = earlier[host.name] { row.notes.append("down for \(shown(before)) in its run before") }
            table.rows.append(row)
        }
        return record.hosts.isEmpty ? [] : table.lines(style)
    }

    private static func versions(_ host: HostRecord) -> String {
        switch (host.from, host.to) {
        case (let from?, let to?) where from != to: "\(from) -> \(to)"
        case (_, let to?): "\(to)"
        case (let from?, nil): "\(from)"
        case (nil, nil): ""
        }
    }

    private static func note(_ host: HostRecord, _ reason: Reason) -> String {
        let step = host.outcome == .failed || host.outcome == .unknown ? host.decisiveStep.map { "\($0.id.rawValue): " } ?? "" : ""
        return step + (host.needsAttention ? reason.brief : reason.text)
    }

    /// One section per step that hosts wait with: what to do, and how to say that it is done.
    private var waitingSections: [[String]] {
        Self.awaitedSteps(record).map { step, hosts in
            let names = HostSet.folded(hosts)
            var lines = "\(names) \(HostOutcome.waiting.words) with step \(step.id) (\(step.title))".escapedForTerminal()
                .wrapped(indent: 0, hanging: 4).map { style.paint($0, HostOutcome.waiting.role) }
            // It may have commands to copy: a long line is not cut.
            lines += (step.instruction ?? "").split(separator: "\n").map { "    " + String($0).escapedForTerminal() }
            lines.append("    done:      fleet confirm \(record.id) \(shellQuoted(names)) \(step.id)\(logsOption)")
            lines.append("    left out:  fleet skip \(record.id) \(shellQuoted(names)) \(step.id) --note WHY\(logsOption)")
            return lines
        }
    }

    /// The steps that hosts wait with, each with its hosts, in the order of the hosts.
    static func awaitedSteps(_ record: RunRecord) -> [(step: StepRecord, hosts: [HostName])] {
        var groups: [(step: StepRecord, hosts: [HostName])] = []
        for host in record.hosts where host.outcome == .waiting || host.outcome == .running {
            guard let step = host.steps.last(where: { $0.outcome == .waiting }) else { continue }
            if let place = groups.firstIndex(where: { $0.step.id == step.id && $0.step.instruction == step.instruction }) {
                groups[place].hosts.append(host.name)
            } else {
                groups.append((step, [host.name]))
            }
        }
        return groups
    }

    /// One section per host that failed or that nobody knows the end of, with its own words.
    private var failureSections: [[String]] {
        record.hosts.filter(\.needsAttention).map { host in
            let step = host.decisiveStep
            let place = step.map { ", step \($0.id.rawValue) (\($0.title.escapedForTerminal()))" } ?? ""
            var lines = "\(host.name) \(host.outcome.words)\(place)".wrapped(indent: 0, hanging: 4)
                .map { style.paint($0, host.outcome.role) }
            if let reason = host.reason ?? step?.reason {
                lines += reason.brief.wrapped(indent: 4)
                if host.outcome == .unknown, step != nil {
                    lines +=
                        "what was started may still run, without Fleet: output and status are in \(Job.home)/jobs/\(record.id)/ on the host"
                        .wrapped(indent: 4)
                }
                for line in reason.wordLines { lines += line.cut(every: pageWidth - 4).map { "  | \($0)" } }
            }
            if let saved = host.saved, !host.steps.isEmpty {
                lines += "what it was before is in \(saved.folder)/ on the host; it comes back (the database does not) with".wrapped(
                    indent: 4)
                lines += saved.wayBack.map { "        \($0)".escapedForTerminal() }
            }
            return lines
        }
    }

    /// What is worth knowing of hosts and no failure, the same said once.
    private var warningLines: [String] {
        var groups: [(text: String, hosts: [HostName])] = []
        for host in record.hosts {
            for text in host.warnings.map(\.text) {
                if let place = groups.firstIndex(where: { $0.text == text }) {
                    groups[place].hosts.append(host.name)
                } else {
                    groups.append((text, [host.name]))
                }
            }
        }
        return groups.isEmpty
            ? [] : ["Worth knowing:"] + groups.flatMap { "\(HostSet.folded($0.hosts)): \($0.text)".wrapped(indent: 2, hanging: 4) }
    }

    /// How often hooks were called, and each that did not end well.
    private var hookLines: [String] {
        guard !record.hooks.isEmpty else { return [] }
        let bad = record.hooks.filter { $0.ending?.outcome != .ok }
        let well = record.hooks.count - bad.count
        return "Hooks: \(counted(record.hooks.count, "call")), \(well) ended well".wrapped(indent: 0, hanging: 4)
            + bad.flatMap { hook in
                let isRunning = record.isOpen && hook.ending == nil
                let text = hook.ending?.text ?? (isRunning ? "is at work" : "has not ended, as far as anybody knows")
                let stops = hook.moment.event == .beforeHost ? "the host was not begun" : "it stopped the run"
                let means = hook.ending == nil ? "" : hook.moment.policy == .stop ? "; \(stops)" : "; a warning"
                return "\(hook.moment.text) \(text)\(means)".wrapped(indent: 2, hanging: 4)
            }
    }

    private var footLines: [String] {
        var lines: [String] = []
        if record.command == nil { lines.append("Logs: \(context.logs)/\(record.id)/".escapedForTerminal()) }
        if let next = nextCommand { lines += next.lines }
        return lines
    }

    private var logsOption: String { context.namesLogs ? " --logs \(shellQuoted(context.logs))" : "" }

    /// The command that helps most now; nil if there is nothing to do.
    var nextCommand: NextCommand? {
        let logs = logsOption
        if record.isOpen { return NextCommand("watch it", "fleet status \(record.id)\(logs)") }
        guard record.command == nil else { return nil }
        let hosts = record.hosts
        let left = hosts.filter { $0.wave != nil && $0.isToBeTakenUp(retryingFailed: false) }
        if record.ended == nil || record.signal != nil || hosts.contains(where: { $0.outcome == .unknown }), !left.isEmpty {
            return NextCommand("go on with what is left", "fleet resume \(record.id)\(logs)")
        }
        if let wave = record.waveToApprove {
            return NextCommand("look at the hosts so far, then allow wave \(wave)", "fleet approve \(record.id)\(logs)")
        }
        if hosts.contains(where: { $0.reason?.code == .approved }) {
            return NextCommand("go on with the wave that is approved", "fleet resume \(record.id)\(logs)")
        }
        if hosts.contains(where: { $0.outcome == .waiting && ($0.reason?.code == .stepConfirmed || $0.reason?.code == .stepSkipped) }) {
            return NextCommand("go on with the hosts whose step is answered for", "fleet resume \(record.id)\(logs)")
        }
        if let (step, names) = Self.awaitedSteps(record).first {
            let hosts = shellQuoted(HostSet.folded(names))
            return NextCommand("once \(step.id) is done", "fleet confirm \(record.id) \(hosts) \(step.id)\(logs)")
        }
        if let failed = hosts.first(where: { $0.outcome == .failed }) {
            return NextCommand("read all that \(failed.name) said", "fleet logs \(record.id) \(failed.name)\(logs)")
        }
        let inventory = context.inventory.map(shellQuoted) ?? "INVENTORY"
        let unmet = hosts.filter { $0.outcome == .unreachable || $0.outcome == .blocked || $0.outcome == .deferred }
        if let first = unmet.first {
            let target = record.target.map { " --to \($0)" } ?? ""
            return NextCommand("see what keeps \(first.name) out", "fleet check -i \(inventory) -l \(first.name)\(target)")
        }
        if hosts.contains(where: { $0.outcome == .notStarted }), let target = record.target {
            return NextCommand("upgrade the hosts that were not started", "fleet upgrade -i \(inventory) --to \(target)\(logs)")
        }
        return nil
    }

    /// The endings of a command, equal ones folded.
    private static func lines(of command: CommandRun) -> [String] {
        var groups: [(ending: ExecEnding, hosts: [HostName])] = []
        for (name, ending) in command.sortedEndings {
            if let place = groups.firstIndex(where: { $0.ending == ending }) {
                groups[place].hosts.append(name)
            } else {
                groups.append((ending, [name]))
            }
        }
        return groups.flatMap { "\(HostSet.folded($0.hosts)): \($0.ending.sentence)".wrapped(indent: 2, hanging: 4) }
    }
}

/// What to type next, and what for.
struct NextCommand {
    var why: String
    var command: String

    init(_ why: String, _ command: String) {
        self.why = why
        self.command = command
    }

    /// The command stands on a line of its own and is never cut.
    var lines: [String] {
        "Next: \(why)".wrapped(indent: 0, hanging: 6) + ["    \(command)".escapedForTerminal()]
    }
}

extension HostRecord {
    /// Whether a person has to read what this host said.
    var needsAttention: Bool { outcome == .failed || outcome == .unknown }
}
