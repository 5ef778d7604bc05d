import FleetCore
import TestSupport

/// A generated rollout and everything that was said in it, in order. The properties are judged by this alone.
struct History: Sendable {
    enum Entry: Hashable {
        case opened(Int)
        case paused(before: Int)
        case awaited(Int)
        case started(HostName)
        case heldBack(HostName)
        case ended(HostName, HostOutcome)
        /// Somebody outside asked to stop.
        case asked(StopReason)
        case stopped(StopReason)
        case finished
    }

    /// One call of the rollout's interface.
    enum Call {
        case begin
        case pauseEnded
        case record(HostOutcome, HostName)
        case stop(StopReason)
    }

    let seed: Int
    let waves: [Wave]
    let policy: RolloutPolicy
    let selected: Int
    /// The hosts of the plan with their labels.
    let hosts: [Host]
    /// What each host has for each label, `customer` among them.
    let labels: [HostName: [String: String]]
    let approved: Set<Int>
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
        var policy = RolloutPolicy(
            waves: (0..<Int.random(in: 1...4, using: &random)).map { _ in share(20) },
            atOnce: .random(in: 1...random.pick(1, 3, 10, 50), using: &random),
            maxFailures: share(random.pick(0, 3, 20)),
            maxFailuresPerWave: random.chance(30) ? share(3) : nil,
            barrier: random.chance(25), pause: random.chance(30) ? .seconds(60) : .zero, approve: random.chance(15),
            spread: random.chance(25) ? .customer : nil)
        for label in ["site", "rack", "customer"] where random.chance(20) { policy.limits[label] = .random(in: 1...4, using: &random) }
        let variety = random.pick(2, 5, 40)
        let names = FleetCoreTests.hosts(count)
        hosts = names.map { name in
            var host = Host(name: name, address: "x")
            if random.chance(80) { host.customer = "c\(Int.random(in: 1...variety, using: &random))" }
            for label in ["site", "rack"] where random.chance(80) { host.labels[label] = "\(Int.random(in: 1...variety, using: &random))" }
            return host
        }
        labels = Dictionary(
            uniqueKeysWithValues: hosts.map { host in
                (host.name, host.labels.merging(host.customer.map { ["customer": $0] } ?? [:]) { own, _ in own })
            })
        self.policy = policy
        waves = Wave.divide(names, selected: selected, sizes: policy.waves)
        self.seed = seed
        approved = Set(waves.map(\.number).filter { _ in random.chance(80) })
        rollout = Rollout(waves: waves, policy: policy, selected: selected, hosts: hosts, approved: approved)

        let badLuck = random.pick(0, 2, 10, 50, 100)
        let stopChance = random.pick(0, 0, 0, 2)
        if random.chance(1) { call(.stop(.askedByOperator)) }
        call(.begin)
        while true {
            if case .paused = entries.last {
                call(random.chance(stopChance * 10) ? .stop(.signal("TERM")) : .pauseEnded)
                continue
            }
            // Sorted, because the order of a set differs from one process to the next.
            guard let host = rollout.atWork.sorted(by: { $0.text < $1.text }).randomElement(using: &random) else { break }
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
        case .pauseEnded: answer = rollout.pauseEnded()
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
            case .pause(let number, _): .paused(before: number)
            case .awaitApproval(let number): .awaited(number)
            case .holdBack(let host, _): .heldBack(host)
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
        var heldBack: Set<HostName> = []
        var failures = 0
        var failuresInWave = 0
        var isStopped = false
        var isFinished = false

        /// The hosts that failed.
        var failed: Set<HostName> { Set(ended.filter { [.failed, .unreachable, .unknown].contains($0.value) }.keys) }
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
            case .heldBack(let host): now.heldBack.insert(host)
            case .asked, .paused, .awaited: break
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

    /// The hosts that were held back.
    var heldBack: [HostName] {
        entries.compactMap { if case .heldBack(let host) = $0 { host } else { nil } }
    }

    /// The wave whose approval was asked for.
    var awaited: Int? {
        entries.compactMap { if case .awaited(let number) = $0 { number } else { nil } }.first
    }

    /// Whether a place of this host's labels is taken by as many of the hosts as there may be.
    func isFull(for host: HostName, by holders: Set<HostName>) -> Bool {
        policy.labelLimits.contains { label, most in
            guard let value = labels[host]?[label] else { return false }
            return holders.count { labels[$0]?[label] == value } >= most
        }
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
