/// What the releases on a host's path and its add-ons ask for, as steps of its procedure.
public struct ReleaseSteps: Hashable, Sendable {
    private let byPhase: [StepPhase: [PlannedStep]]
    /// The number that the next stop of the engines would have.
    let nextStop: Int

    /// Makes the steps of a path.
    ///
    /// What is optional, or only to know, is no step. What a person does, or what the facts don't say whether it is needed, waits for a
    /// person; so does a change of the database where the host has no client for it. What blocks is a question before the first step. Steps that need the engines stopped stand between a stop and a start of those that ran.
    /// In each phase add-ons come after the releases, in the order of the inventory.
    ///
    /// - Parameter firstStop: the number of its first stop of the engines, counted from 1 over all the versions a host is brought to.
    public init(_ path: ReleasePath, addOns: [ResolvedAddOnStep] = [], hasDatabaseClient: Bool, firstStop: Int = 1) {
        var byPhase: [StepPhase: [PlannedStep]] = [:]
        var stops = firstStop - 1
        var areStopped = false
        for phase in StepPhase.allCases {
            let questions = phase == .beforePackages ? path.steps.filter(\.blocks) : []
            let ofReleases = questions + path.steps(in: phase).filter { !$0.blocks && ($0.isCarriedOut || $0.needsPerson) }
            let due = ofReleases.map(DueStep.init) + addOns.filter { $0.isDue && $0.step.work.phase == phase }.map(DueStep.init)
            var steps: [PlannedStep] = []
            for step in due {
                let planned = step.planned(hasDatabaseClient)
                let needsStop = step.step.requiresEnginesStopped && planned.kind == .job
                if needsStop, !areStopped {
                    stops += 1
                    steps.append(EngineStop(number: stops).stop)
                } else if !needsStop, areStopped {
                    steps.append(EngineStop(number: stops).start)
                }
                areStopped = needsStop
                steps.append(planned)
            }
            if areStopped { steps.append(EngineStop(number: stops).start) }
            areStopped = false
            byPhase[phase] = steps
        }
        self.byPhase = byPhase
        nextStop = stops + 1
    }

    /// No steps: a host with nothing but the standard procedure.
    public init() { self.init(byPhase: [:], nextStop: 1) }

    /// The steps of a phase, in order.
    public subscript(phase: StepPhase) -> [PlannedStep] { byPhase[phase, default: []] }

    /// Adds steps at the end of their phases.
    public func adding(_ steps: [(phase: StepPhase, step: PlannedStep)]) -> ReleaseSteps {
        ReleaseSteps(byPhase: steps.reduce(into: byPhase) { $0[$1.phase, default: []].append($1.step) }, nextStop: nextStop)
    }

    private init(byPhase: [StepPhase: [PlannedStep]], nextStop: Int) {
        self.byPhase = byPhase
        self.nextStop = nextStop
    }
}

/// A step that a host needs, or may need, whoever asks for it.
private struct DueStep {
    var step: ReleaseStep
    var resolution: Resolution
    var origin: String
    /// Shell text that has to end with 0 after what the step does; nil for no such check.
    var check: String?

    init(_ resolved: ResolvedStep) {
        (step, resolution, origin) = (resolved.step, resolved.resolution, "release \(resolved.release)")
    }

    init(_ resolved: ResolvedAddOnStep) {
        (step, resolution, origin) = (resolved.step.work, resolved.resolution, "add-on \(resolved.addOn)")
        check = resolved.step.check
    }

    /// What Fleet runs for it; nil if a person does it, or nobody.
    func script(_ hasDatabaseClient: Bool) -> String? {
        guard resolution.doesApply, step.isAutomatic, !step.isOptional, !step.isBlocking, let work = step.work,
            hasDatabaseClient || !work.needsDatabaseClient
        else { return nil }
        return work.shellText
    }

    /// The step for the plan of its host.
    func planned(_ hasDatabaseClient: Bool) -> PlannedStep {
        guard let id = StepID(rawValue: step.id) else { preconditionFailure("nobody lets a step in with the name \(step.id)") }
        let facts: [String]
        switch resolution {
        case .applies(let reasons), .unknown(let reasons): facts = reasons
        case .doesNotApply, .obsolete, .duplicate: facts = []
        }
        let needsClient = step.work?.needsDatabaseClient ?? false && !hasDatabaseClient
        if let script = script(hasDatabaseClient) {
            return PlannedStep(
                id: id, title: step.title, script: check.map { CheckedScript(script, check: $0).text } ?? script, limit: step.limit,
                kind: .job, isRepeatable: step.canBeRepeated, origin: origin, because: facts)
        }
        var paragraphs = step.text.isEmpty ? [] : [step.text]
        if resolution.isUnknown {
            paragraphs.insert("Fleet does not know whether this host needs it: \(facts.joined(separator: "; ")).", at: 0)
        }
        if needsClient { paragraphs.insert("The host has no MongoDB client, so Fleet cannot do it.", at: 0) }
        if step.kind == .notice { paragraphs.append("Confirm that this host shall be upgraded all the same, or give it up (fleet abort).") }
        if let work = step.work { paragraphs.append(work.script) }
        if let check { paragraphs.append("Afterwards this has to end with 0:\n" + check) }
        return PlannedStep(
            id: id, title: step.title, script: "", limit: .zero, kind: .manual, instruction: paragraphs.joined(separator: "\n"),
            origin: origin, because: facts)
    }
}

extension ResolvedStep {
    /// Whether Fleet does it on its host, so that no person is needed for it.
    public func isDoneByFleet(withDatabaseClient hasDatabaseClient: Bool) -> Bool { DueStep(self).script(hasDatabaseClient) != nil }
}

extension StepWork {
    fileprivate var needsDatabaseClient: Bool { if case .mongo = self { true } else { false } }

    /// The shell text that does it; nil if Fleet has no way to.
    fileprivate var shellText: String? {
        switch self {
        case .shell(let text): text
        case .mongo(let text): DatabaseScript(text).shellText
        case .edit(let edit): edit.shellText
        case .influx: nil
        }
    }
}

/// Stops the engines that run, and starts just those again.
private struct EngineStop {
    /// Which stop of the host's procedure it is, counted from 1.
    var number: Int

    private var list: String { "\(Job.runFolder)/engines-\(number)" }

    var stop: PlannedStep {
        step(
            "stop-engines-\(number)", "stop the engines",
            """
            set -eu
            list=\(list)
            # What was written down before a cut counts, too: those engines are stopped already.
            systemctl list-units --no-legend --plain --state=active,activating 'canopsis-engine@*' 'canopsis-engine-go@*' |
                sed -n 's/^[^a-z]*\\(canopsis-engine[^ ]*\\) .*/\\1/p' >"$list.new"
            if [ -e "$list" ]; then cat "$list" >>"$list.new"; fi
            sort -u "$list.new" >"$list.all"
            mv -f "$list.all" "$list"
            rm -f "$list.new"
            if [ -s "$list" ]; then xargs systemctl stop <"$list"; fi
            sed 's/^/stopped /' "$list"

            """)
    }

    var start: PlannedStep {
        step(
            "start-engines-\(number)", "start the engines that were stopped",
            """
            set -eu
            list=\(list)
            systemctl daemon-reload
            if [ -s "$list" ]; then xargs systemctl start <"$list"; fi
            sed 's/^/started /' "$list"

            """)
    }

    private func step(_ id: String, _ title: String, _ script: String) -> PlannedStep {
        guard let id = StepID(rawValue: id) else { preconditionFailure("a name of a step") }
        return PlannedStep(id: id, title: title, script: script, limit: .seconds(600), kind: .job)
    }
}
