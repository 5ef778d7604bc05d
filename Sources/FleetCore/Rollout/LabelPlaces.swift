/// The places at work that hosts with the same value of a label share: ``RolloutPolicy/labelLimits`` applied to the hosts of a plan.
///
/// A host at work takes a place of each of its limited labels. One that ends well, or leaves the rollout untouched, gives it
/// back; one that fails keeps it. A host without a label has no part in that label's limit.
struct LabelPlaces: Hashable, Sendable {
    /// One value of one label, such as `paris` of `site`.
    struct Shared: Hashable, Sendable {
        var label: String
        var value: String
        /// How many hosts may have a place, 1 or more.
        var most: Int
    }

    private let shared: [HostName: [Shared]]
    private var atWork: [Shared: Int] = [:]
    private var failed: [Shared: [HostName]] = [:]

    /// Gives each host the places it has a part in.
    init(_ policy: RolloutPolicy, hosts: some Sequence<Host>) {
        let limits = policy.labelLimits.sorted { $0.key < $1.key }
        shared = Dictionary(
            hosts.map { host in
                (host.name, limits.compactMap { label, most in host.value(of: label).map { Shared(label: label, value: $0, most: most) } })
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether some failed host holds a place.
    var areHeldByFailed: Bool { !failed.isEmpty }

    /// Whether the host may begin as far as its labels go.
    func isFree(for host: HostName) -> Bool {
        shared[host, default: []].allSatisfy { atWork[$0, default: 0] + failed[$0, default: []].count < $0.most }
    }

    /// The places that failed hosts alone hold, and who they are, so that the host can't begin in this run; nil if it may still come to it.
    func heldForGood(from host: HostName) -> (places: Shared, by: [HostName])? {
        for places in shared[host, default: []] {
            if let holders = failed[places], holders.count >= places.most { return (places, holders) }
        }
        return nil
    }

    /// The host begins.
    mutating func take(for host: HostName) {
        for places in shared[host, default: []] { atWork[places, default: 0] += 1 }
    }

    /// A host at work has ended.
    mutating func leave(_ host: HostName, as outcome: HostOutcome) {
        for places in shared[host, default: []] { atWork[places, default: 0] -= 1 }
        keep(host, as: outcome)
    }

    /// A host that failed, in this attempt or an earlier one, keeps its places.
    mutating func keep(_ host: HostName, as outcome: HostOutcome) {
        guard outcome.isFailure else { return }
        for places in shared[host, default: []] { failed[places, default: []].append(host) }
    }
}
