/// How long services were down in a run, over the hosts it was measured on.
public struct Downtime: Hashable, Sendable {
    /// Half of the hosts were down no longer.
    public let median: Duration
    /// The host that was down longest.
    public let most: Duration

    /// Nil without a measurement.
    public init?(of durations: [Duration]) {
        let sorted = durations.sorted()
        guard let most = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        self.most = most
    }
}

extension RunRecord {
    /// How long services were down; nil if it was measured on no host.
    public var downtime: Downtime? { Downtime(of: hosts.compactMap(\.downtime)) }
}
