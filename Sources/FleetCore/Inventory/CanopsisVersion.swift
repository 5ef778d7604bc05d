/// A version of Canopsis: three numbers, `3.26.0` or `22.10.1`.
///
/// Comparing the three numbers in turn orders everything the vendor published.
public struct CanopsisVersion: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The first number.
    public let major: Int
    /// The second number; an intermediate release raises it.
    public let intermediate: Int
    /// The third number; a minor release raises it.
    public let minor: Int

    /// Creates a version from its three numbers.
    public init(_ major: Int, _ intermediate: Int, _ minor: Int) {
        self.major = major
        self.intermediate = intermediate
        self.minor = minor
    }

    /// Reads `3.26.0`; nil for anything but three plain numbers of at most four digits.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> Int? in
            (1...4).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        self.init(numbers[0], numbers[1], numbers[2])
    }

    /// Reads the version out of a package's version: `3.26.0-1`, `1:3.26.0-1.el7`.
    public init?(packageVersion: some StringProtocol) {
        let withoutEpoch = packageVersion.split(separator: ":").last ?? ""
        self.init(withoutEpoch.prefix { $0 != "-" })
    }

    /// Reads a version from a single string.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let version = CanopsisVersion(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a version x.y.z"))
        }
        self = version
    }

    /// Writes the version as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// `3.26.0`; `23.04.1` with the month in two digits from 22.10 on, as the vendor writes it.
    public var description: String {
        let month = major >= 22 && intermediate < 10 ? "0" : ""
        return "\(major).\(month)\(intermediate).\(minor)"
    }

    /// Orders by the three numbers in turn.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.intermediate, left.minor) < (right.major, right.intermediate, right.minor)
    }
}

/// How far an upgrade goes, which decides whether the standard procedure covers it.
public enum UpgradeClass: String, Hashable, Sendable, Codable, CaseIterable {
    /// The host is at the target already.
    case none
    /// Only the third number rises: 3.26.0 to 3.26.1.
    case minor
    /// The second number rises: 3.25.0 to 3.26.0.
    case intermediate
    /// The vendor's major number rises: not guaranteed, needs its own migration.
    case major
    /// The target is older than what is installed.
    case downgrade

    /// The class of going from one version to another.
    ///
    /// Up to 4.x the first number is the major one; from 22.10 on it is the first two (year and month).
    public init(from installed: CanopsisVersion, to target: CanopsisVersion) {
        if installed == target {
            self = .none
        } else if target < installed {
            self = .downgrade
        } else if installed.major != target.major || (target.major >= 22 && installed.intermediate != target.intermediate) {
            self = .major
        } else {
            self = installed.intermediate == target.intermediate ? .minor : .intermediate
        }
    }
}
