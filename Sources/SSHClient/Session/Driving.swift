import CSSH2

extension SSHSession {
    /// How a driven call ended.
    enum Driven {
        /// libssh2's answer, which is anything but "again".
        case answer(Int)
        case limit
        case cancelled
        /// The session was closed meanwhile, or is poisoned.
        case gone
    }

    /// Repeats a libssh2 call until it answers anything but "again", waiting for the socket in between.
    ///
    /// "Again" always means that libssh2 waits for bytes of the server: what it sends is always taken, see ``Wire``. A call may
    /// read packets that another operation waits for; the socket is then empty and stays silent, so whoever looked before those
    /// bytes came in is woken.
    func drive(until deadline: Moment, isCancellable: Bool = true, _ call: (OpaquePointer) -> Int) async -> Driven {
        guard let session = wire.session else { return .gone }
        // Most calls end here, without a timer or a cancellation handler.
        let answer = attempt(call, on: session)
        if answer != Self.again { return .answer(answer) }

        let waiter = Waiter(on: wire, until: deadline)
        waiter.receives = wire.receives
        guard isCancellable else { return await driveOn(waiter, call) }
        let reactor = wire.reactor
        return await withTaskCancellationHandler {
            await driveOn(waiter, call)
        } onCancel: {
            reactor.submit { waiter.cancel() }
        }
    }

    private static let again = Int(LIBSSH2_ERROR_EAGAIN)

    private func driveOn(_ waiter: Waiter, _ call: (OpaquePointer) -> Int) async -> Driven {
        while true {
            await waiter.park(isolation: self)
            guard let session = wire.session else { return .gone }
            switch waiter.verdict {
            case .limit: return .limit
            case .cancelled: return .cancelled
            case .goOn: break
            }
            let answer = attempt(call, on: session)
            waiter.receives = wire.receives
            waiter.look()
            if answer != Self.again { return .answer(answer) }
        }
    }

    /// Calls, and once more for as long as bytes came in without an answer.
    private func attempt(_ call: (OpaquePointer) -> Int, on session: OpaquePointer) -> Int {
        while true {
            let before = wire.receives
            let answer = call(session)
            guard wire.receives != before else { return answer }
            wire.wake(olderThan: wire.receives)
            guard answer == Self.again else { return answer }
        }
    }

    /// Drives a call and turns whatever isn't a success into an error.
    func perform(
        _ stage: SSHError.Stage, until deadline: Moment, of limit: Duration, _ call: (OpaquePointer) -> Int
    ) async throws(SSHError) -> Int {
        let driven = await drive(until: deadline, call)
        if case .answer(let answer) = driven, answer >= 0 { return answer }
        throw failure(driven, at: stage, of: limit)
    }

    /// What a driven call that did not succeed means.
    ///
    /// A broken connection is cut here.
    func failure(_ driven: Driven, at stage: SSHError.Stage, of limit: Duration) -> SSHError {
        switch driven {
        case .limit: return .timedOut(stage, after: limit)
        case .cancelled: return .cancelled(stage)
        case .gone: return loss ?? .closed
        case .answer(let code):
            let cause = wire.cause(code)
            guard Self.breaksSession(code) || wire.breakdown != nil else { return .unexpected(stage, cause) }
            let error = SSHError.connectionLost(stage, wire.breakdown == nil ? cause : wire.lossCause)
            lose(error)
            return error
        }
    }

    /// Cuts the wire because of an error; whoever still waits on this session gets the same one.
    func lose(_ error: SSHError) {
        if loss == nil { loss = error }
        wire.cut()
    }

    private static func breaksSession(_ code: Int) -> Bool {
        switch Int32(clamping: code) {
        case LIBSSH2_ERROR_SOCKET_NONE, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT,
            LIBSSH2_ERROR_BAD_SOCKET, LIBSSH2_ERROR_INVALID_MAC, LIBSSH2_ERROR_DECRYPT, LIBSSH2_ERROR_ENCRYPT,
            LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, LIBSSH2_ERROR_BAD_USE,
            LIBSSH2_ERROR_ALLOC, LIBSSH2_ERROR_OUT_OF_BOUNDARY:
            true
        default: false
        }
    }
}
