/// A command under way on a host.
public struct RemoteProcess: Sendable {
    private let session: SSHSession
    private let channel: Channel
    private let limits: CommandLimits
    private let deadline: Moment

    init(session: SSHSession, channel: Channel, limits: CommandLimits, deadline: Moment) {
        self.session = session
        self.channel = channel
        self.limits = limits
        self.deadline = deadline
    }

    /// What it prints.
    public var stdout: RemoteOutput { output(.stdout) }
    /// What it prints as errors.
    public var stderr: RemoteOutput { output(.stderr) }

    private func output(_ stream: Channel.Stream) -> RemoteOutput {
        RemoteOutput { [self] () async throws(SSHError) in
            try await session.next(stream, of: channel, limits, deadline)
        }
    }

    /// Writes to its stdin; returns when the server has room for all of it.
    ///
    /// Input that it no longer reads is dropped.
    public func write(_ bytes: [UInt8]) async throws(SSHError) {
        try await session.write(bytes, ending: false, to: channel, limits, deadline)
    }

    /// Ends its stdin.
    public func finishWriting() async throws(SSHError) {
        try await session.write([], ending: true, to: channel, limits, deadline)
    }

    /// Waits for its end.
    ///
    /// Ends its stdin and drops what was not read.
    public func ending() async throws(SSHError) -> CommandEnding {
        try await session.ending(of: channel, limits, deadline)
    }

    /// Stops following it.
    ///
    /// The command itself goes on until it ends or finds its streams closed.
    public func abandon() async {
        await session.abandon(channel)
    }
}

/// One output stream of a remote command, in pieces as they come.
///
/// Nothing is fetched far ahead of the reader.
public struct RemoteOutput: AsyncSequence, Sendable {
    /// What reads the stream; one reader per stream.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let read: @Sendable () async throws(SSHError) -> [UInt8]?

        /// The next bytes; nil at the end.
        public mutating func next() async throws(SSHError) -> [UInt8]? { try await read() }

        /// The next bytes; nil at the end.
        public mutating func next(isolation: isolated (any Actor)?) async throws(SSHError) -> [UInt8]? { try await read() }
    }

    fileprivate let read: @Sendable () async throws(SSHError) -> [UInt8]?

    init(_ read: @escaping @Sendable () async throws(SSHError) -> [UInt8]?) { self.read = read }

    /// Begins to read where the last reader stopped.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(read: read) }

    /// Reads to the end and keeps as much as asked for.
    public func collect(_ bound: BoundedOutput.Bound = .standard) async throws(SSHError) -> BoundedOutput {
        var output = BoundedOutput(bound)
        while let bytes = try await read() { output.append(bytes) }
        return output
    }
}

extension SSHSession {
    /// The next bytes of a stream, or nil at its end.
    func next(
        _ stream: Channel.Stream, of channel: Channel, _ limits: CommandLimits, _ deadline: Moment
    ) async throws(SSHError) -> [UInt8]? {
        while true {
            let hadRoom = channel.hasRoom(stream)
            if let bytes = channel.take(stream) {
                // Whoever found this stream full can go on.
                if !hadRoom { wire.wakeAll() }
                return bytes
            }
            guard !channel.hasEnded, !channel.hasClosed else { return nil }
            try await advance(channel, limits, deadline) { channel.count(stream) > 0 || channel.hasEnded }
            // The same step may have fetched what another reader of this channel waits for.
            wire.wakeAll()
        }
    }

    func write(
        _ bytes: [UInt8], ending: Bool, to channel: Channel, _ limits: CommandLimits, _ deadline: Moment
    ) async throws(SSHError) {
        func settle() async throws(SSHError) {
            while !channel.hasTakenInput, !channel.hasClosed {
                try await advance(channel, limits, deadline) { channel.hasTakenInput }
                wire.wakeAll()
            }
        }
        try await settle()
        channel.give(bytes, ending: ending)
        try await settle()
    }

    func ending(of channel: Channel, _ limits: CommandLimits, _ deadline: Moment) async throws(SSHError) -> CommandEnding {
        try await write([], ending: true, to: channel, limits, deadline)
        for stream in [Channel.Stream.stdout, .stderr] {
            while try await next(stream, of: channel, limits, deadline) != nil {}
        }
        return try await close(channel, until: deadline, of: limits.total ?? .zero)
    }
}
