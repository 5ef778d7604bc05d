/// What the vendor demands of a host before a release that has a migration guide of its own.
///
/// - Source: the first step of each of the vendor's migration guides, 4.0.0 to 24.04.0.
public struct MigrationGuide: Hashable, Sendable {
    /// The release the guide leads to.
    public let release: CanopsisVersion
    /// What a host must be to follow it, for a sentence.
    public let start: String

    /// The guides, oldest first.
    public static let all: [MigrationGuide] = [
        MigrationGuide(release: CanopsisVersion(4, 0, 0), start: "exactly 3.48.0 on Go engines"),
        MigrationGuide(release: CanopsisVersion(4, 2, 0), start: "4.1.x"),
        MigrationGuide(release: CanopsisVersion(4, 3, 0), start: "4.2.x"),
        MigrationGuide(release: CanopsisVersion(4, 4, 0), start: "4.3.x"),
        MigrationGuide(release: CanopsisVersion(4, 5, 0), start: "4.4.x"),
        MigrationGuide(release: CanopsisVersion(4, 6, 0), start: "4.5.x"),
        MigrationGuide(release: CanopsisVersion(22, 10, 0), start: "4.6.x"),
        MigrationGuide(release: CanopsisVersion(23, 4, 0), start: "the last 22.10.x"),
        MigrationGuide(release: CanopsisVersion(23, 10, 0), start: "the last 23.04.x"),
        MigrationGuide(release: CanopsisVersion(24, 4, 0), start: "the last 23.10.x"),
    ]

    /// What it demands, as a sentence without a full stop.
    public var text: String { "\(release) is supported only from \(start), by the vendor's migration guide" }

    /// The guides a host has to follow between two versions, in order.
    public static func crossed(from installed: CanopsisVersion, to target: CanopsisVersion) -> [MigrationGuide] {
        all.filter { installed.release < $0.release && $0.release <= target.release }
    }

    /// Why the standard procedure does not cover a major upgrade, with the vendor's constraint, as a sentence without a full stop;
    /// nil if the upgrade is not a major one.
    public static func constraint(from installed: CanopsisVersion, to target: CanopsisVersion) -> String? {
        guard UpgradeClass(from: installed, to: target) == .major else { return nil }
        let guides = crossed(from: installed, to: target)
        guard let first = guides.first else { return "no migration guide of the vendor leads from \(installed) to \(target)" }
        let further = guides.dropFirst().map { "\($0.release)" }
        return first.text + (further.isEmpty ? "" : "; guides of their own follow for " + further.joined(separator: ", "))
    }
}
