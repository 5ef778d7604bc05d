import CSSH2

extension SSHSession {
    /// Opens a channel of a type; one at a time, since libssh2 keeps the state of opening in the session.
    func open(
        until deadline: Moment, stage: SSHError.Stage = .open, _ call: (OpaquePointer) -> OpaquePointer?
    ) async throws(SSHError) -> OpaquePointer {
        try await takeTurn(until: deadline, stage)
        defer { endTurn() }
        if !abandoned.isEmpty { await reapAbandoned() }
        var opened: OpaquePointer?
        func attempt(_ session: OpaquePointer) -> Int {
            opened = call(session)
            return opened == nil ? Int(min(libssh2_session_last_errno(session), -1)) : 0
        }
        let driven = await drive(until: deadline, attempt)
        if case .cancelled = driven {
            // The server's answer is awaited a little, since the session can only be used again after it.
            let patience = min(deadline, .after(.seconds(2)))
            if case .answer = await drive(until: patience, isCancellable: false, attempt) {
                if let opened {
                    openChannels += 1
                    await abandon(Channel(opened, markers: nil, on: wire))
                }
                throw .cancelled(stage)
            }
        }
        if let opened {
            openChannels += 1
            return opened
        }
        if case .answer(let code) = driven, code == Int(LIBSSH2_ERROR_CHANNEL_FAILURE), wire.breakdown == nil {
            throw .channelRefused(open: openChannels, wire.cause(code))
        }
        let error = failure(driven, at: stage, of: limits.open)
        // The server's answer would be taken for that to the next request.
        lose(error)
        throw error
    }

    /// Waits until nobody else on this session waits for the answer to a request.
    ///
    /// libssh2 keeps one opening channel per session, and one who waits for a channel's answer and reads that to another
    /// channel takes it for a failure.
    private func takeTurn(until deadline: Moment, _ stage: SSHError.Stage) async throws(SSHError) {
        // Whoever comes back from waiting may find that another one was faster.
        while isOpening, wire.session != nil {
            let waiter = Waiter(on: wire, until: deadline)
            await waitCancellably(waiter) { !isOpening || wire.session == nil }
            guard waiter.verdict == .goOn else {
                throw failure(waiter.verdict == .limit ? .limit : .cancelled, at: stage, of: limits.open)
            }
        }
        guard wire.session != nil else { throw loss ?? .closed }
        isOpening = true
    }

    private func endTurn() {
        isOpening = false
        wire.wakeAll()
    }

    /// Opens a channel for a command.
    func openForCommand(until deadline: Moment, _ markers: Markers?) async throws(SSHError) -> Channel {
        let packet: UInt32 = 32768
        let pointer = try await open(until: deadline) { session in
            libssh2_channel_open_ex(session, "session", 7, Channel.window, packet, nil, 0)
        }
        return Channel(pointer, markers: markers, on: wire)
    }

    /// Asks the server to run a command line in a channel.
    func exec(_ line: String, in channel: Channel, until deadline: Moment) async throws(SSHError) {
        do throws(SSHError) { try await takeTurn(until: deadline, .open) } catch {
            await abandon(channel)
            throw error
        }
        defer { endTurn() }
        var line = line
        let driven = await withUTF8Text(&line) { text, count in
            await drive(until: deadline) { _ in
                Int(libssh2_channel_process_startup(channel.pointer, "exec", 4, text, UInt32(count)))
            }
        }
        switch driven {
        case .answer(0): return
        case .answer(Int(LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)):
            let error = SSHError.commandRefused(wire.cause(Int(LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)))
            await abandon(channel)
            throw error
        default:
            let error = failure(driven, at: .open, of: limits.open)
            await abandon(channel)
            throw error
        }
    }

    /// Closes a channel whose output has ended and reads what the server said about the ending.
    ///
    /// libssh2 holds a status before it was sent, too: only after both sides have closed does it mean something.
    func close(_ channel: Channel, until deadline: Moment, of limit: Duration) async throws(SSHError) -> CommandEnding {
        guard !channel.hasClosed else { return .unreported }
        let pointer = channel.pointer
        var hasSentClose = false
        _ = try await perform(.command, until: deadline, of: limit) { _ in
            if !hasSentClose {
                let answer = Int(libssh2_channel_close(pointer))
                guard answer == 0 else { return answer }
                hasSentClose = true
            }
            return Int(libssh2_channel_wait_closed(pointer))
        }
        // After a broken connection libssh2 takes the channel for closed as well.
        if wire.breakdown != nil {
            let error = SSHError.connectionLost(.command, wire.lossCause)
            lose(error)
            throw error
        }
        let ending = reportedEnding(channel)
        channel.hasClosed = true
        openChannels -= 1
        libssh2_channel_free(pointer)
        return ending
    }

    private func reportedEnding(_ channel: Channel) -> CommandEnding {
        if let signal = exitSignal(channel.pointer) { return .killed(signal: signal) }
        let status = libssh2_channel_get_exit_status(channel.pointer)
        if status == 0 { return channel.isConfirmed ? .exited(0) : .unreported }
        return .exited(UInt8(truncatingIfNeeded: status))
    }

    private func exitSignal(_ channel: OpaquePointer) -> String? {
        var name: UnsafeMutablePointer<CChar>?
        var length = 0
        guard libssh2_channel_get_exit_signal(channel, &name, &length, nil, nil, nil, nil) == 0, let name else { return nil }
        defer { if let session = wire.session { libssh2_free(session, name) } }
        return String(decoding: UnsafeRawBufferPointer(start: name, count: length), as: UTF8.self)
    }

    /// Gives a channel up: tells the server, and leaves it to be freed when the server has closed its side.
    ///
    /// That side stays open until the remote command ends, so it isn't waited for.
    func abandon(_ channel: Channel) async {
        guard !channel.hasClosed else { return }
        channel.hasClosed = true
        guard wire.session != nil else { return }
        let driven = await drive(until: .after(.seconds(5)), isCancellable: false) { _ in
            let answer = Int(libssh2_channel_close(channel.pointer))
            return answer == Int(LIBSSH2_ERROR_EAGAIN) ? 0 : answer
        }
        guard case .answer(0) = driven else {
            lose(failure(driven, at: .command, of: .seconds(5)))
            return
        }
        abandoned.append(channel.pointer)
    }

    private func reapAbandoned() async {
        var remaining: [OpaquePointer] = []
        let all = abandoned
        abandoned = []
        for pointer in all {
            // Closing was sent long ago; this only looks whether the server has closed, too.
            let driven = await drive(until: .after(.seconds(5)), isCancellable: false) { _ in
                let answer = Int(libssh2_channel_close(pointer))
                return answer == Int(LIBSSH2_ERROR_EAGAIN) ? 1 : answer
            }
            guard wire.session != nil else { return }
            if case .answer(0) = driven {
                libssh2_channel_free(pointer)
                openChannels -= 1
            } else {
                remaining.append(pointer)
            }
        }
        abandoned += remaining
    }

    /// A string's bytes at a place that stays the same across awaits, as libssh2 demands of repeated calls.
    private func withUTF8Text<R>(
        _ text: inout String, _ body: (UnsafePointer<CChar>, Int) async -> R
    ) async -> R {
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.utf8.count + 1)
        defer { copy.deallocate() }
        _ = copy.initialize(from: text.utf8.lazy.map(CChar.init(bitPattern:)))
        copy[copy.count - 1] = 0
        guard let start = copy.baseAddress else { preconditionFailure("an allocated buffer has an address") }
        return await body(UnsafePointer(start), copy.count - 1)
    }
}
