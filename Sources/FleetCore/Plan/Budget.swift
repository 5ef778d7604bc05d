/// How many failures a rollout bears: the shares of a policy turned into numbers of hosts.
///
/// Two rules stop a run, and whichever comes first decides. More hosts failed than may fail ("more than", so `max_failures: 2`
/// stops at the third). Or failed hosts, which keep their place at work, hold every place. So the hosts broken by a run are
/// never more than ``atOnce``.
public struct Budget: Hashable, Sendable {
    /// How many hosts are at work at the same moment, 1 or more.
    public let atOnce: Int
    /// How many hosts of the run may fail, 0 or more; a percentage is of the selection and cut down.
    public let mayFail: Int
    /// How many hosts were selected.
    public let selected: Int
    /// How many hosts of one wave may fail; nil for no limit besides that of the run.
    private let mayFailPerWave: Share?

    /// Resolves a policy for a selection; `selected` counts skipped and blocked hosts too.
    public init(_ policy: RolloutPolicy, selected: Int) {
        atOnce = max(1, policy.atOnce)
        mayFail = max(0, policy.maxFailures.hosts(of: selected))
        self.selected = selected
        mayFailPerWave = policy.maxFailuresPerWave
    }

    /// The failure that stops the run, counted from 1.
    public var stopsAtFailure: Int { min(mayFail + 1, atOnce) }

    /// How many hosts of a wave of this size may fail; nil for no limit besides that of the run. A percentage is cut down.
    public func mayFail(inWaveOf size: Int) -> Int? {
        mayFailPerWave.map { max(0, $0.hosts(of: size)) }
    }

    /// The failure in a wave of this size that stops the run, counted from 1; nil if the wave has no limit or too few hosts to reach it.
    public func stopsAtFailure(inWaveOf size: Int) -> Int? {
        mayFail(inWaveOf: size).flatMap { $0 < size ? $0 + 1 : nil }
    }

    /// What a plan says of the run: `stops at failure number 2: at most 1 of 23 hosts may fail`.
    public var text: String {
        let rule =
            if mayFail >= atOnce {
                atOnce == 1 ? "a failed host then holds the only place at work" : "failed hosts then hold all \(atOnce) places at work"
            } else {
                Self.rule(mayFail, of: selected)
            }
        return "stops at failure number \(stopsAtFailure): \(rule)"
    }

    /// What a plan says of one wave: `stops at failure number 1 in wave 2: none of 5 hosts may fail`; nil if the wave has no limit of its own.
    public func text(for wave: Wave) -> String? {
        let size = wave.hosts.count
        guard let mayFail = mayFail(inWaveOf: size), let number = stopsAtFailure(inWaveOf: size) else { return nil }
        return "stops at failure number \(number) in wave \(wave.number): \(Self.rule(mayFail, of: size))"
    }

    private static func rule(_ mayFail: Int, of count: Int) -> String {
        let hosts = count == 1 ? "1 host" : "\(count) hosts"
        return mayFail == 0 ? "none of \(hosts) may fail" : "at most \(mayFail) of \(hosts) may fail"
    }
}
