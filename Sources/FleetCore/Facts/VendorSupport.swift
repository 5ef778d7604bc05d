/// What is known of the systems the vendor makes packages for.
///
/// - Source: the vendor's release notes 3.11.0, 3.12.0, 3.28.0 and 4.2.0, and its installation guides.
struct VendorSupport {
    /// `ID` of os-release.
    var id: String
    /// The first number of `VERSION_ID`.
    var version: String
    /// The first version with packages; nil if it is older than all Fleet handles.
    var first: CanopsisVersion?
    /// The first version without packages; nil if it is not known.
    var end: CanopsisVersion?
    /// The last version with packages, as a person would write it.
    var last: String?
    /// Versions that do not work on the system.
    var excluded: Set<CanopsisVersion> = []

    /// Every system that is known.
    static let known = [
        VendorSupport(id: "debian", version: "8", end: CanopsisVersion(3, 28, 0), last: "3.27.0"),
        VendorSupport(id: "debian", version: "9", end: CanopsisVersion(4, 2, 0), last: "4.1.x"),
        VendorSupport(
            id: "centos", version: "7", end: CanopsisVersion(22, 10, 0), last: "4.6.x",
            excluded: [CanopsisVersion(3, 11, 0), CanopsisVersion(3, 12, 0)]),
        VendorSupport(id: "rhel", version: "8", first: CanopsisVersion(22, 10, 0)),
        VendorSupport(id: "almalinux", version: "8", first: CanopsisVersion(22, 10, 0)),
        VendorSupport(id: "rhel", version: "9", first: CanopsisVersion(24, 4, 0)),
        VendorSupport(id: "almalinux", version: "9", first: CanopsisVersion(24, 4, 0)),
    ]

    /// What is known of a system; nil if the vendor names no such system.
    static func of(_ system: OperatingSystem) -> VendorSupport? {
        let version = system.version.prefix { $0 != "." }
        return known.first { $0.id == system.id && $0.version == version }
    }

    /// Why a version does not go onto this system; nil if nothing is known against it.
    func objection(to target: CanopsisVersion) -> String? {
        if excluded.contains(target) { return "\(target) does not work on it" }
        if let first, target < first { return "there are no packages for it before \(first)" }
        if let end, target >= end { return "there are no packages for it from \(end) on" + (last.map { " (the last is \($0))" } ?? "") }
        return nil
    }
}
