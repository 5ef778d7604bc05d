/// The releases of the 3.x line that the vendor announced, so that a mistyped target is noticed before a host is asked.
///
/// - Source: the vendor's release notes, November 2018 to November 2020.
public enum KnownReleases {
    /// The releases, oldest first.
    public static let all: [CanopsisVersion] = {
        let third: [Int: [Int]] = [13: [0, 1, 2], 18: [0, 1], 39: [0, 1], 43: [1], 44: [0, 1]]
        return (5...48).flatMap { second in (third[second] ?? [0]).map { CanopsisVersion(3, second, $0) } }
    }()
}
