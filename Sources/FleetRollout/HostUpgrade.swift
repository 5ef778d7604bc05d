import FleetCore

/// Carries the procedure of one host out: connect, look, step after step, verify.
///
/// A host that failed a step takes no further step. What the host does is the outcome; only what Fleet itself cannot do
/// (write its journal, its logs) is thrown.
struct HostUpgrade: Sendable {
    let run: RunID
    let target: CanopsisVersion
    let planned: PlannedHost
    /// How the host stood when the run was taken up again; nil the first time.
    var earlier: HostRecord?
    /// Who has steps that failed tried again; nil if they stay failed.
    var retriedBy: String?
    let connector: any HostConnector
    let journal: any RunJournal
    let log: any StepLog
    let clock: RolloutClock
    let lock: HostLock
    let patience: Patience
    /// Whether the host keeps its place while it waits for a person.
    var keepsPlace = false
    private let repairs = RepairTries()

    private var name: HostName { planned.host.name }
    /// Whether a step was begun in an earlier attempt.
    private var wasTouched: Bool { !(earlier?.steps.isEmpty ?? true) }

    /// How a host ended.
    struct Ending: Sendable {
        var outcome: HostOutcome
        var reason: Reason?
        var version: CanopsisVersion?
    }

    /// Does the work and writes how it ended to the journal.
    func carryOut() async throws -> HostOutcome {
        try await journal.append(.hostStarted(host: name))
        var ending = try await work()
        while ending.outcome == .waiting, keepsPlace, try await isAnswered() {
            var again = self
            again.earlier = try await journal.standing(of: name)
            ending = try await again.work()
        }
        try await journal.append(.hostEnded(host: name, outcome: ending.outcome, reason: ending.reason, version: ending.version))
        return ending.outcome
    }

    /// Waits until a person has answered for the step that the host waits with; false if the run is left before that.
    ///
    /// There is no connection meanwhile, and the host stays locked as an unfinished one.
    private func isAnswered() async throws -> Bool {
        while !Task.isCancelled {
            guard let step = try await journal.standing(of: name)?.steps.last, step.outcome == .waiting else { return true }
            await clock.sleep(.seconds(2))
        }
        return false
    }

    private func work() async throws -> Ending {
        let connection: any HostConnection
        do { connection = try await connect() } catch {
            // A host that was touched before is not one that was never reached.
            guard wasTouched else { return untouched(because: error.reason) }
            return Ending(outcome: Task.isCancelled ? .aborted : .unknown, reason: error.reason)
        }
        let link = HostLink(
            connection, to: planned.host, connector: connector, journal: journal, clock: clock, patience: patience.lostHost)
        let ending = await Result { try await work(over: link) }
        await link.close()
        return try ending.get()
    }

    /// Connects; a host that was touched before is waited for as one that was lost.
    private func connect() async throws(ConnectFailure) -> any HostConnection {
        let deadline = clock.now() + (wasTouched ? patience.lostHost : .zero)
        var pause = Duration.milliseconds(500)
        while true {
            do throws(ConnectFailure) { return try await connector.connect(to: planned.host) } catch {
                guard error.reason.code == .connectFailed, clock.now() + pause < deadline, !Task.isCancelled else { throw error }
            }
            await clock.sleep(pause)
            pause = min(pause * 2, .seconds(15))
        }
    }

    private func work(over link: HostLink) async throws -> Ending {
        // Looked at before the lock is taken, since that is a first change, and after, since somebody may have been quicker.
        if case .ended(let ending) = await look(over: link) { return ending }
        if let ending = try await takeLock(over: link) { return ending }
        let ending: Ending
        var touched = wasTouched
        switch await look(over: link) {
        case .ended(let early): ending = early
        case .asPlanned(let facts): ending = try await carryOutSteps(before: facts, touched: &touched, over: link)
        }
        await leaveLock(unfinished: touched && ending.outcome != .upgraded, over: link)
        return ending
    }

    private enum Look {
        case asPlanned(HostFacts)
        case ended(Ending)
    }

    /// Reads the facts; an ending if they cannot be read, or are not those the plan relies on.
    ///
    /// A host that this run has touched is no longer as planned, but it must be the same machine.
    private func look(over link: HostLink) async -> Look {
        switch await link.facts(offer: false) {
        case .failure(let reason):
            return .ended(wasTouched ? Ending(outcome: .unknown, reason: reason) : untouched(because: reason))
        case .facts(let facts):
            guard let reason = wasTouched ? planned.changeOfIdentity(since: facts) : planned.change(since: facts) else {
                return .asPlanned(facts)
            }
            return .ended(Ending(outcome: .blocked, reason: reason, version: facts.installedVersion))
        }
    }

