import SSHClient

extension SSHServer {
    /// The reactor of all tests of a process.
    public static let reactor: Result<SSHReactor, SSHError> = Result { () throws(SSHError) in try SSHReactor() }

    /// Logs in to this server as root, checking its key.
    public func connect(
        limits: SSHLimits = SSHLimits(), on reactor: SSHReactor? = nil
    ) async throws -> SSHSession {
        try await SSHSession.connect(
            to: endpoint, user: "root", authenticating: .key(PrivateKey(file: identityFile)),
            verifying: .onRecord(KnownHosts(files: [knownHostsFile])), limits: limits,
            on: reactor ?? Self.reactor.get())
    }

    /// Logs in, runs the closure and closes the session.
    public func withSession<R>(
        limits: SSHLimits = SSHLimits(), on reactor: SSHReactor? = nil, _ body: (SSHSession) async throws -> R
    ) async throws -> R {
        let session = try await connect(limits: limits, on: reactor)
        do {
            let value = try await body(session)
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }
}
