/// Decides from repeated looks whether every unit that ran before runs again, freshly started and stable.
///
/// The status of `canoctl restart` says nothing about it, and a unit that crashes and is restarted by systemd looks
/// active in most looks: so each unit must have a new start time and keep its process for the settle time.
public struct UnitWatch: Hashable, Sendable {
    /// The units that ran before, with their start times then.
    private let before: [String: Int64]
    private let settle: Duration
    private var stable: [String: Stability] = [:]
    private var failedSince: [String: Duration] = [:]

    /// The process a unit had last, and since when it has been up with it; nil while it is not.
    private struct Stability: Hashable, Sendable {
        var process: Int
        var started: Int64
        var since: Duration?
    }
    private var changes: [String: Int] = [:]

    /// What a look tells.
    public enum Verdict: Hashable, Sendable {
        /// All are up and have been so for the settle time.
        case good
        /// Not yet; the reason is what the verdict would be if time ran out now.
        case waiting(Reason)
        /// It won't come to be good: the unit in question and why.
        case bad(unit: String, Reason)
    }

    /// How long a unit may be `failed` before it is taken at its word: systemd may still start it again.
    public static let patienceWithFailed = Duration.seconds(5)
    /// How often a unit may come up with another process before it counts as a crash loop. A few restarts are normal:
    /// since 3.33.0 the Go engines end themselves while RabbitMQ is away.
    public static let mostRestarts = 5

    /// Creates a watch.
    ///
    /// - Parameters:
    ///   - before: every unit before the restart; those that didn't run are not expected to.
    ///   - settle: how long each unit must keep its process.
    public init(before: [UnitState], settle: Duration) {
        self.before = Dictionary(
            before.filter(\.isRunning).map { ($0.name, $0.startedMicroseconds) }, uniquingKeysWith: { first, _ in first })
        self.settle = settle
    }

    /// The units that are expected to run, sorted.
    public var expected: [String] { before.keys.sorted() }

    /// Takes one look at the units; `now` counts from any fixed moment and never goes back.
    public mutating func look(_ units: [UnitState], at now: Duration) -> Verdict {
        let current = Dictionary(units.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var waiting: Reason?
        for name in expected {
            let unit = current[name]
            guard let unit, unit.isRunning else {
                stable[name]?.since = nil
                let state = unit.map { "\($0.active), \($0.sub), \($0.result)" } ?? "not known to systemd"
                let reason = Reason(.unitNotRunning, ["unit": name, "state": state])
                if unit?.active == "failed" {
                    let since = failedSince[name] ?? now
                    failedSince[name] = since
                    if now - since >= Self.patienceWithFailed { return .bad(unit: name, reason) }
                } else {
                    failedSince[name] = nil
                }
                waiting = waiting ?? reason
                continue
            }
            failedSince[name] = nil
            if unit.startedMicroseconds == before[name] {
                stable[name]?.since = nil
                waiting = waiting ?? Reason(.unitNotRestarted, ["unit": name])
                continue
            }
            if let known = stable[name], known.process == unit.mainPID, known.started == unit.startedMicroseconds {
                let since = known.since ?? now
                stable[name]?.since = since
                if now - since < settle { waiting = waiting ?? Reason(.unitUnstable, ["unit": name, "settle": settle.text]) }
            } else {
                changes[name, default: -1] += 1
                if let count = changes[name], count >= Self.mostRestarts {
                    return .bad(
                        unit: name,
                        Reason(.unitUnstable, ["unit": name, "settle": settle.text, "words": "restarted \(count) times"]))
                }
                stable[name] = Stability(process: unit.mainPID, started: unit.startedMicroseconds, since: now)
                if settle > .zero { waiting = waiting ?? Reason(.unitUnstable, ["unit": name, "settle": settle.text]) }
            }
        }
        return waiting.map(Verdict.waiting) ?? .good
    }
}