    /// Takes the host's lock, waiting for another run if that is wanted; how the host ends if it is not had.
    private func takeLock(over link: HostLink) async throws -> Ending? {
        let deadline = clock.now() + patience.lockedHost
        while true {
            let nonce = Nonce.make()
            let seen: Observation
            do { seen = try await link.observe(lock.takeScript(nonce: nonce), within: .seconds(60)) } catch let lost as LinkLost {
                // Nothing was changed: what may be left is a lock that says so.
                let reason = Reason(.connectFailed, ["words": lost.words])
                return Ending(outcome: wasTouched ? .unknown : .unreachable, reason: reason)
            }
            switch HostLock.answer(in: seen.output, nonce: nonce) {
            case .taken: return nil
            case .refused(let words): return Ending(outcome: .failed, reason: Reason(.lockRefused, ["words": words]))
            case nil:
                // It may have the lock or not: nobody knows, and the run goes on with it when it is taken up again.
                let reason = Reason(.connectFailed, ["words": "the host did not say whether it is locked"])
                return Ending(outcome: wasTouched ? .unknown : .unreachable, reason: reason)
            case .held(let holder):
                guard holder.isInUse, clock.now() < deadline, !Task.isCancelled else {
                    // One that this run has touched and cannot look at is not merely put off.
                    return Ending(outcome: wasTouched ? .unknown : .deferred, reason: holder.reason)
                }
                await clock.sleep(.seconds(5))
            }
        }
    }

    /// Unlocks a host that is done or was not changed; any other stays locked for everybody but this run.
    private func leaveLock(unfinished: Bool, over link: HostLink) async {
        // Without an answer the lock stays, which is the safe side.
        _ = try? await link.observe(lock.leaveScript(unfinished: unfinished), within: .seconds(30))
    }

    private func carryOutSteps(before facts: HostFacts, touched: inout Bool, over link: HostLink) async throws -> Ending {
        var before = facts
        if wasTouched, let baseline = earlier?.baseline {
            before.units = baseline
        } else {
            try await journal.append(.baselineTaken(host: name, units: facts.units))
        }
        // Somebody may have put the host back, or upgraded it otherwise, since the packages were done.
        if let packages = earlier?.steps.last(where: { $0.id.base == .packages }), packages.outcome == .succeeded,
            let reason = facts.reasonNotAt(packages.id.stop ?? target)
        {
            return Ending(outcome: .failed, reason: reason, version: facts.installedVersion)
        }
        if earlier?.saved == nil, !wasTouched, let ending = try await saveState(over: link) { return ending }
        for (index, step) in planned.steps.enumerated() {
            let record = earlier?.steps.last { $0.id == step.id }
            // Effects are not repeated; what is looked at is looked at again.
            let isTriedAgain = retriedBy != nil && isTriedAgain(step, record)
            let isDone = record?.outcome == .succeeded || record?.outcome == .skipped
            if isDone, step.kind != .look || step.isLookOnTheWay, !isTriedAgain { continue }
            if record == nil, index > 0, planned.steps[index - 1].isLookOnTheWay {
                // The next version begins: its restart is measured by what runs now.
                guard case .facts(let now) = await link.facts(offer: false) else {
                    return Ending(outcome: .unknown, reason: Reason(.linkLost, ["words": "the units could not be read"]))
                }
                // Who has to run is who ran before the upgrade, whatever was seen of it at this moment.
                before.units = before.units.map { old in now.units.first { $0.name == old.name && $0.isRunning } ?? old }
                try await journal.append(.baselineTaken(host: name, units: before.units))
            }
            var ending: StepEnding
            switch step.kind {
            case .manual: ending = StepEnding(.waiting)
            // It was cut off, and nobody has looked at it yet.
            case .job where record?.outcome == .waiting: ending = StepEnding(.waiting)
            case .job: ending = try await carryOut(step, number: index + 1, record: record, tryingAgain: isTriedAgain, over: link)
            case .look:
                try await journal.append(.stepIntended(host: name, step: step.id, title: step.title, logOffset: log.length(of: name)))
                ending = try await Verification(target: goal(of: step), step: step, host: planned.host, before: before, clock: clock).run(
                    over: link)
            }
            // A person told Fleet to leave; nothing is wrong with the line.
            if ending.outcome == .unknown, Task.isCancelled { ending.reason = Reason(.runEndedEarly) }
            touched = touched || ending.reason?.code != .jobNotStarted
            if ending.outcome == .waiting {
                if record?.outcome != .waiting {
                    try await journal.append(
                        .stepAwaited(host: name, step: step.id, title: step.title, instruction: Self.instruction(for: step)))
                }
                return Ending(
                    outcome: .waiting, reason: Reason(.stepAwaited, ["step": step.id.rawValue, "title": step.title]), version: nil)
            }
            try await journal.append(
                .stepEnded(host: name, step: step.id, outcome: ending.outcome, exit: ending.exit, reason: ending.reason))
            switch ending.outcome {
            case .succeeded, .skipped, .waiting: continue
            case .failed: return Ending(outcome: .failed, reason: ending.reason, version: await installed(over: link))
            case .unknown: return Ending(outcome: .unknown, reason: ending.reason, version: nil)
            }
        }
        // Never "upgraded" from exit codes: the version is read back once more at the very end.
        guard case .facts(let after) = await link.facts(offer: false) else {
            return Ending(outcome: .unknown, reason: Reason(.linkLost, ["words": "the version could not be read back"]))
        }
        if let reason = after.reasonNotAt(target) { return Ending(outcome: .failed, reason: reason, version: after.installedVersion) }
        return Ending(outcome: .upgraded, reason: nil, version: after.installedVersion)
    }

