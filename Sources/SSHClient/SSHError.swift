import Glibc

/// Why something could not be done on a host.
///
/// Every case keeps the words of the layer below, for people to read; decide by case, never by them.
public enum SSHError: Error, Hashable, Sendable {
    /// What the work on a host was at.
    public enum Stage: String, Hashable, Sendable {
        /// Looking up the name.
        case resolve
        /// Opening the TCP connection.
        case connect
        /// Identification and key exchange.
        case handshake
        /// Proving who we are.
        case authentication
        /// Opening a channel and starting the command in it.
        case open
        /// Waiting for output or for room to send input; the idle limit.
        case output
        /// The whole command; the total limit.
        case command
        /// Forwarding a connection.
        case forward
    }

    /// The layer below in its own words.
    public struct Cause: Hashable, Sendable {
        /// A libssh2 error (negative) or an `errno` (positive); 0 if the layer below said nothing.
        public var code: Int32
        /// What it said, meant for people.
        public var words: String

        init(code: Int32, words: String) {
            self.code = code
            self.words = words
        }

        init(errno code: Int32) {
            self.init(code: code, words: String(cString: strerror(code)))
        }
    }

    /// The name has no address, or the resolver didn't know.
    case unresolvable(String, Cause)
    /// No address took the connection; the cause is the last address's.
    case unreachable(SSHEndpoint, Cause)
    /// The stage did not end within its limit.
    case timedOut(Stage, after: Duration)
    /// The server hung up before it named itself, usually since too many logins were under way (sshd's `MaxStartups`).
    case dropped(serverSaid: String)
    /// Client and server have no algorithm in common.
    case noCommonAlgorithm(NegotiationFailure)
    /// Identification or key exchange failed for another reason.
    case handshakeFailed(Cause)
    /// The host's key was not accepted; no credential was sent.
    case hostKeyRejected(HostKeyVerdict, offered: HostKey)
    /// The server did not accept the credential.
    case authenticationRefused(user: String, Cause)
    /// The private key can't be used; nothing was sent.
    case privateKey(path: String, PrivateKeyFlaw)
    /// The server opens no further channel; with this many open it is usually at its `MaxSessions`.
    case channelRefused(open: Int, Cause)
    /// The server would not start the command.
    case commandRefused(Cause)
    /// The connection broke.
    case connectionLost(Stage, Cause)
    /// The task was cancelled.
    case cancelled(Stage)
    /// The session had been closed before.
    case closed
    /// A call that can't be made so, such as a script with a NUL byte.
    case invalid(String)
    /// The server or libssh2 did something that is not expected at this stage.
    case unexpected(Stage, Cause)
    /// The operating system refused something on this side.
    case system(call: String, errno: Int32)

    /// Whether the same attempt may succeed a little later.
    ///
    /// For a command that had begun, this says nothing about whether it ran.
    public var isWorthRetrying: Bool {
        switch self {
        case .unreachable, .timedOut, .dropped, .connectionLost, .channelRefused, .system: true
        case .unresolvable(_, let cause): cause.code == EAI_AGAIN
        case .noCommonAlgorithm, .handshakeFailed, .hostKeyRejected, .authenticationRefused, .privateKey, .commandRefused,
            .cancelled, .closed, .invalid, .unexpected:
            false
        }
    }

    /// How far the work had come.
    public var stage: Stage? {
        switch self {
        case .unresolvable: .resolve
        case .unreachable: .connect
        case .dropped, .noCommonAlgorithm, .handshakeFailed, .hostKeyRejected: .handshake
        case .authenticationRefused, .privateKey: .authentication
        case .channelRefused, .commandRefused: .open
        case .timedOut(let stage, _), .connectionLost(let stage, _), .cancelled(let stage), .unexpected(let stage, _): stage
        case .closed, .invalid, .system: nil
        }
    }
}

extension SSHError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .unresolvable(let name, let cause): "no address found for \(name): \(cause)"
        case .unreachable(let endpoint, let cause): "\(endpoint) can't be reached: \(cause)"
        case .timedOut(.output, let limit): "not a word came for \(limit)"
        case .timedOut(let stage, let limit): "\(stage.rawValue) took longer than \(limit)"
        case .dropped(let words):
            "the server hung up before it named itself" + (words.isEmpty ? "" : ", saying: \(words)")
        case .noCommonAlgorithm(let failure): failure.description
        case .handshakeFailed(let cause): "the SSH handshake failed: \(cause)"
        case .hostKeyRejected(let verdict, let key): "host key \(key.type) \(key.fingerprint): \(verdict)"
        case .authenticationRefused(let user, let cause): "login as \(user) was refused: \(cause)"
        case .privateKey(let path, let flaw): "private key \(path): \(flaw)"
        case .channelRefused(let open, let cause):
            "the server refused another channel with \(open) open (sshd's MaxSessions is 10 unless set): \(cause)"
        case .commandRefused(let cause): "the server would not start the command: \(cause)"
        case .connectionLost(let stage, let cause): "the connection was lost (\(stage.rawValue)): \(cause)"
        case .cancelled(let stage): "cancelled (\(stage.rawValue))"
        case .closed: "the session is closed"
        case .invalid(let words): words
        case .unexpected(let stage, let cause): "unexpected answer (\(stage.rawValue)): \(cause)"
        case .system(let call, let code): "\(call): \(Cause(errno: code))"
        }
    }
}

extension SSHError.Cause: CustomStringConvertible {
    /// The words, and the code if there is one.
    public var description: String { code == 0 ? words : "\(words) (\(code))" }
}
