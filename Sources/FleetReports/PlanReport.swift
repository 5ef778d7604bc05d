import FleetCore

/// A plan for the person who decides on it: waves, exact commands, what stops it, whom it interrupts.
public struct PlanReport: Sendable {
    private let plan: Plan
    private let digest: String
    private let budget: String
    private let reading: ReadingList

    /// Reports on a plan; `budget` is the sentence that says at which failure it stops, `reading` what has to be read before.
    public init(_ plan: Plan, digest: String, budget: String, reading: ReadingList) {
        self.reading = reading
        self.plan = plan
        self.digest = digest
        self.budget = budget
    }

    /// The plan for people, with a line feed at the end; the question before a run leaves the commands out.
    public func text(_ style: Style, withCommands: Bool = true) -> String {
        let working = plan.hosts.filter { $0.wave != nil }
        var head = [style.paint("Plan: \(counted(plan.hosts.count, "host")) to \(plan.target)", .heading)]
        head += "\(counted(plan.waves.count, "wave")), at most \(counted(plan.policy.atOnce, "host")) at work at once".wrapped(indent: 2)
        head += budget.escapedForTerminal().wrapped(indent: 2)
        head += rules.flatMap { $0.escapedForTerminal().wrapped(indent: 2) }
        head.append("  digest \(digest.prefix(16))")
        var sections = [head, waveTable(style), idleLines(style)]
        sections.append(readingLines(style))
        if withCommands { sections += commandSections(working, style) }
        if !working.isEmpty {
            let names = HostSet.folded(working.map(\.host.name))
            sections.append(
                "The service of \(working.count == 1 ? "this host" : "each of these \(working.count) hosts") will be interrupted: \(names)"
                    .wrapped(indent: 0, hanging: 4))
        } else {
            sections.append(["Nothing to do: no host will be touched."])
        }
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// What the policy says besides waves, places and budget; a rule that was not given is not spoken of.
    private var rules: [String] {
        let policy = plan.policy
        var rules: [String] = []
        if policy.pause > .zero { rules.append("a pause of \(policy.pause.text) between two waves") }
        if !policy.stepByStep.isEmpty {
            rules.append(
                "each host is brought to \(policy.stepByStep.map(\.description).joined(separator: ", ")) before, as far as it is behind")
        }
        if policy.approve { rules.append("each wave but the first waits for `fleet approve`") }
        if policy.parkedPlace == .keep { rules.append("a host that waits for a person keeps its place") }
        if policy.spread == .customer { rules.append("never two hosts of one customer at work at once") }
        for (label, most) in policy.limits.sorted(by: { $0.key < $1.key }) {
            rules.append("at most \(counted(most, "host")) of the same \(label) at work at once")
        }
        for (event, hook) in plan.hooksInOrder {
            let command = hook.command.map(shellQuoted).joined(separator: " ")
            rules.append("\(event.rawValue): \(command), at most \(hook.limit.text), \(hook.onFailure.rawValue) if it fails")
        }
        return rules
    }

    private func waveTable(_ style: Style) -> [String] {
        guard !plan.waves.isEmpty else { return [] }
        var table = Table(header: ["WAVE", "HOST", "VERSION", "UPGRADE"])
        let planned = Dictionary(plan.hosts.map { ($0.host.name, $0) }) { first, _ in first }
        for wave in plan.waves {
            for (place, name) in wave.hosts.enumerated() {
                let host = planned[name]
                let version = host?.facts.map { "\($0.version) -> \(plan.target)" } ?? "-"
                let warnings = (host?.findings ?? []).filter { $0.verdict == .warn }
                table.rows.append(
                    Table.Row(
                        cells: [place == 0 ? "\(wave.number)" : "", name.text, version, host?.upgradeClass?.rawValue ?? "-"],
                        notes: warnings.map { $0.note.escapedForTerminal() }))
            }
        }
        return table.lines(style)
    }

    /// The hosts that will not be touched, and why.
    private func idleLines(_ style: Style) -> [String] {
        let idle = plan.hosts.filter { $0.wave == nil }
        guard !idle.isEmpty else { return [] }
        var groups: [(key: [String], hosts: [PlannedHost])] = []
        for host in idle {
            var notes = host.reason.map { [$0.text] } ?? []
            for finding in host.findings where finding.verdict == .block && !finding.remedy.isEmpty {
                notes.append("\(finding.gate): \(finding.remedy)".escapedForTerminal())
            }
            let key = [host.word] + notes
            if let place = groups.firstIndex(where: { $0.key == key }) {
                groups[place].hosts.append(host)
            } else {
                groups.append((key, [host]))
            }
        }
        var table = Table(header: ["NOT TOUCHED", "BECAUSE"])
        for (key, hosts) in groups {
            let role: Style.Role = key[0] == "blocked" ? .bad : key[0] == "unreachable" ? .uncertain : .quiet
            table.rows.append(
                Table.Row(cells: [HostSet.folded(hosts.map(\.host.name)), key[0]], roles: [1: role], notes: Array(key.dropFirst())))
        }
        return table.lines(style)
    }

    /// The release notes on the way of these hosts, and whether somebody has read them.
    private func readingLines(_ style: Style) -> [String] {
        guard !reading.entries.isEmpty else { return [] }
        var lines = [style.paint("Release notes on the way:", .heading)]
        for entry in reading.entries {
            lines += "\(entry.reading.version.description.padded(to: 7)) \(entry.standing.text)".wrapped(indent: 2, hanging: 10)
                .map { style.paint($0, entry.isRead ? .quiet : .uncertain) }
        }
        let unread = reading.unread
        guard !unread.isEmpty else { return lines }
        return lines
            + "No host is upgraded before these are read. Read them, and say so:".wrapped(indent: 2) + [
                "    fleet notes show --to \(plan.target)",
                "    fleet notes ack \(unread.map(\.reading.version.description).joined(separator: " ")) --by NAME",
            ]
    }

    /// The exact commands, once for all hosts that get the same.
    private func commandSections(_ working: [PlannedHost], _ style: Style) -> [[String]] {
        groups(working).map { names, steps in
            var lines = "Commands on \(HostSet.folded(names)), as root:".wrapped(indent: 0, hanging: 4).map { style.paint($0, .heading) }
            for (number, step) in steps.enumerated() {
                let limit =
                    step.kind == .manual
                    ? ", by hand" : step.kind == .job ? ", \(step.mayBeEnded ? "ended" : "overdue") after \(step.limit.text)" : ""
                let origin = step.origin.map { ", for \($0)" } ?? ""
                lines += "\(number + 1). \(step.id.rawValue): \(step.title)\(limit)\(origin)".escapedForTerminal().wrapped(
                    indent: 2, hanging: 5)
                if !step.because.isEmpty {
                    lines += "because \(step.because.joined(separator: "; "))".escapedForTerminal().wrapped(indent: 7)
                }
                lines += step.instruction.split(separator: "\n").map { "       " + String($0).escapedForTerminal() }
                // A command is shown as it will run: a long line is not cut.
                lines += step.script.split(separator: "\n", omittingEmptySubsequences: true)
                    .map { "       " + String($0).escapedForTerminal() }
            }
            return lines
        }
    }

    private func groups(_ working: [PlannedHost]) -> [(names: [HostName], steps: [PlannedStep])] {
        var groups: [(names: [HostName], steps: [PlannedStep])] = []
        var places: [[PlannedStep]: Int] = [:]
        for host in working {
            if let place = places[host.steps] {
                groups[place].names.append(host.host.name)
            } else {
                places[host.steps] = groups.count
                groups.append(([host.host.name], host.steps))
            }
        }
        return groups
    }

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String { try JSONText.of(PlanJSON(plan, digest: digest, budget: budget, reading: reading)) }
}

extension PlannedHost {
    /// The wave it is in; nil if it is not touched.
    var wave: Int? {
        if case .upgrade(let wave) = disposition { wave } else { nil }
    }

