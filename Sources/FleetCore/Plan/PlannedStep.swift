/// One step of a host's procedure as planned.
public struct PlannedStep: Hashable, Sendable, Codable {
    /// Its stable name in reports.
    public var id: StepID
    /// What it does, in a few words.
    public var title: String
    /// The exact shell text that runs as root on the host; empty for a step that only looks, or that a person does.
    public var script: String
    /// How long it may take before it is ended (``mayBeEnded``) or reported overdue.
    public var limit: Duration
    /// What Fleet does with it.
    public var kind: Kind
    /// What a person does, and how to see that it is done; empty unless the step is ``Kind/manual``.
    public var instruction: String
    /// Whether it may be begun again after it was cut off: doing it twice is as good as once. One that may not is left to a person.
    public var isRepeatable: Bool
    /// What asks for it beyond the standard procedure: `release 3.38.0`, `add-on acme`; nil for the procedure itself.
    public var origin: String?
    /// The facts because of which the host needs it, as sentences without full stops.
    public var because: [String]

    /// What Fleet does with a step.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// A job that changes the host and outlives the connection.
        case job
        /// Looks at the host and compares; changes nothing.
        case look
        /// Waits until a person has said that it is done, or need not be.
        case manual
    }

    /// Whether the host ends it once its limit is over. What changes packages or the database, or what a release or an add-on asks for, is
    /// never
    /// ended half-way: it is reported overdue, and a person decides.
    public var mayBeEnded: Bool { id.base == .daemonReload || id.base == .restart }

    /// Creates a step.
    public init(
        id: StepID, title: String, script: String, limit: Duration, kind: Kind, instruction: String = "", isRepeatable: Bool = true,
        origin: String? = nil, because: [String] = []
    ) {
        self.id = id
        self.title = title
        self.script = script
        self.limit = limit
        self.kind = kind
        self.instruction = instruction
        self.isRepeatable = isRepeatable
        self.origin = origin
        self.because = because
    }

    /// The same step, of the way to a version before the target.
    public func onTheWay(to version: CanopsisVersion) -> PlannedStep {
        var step = self
        step.id = id.onTheWay(to: version)
        return step
    }
}

/// The stable name of a step: one of the standard procedure, or that of a step of a release or of an add-on.
///
/// It is a path component and part of a unit's name on the host, so its form is narrow.
public struct StepID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    /// The name as written: 1 to 80 of `a-z`, `0-9`, `.`, `_` and `-`, the first a letter or digit.
    public let rawValue: String

    /// Nil unless the text has the form.
    public init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard (1...80).contains(bytes.count), let first = bytes.first, Self.isAlphanumeric(first),
            bytes.allSatisfy({ Self.isAlphanumeric($0) || "._-".utf8.contains($0) })
        else { return nil }
        self.rawValue = rawValue
    }

    private init(trusted rawValue: String) { self.rawValue = rawValue }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) }

    /// The name as written.
    public var description: String { rawValue }

    /// Complete what a package manager that was cut off left half done.
    public static let repair = StepID(trusted: "repair")
    /// Look into the database whether `canopsinit` may run, before anything is changed.
    public static let checkDatabase = StepID(trusted: "check-database")
    /// Upgrade the packages and read the installed version back.
    public static let packages = StepID(trusted: "packages")
    /// Save the accounts that `canopsinit` resets.
    public static let saveAccounts = StepID(trusted: "save-accounts")
    /// Bring the database to the new version.
    public static let canopsinit = StepID(trusted: "canopsinit")
    /// Give the accounts back what `canopsinit` has reset.
    public static let restoreAccounts = StepID(trusted: "restore-accounts")
    /// Let systemd read the new unit files.
    public static let daemonReload = StepID(trusted: "daemon-reload")
    /// Restart every unit.
    public static let restart = StepID(trusted: "restart")
    /// Compare units and web interface with what was before.
    public static let verify = StepID(trusted: "verify")

    /// Whether it is none of Fleet's own: a release or an add-on asks for it.
    public var isOfRelease: Bool { !Self.own.contains(base) }

    /// Whether units are stopped by it, so that from there on the service is down.
    public var stopsUnits: Bool { base == .restart || rawValue.hasPrefix("stop-engines-") }

    /// The version this step of Fleet's own brings a host to on the way to its target, `to-3.27.0.packages`; nil for all others.
    public var stop: CanopsisVersion? { parts?.stop }

    /// The step it is, whichever version it brings a host to.
    public var base: StepID { parts?.base ?? self }

    /// The same step of Fleet's own, of the way to a version before the target.
    public func onTheWay(to version: CanopsisVersion) -> StepID {
        Self.own.contains(self) ? StepID(trusted: "to-\(version).\(rawValue)") : self
    }

    private var parts: (stop: CanopsisVersion, base: StepID)? {
        guard rawValue.hasPrefix("to-"), let dot = rawValue.lastIndex(of: "."),
            let base = StepID(rawValue: String(rawValue[dot...].dropFirst())),
            Self.own.contains(base), let stop = CanopsisVersion(String(rawValue[..<dot].dropFirst(3)))
        else { return nil }
        return (stop, base)
    }

    private static let own: Set<StepID> = [
        .repair, .checkDatabase, .packages, .saveAccounts, .canopsinit, .restoreAccounts, .daemonReload, .restart, .verify,
    ]

    /// The steps of the vendor's standard procedure, in their order.
    public static let standardProcedure: [StepID] = [.packages, .canopsinit, .daemonReload, .restart, .verify]
}
