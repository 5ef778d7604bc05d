/// Decides what a rollout does next.
///
/// It is told what happened and answers what to do; it never waits, connects or writes. The answers depend on the calls and
/// nothing else, so a resumed run replays its journal through the same calls and stands where it stood.
///
/// - Inside a wave the next host starts as soon as a place is free (or, with a barrier, once the whole group before has ended).
///   A failed host keeps its place for the rest of the run: places in use are the hosts at work and the failed ones.
///   A host whose label has no place left is passed over for the next in order; if failed hosts hold every place of it, the host
///   is held back for good, and the rollout goes on without it.
/// - A wave opens when every host of the one before has ended and at least one of them is good; before it opens comes the pause,
///   or, where waves are approved, the end of this attempt. A wave without a host to start is passed over.
/// - After a stop nothing is started, and hosts at work finish. Where nothing is left to start, nothing is stopped: the run
///   then ends by what became of its hosts.
public struct Rollout: Hashable, Sendable {
    /// What to do next.
    public enum Instruction: Hashable, Sendable {
        /// This wave begins; its hosts follow.
        case openWave(Int)
        /// Wait that long and call ``Rollout/pauseEnded()``: then this wave begins.
        case pause(before: Int, Duration)
        /// A person must approve this wave before it begins; nothing more is started in this attempt.
        case awaitApproval(of: Int)
        /// Begin the work on this host.
        case start(HostName)
        /// This host will not be started, for hosts that failed hold its place. Said once of a host.
        case holdBack(HostName, because: Reason)
        /// Start nothing from here on. Said at most once.
        case stop(StopReason)
        /// Nothing is at work and nothing will be started. Said exactly once, last.
        case finish
    }

    /// The waves, each with at least one host and each host once.
    public let waves: [Wave]
    /// How many failures the rollout bears.
    public let budget: Budget
    /// The hosts that were started and have not ended.
    public private(set) var atWork: Set<HostName> = []
    /// How each host ended, as far as it has.
    public private(set) var ended: [HostName: HostOutcome] = [:]
    /// How many hosts failed, could not be reached or are unknown.
    public private(set) var failures = 0
    /// The hosts that are not started because failed ones hold their places.
    public private(set) var heldBack: Set<HostName> = []

    /// Hosts whose failure counts no more.
    private let forgiven: Set<HostName>
    private let policy: RolloutPolicy
    private let approved: Set<Int>
    private var places: LabelPlaces
    private var stage = Stage.planned

    private enum Stage: Hashable, Sendable {
        case planned
        case open(OpenWave)
        /// The wave is to open after the pause.
        case pausing(OpenWave)
        case stopping(StopReason)
        case finished(StopReason?)
    }

    /// The wave in progress.
    private struct OpenWave: Hashable, Sendable {
        /// Its place among the waves.
        var index: Int
        /// Its hosts that were not started yet, in order.
        var waiting: ArraySlice<HostName>
        /// How many of its hosts failed.
        var failures = 0
        /// Whether one of its hosts ended as it should.
        var hasGoodHost = false
    }

    /// Prepares a rollout. `selected` counts skipped and blocked hosts too; a host named twice keeps its first place, and a wave without hosts is left out.
    ///
    /// - Parameters:
    ///   - hosts: the hosts of the plan, for their labels; one that is not among them has none.
    ///   - approved: the numbers of the waves that a person has approved.
    ///   - earlier: how hosts ended before the run was taken up again; they are not started, and count as what they are.
    ///   - forgiving: whether earlier failures are left out of the budgets, since they stopped the run and a person went on.
    public init(
        waves: [Wave], policy: RolloutPolicy, selected: Int, hosts: [Host] = [], approved: Set<Int> = [],
        earlier: [HostName: HostOutcome] = [:], forgiving: Bool = false
    ) {
        self.policy = policy
        self.approved = approved
        places = LabelPlaces(policy, hosts: hosts)
        // Forgiven or not, such a host is as broken as it was. Sorted, so that the same calls give the same answers.
        for (host, outcome) in earlier.sorted(by: { $0.key < $1.key }) { places.keep(host, as: outcome) }
        ended = earlier
        forgiven = forgiving ? Set(earlier.filter { $0.value.isFailure }.keys) : []
        failures = earlier.count { $0.value.isFailure } - forgiven.count
        var seen: Set<HostName> = []
        self.waves = waves.compactMap { wave in
            let hosts = wave.hosts.filter { seen.insert($0).inserted }
            return hosts.isEmpty ? nil : Wave(number: wave.number, hosts: hosts)
        }
        budget = Budget(policy, selected: selected)
    }

