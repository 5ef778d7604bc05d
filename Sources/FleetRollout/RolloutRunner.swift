import FleetCore

/// Carries a plan out: asks the rollout's rules what to do next, does it, tells them how it ended.
public struct RolloutRunner: Sendable {
    private let plan: Plan
    private let run: RunID
    private let connector: any HostConnector
    private let journal: any RunJournal
    private let log: any StepLog
    private let clock: RolloutClock
    private let lock: HostLock
    private let patience: Patience
    private let earlier: RunRecord?
    private let retriedBy: String?
    private let hooks: Hooks

    /// The name among the signals that says that an operator gives the run up: nothing new is started, hosts at work finish.
    public static let abortRequest = "abort"

    /// How carrying out ended.
    public enum Ending: Sendable {
        /// Everything that was to be started was started, or a stop let the running hosts finish.
        case finished
        /// A second request to stop: the run was left, the jobs on the hosts go on.
        case detached
    }

    /// Creates a runner for a plan that was confirmed.
    ///
    /// - Parameters:
    ///   - lock: what each host is locked with.
    ///   - hooks: what calls the hooks of the plan.
    ///   - earlier: how the run stood when it was taken up again; nil for a new run.
    ///   - retriedBy: who has hosts that failed tried again; nil if they stay failed.
    public init(
        plan: Plan, lock: HostLock, connector: any HostConnector, journal: any RunJournal, log: any StepLog, hooks: any HookRunner,
        clock: RolloutClock = .continuous, patience: Patience = Patience(), earlier: RunRecord? = nil, retriedBy: String? = nil
    ) {
        self.patience = patience
        self.earlier = earlier
        self.retriedBy = retriedBy
        self.plan = plan
        self.lock = lock
        run = lock.run
        self.connector = connector
        self.journal = journal
        self.log = log
        self.clock = clock
        self.hooks = Hooks(byEvent: plan.hooks, run: lock.run, target: plan.target, runner: hooks, journal: journal)
    }

    private enum Message: Sendable {
        /// The work on a host ended; a hook after it failed, if something is said of it, and stops the run.
        case ended(HostName, HostOutcome, hookFailure: String?)
        /// A hook keeps the host from being begun.
        case heldBack(HostName)
        /// The run was stopped while a hook before the host was at work.
        case notBegun(HostName)
        case hookEnded(failure: String?)
        case pauseOver
        case stopRequested(String)
        case noMoreRequests
    }

