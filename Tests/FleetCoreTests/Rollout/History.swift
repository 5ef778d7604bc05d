import FleetCore
import TestSupport

/// A generated rollout and everything that was said in it, in order. The properties are judged by this alone.
struct History: Sendable {
    enum Entry: Hashable {
        case opened(Int)
        case started(HostName)
        case ended(HostName, HostOutcome)
        /// Somebody outside asked to stop.
        case asked(StopReason)
        case stopped(StopReason)
        case finished
    }

    /// One call of the rollout's interface.
    enum Call {
        case begin
        case record(HostOutcome, HostName)
        case stop(StopReason)
    }

    let seed: Int
    let waves: [Wave]
    let policy: RolloutPolicy
    let selected: Int
    private(set) var entries: [Entry] = []
    private(set) var calls: [Call] = []
    private(set) var answers: [[Rollout.Instruction]] = []
    private(set) var rollout: Rollout

    /// How many seeds the properties are judged over.
    static let seeds = 0..<400

    /// One history per seed, drawn once for all properties.
    static let all = seeds.map { History(seed: $0) }

    /// Draws a fleet, a policy, outcomes and the order in which hosts end, and carries the rollout out.
    init(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...random.pick(1, 5, 30, 300), using: &random)
        selected = count + (random.chance(30) ? .random(in: 0...50, using: &random) : 0)
        func share(_ most: Int) -> Share {
            random.chance(50) ? .hosts(.random(in: 0...most, using: &random)) : .percent(.random(in: 0...100, using: &random))
        }
        policy = RolloutPolicy(
            waves: (0..<Int.random(in: 1...4, using: &random)).map { _ in share(20) },
            atOnce: .random(in: 1...random.pick(1, 3, 10, 50), using: &random),
            maxFailures: share(random.pick(0, 3, 20)),
            maxFailuresPerWave: random.chance(30) ? share(3) : nil,
            barrier: random.chance(25))
        waves = Wave.divide(hosts(count), selected: selected, sizes: policy.waves)
        self.seed = seed
        rollout = Rollout(waves: waves, policy: policy, selected: selected)

        let badLuck = random.pick(0, 2, 10, 50, 100)
        let stopChance = random.pick(0, 0, 0, 2)
        if random.chance(1) { call(.stop(.askedByOperator)) }
        call(.begin)
        // Sorted, because the order of a set differs from one process to the next.
        while let host = rollout.atWork.sorted(by: { $0.text < $1.text }).randomElement(using: &random) {
            let bad = random.pick(HostOutcome.failed, .failed, .unreachable, .unknown, .blocked, .deferred, .waiting, .aborted)
            call(.record(random.chance(badLuck) ? bad : random.pick(.upgraded, .upgraded, .upgraded, .skipped), host))
            if random.chance(stopChance) { call(.stop(.signal("INT"))) }
        }
    }

    private mutating func call(_ call: Call) {
        calls.append(call)
        let answer: [Rollout.Instruction]
        switch call {
        case .begin: answer = rollout.begin()
        case .record(let outcome, let host):
            entries.append(.ended(host, outcome))
            answer = rollout.record(outcome, of: host)
        case .stop(let reason):
            entries.append(.asked(reason))
            answer = rollout.stop(because: reason)
        }
        answers.append(answer)
        entries += answer.map { instruction in
            switch instruction {
            case .openWave(let number): .opened(number)
            case .start(let host): .started(host)
            case .stop(let reason): .stopped(reason)
            case .finish: .finished
            }
        }
    }
}

extension History {
    /// What an observer who only listens knows at one moment.
    struct Moment {
        var wave = 0
        var started: Set<HostName> = []
        var atWork: Set<HostName> = []
        var ended: [HostName: HostOutcome] = [:]
        var failures = 0
        var failuresInWave = 0
        var isStopped = false
        var isFinished = false
    }

    /// Every entry with what was known before it.
    var moments: [(before: Moment, entry: Entry)] {
        var now = Moment()
        return entries.map { entry in
            let before = now
            switch entry {
            case .opened(let number):
                now.wave = number
                now.failuresInWave = 0
            case .started(let host):
                now.started.insert(host)
                now.atWork.insert(host)
            case .ended(let host, let outcome):
                now.atWork.remove(host)
                now.ended[host] = outcome
                if [.failed, .unreachable, .unknown].contains(outcome) {
                    now.failures += 1
                    now.failuresInWave += 1
                }
            case .asked: break
            case .stopped: now.isStopped = true
            case .finished: now.isFinished = true
            }
            return (before, entry)
        }
    }

    /// The hosts in the order they were started.
    var started: [HostName] {
        entries.compactMap { if case .started(let host) = $0 { host } else { nil } }
    }

    /// How each host ended.
    var ended: [HostName: HostOutcome] {
        var ended: [HostName: HostOutcome] = [:]
        for case .ended(let host, let outcome) in entries { ended[host] = outcome }
        return ended
    }

    /// Why it stopped, in the order it was said.
    var stops: [StopReason] {
        entries.compactMap { if case .stopped(let reason) = $0 { reason } else { nil } }
    }

    /// The number of the wave of each host.
    var waveOfHost: [HostName: Int] {
        var numbers: [HostName: Int] = [:]
        for wave in waves { for host in wave.hosts { numbers[host] = wave.number } }
        return numbers
    }
}