    /// Why nothing more is started; nil as long as nothing has stopped the rollout.
    public var stopReason: StopReason? {
        switch stage {
        case .planned, .open, .pausing: nil
        case .stopping(let reason): reason
        case .finished(let reason): reason
        }
    }

    /// Whether nothing is at work and nothing will be started.
    public var isFinished: Bool {
        if case .finished = stage { true } else { false }
    }

    /// The hosts that were not started, in order.
    public var notStarted: [HostName] {
        waves.flatMap(\.hosts).filter { !atWork.contains($0) && ended[$0] == nil }
    }

    /// Begins with the first wave. Only the first call does anything.
    public mutating func begin() -> [Instruction] {
        guard case .planned = stage else { return [] }
        // Who takes a run up again has looked just now: no pause before the first wave of an attempt.
        return openWave(at: 0, pausing: false)
    }

    /// Opens the wave that the pause was before; nothing if no pause is under way.
    public mutating func pauseEnded() -> [Instruction] {
        guard case .pausing(let wave) = stage else { return [] }
        return [.openWave(waves[wave.index].number)] + startHosts(of: wave)
    }

    /// Takes note that the work on a host ended and answers what follows.
    ///
    /// `failed`, `unreachable` and `unknown` are failures. `blocked`, `deferred`, `waiting` and `aborted` are not: the host frees
    /// its place and leaves the rollout, but opens no gate. A person who aborts more than that host calls ``stop(because:)``.
    ///
    /// A host that is not at work, and an outcome that is no ending (`not_started`, `running`), change nothing: the answer is empty.
    public mutating func record(_ outcome: HostOutcome, of host: HostName) -> [Instruction] {
        guard outcome.endsWork, atWork.remove(host) != nil else { return [] }
        ended[host] = outcome
        places.leave(host, as: outcome)
        if outcome.isFailure { failures += 1 }
        guard case .open(var wave) = stage else { return finishIfIdle() }

        if outcome.isFailure { wave.failures += 1 }
        if outcome.isGood { wave.hasGoodHost = true }
        let heldBack = holdBack(from: &wave)
        stage = .open(wave)

        if let reason = reasonToStop(in: wave) { return heldBack + stop(because: reason) }
        if isComplete(wave) { return heldBack + openWave(at: wave.index + 1, pausing: true) }
        return heldBack + startHosts(of: wave)
    }

    /// Starts nothing from here on; hosts at work finish. Only the first stop counts, and none after the finish.
    public mutating func stop(because reason: StopReason) -> [Instruction] {
        switch stage {
        case .planned, .open, .pausing:
            stage = .stopping(reason)
            return [.stop(reason)] + finishIfIdle()
        case .stopping, .finished:
            return []
        }
    }

    /// Takes back that these hosts were to be started: none of them was begun. Called after a stop, so nobody has their places.
    public mutating func takeBack(_ hosts: [HostName]) -> [Instruction] {
        atWork.subtract(hosts)
        return finishIfIdle()
    }

