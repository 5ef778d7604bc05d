/// Why a rollout starts no further host.
public enum StopReason: Hashable, Sendable {
    /// More hosts of the run failed than may fail.
    case failuresInRun(Int, allowed: Int)
    /// More hosts of one wave failed than may fail in it.
    case failuresInWave(Int, count: Int, allowed: Int)
    /// Failed hosts keep their place at work, and hold every one.
    case noPlaceLeft(atOnce: Int)
    /// A wave ended without one good host, so its gate stays shut.
    case noUpgradedHost(wave: Int)
    /// A person asked for it.
    case askedByOperator
    /// A hook whose failure stops the run has failed; what and how, as a sentence.
    case hookFailed(String)
    /// The coordinator got a signal; its name without `SIG`.
    case signal(String)

    /// The reason as a sentence without a full stop.
    public var text: String {
        switch self {
        case .failuresInRun(let count, let allowed): "\(Self.failures(count)) in the run, \(allowed) allowed"
        case .failuresInWave(let wave, let count, let allowed): "\(Self.failures(count)) in wave \(wave), \(allowed) allowed"
        case .noPlaceLeft(1): "a failed host holds the only place at work"
        case .noPlaceLeft(let atOnce): "failed hosts hold all \(atOnce) places at work"
        case .noUpgradedHost(let wave): "no host of wave \(wave) was upgraded"
        case .askedByOperator: "an operator asked to stop"
        case .hookFailed(let words): words
        case .signal(let name): "stopped by SIG\(name)"
        }
    }

    private static func failures(_ count: Int) -> String { count == 1 ? "1 failure" : "\(count) failures" }
}