    /// Whether a person who has failed hosts tried again means this step: the one that failed, and the restart where the units did
    /// not come up after it.
    private func isTriedAgain(_ step: PlannedStep, _ record: StepRecord?) -> Bool {
        if step.id.base == .restart, earlier?.steps.last(where: { $0.id.base == .verify && $0.id.stop == step.id.stop })?.outcome == .failed
        {
            return record != nil
        }
        return record?.outcome == .failed
    }

    /// The version a step brings the host to.
    private func goal(of step: PlannedStep) -> CanopsisVersion { step.id.stop ?? target }

    /// How a host ends that no step was started on.
    private func untouched(because reason: Reason) -> Ending {
        if Task.isCancelled { return Ending(outcome: .aborted, reason: Reason(.interrupted)) }
        return Ending(outcome: reason.isObjection ? .blocked : .unreachable, reason: reason)
    }

    private func installed(over link: HostLink) async -> CanopsisVersion? {
        guard case .facts(let facts) = await link.facts(offer: false) else { return nil }
        return facts.installedVersion
    }

    /// Saves what the host is now; how it ends if that cannot be done, for then nothing is changed.
    private func saveState(over link: HostLink) async throws -> Ending? {
        let nonce = Nonce.make()
        let seen: Observation
        do { seen = try await link.observe(SavedState.script(run: run, nonce: nonce), within: .seconds(300)) } catch let lost as LinkLost {
            return Ending(outcome: .unreachable, reason: Reason(.connectFailed, ["words": lost.words]))
        }
        switch SavedState.answer(in: seen.output, run: run, nonce: nonce) {
        case .saved(var state):
            state.manager = planned.facts?.packageManager
            state.packages = planned.facts?.installed
            try await journal.append(.stateSaved(host: name, state: state))
            return nil
        case .refused(let words): return Ending(outcome: .blocked, reason: Reason(.stateNotSaved, ["words": words]))
        case nil: return Ending(outcome: .blocked, reason: Reason(.stateNotSaved, ["words": "the host did not say how it went"]))
        }
    }

    // MARK: One step

    /// How often a step that was cut off is begun again in one go: a host that loses its power each time needs a person.
    private static let mostRepeats = 2

