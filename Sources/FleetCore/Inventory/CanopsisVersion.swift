/// A version of Canopsis: three numbers, `3.26.0` or `22.10.1`, and what a package published before its release has behind them.
///
/// Comparing the three numbers in turn orders everything the vendor published; a preview is older than its release.
public struct CanopsisVersion: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The first number.
    public let major: Int
    /// The second number; an intermediate release raises it.
    public let intermediate: Int
    /// The third number; a minor release raises it.
    public let minor: Int
    /// What is behind the three numbers of a package from before the release, such as `rc1`; nil for a release.
    public let preview: Preview?

    /// Creates a version from its numbers.
    public init(_ major: Int, _ intermediate: Int, _ minor: Int, _ preview: Preview? = nil) {
        self.major = major
        self.intermediate = intermediate
        self.minor = minor
        self.preview = preview
    }

    /// Reads `3.26.0` or `22.10.0-rc1`; nil for anything but three plain numbers of at most four digits, and one known suffix.
    public init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let numbers = halves.first else { return nil }
        guard halves.count == 2 else {
            self.init(numbers: numbers, preview: nil)
            return
        }
        guard let preview = Preview(halves[1]) else { return nil }
        self.init(numbers: numbers, preview: preview)
    }

    /// Reads the version out of a package's version: `3.26.0-1`, `1:3.26.0-1.el7`, `22.10.0-rc1`, `22.10.0~rc1-1.el8`.
    ///
    /// What follows the three numbers is the package's revision unless it is a preview's suffix: a candidate is not its release.
    public init?(packageVersion: some StringProtocol) {
        let withoutEpoch = packageVersion.split(separator: ":").last ?? ""
        let numbers = withoutEpoch.prefix { $0 != "-" && $0 != "~" }
        let suffix = withoutEpoch.dropFirst(numbers.count)
        let preview = Preview(suffix.dropFirst().prefix { $0.isASCII && ($0.isLetter || $0.isNumber) })
        guard preview != nil || suffix.first != "~" else { return nil }
        self.init(numbers: numbers, preview: preview)
    }

    private init?(numbers text: some StringProtocol, preview: Preview?) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Self.number($0) }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        self.init(numbers[0], numbers[1], numbers[2], preview)
    }

    /// A number of at most four plain digits.
    private static func number(_ text: some StringProtocol) -> Int? {
        (1...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
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

    /// `3.26.0`; `23.04.1` with the month in two digits from 22.10 on, as the vendor writes it; `22.10.0-rc1` for a preview.
    public var description: String {
        let month = major >= 22 && intermediate < 10 ? "0" : ""
        return "\(major).\(month)\(intermediate).\(minor)" + (preview.map { "-\($0)" } ?? "")
    }

    /// Orders by the three numbers in turn, then previews before the release.
    public static func < (left: Self, right: Self) -> Bool {
        let (ours, theirs) = ((left.major, left.intermediate, left.minor), (right.major, right.intermediate, right.minor))
        guard ours == theirs else { return ours < theirs }
        switch (left.preview, right.preview) {
        case (let left?, let right?): return left < right
        case (.some, nil): return true
        case (nil, _): return false
        }
    }
}

extension CanopsisVersion {
    /// The suffix of a package from before a release: `alpha1`, `preview2`, `rc1`.
    public struct Preview: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// How far it was from the release.
        public let kind: Kind
        /// Which one of its kind.
        public let number: Int

        /// The suffixes the vendor uses, the earliest first.
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// Early.
            case alpha
            /// To show what comes.
            case preview
            /// A candidate for the release.
            case rc
        }

        /// Creates a suffix.
        public init(_ kind: Kind, _ number: Int) {
            self.kind = kind
            self.number = number
        }

        /// Reads `rc1`; nil for anything else.
        public init?(_ text: some StringProtocol) {
            let word = text.prefix { $0.isLetter }
            guard let kind = Kind(rawValue: String(word)), let number = CanopsisVersion.number(text.dropFirst(word.count)) else {
                return nil
            }
            self.init(kind, number)
        }

        /// `rc1`.
        public var description: String { "\(kind.rawValue)\(number)" }

        /// Orders by kind, then by number.
        public static func < (left: Self, right: Self) -> Bool {
            func rank(_ kind: Kind) -> Int { Kind.allCases.firstIndex(of: kind) ?? 0 }
            return (rank(left.kind), left.number) < (rank(right.kind), right.number)
        }
    }

    /// Whether it was published to try out a release to come.
    public var isReleaseCandidate: Bool { candidateOf != nil }

    /// The release this is a candidate of; nil if it is none.
    ///
    /// Up to 4.6 a third number of 990 and more makes a candidate of the next second number, 3.43.991 of 3.44.0, and 3.99.991 of
    /// 4.0.0. From 22.10 on a suffix does.
    ///
    /// - Source: the history of the vendor's version file, and the tags of its repositories.
    public var candidateOf: CanopsisVersion? {
        if preview?.kind == .rc { return CanopsisVersion(major, intermediate, minor) }
        return preview == nil && hasOldForm && (990...999).contains(minor) ? next : nil
    }

    /// Whether it is a build on the way to a release and no candidate of it: a third number of 88 to 989 up to 4.6, or a suffix.
    public var isDevelopmentBuild: Bool {
        if let preview { return preview.kind != .rc }
        return hasOldForm && (88..<990).contains(minor)
    }

    /// The release a candidate or a development build leads to; a release itself.
    public var release: CanopsisVersion {
        if preview != nil { return CanopsisVersion(major, intermediate, minor) }
        return isReleaseCandidate || isDevelopmentBuild ? next : self
    }

    /// Whether the numbers are x.y.z and not year, month and fix.
    private var hasOldForm: Bool { major < 22 }

    /// The first release of the next second number; none came after x.99.
    private var next: CanopsisVersion {
        intermediate >= 99 ? CanopsisVersion(major + 1, 0, 0) : CanopsisVersion(major, intermediate + 1, 0)
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
    /// Up to 4.6 the first number is the major one; from 22.10 on it is the first two (year and month). A candidate or a
    /// development build counts as the release it leads to: 3.48.0 to 3.99.991, a candidate of 4.0.0, is major, and from there
    /// to 4.0.0 is minor.
    public init(from installed: CanopsisVersion, to target: CanopsisVersion) {
        if installed == target {
            self = .none
        } else if target < installed {
            self = .downgrade
        } else {
            let (old, new) = (installed.release, target.release)
            if old.major != new.major || (new.major >= 22 && old.intermediate != new.intermediate) {
                self = .major
            } else {
                self = old.intermediate == new.intermediate ? .minor : .intermediate
            }
        }
    }
}
