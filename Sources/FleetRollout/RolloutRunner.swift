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
    ///   - earlier: how the run stood when it was taken up again; nil for a new run.
    ///   - retriedBy: who has hosts that failed tried again; nil if they stay failed.
    public init(
        plan: Plan, lock: HostLock, connector: any HostConnector, journal: any RunJournal, log: any StepLog,
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
    }

    private enum Message: Sendable {
        case ended(HostName, HostOutcome)
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

        return try await withThrowingTaskGroup(of: Message.self) { group in
            /// Does what the rules say; true once there is nothing left to do.
            func follow(_ instructions: [Rollout.Instruction]) async throws -> Bool {
                for instruction in instructions {
                    switch instruction {
                    case .openWave(let number): try await journal.append(.waveStarted(wave: number))
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
                        let upgrade = HostUpgrade(
                            run: run, target: plan.target, planned: planned, earlier: earlier?[name], retriedBy: retriedBy,
                            connector: connector, journal: journal, log: log, clock: clock, lock: lock, patience: patience,
                            keepsPlace: plan.policy.parkedPlace == .keep)
                        group.addTask { .ended(name, try await upgrade.carryOut()) }
                    case .stop(let reason): try await journal.append(.rolloutStopped(reason: reason.text))
                    case .finish: return true
                    }
                }
                return false
            }
            func listen() {
                group.addTask {
                    for await signal in stops { return .stopRequested(signal) }
                    return .noMoreRequests
                }
            }

            listen()
            var requests = 0
            var finished = try await follow(rollout.begin())
            while !finished, let message = try await group.next() {
                switch message {
                case .ended(let name, let outcome):
                    finished = try await follow(rollout.record(outcome, of: name))
                case .pauseOver: finished = try await follow(rollout.pauseEnded())
                case .stopRequested(Self.abortRequest):
                    finished = try await follow(rollout.stop(because: .askedByOperator))
                    if !finished { listen() }
                case .stopRequested(let signal):
                    requests += 1
                    try await journal.append(.interrupted(signal: signal))
                    if requests > 1 {
                        group.cancelAll()
                        // The hosts at work are written down as unknown before the run is left.
                        while try await group.next() != nil {}
                        return .detached
                    }
                    finished = try await follow(rollout.stop(because: .signal(signal)))
                    if !finished { listen() }
                case .noMoreRequests: break
                }
            }
            group.cancelAll()
            return .finished
        }
    }
}