    /// Carries a job out, from where an earlier attempt left it.
    private func carryOut(
        _ step: PlannedStep, number: Int, record: StepRecord?, tryingAgain: Bool = false, repeating: (tries: Int, because: Reason)? = nil,
        over link: HostLink
    ) async throws -> StepEnding {
        var tries = record?.tries ?? 1
        var offset: Int64 = 0
        if let repeating {
            tries = repeating.tries
            try await repeated(step, because: repeating.because)
        } else if record != nil, tryingAgain {
            tries += 1
            try await repeated(step, because: Reason(.stepRetried, ["person": retriedBy ?? "?"]))
        } else if let record {
            offset = try await continueLog(of: step, record)
        } else {
            let place = try await log.length(of: name)
            try await journal.append(.stepIntended(host: name, step: step.id, title: step.title, logOffset: place))
            try await log.append(Self.heading(of: step), of: name)
        }
        var repeats = 0
        while true {
            if step.id == .repair { await repairs.began(tries) }
            let job = Job(
                run: run, number: number, step: step.id, attempt: tries, script: step.script,
                endedAfterSeconds: step.mayBeEnded ? step.limit.components.seconds : nil, under: lock)
            // The host ends what may be ended; only where it does not is the coordinator the one to notice.
            let limit = step.mayBeEnded ? step.limit + .seconds(120) : step.limit
            let runner = JobRunner(
                host: name, job: job, limit: limit, offset: offset, link: link, journal: journal, log: log, now: clock.now)
            switch try await runner.run() {
            case .refused(let words): return StepEnding(.failed, reason: Reason(.jobNotStarted, ["words": words]))
            case .unknown(let reason): return StepEnding(.unknown, reason: reason)
            case .exited(0, _):
                guard step.id.base == .packages else { return StepEnding(.succeeded, exit: 0) }
                return await readBack(goal(of: step), over: link)
            case .exited(let status, let lastWords) where step.mayBeEnded && Job.endedStatuses.contains(status):
                return StepEnding(
                    .failed, exit: Int(status), reason: Reason(.jobEnded, ["limit": step.limit.text, "words": lastWords]))
            case .exited(let status, let lastWords):
                var words = lastWords
                if step.id.base == .canopsinit, let meaning = RunCanopsinit.meaning(of: status) { words = "\(meaning)\n\(words)" }
                return StepEnding(.failed, exit: Int(status), reason: Reason(.jobExited, ["status": "\(status)", "words": words]))
            case .vanished(let words):
                let found = try await resolve(step, number: number, words, over: link)
                guard case .undone(let reason) = found, repeats < Self.mostRepeats else { return found.ending(words) }
                repeats += 1
                tries += 1
                offset = 0
                try await repeated(step, because: reason)
            }
        }
    }

    /// What a look at the host says of a step that was cut off.
    private enum Found {
        /// It is done.
        case done
        /// It is not, or half, and may be done again.
        case undone(Reason)
        /// It failed, or somebody must decide.
        case ended(StepEnding)

        func ending(_ words: String) -> StepEnding {
            switch self {
            case .done: StepEnding(.succeeded)
            case .undone: StepEnding(.unknown, reason: Reason(.jobVanished, ["words": words]))
            case .ended(let ending): ending
            }
        }
    }

    /// What a person has to do about a step: what it says, or to look at what became of one that was cut off.
    private static func instruction(for step: PlannedStep) -> String {
        if step.kind == .manual { return step.instruction }
        return """
            This step was cut off on the host before it had left a status, and it is not safe to run it twice.
            Look at its output (fleet logs) and on the host at how far it has come. Finish by hand what is missing, then confirm it;
            or leave it out with fleet skip. Its commands:

            """ + step.script
    }

    /// Finds out how a step stands that left no status.
    private func resolve(_ step: PlannedStep, number: Int, _ words: String, over link: HostLink) async throws -> Found {
        guard step.isRepeatable else { return .ended(StepEnding(.waiting)) }
        guard step.id.base == .packages || step.id.base == .canopsinit else { return .undone(Reason(.foundUndone)) }
        guard case .facts(let facts) = await link.facts(offer: false) else {
            return .ended(StepEnding(.unknown, reason: Reason(.jobVanished, ["words": words])))
        }
        if step.id.base == .packages {
            guard let reason = facts.reasonNotAt(goal(of: step)) else { return .done }
            let broken = facts.brokenPackages ?? []
            if !broken.isEmpty, planned.facts?.packageManager == .apt {
                let ending = try await repair(number: number, because: reason, over: link)
                guard ending.outcome == .succeeded else { return .ended(ending) }
            } else if !broken.isEmpty {
                return .ended(StepEnding(.failed, reason: reason))
            }
            return .undone(Reason(.foundUndone, ["words": reason.text]))
        }
        // It brings a database that was brought half-way to its end; with other packages than planned it would do something else.
        if let reason = facts.reasonNotAt(goal(of: step)) { return .ended(StepEnding(.failed, reason: reason)) }
        return .undone(Reason(.foundUndone, ["words": words]))
    }

