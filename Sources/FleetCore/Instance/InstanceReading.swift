/// What one place of an instance says it is: its web interface or its database.
public struct DeclaredInstance: Hashable, Sendable {
    /// The version; nil if the place does not say.
    public var version: CanopsisVersion?
    /// The edition in the host's own word; nil if the place does not say.
    public var edition: String?
    /// The stack in the host's own word; nil if the place does not say.
    public var stack: String?

    /// Creates what is said.
    public init(version: CanopsisVersion? = nil, edition: String? = nil, stack: String? = nil) {
        self.version = version
        self.edition = edition
        self.stack = stack
    }
}

/// What asking the web interface for its version gave.
public enum WebReading: Hashable, Sendable {
    /// It answers, and says so much of itself.
    case says(DeclaredInstance)
    /// It does not answer as it should, and why.
    case silent(String)
}

/// What a login to the web interface gave. Nothing of the reply is kept.
public enum LoginReading: Hashable, Sendable, Codable {
    /// The account is in.
    case accepted
    /// It is not let in; what the web interface answered instead.
    case refused(String)
    /// There was no answer, and why.
    case noAnswer(String)
    /// Nobody tried: there are no credentials, or they cannot be had, and why.
    case notTried(String)
}

/// What the database says was initialised last.
public enum DatabaseReading: Hashable, Sendable {
    /// The document of `canopsinit`.
    case says(DeclaredInstance)
    /// It could not be asked, and why.
    case couldNotTell(String)
}

/// How the web interface was before the first step: what was broken then is not blamed on the upgrade.
public struct ServiceBaseline: Hashable, Sendable, Codable {
    /// Why it did not answer; nil if it did.
    public var silence: String?
    /// Whether a login worked.
    public var login: LoginReading

    /// Creates a baseline.
    public init(silence: String?, login: LoginReading) {
        self.silence = silence
        self.login = login
    }
}

/// What the look after an upgrade found beside its verdict.
public struct VerifiedInstance: Hashable, Sendable, Codable {
    /// What a person should know and what is no failure of the upgrade.
    public var warnings: [Reason]
    /// How long after the beginning of the look the service was good for the first time, in milliseconds; nil if it never was.
    public var servedAfterMilliseconds: Int64?

    /// Creates what was found.
    public init(warnings: [Reason] = [], servedAfterMilliseconds: Int64? = nil) {
        self.warnings = warnings
        self.servedAfterMilliseconds = servedAfterMilliseconds
    }
}

/// What an instance shall be, and which of its places say something else.
public struct ExpectedInstance: Hashable, Sendable {
    /// The version every place shall say.
    public var version: CanopsisVersion
    /// The edition the inventory declares.
    public var edition: Edition
    /// The stack the inventory declares.
    public var stack: Stack

    /// Creates an expectation.
    public init(version: CanopsisVersion, edition: Edition, stack: Stack) {
        self.version = version
        self.edition = edition
        self.stack = stack
    }

    /// Whether the web interface tells its version to anybody.
    ///
    /// - Source: `login_info` is there since 3.15.0.
    public static func tellsVersion(_ version: CanopsisVersion) -> Bool { version >= CanopsisVersion(3, 15, 0) }

    /// What a place says that is not so, a sentence each without full stop.
    ///
    /// - Source: `canopsinit` writes edition and stack since 3.18.0.
    public func differences(of place: String, _ declared: DeclaredInstance) -> [String] {
        var differences: [String] = []
        if let found = declared.version, found != version { differences.append("\(place) says \(found), not \(version)") }
        guard version >= CanopsisVersion(3, 18, 0) else { return differences }
        if let found = declared.edition, found != edition.rawValue {
            differences.append("\(place) says edition \(found), not \(edition.rawValue)")
        }
        if let found = declared.stack, found != stack.rawValue {
            differences.append("\(place) says stack \(found), not \(stack.rawValue)")
        }
        return differences
    }

    /// What the file on disk says that is not so.
    ///
    /// - Source: the `VERSION.txt` of 3.13.0 says 3.12.0; mended in 3.13.1.
    public func differences(ofFile found: CanopsisVersion?) -> [String] {
        guard let found, found != version, version != CanopsisVersion(3, 13, 0) else { return [] }
        return ["VERSION.txt says \(found), not \(version)"]
    }
}