    /// What happens to it, in one stable word.
    var word: String {
        switch disposition {
        case .upgrade: "upgrade"
        case .skip: "skipped"
        case .block: "blocked"
        case .defer: "deferred"
        case .unreachable: "unreachable"
        }
    }

    /// Why it is not touched.
    var reason: Reason? {
        switch disposition {
        case .upgrade: nil
        case .skip(let reason), .block(let reason), .defer(let reason), .unreachable(let reason): reason
        }
    }
}

private struct PlanJSON: Encodable {
    struct WaveJSON: Encodable {
        var number: Int
        var hosts: [String]
    }
    struct HookJSON: Encodable {
        var event: String
        var command: [String]
        var limit: String
        var on_failure: String
    }
    struct StepJSON: Encodable {
        var id: String
        var title: String
        var kind: String
        var limit: String
        var script: String
        @OrNull var origin: String?
        var because: [String]
        @OrNull var instruction: String?
        var repeatable: Bool
    }
    struct HostJSON: Encodable {
        var name: String
        var address: String
        var disposition: String
        @OrNull var wave: Int?
        @OrNull var reason: ReasonJSON?
        @OrNull var from: String?
        @OrNull var `class`: String?
        var findings: [FindingJSON]
        var steps: [StepJSON]

        init(_ planned: PlannedHost) {
            name = planned.host.name.text
            address = planned.host.address
            disposition = planned.word
            wave = planned.wave
            reason = planned.reason.map(ReasonJSON.init)
            from = planned.facts?.version.description
            `class` = planned.upgradeClass?.rawValue
            findings = planned.findings.map(FindingJSON.init)
            steps = planned.steps.map {
                StepJSON(
                    id: $0.id.rawValue, title: $0.title, kind: $0.kind.rawValue, limit: $0.limit.text, script: $0.script, origin: $0.origin,
                    because: $0.because, instruction: $0.instruction.isEmpty ? nil : $0.instruction, repeatable: $0.isRepeatable)
            }
        }
    }