    /// Completes what a package manager that was cut off left half done: a step of its own, in journal, report and log.
    ///
    /// A host may lose its power more than once: a repair that ended before is begun once more, as a try of its own.
    private func repair(number: Int, because reason: Reason, over link: HostLink) async throws -> StepEnding {
        let step = RepairPackages().step
        let record = earlier?.steps.last { $0.id == step.id }
        let ended = await repairs.last ?? (record?.outcome == nil ? 0 : record?.tries ?? 0)
        let ending = try await carryOut(
            step, number: number, record: ended == 0 ? record : nil,
            repeating: ended == 0 ? nil : (ended + 1, Reason(.foundUndone, ["words": reason.text])), over: link)
        try await journal.append(.stepEnded(host: name, step: step.id, outcome: ending.outcome, exit: ending.exit, reason: ending.reason))
        return ending
    }

    private func repeated(_ step: PlannedStep, because reason: Reason) async throws {
        let place = try await log.length(of: name)
        try await journal.append(.stepRepeated(host: name, step: step.id, because: reason, logOffset: place))
        try await log.append(Self.heading(of: step), of: name)
    }

    private static func heading(of step: PlannedStep) -> ArraySlice<UInt8> {
        Array("==> \(step.id.rawValue): \(step.title)\n\(step.script)==> output\n".utf8)[...]
    }

    /// Brings the log to what is known to be in it; answers how many bytes of the step's output those are.
    ///
    /// What came after the last offset in the journal is cut off and read from the host again: nothing is lost or doubled.
    private func continueLog(of step: PlannedStep, _ record: StepRecord) async throws -> Int64 {
        let heading = Self.heading(of: step)
        let output = record.logOffset + Int64(heading.count)
        let length = try await log.length(of: name)
        guard length >= output else {
            try await log.cut(name, to: min(length, record.logOffset))
            try await log.append(heading, of: name)
            return 0
        }
        let offset = min(record.offset, length - output)
        try await log.cut(name, to: output + offset)
        return offset
    }

    /// The package manager's status 0 proves nothing: held back packages and stale lists end with 0 too.
    private func readBack(_ version: CanopsisVersion, over link: HostLink) async -> StepEnding {
        switch await link.facts(offer: false) {
        case .failure(let reason): return StepEnding(.unknown, exit: 0, reason: Reason(.linkLost, ["words": reason.text]))
        case .facts(let facts):
            if let reason = facts.reasonNotAt(version) { return StepEnding(.failed, exit: 0, reason: reason) }
            return StepEnding(.succeeded, exit: 0)
        }
    }
}

extension PlannedStep {
    /// Whether it looks at a version before the target, after which the host goes on.
    fileprivate var isLookOnTheWay: Bool { kind == .look && id.stop != nil }
}

/// How long a run waits for a host that is not there for it.
public struct Patience: Hashable, Sendable {
    /// How long a host whose connection was lost is tried again before it counts as unknown; 0 s and more.
    public var lostHost: Duration
    /// How long a host that another run has locked is waited for; 0 s and more.
    public var lockedHost: Duration

    /// Creates a patience.
    public init(lostHost: Duration = .seconds(600), lockedHost: Duration = .zero) {
        self.lostHost = lostHost
        self.lockedHost = lockedHost
    }
}

/// Which try of the repair step was begun last in this attempt; nil if none was.
private actor RepairTries {
    private(set) var last: Int?

    func began(_ tries: Int) { last = tries }
}

/// How a step ended.
struct StepEnding: Sendable {
    var outcome: StepOutcome
    var exit: Int?
    var reason: Reason?

    init(_ outcome: StepOutcome, exit: Int? = nil, reason: Reason? = nil) {
        self.outcome = outcome
        self.exit = exit
        self.reason = reason
    }
}

extension Result where Failure == any Error {
    /// The result of an asynchronous piece of work.
    init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}

/// Time for waits and limits, so that tests need not wait.
public struct RolloutClock: Sendable {
    /// Time since any fixed moment; never goes back.
    public var now: @Sendable () -> Duration
    /// Waits; ends early when the task is cancelled.
    public var sleep: @Sendable (Duration) async -> Void

    /// Creates a clock.
    public init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async -> Void) {
        self.now = now
        self.sleep = sleep
    }

    /// The machine's clock since it was started.
    public static let continuous: RolloutClock = {
        let origin = ContinuousClock.now
        return RolloutClock(
            now: { ContinuousClock.now - origin },
            sleep: { try? await Task.sleep(for: $0) })
    }()
}