    /// What the rules say after a host of this wave has ended.
    private func reasonToStop(in wave: OpenWave) -> StopReason? {
        guard wave.index < waves.count - 1 || !wave.waiting.isEmpty else { return nil }
        if failures > budget.mayFail { return .failuresInRun(failures, allowed: budget.mayFail) }

        let current = waves[wave.index]
        if let allowed = budget.mayFail(inWaveOf: current.hosts.count), wave.failures > allowed {
            return .failuresInWave(current.number, count: wave.failures, allowed: allowed)
        }

        if failures >= budget.atOnce { return .noPlaceLeft(atOnce: budget.atOnce) }
        if isComplete(wave), !wave.hasGoodHost { return .noUpgradedHost(wave: current.number) }
        return nil
    }

    /// Whether every host of the wave has ended; hosts of no other wave are ever at work beside it.
    private func isComplete(_ wave: OpenWave) -> Bool { wave.waiting.isEmpty && atWork.isEmpty }

    private mutating func openWave(at index: Int, pausing: Bool) -> [Instruction] {
        guard index < waves.count else {
            stage = .finished(nil)
            return [.finish]
        }
        // Before a run was taken up again some hosts had ended: all of a wave, part of it, or none.
        let before = waves[index].hosts.compactMap { host in ended[host].map { (host, $0) } }
        let waiting = waves[index].hosts.filter { ended[$0] == nil }
        var wave = OpenWave(
            index: index, waiting: waiting[...], failures: before.count { $0.1.isFailure && !forgiven.contains($0.0) },
            hasGoodHost: before.contains { $0.1.isGood })
        let heldBack = holdBack(from: &wave)
        if wave.waiting.isEmpty { return heldBack + openWave(at: index + 1, pausing: pausing) }
        if let reason = reasonToStop(in: wave) { return heldBack + stop(because: reason) }

        let number = waves[index].number
        if policy.approve, index > 0, !approved.contains(number) {
            stage = .finished(nil)
            return heldBack + [.awaitApproval(of: number), .finish]
        }
        if pausing, policy.pause > .zero {
            stage = .pausing(wave)
            return heldBack + [.pause(before: number, policy.pause)]
        }
        return heldBack + [.openWave(number)] + startHosts(of: wave)
    }

    /// Takes the hosts out of a wave that can't begin any more, whoever else ends.
    private mutating func holdBack(from wave: inout OpenWave) -> [Instruction] {
        guard places.areHeldByFailed else { return [] }
        var instructions: [Instruction] = []
        wave.waiting.removeAll { host in
            guard let (shared, holders) = places.heldForGood(from: host) else { return false }
            let words = holders.map { "\($0) (\(ended[$0, default: .unknown].rawValue))" }.joined(separator: ", ")
            let reason = Reason(.noPlaceLeft, ["label": shared.label, "value": shared.value, "holders": words])
            heldBack.insert(host)
            instructions.append(.holdBack(host, because: reason))
            return true
        }
        return instructions
    }

    private mutating func startHosts(of wave: OpenWave) -> [Instruction] {
        let free = policy.barrier && !atWork.isEmpty ? 0 : max(0, budget.atOnce - atWork.count - failures)
        var wave = wave
        var (starting, passedOver): ([HostName], [HostName]) = ([], [])
        while starting.count < free, let host = wave.waiting.popFirst() {
            guard places.isFree(for: host) else {
                passedOver.append(host)
                continue
            }
            places.take(for: host)
            starting.append(host)
        }
        wave.waiting.insert(contentsOf: passedOver, at: wave.waiting.startIndex)
        stage = .open(wave)
        atWork.formUnion(starting)
        return starting.map { .start($0) }
    }

    private mutating func finishIfIdle() -> [Instruction] {
        guard case .stopping(let reason) = stage, atWork.isEmpty else { return [] }
        stage = .finished(reason)
        return [.finish]
    }
}

extension HostOutcome {
    /// Whether it counts against the budgets: the host failed, could not be reached, or nobody knows.
    public var isFailure: Bool { self == .failed || self == .unreachable || self == .unknown }

    /// Whether the host is at the target and speaks for opening the next wave; one that was there already does too.
    public var isGood: Bool { self == .upgraded || self == .skipped }

    /// Whether the work on the host is over for this rollout.
    public var endsWork: Bool { self != .notStarted && self != .running }
}