    /// Carries the plan out to its end.
    ///
    /// - Parameter stops: the names of signals as they come. The first lets running hosts finish and starts nothing new;
    ///   the second leaves at once.
    /// - Throws: what Fleet itself could not do, such as writing its journal.
    public func carryOut(stops: AsyncStream<String>) async throws -> Ending {
        // Hosts that ended for good are not begun again; what nobody knows the end of is.
        let over = Dictionary(
            (earlier?.hosts ?? []).filter { $0.wave != nil && !$0.isToBeTakenUp(retryingFailed: retriedBy != nil) }
                .map { ($0.name, $0.outcome) }, uniquingKeysWith: { first, _ in first })
        // Who goes on after failures stopped the run has seen them.
        var rollout = Rollout(
            waves: plan.waves, policy: plan.policy, selected: plan.hosts.count, hosts: plan.hosts.map(\.host),
            approved: Set((earlier?.approvals ?? [:]).keys), earlier: over, forgiving: earlier?.stop != nil)
        let hosts = Dictionary(plan.hosts.map { ($0.host.name, $0) }, uniquingKeysWith: { first, _ in first })
        let latch = Latch()
        var openWave: Int?
        var requests = 0

        return try await withThrowingTaskGroup(of: Message.self) { group in
            func listen() {
                group.addTask {
                    for await signal in stops { return .stopRequested(signal) }
                    return .noMoreRequests
                }
            }
            /// Calls a hook of the run or of a wave: no host is at work then. Why the run stops, if it does: the hook failed, or
            /// somebody asked meanwhile, who is heard once the hook has ended; a second request ends it.
            func call(_ event: HookEvent, wave: Int? = nil, outcome: RunOutcome? = nil) async throws -> StopReason? {
                guard plan.hooks[event] != nil else { return nil }
                let names = plan.waves.filter { wave == nil || $0.number == wave }.flatMap(\.hosts)
                group.addTask {
                    .hookEnded(failure: try await hooks.call(event, wave: wave, hosts: names, outcome: outcome?.rawValue))
                }
                var reason: StopReason?
                while let message = try await group.next() {
                    switch message {
                    case .hookEnded(let failure): return reason ?? failure.map { .hookFailed($0) }
                    case .stopRequested(Self.abortRequest):
                        reason = reason ?? .askedByOperator
                        listen()
                    case .stopRequested(let signal):
                        requests += 1
                        try await journal.append(.interrupted(signal: signal))
                        reason = reason ?? .signal(signal)
                        if requests > 1 { group.cancelAll() } else { listen() }
                    case .ended, .heldBack, .notBegun, .pauseOver, .noMoreRequests: break
                    }
                }
                return reason
            }
            /// Stops the rollout in the place of what was to be done, which was not begun.
            func stop(because reason: StopReason, insteadOf instructions: ArraySlice<Rollout.Instruction>) async throws -> Bool {
                let isStopped = rollout.stopReason != nil
                let starts = instructions.compactMap { if case .start(let name) = $0 { name } else { nil } }
                let stopping = rollout.stop(because: reason) + rollout.takeBack(starts)
                if !stopping.isEmpty { return try await follow(stopping[...]) }
                // It had come to its end: what was left to say of that is that it was stopped.
                if !isStopped { try await journal.append(.rolloutStopped(reason: reason.text)) }
                return true
            }
            /// Does what the rules say; true once there is nothing left to do.
            func follow(_ instructions: ArraySlice<Rollout.Instruction>) async throws -> Bool {
                for (place, instruction) in zip(instructions.indices, instructions) {
                    if instruction.endsWave, let number = openWave {
                        openWave = nil
                        if let reason = try await call(.afterWave, wave: number) {
                            return try await stop(because: reason, insteadOf: instructions[place...])
                        }
                    }
                    switch instruction {
                    case .openWave(let number):
                        if let reason = try await call(.beforeWave, wave: number) {
                            return try await stop(because: reason, insteadOf: instructions[place...])
                        }
                        openWave = number
                        try await journal.append(.waveStarted(wave: number))
                    case .pause(let number, let length):
                        try await journal.append(.pauseStarted(wave: number, length: length.text))
                        group.addTask {
                            await clock.sleep(length)
                            return .pauseOver
                        }
                    case .awaitApproval(let number): try await journal.append(.approvalNeeded(wave: number))
                    case .holdBack(let name, let reason): try await journal.append(.hostHeldBack(host: name, reason: reason))
                    case .start(let name):
                        guard let planned = hosts[name] else { continue }
                        group.addTask { try await carryOut(planned, unless: latch) }
                    case .stop(let reason):
                        latch.shut()
                        try await journal.append(.rolloutStopped(reason: reason.text))
                    case .finish: return true
                    }
                }
                return false
            }

            listen()
            var finished: Bool
            if let reason = try await call(.beforeRun) {
                finished = try await follow(rollout.stop(because: reason)[...])
            } else {
                finished = try await follow(rollout.begin()[...])
            }
            while !finished, let message = try await group.next() {
                switch message {
                case .ended(let name, let outcome, let failure):
                    if let failure { finished = try await follow(rollout.stop(because: .hookFailed(failure))[...]) }
                    finished = try await follow(rollout.record(outcome, of: name)[...])
                case .heldBack(let name): finished = try await follow(rollout.record(.blocked, of: name)[...])
                case .notBegun(let name): finished = try await follow(rollout.takeBack([name])[...])
                case .pauseOver: finished = try await follow(rollout.pauseEnded()[...])
                case .stopRequested(Self.abortRequest):
                    finished = try await follow(rollout.stop(because: .askedByOperator)[...])
                    listen()
                case .stopRequested(let signal):
                    requests += 1
                    try await journal.append(.interrupted(signal: signal))
                    if requests > 1 {
                        group.cancelAll()
                        // The hosts at work are written down as unknown before the run is left.
                        while try await group.next() != nil {}
                        return .detached
                    }
                    finished = try await follow(rollout.stop(because: .signal(signal))[...])
                    listen()
                case .hookEnded, .noMoreRequests: break
                }
            }
            if requests < 2, let reason = try await call(.afterRun, outcome: journal.outcome()), rollout.stopReason == nil {
                try await journal.append(.rolloutStopped(reason: reason.text))
            }
            group.cancelAll()
            return requests < 2 ? .finished : .detached
        }
    }

    /// Does the work on one host, with the hooks before and after it.
    private func carryOut(_ planned: PlannedHost, unless latch: Latch) async throws -> Message {
        let name = planned.host.name
        let wave = plan.waves.first { $0.hosts.contains(name) }?.number
        // A host on which an earlier attempt has begun a step is gone on with, whatever there was to ask before.
        if plan.hooks[.beforeHost] != nil, earlier?[name]?.steps.isEmpty ?? true {
            let failure = try await hooks.call(.beforeHost, wave: wave, hosts: [name], host: name)
            if latch.isShut || Task.isCancelled { return .notBegun(name) }
            if let failure {
                try await journal.append(.hostHeldBack(host: name, reason: Reason(.hookFailed, ["words": failure])))
                return .heldBack(name)
            }
        }
        let upgrade = HostUpgrade(
            run: run, target: plan.target, planned: planned, earlier: earlier?[name], retriedBy: retriedBy,
            connector: connector, journal: journal, log: log, clock: clock, lock: lock, patience: patience,
            keepsPlace: plan.policy.parkedPlace == .keep)
        let outcome = try await upgrade.carryOut()
        guard plan.hooks[.afterHost] != nil, !Task.isCancelled else { return .ended(name, outcome, hookFailure: nil) }
        let failure = try await hooks.call(
            .afterHost, wave: wave, hosts: [name], host: name, outcome: outcome.rawValue, reason: journal.standing(of: name)?.reason)
        return .ended(name, outcome, hookFailure: failure)
    }
}

extension Rollout.Instruction {
    /// Whether the wave before it has come to its end: nobody of it is at work, and nobody will be begun.
    fileprivate var endsWave: Bool {
        switch self {
        case .openWave, .pause, .awaitApproval, .finish: true
        case .start, .holdBack, .stop: false
        }
    }
}
