import FleetCore

/// Carries the procedure of one host out: connect, look, step after step, verify.
///
/// A host that failed a step takes no further step. What the host does is the outcome; only what Fleet itself cannot do
/// (write its journal, its logs) is thrown.
struct HostUpgrade: Sendable {
    let run: RunID
    let target: CanopsisVersion
    let planned: PlannedHost
    let connector: any HostConnector
    let journal: any RunJournal
    let log: any StepLog
    let clock: RolloutClock
    let lock: HostLock

    private var name: HostName { planned.host.name }

    /// How a host ended.
    struct Ending: Sendable {
        var outcome: HostOutcome
        var reason: Reason?
        var version: CanopsisVersion?
    }

    /// Does the work and writes how it ended to the journal.
    func carryOut() async throws -> HostOutcome {
        try await journal.append(.hostStarted(host: name))
        let ending = try await work()
        try await journal.append(.hostEnded(host: name, outcome: ending.outcome, reason: ending.reason, version: ending.version))
        return ending.outcome
    }

    private func work() async throws -> Ending {
        let connection: any HostConnection
        do { connection = try await connector.connect(to: planned.host) } catch {
            return untouched(because: error.reason)
        }
        let ending = await Result { try await work(over: connection) }
        await connection.close()
        return try ending.get()
    }

    private func work(over connection: any HostConnection) async throws -> Ending {
        // Looked at before the lock is taken, since that is a first change, and after, since somebody may have been quicker.
        let running: [String]
        switch await lookAsPlanned(over: connection) {
        case .ended(let ending): return ending
        case .asPlanned(let seen): running = seen.units.filter(\.isRunning).map(\.name)
        }
        let expected: [String]
        switch await takeLock(running: running, over: connection) {
        case .held(let ending): return ending
        case .taken(let running): expected = running
        }
        var touched = false
        let ending: Ending
        switch await lookAsPlanned(over: connection) {
        case .ended(let early): ending = early
        case .asPlanned(var before):
            before.expectToRun(expected)
            ending = try await carryOutSteps(before: before, touched: &touched, over: connection)
        }
        // What another run left unfinished stays so until it is done, also where this run changed nothing.
        await leaveLock(unfinished: (touched || planned.leftBy != nil) && ending.outcome != .upgraded, over: connection)
        return ending
    }

    private enum Look {
        case asPlanned(HostFacts)
        case ended(Ending)
    }

    /// Reads the facts; an ending if they cannot be read, or are not those the plan relies on.
    private func lookAsPlanned(over connection: any HostConnection) async -> Look {
        switch await connection.facts(offer: false) {
        case .failure(let reason): return .ended(untouched(because: reason))
        case .facts(let facts):
            guard let reason = planned.change(since: facts) else { return .asPlanned(facts) }
            return .ended(Ending(outcome: .blocked, reason: reason, version: facts.installedVersion))
        }
    }

    private enum Taking {
        /// The host is ours; the units that ran before anybody touched it.
        case taken(running: [String])
        /// It is not, and the work on it ends so.
        case held(Ending)
    }

    /// Takes the host's lock, and writes down there what ran before unless an earlier run did.
    private func takeLock(running: [String], over connection: any HostConnection) async -> Taking {
        let nonce = Nonce.make()
        let script = lock.takeScript(nonce: nonce, takingOver: planned.leftBy, running: running)
        do {
            let seen = try await connection.observe(script, within: .seconds(60))
            switch HostLock.answer(in: seen.output, nonce: nonce) {
            case .taken(let running): return .taken(running: running)
            case .held(let holder):
                return .held(Ending(outcome: .deferred, reason: Reason(.hostLocked, ["holder": holder.text])))
            case .refused(let words): return .held(Ending(outcome: .failed, reason: Reason(.lockRefused, ["words": words])))
            case nil:
                return .held(Ending(outcome: .failed, reason: Reason(.lockRefused, ["words": "the host did not say whether it is locked"])))
            }
        } catch {
            // Nothing was changed: what may be left is a lock that says so.
            return .held(
                Ending(outcome: .unreachable, reason: Reason(.connectFailed, ["words": "\((error as? LinkLost)?.words ?? "\(error)")"])))
        }
    }

    /// Unlocks a host that is done or was not changed; any other stays locked for everybody but those who take its work over.
    private func leaveLock(unfinished: Bool, over connection: any HostConnection) async {
        // Without an answer the lock stays, which is the safe side.
        _ = try? await connection.observe(lock.leaveScript(unfinished: unfinished), within: .seconds(30))
    }

