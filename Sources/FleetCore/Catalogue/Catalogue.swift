/// What the vendor's releases ask for beyond the standard procedure, release by release.
public struct Catalogue: Hashable, Sendable {
    /// The releases, each version once, oldest first.
    public let releases: [Release]

    /// Gathers releases; of two with the same version the later one is taken.
    public init(_ releases: [Release]) {
        let byVersion = Dictionary(releases.map { ($0.version, $0) }, uniquingKeysWith: { _, later in later })
        self.releases = byVersion.values.sorted { $0.version < $1.version }
    }

    /// The entry of a version; nil if there is none.
    public func release(_ version: CanopsisVersion) -> Release? {
        let place = releases.partitioningIndex { $0.version >= version }
        return place < releases.endIndex && releases[place].version == version ? releases[place] : nil
    }

    /// The releases that going from one version to another passes, the last included: later than `installed`, at most `target`.
    ///
    /// A target that is a candidate or a development build has what its release brings, so that one is among them.
    public func releases(after installed: CanopsisVersion, upTo target: CanopsisVersion) -> [Release] {
        guard installed < target else { return [] }
        return releases.filter { installed < $0.version && $0.version <= target.release }
    }

    /// What has to be looked for in files of a host before the conditions of these releases can be decided, sorted.
    public static func probes(of releases: some Sequence<Release>) -> [FileProbe] {
        let conditions = releases.flatMap { $0.steps.flatMap(\.conditions) + $0.withdrawals.flatMap(\.conditions) }
        return Set(conditions.compactMap(\.probe)).sorted()
    }

    /// What has to be looked for in files of a host for any release, sorted.
    public var probes: [FileProbe] { Self.probes(of: releases) }
}

extension Array {
    /// The first place whose element fulfils a condition that holds for all elements after the first that fulfils it.
    fileprivate func partitioningIndex(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
