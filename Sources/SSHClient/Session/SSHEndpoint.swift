/// Where an SSH server listens.
public struct SSHEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name, an IPv4 or an IPv6 address; IPv6 without brackets.
    public var host: String
    /// The TCP port.
    public var port: UInt16

    /// Names a server by host and port.
    public init(_ host: String, port: UInt16 = 22) {
        self.host = host
        self.port = port
    }

    /// `host:port`, with brackets around an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How long each stage of a session may take.
public struct SSHLimits: Hashable, Sendable {
    /// Looking up the name and opening the connection, all addresses together.
    public var connect: Duration
    /// Identification and key exchange.
    public var handshake: Duration
    /// The login, from the first credential to the server's answer.
    public var authentication: Duration
    /// Opening a channel and starting a command in it; also closing it.
    public var open: Duration
    /// How long a peer may leave sent bytes or keepalive probes unanswered before the connection counts as lost.
    public var silence: Duration

    /// Sets the limits; the defaults suit a fleet on the internet.
    public init(
        connect: Duration = .seconds(15), handshake: Duration = .seconds(30), authentication: Duration = .seconds(30),
        open: Duration = .seconds(30), silence: Duration = .seconds(60)
    ) {
        self.connect = connect
        self.handshake = handshake
        self.authentication = authentication
        self.open = open
        self.silence = silence
    }
}

/// How long a command may take.
public struct CommandLimits: Hashable, Sendable {
    /// How long it may neither print nor take input; nil for ever.
    public var idle: Duration?
    /// How long it may take in all, from opening the channel; nil for ever.
    public var total: Duration?

    /// Sets the limits; without any, a command may run for ever.
    public init(idle: Duration? = nil, total: Duration? = nil) {
        self.idle = idle
        self.total = total
    }
}
