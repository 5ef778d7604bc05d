import CSSH2

/// One authenticated connection to one host.
///
/// libssh2 allows one call at a time per session. The actor gives that; its executor is the reactor's thread, which also
/// watches the socket, so a session costs no thread and waiting for the network stops nobody else.
///
/// Several commands may run at once on a session, up to the server's `MaxSessions`. Close it when it is no longer needed.
public actor SSHSession {
    /// The server's address.
    public nonisolated let endpoint: SSHEndpoint
    /// The limits of its stages.
    public nonisolated let limits: SSHLimits

    nonisolated let wire: Wire
    /// Why the session ended, once it has.
    var loss: SSHError?
    /// Whether somebody opens a channel or starts a command in one; see `takeTurn`.
    var isOpening = false
    var openChannels = 0
    /// Channels that were given up and that the server hasn't closed yet.
    var abandoned: [OpaquePointer] = []

    private var acceptedKey: HostKey?

    /// The reactor's thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { wire.reactor.asUnownedSerialExecutor() }

    init(_ endpoint: SSHEndpoint, _ limits: SSHLimits, on reactor: SSHReactor) {
        self.endpoint = endpoint
        self.limits = limits
        wire = Wire(reactor)
    }

    deinit {
        let wire = wire
        wire.reactor.submit { wire.cut() }
    }

    /// Connects, checks the host's key and logs in; no credential is sent before the key is accepted.
    public static func connect(
        to endpoint: SSHEndpoint, user: String, authenticating credential: Credential, verifying policy: HostKeyPolicy,
        limits: SSHLimits = SSHLimits(), on reactor: SSHReactor
    ) async throws(SSHError) -> SSHSession {
        let session = SSHSession(endpoint, limits, on: reactor)
        try await session.establish(verifying: policy, user: user, credential)
        return session
    }

    /// Fetches a server's key and leaves without logging in; the types are asked for first, in this order.
    public static func hostKey(
        of endpoint: SSHEndpoint, preferring types: [String] = [], limits: SSHLimits = SSHLimits(), on reactor: SSHReactor
    ) async throws(SSHError) -> HostKey {
        let session = SSHSession(endpoint, limits, on: reactor)
        return try await session.fetchHostKey(preferring: types)
    }

    /// The key the host showed and that was accepted.
    public var hostKey: HostKey? { acceptedKey }

    /// Whether commands can still be run.
    public var isOpen: Bool { wire.session != nil }

    /// Ends the session at once, whatever is under way on it; that then fails with ``SSHError/closed``.
    public func close() {
        lose(.closed)
    }

    private func establish(
        verifying policy: HostKeyPolicy, user: String, _ credential: Credential
    ) async throws(SSHError) {
        do throws(SSHError) {
            let key = try await meet(preferring: preferredTypes(policy))
            let verdict =
                switch policy {
                case .onRecord(let files): files.verdict(on: key, of: endpoint)
                case .ask(_, let decide): await decide(key)
                case .trustAnyKey: nil as HostKeyVerdict?
                }
            switch verdict {
            case .match, nil: acceptedKey = key
            case .some(let verdict): throw SSHError.hostKeyRejected(verdict, offered: key)
            }
            try await authenticate(user, credential)
        } catch {
            lose(error)
            throw error
        }
    }

    private func fetchHostKey(preferring types: [String]) async throws(SSHError) -> HostKey {
        defer { lose(.closed) }
        return try await meet(preferring: types)
    }

    private func preferredTypes(_ policy: HostKeyPolicy) -> [String] {
        switch policy {
        case .onRecord(let files): files.types(of: endpoint)
        case .ask(let types, _): types
        case .trustAnyKey: []
        }
    }
}
