extension SSHSession {
    /// A piece of output as it comes.
    public enum Piece: Sendable {
        /// Printed on stdout.
        case stdout([UInt8])
        /// Printed on stderr.
        case stderr([UInt8])
    }

    /// Runs a command and collects what it prints.
    ///
    /// The command is text for `/bin/sh`, whatever the user's login shell is; what login scripts print is left out. Its stdin
    /// holds the given bytes and then ends. Once it may have begun, this throws only if the task is cancelled: a broken
    /// connection or a reached limit gives a result with the output so far, an unreported ending and the reason. Neither a
    /// limit nor cancelling ends the command on the host.
    public func run(
        _ command: String, stdin: [UInt8] = [], limits: CommandLimits = CommandLimits(),
        keeping bound: BoundedOutput.Bound = .standard, onOutput: (@Sendable (Piece) async -> Void)? = nil
    ) async throws(SSHError) -> CommandResult {
        try Self.check(command)
        let markers = Markers()
        return try await carryOut(markers.wrap(command), markers, stdin, limits, bound, onOutput)
    }

    /// Runs a script of any length in `/bin/sh`, sent through stdin; its own stdin is at its end, so it can't wait for input.
    ///
    /// Nothing of it runs unless all of it arrived. Otherwise like ``run(_:stdin:limits:keeping:onOutput:)``.
    public func script(
        _ text: String, limits: CommandLimits = CommandLimits(), keeping bound: BoundedOutput.Bound = .standard,
        onOutput: (@Sendable (Piece) async -> Void)? = nil
    ) async throws(SSHError) -> CommandResult {
        try Self.check(text)
        let markers = Markers()
        return try await carryOut(
            markers.wrapScript(), markers, Array(markers.mark(script: text).utf8), limits, bound, onOutput)
    }

    /// Starts a command whose streams the caller reads and writes.
    ///
    /// Read both streams, or ask for the ending, which drops the rest: a stream that nobody reads stalls the command.
    public func start(
        _ command: String, limits: CommandLimits = CommandLimits()
    ) async throws(SSHError) -> RemoteProcess {
        try Self.check(command)
        let markers = Markers()
        let deadline = Self.deadline(limits.total)
        let opening = min(deadline, .after(self.limits.open))
        let channel = try await openForCommand(until: opening, markers)
        try await exec(markers.wrap(command), in: channel, until: opening)
        return RemoteProcess(session: self, channel: channel, limits: limits, deadline: deadline)
    }

    private static func check(_ text: String) throws(SSHError) {
        if text.utf8.contains(0) { throw .invalid("a command can't contain a NUL byte") }
    }

    static func deadline(_ limit: Duration?) -> Moment { limit.map(Moment.after) ?? .never }

    private func carryOut(
        _ line: String, _ markers: Markers, _ stdin: [UInt8], _ limits: CommandLimits, _ bound: BoundedOutput.Bound,
        _ onOutput: (@Sendable (Piece) async -> Void)?
    ) async throws(SSHError) -> CommandResult {
        let deadline = Self.deadline(limits.total)
        let opening = min(deadline, .after(self.limits.open))
        let channel = try await openForCommand(until: opening, markers)
        var result = CommandResult(ending: .unreported, stdout: BoundedOutput(bound), stderr: BoundedOutput(bound))
        do throws(SSHError) {
            try await exec(line, in: channel, until: opening)
            channel.give(stdin, ending: true)
            while !channel.hasEnded || channel.count(.stdout) > 0 || channel.count(.stderr) > 0 {
                try await advance(channel, limits, deadline) { false }
                while let bytes = channel.take(.stdout) {
                    result.stdout.append(bytes)
                    await onOutput?(.stdout(bytes))
                }
                while let bytes = channel.take(.stderr) {
                    result.stderr.append(bytes)
                    await onOutput?(.stderr(bytes))
                }
            }
            result.ending = try await close(channel, until: deadline, of: limits.total ?? .zero)
        } catch {
            await abandon(channel)
            switch error {
            case .commandRefused, .cancelled: throw error
            default: result.failure = error
            }
        }
        return result
    }

    /// Moves input and output until something came of it or the condition holds.
    func advance(
        _ channel: Channel, _ limits: CommandLimits, _ deadline: Moment, until condition: () -> Bool
    ) async throws(SSHError) {
        let due = limits.idle.map { min(deadline, .after($0)) } ?? deadline
        let driven = await drive(until: due) { _ in
            condition() ? 1 : channel.step()
        }
        switch driven {
        case .answer(let answer) where answer >= 0: return
        case .limit where due == deadline: throw .timedOut(.command, after: limits.total ?? .zero)
        case .limit: throw .timedOut(.output, after: limits.idle ?? .zero)
        default: throw failure(driven, at: .output, of: .zero)
        }
    }
}
