import FleetCore

/// Root's way onto one host, as the rollout needs it.
///
/// A connection that is lost throws ``LinkLost``: what ran on the host may still run there.
public protocol HostConnection: Sendable {
    /// The fingerprint of the host key the connection was made with, `SHA256:...`.
    var hostKey: String { get }

    /// Feeds a script to a root shell and gathers what it says, the first ``Observation/mostBytes`` of it.
    ///
    /// - Parameter limit: how long the script may take; after that the connection counts as lost.
    func observe(_ script: String, within limit: Duration) async throws -> Observation

    /// Feeds a script to a root shell and hands on its output as it comes.
    ///
    /// - Parameter silence: how long it may say nothing before the connection counts as lost.
    func follow(
        _ script: String, silence: Duration, onOutput: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) async throws

    /// Reads the host's facts; see the default implementation.
    ///
    /// - Parameters:
    ///   - offer: whether to ask what the repositories offer; takes seconds rather than a moment.
    ///   - probes: what to look for in files.
    func facts(offer: Bool, probes: [FileProbe]) async -> FactReading

    /// Asks the web interface of the host for a path, through the connection.
    func get(_ path: String, of web: WebAccess, within limit: Duration) async -> WebAnswer

    /// Logs in to the web interface of the host with the inventory's credentials. Nothing of the reply is kept but how it went.
    func login(to web: WebAccess, within limit: Duration) async -> LoginReading

    /// Leaves the host. Never waits for it.
    func close() async
}

/// What a short script on a host said.
public struct Observation: Hashable, Sendable {
    /// How it ended.
    public var ending: CommandEnding
    /// Its output, bounded.
    public var output: [UInt8]
    /// Its error output, bounded.
    public var errors: [UInt8]

    /// How many bytes of each stream are kept.
    public static let mostBytes = 1 << 20

    /// Creates an observation.
    public init(ending: CommandEnding, output: [UInt8], errors: [UInt8]) {
        self.ending = ending
        self.output = output
        self.errors = errors
    }
}

/// What a web server answered.
public enum WebAnswer: Hashable, Sendable {
    /// A status and a body of at most 64 KiB.
    case answered(status: Int, body: [UInt8])
    /// Nothing, and why.
    case none(String)
}

/// The connection to a host is gone; nothing is known about what ran there.
public struct LinkLost: Error, Hashable, Sendable {
    /// What the layer below said.
    public var words: String

    /// Creates the error.
    public init(_ words: String) { self.words = words }
}

/// Makes connections to hosts.
public protocol HostConnector: Sendable {
    /// Connects, checks the host key, logs in. Nothing is changed on the host.
    ///
    /// - Throws: ``ConnectFailure``.
    func connect(to host: Host) async throws(ConnectFailure) -> any HostConnection
}

/// A host was not reached, or didn't let us in.
public struct ConnectFailure: Error, Hashable, Sendable {
    /// Why, as a report says it.
    public var reason: Reason

    /// Creates the error.
    public init(_ reason: Reason) { self.reason = reason }
}

/// Where a run's events go. An event is on disk when ``append(_:)`` returns.
public protocol RunJournal: Sendable {
    /// Writes one event.
    ///
    /// - Throws: what kept it from being written; the run must not go on then.
    func append(_ event: RunEvent) async throws

    /// How a host stands now, with what people in other processes have said of its steps; nil for a host that is not in the run.
    ///
    /// - Throws: what kept it from being read; the run must not go on then.
    func standing(of host: HostName) async throws -> HostRecord?

    /// How the run would have ended if it ended now.
    func outcome() async throws -> RunOutcome
}

/// Where the output of a host's steps goes. What was appended is safe before its offset goes into the journal.
public protocol StepLog: Sendable {
    /// Appends bytes to the log of a host.
    ///
    /// - Throws: what kept them from being written, such as a full disk.
    func append(_ bytes: ArraySlice<UInt8>, of host: HostName) async throws

    /// Waits until what was appended to the log of a host is on the disk.
    func secure(_ host: HostName) async throws

    /// How many bytes the log of a host has.
    func length(of host: HostName) async throws -> Int64

    /// Cuts the log of a host after that many bytes, and waits until what is left is on the disk.
    func cut(_ host: HostName, to length: Int64) async throws
}