    var schema = JSONReport.schema
    var digest: String
    var created: String
    var target: String
    var at_once: Int
    var max_failures: String
    var budget: String
    @OrNull var pause: String?
    var approve: Bool
    @OrNull var spread: String?
    var parked_place: String
    var step_by_step: [String]
    var limits: [String: Int]
    var hooks: [HookJSON]
    var interrupted: [String]
    var waves: [WaveJSON]
    var notes: [NoteToReadJSON]
    var hosts: [HostJSON]

    init(_ plan: Plan, digest: String, budget: String, reading: ReadingList) {
        notes = reading.entries.map(NoteToReadJSON.init)
        self.digest = digest
        created = plan.created
        target = plan.target.description
        at_once = plan.policy.atOnce
        max_failures = plan.policy.maxFailures.description
        self.budget = budget
        pause = plan.policy.pause > .zero ? plan.policy.pause.text : nil
        approve = plan.policy.approve
        spread = plan.policy.spread?.rawValue
        parked_place = plan.policy.parkedPlace.rawValue
        step_by_step = plan.policy.stepByStep.map(\.description)
        limits = plan.policy.limits
        hooks = plan.hooksInOrder.map { event, hook in
            HookJSON(event: event.rawValue, command: hook.command, limit: hook.limit.text, on_failure: hook.onFailure.rawValue)
        }
        interrupted = plan.hosts.filter { $0.wave != nil }.map(\.host.name.text)
        waves = plan.waves.map { WaveJSON(number: $0.number, hosts: $0.hosts.map(\.text)) }
        hosts = plan.hosts.map(HostJSON.init)
    }
}

extension Plan {
    /// The hooks in the order they are documented.
    fileprivate var hooksInOrder: [(event: HookEvent, hook: Hook)] {
        HookEvent.allCases.compactMap { event in hooks[event].map { (event, $0) } }
    }
}