    private func carryOutSteps(before: HostFacts, touched: inout Bool, over connection: any HostConnection) async throws -> Ending {
        for (index, step) in planned.steps.enumerated() {
            try await journal.append(.stepIntended(host: name, step: step.id, title: step.title))
            var ending: StepEnding
            switch step.kind {
            case .job: ending = try await runJob(step, number: index + 1, over: connection)
            case .look:
                ending = try await Verification(target: target, step: step, host: planned.host, before: before, clock: clock).run(
                    over: connection)
            }
            // A person told Fleet to leave; nothing is wrong with the line.
            if ending.outcome == .unknown, Task.isCancelled { ending.reason = Reason(.runEndedEarly) }
            touched = touched || ending.reason?.code != .jobNotStarted
            try await journal.append(
                .stepEnded(host: name, step: step.id, outcome: ending.outcome, exit: ending.exit, reason: ending.reason))
            switch ending.outcome {
            case .succeeded, .skipped: continue
            case .failed: return Ending(outcome: .failed, reason: ending.reason, version: await installed(over: connection))
            case .unknown: return Ending(outcome: .unknown, reason: ending.reason, version: nil)
            }
        }
        // Never "upgraded" from exit codes: the version is read back once more at the very end.
        guard case .facts(let after) = await connection.facts(offer: false) else {
            return Ending(outcome: .unknown, reason: Reason(.linkLost, ["words": "the version could not be read back"]))
        }
        if let reason = after.reasonNotAt(target) { return Ending(outcome: .failed, reason: reason, version: after.installedVersion) }
        return Ending(outcome: .upgraded, reason: nil, version: after.installedVersion)
    }

    /// How a host ends that no step was started on.
    private func untouched(because reason: Reason) -> Ending {
        if Task.isCancelled { return Ending(outcome: .aborted, reason: Reason(.interrupted)) }
        return Ending(outcome: reason.isObjection ? .blocked : .unreachable, reason: reason)
    }

    private func installed(over connection: any HostConnection) async -> CanopsisVersion? {
        guard case .facts(let facts) = await connection.facts(offer: false) else { return nil }
        return facts.installedVersion
    }

    private func runJob(_ step: PlannedStep, number: Int, over connection: any HostConnection) async throws -> StepEnding {
        let job = Job(run: run, number: number, step: step.id, script: step.script)
        let heading = "==> \(step.id.rawValue): \(step.title)\n\(step.script)==> output\n"
        try await log.append(Array(heading.utf8)[...], of: name)
        let runner = JobRunner(
            host: name, job: job, limit: step.limit, connection: connection, journal: journal, log: log, now: clock.now)
        switch try await runner.run() {
        case .refused(let words):
            return StepEnding(.failed, reason: Reason(.jobNotStarted, ["words": words]))
        case .unknown(let reason):
            return StepEnding(.unknown, reason: reason)
        case .exited(0, _):
            guard step.id == .packages else { return StepEnding(.succeeded, exit: 0) }
            return await readBack(over: connection)
        case .exited(let status, let lastWords):
            var words = lastWords
            if step.id == .canopsinit, let meaning = RunCanopsinit.meaning(of: status) { words = "\(meaning)\n\(words)" }
            return StepEnding(.failed, exit: Int(status), reason: Reason(.jobExited, ["status": "\(status)", "words": words]))
        }
    }

    /// The package manager's status 0 proves nothing: held back packages and stale lists end with 0 too.
    private func readBack(over connection: any HostConnection) async -> StepEnding {
        switch await connection.facts(offer: false) {
        case .failure(let reason): return StepEnding(.unknown, exit: 0, reason: Reason(.linkLost, ["words": reason.text]))
        case .facts(let facts):
            if let reason = facts.reasonNotAt(target) { return StepEnding(.failed, exit: 0, reason: reason) }
            return StepEnding(.succeeded, exit: 0)
        }
    }
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

extension HostFacts {
    /// Counts these units among those that ran before, also where they do not run now.
    fileprivate mutating func expectToRun(_ names: [String]) {
        for name in names where !units.contains(where: { $0.name == name && $0.isRunning }) {
            units.removeAll { $0.name == name }
            units.append(
                UnitState(
                    name: name, load: "loaded", active: "active", sub: "running", file: "", result: "success", mainPID: 1,
                    startedMicroseconds: 0))
        }
    }
}
