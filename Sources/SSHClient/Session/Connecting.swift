import CSSH2
import Glibc

extension SSHSession {
    /// Connects and exchanges keys; answers the key the server showed.
    func meet(preferring types: [String]) async throws(SSHError) -> HostKey {
        wire.reactor.admit(wire)
        let deadline = Moment.after(limits.connect)
        try await connect(until: deadline, try await addresses(until: deadline))
        return try await shakeHands(preferring: types)
    }

    private func addresses(until deadline: Moment) async throws(SSHError) -> [Address] {
        if let literal = Addresses.literal(endpoint) { return literal }
        let waiter = Waiter(on: wire, until: deadline)
        let box = AnswerBox()
        let wire = wire
        Addresses.resolve(endpoint) { answer in
            wire.reactor.submit {
                box.answer = answer
                wire.wakeAll()
            }
        }
        await waitCancellably(waiter) { box.answer != nil }
        if let answer = box.answer { return try answer.get() }
        throw waiter.verdict == .limit ? .timedOut(.resolve, after: limits.connect) : .cancelled(.resolve)
    }

    /// Tries one address after the other; each gets its share of the time that is left.
    private func connect(until deadline: Moment, _ addresses: [Address]) async throws(SSHError) {
        var last = SSHError.Cause(errno: EADDRNOTAVAIL)
        for (index, address) in addresses.enumerated() {
            let left = Moment.now.distance(to: deadline)
            let code = try await connect(to: address, until: .after(left / (addresses.count - index)))
            if code == 0 { return }
            wire.closeDescriptor()
            last = SSHError.Cause(errno: code)
        }
        if last.code == ETIMEDOUT, Moment.now >= deadline { throw .timedOut(.connect, after: limits.connect) }
        throw .unreachable(endpoint, last)
    }

    private func connect(to address: Address, until deadline: Moment) async throws(SSHError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else {
            // A machine without IPv6 still has the other addresses.
            if errno == EAFNOSUPPORT { return errno }
            throw .system(call: "socket", errno: errno)
        }
        prepare(descriptor)
        let code = address.connect(descriptor)
        guard code == 0 || code == EINPROGRESS else {
            Glibc.close(descriptor)
            return code
        }
        guard wire.open(descriptor) else {
            let failure = errno
            Glibc.close(descriptor)
            throw .system(call: "epoll_ctl", errno: failure)
        }
        let waiter = Waiter(on: wire, until: deadline)
        await waitCancellably(waiter) { wire.isWritable || !wire.isOpen }
        guard wire.isOpen else { throw loss ?? .closed }
        if waiter.verdict == .cancelled { throw .cancelled(.connect) }
        guard wire.isWritable else { return ETIMEDOUT }
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
        return failure
    }

    /// Small packets go out at once; a peer that has gone silent is noticed by the kernel.
    private func prepare(_ descriptor: Int32) {
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let silence = max(1, Int32(clamping: limits.silence.components.seconds))
        let tcp = Int32(IPPROTO_TCP)
        set(tcp, TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(tcp, TCP_KEEPIDLE, max(1, silence / 4))
        set(tcp, TCP_KEEPINTVL, max(1, silence / 4))
        set(tcp, TCP_KEEPCNT, 3)
        set(tcp, TCP_USER_TIMEOUT, silence.multipliedReportingOverflow(by: 1000).partialValue)
    }

    /// Parks until the condition holds, the time is up or the task is cancelled.
    func waitCancellably(_ waiter: Waiter, until condition: () -> Bool) async {
        if condition() { return }
        let reactor = wire.reactor
        await withTaskCancellationHandler {
            while waiter.verdict == .goOn {
                await waiter.park(isolation: self)
                waiter.look()
                if condition() { return }
            }
        } onCancel: {
            reactor.submit { waiter.cancel() }
        }
    }
}

extension SSHSession {
    private func shakeHands(preferring types: [String]) async throws(SSHError) -> HostKey {
        guard let session = wire.startSession() else { throw .system(call: "libssh2_session_init", errno: ENOMEM) }
        try prefer(types, session)
        let descriptor = wire.descriptor
        let driven = await drive(until: .after(limits.handshake)) {
            Int(libssh2_session_handshake($0, descriptor))
        }
        guard case .answer(0) = driven else { throw handshakeFailure(driven, session) }
        wire.overture = nil

        var length = 0
        var type: Int32 = 0
        guard let blob = libssh2_session_hostkey(session, &length, &type),
            let key = HostKey(blob: Array(UnsafeRawBufferPointer(start: blob, count: length)))
        else { throw .handshakeFailed(SSHError.Cause(code: 0, words: "the server showed no readable host key")) }
        return key
    }

    /// Asks for the types on file first.
    ///
    /// The others follow, so that a host which changed its type of key is seen as changed and not as one with which nothing
    /// can be agreed.
    private func prefer(_ types: [String], _ session: OpaquePointer) throws(SSHError) {
        guard !types.isEmpty else { return }
        let supported = Overture.supported(.hostKey, by: session)
        let first = types.filter(supported.contains)
        guard !first.isEmpty else { return }
        let order = (first + supported.filter { !first.contains($0) }).joined(separator: ",")
        // An unheeded preference would silently ask for another key.
        guard libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, order) == 0 else {
            throw .handshakeFailed(wire.cause(Int(LIBSSH2_ERROR_METHOD_NOT_SUPPORTED)))
        }
    }

    /// Every failed negotiation has the same code; what the server said in the clear tells them apart.
    private func handshakeFailure(_ driven: Driven, _ session: OpaquePointer) -> SSHError {
        guard case .answer(let code) = driven else { return failure(driven, at: .handshake, of: limits.handshake) }
        let overture = wire.overture ?? Overture()
        if Int32(clamping: code) == LIBSSH2_ERROR_KEX_FAILURE, let failure = overture.failure(of: session) {
            return .noCommonAlgorithm(failure)
        }
        if wire.breakdown != nil {
            return overture.hasIdentification
                ? .connectionLost(.handshake, wire.lossCause) : .dropped(serverSaid: overture.words)
        }
        return .handshakeFailed(wire.cause(code))
    }

    /// Logs in.
    ///
    /// Only called once the host's key is accepted.
    func authenticate(_ user: String, _ credential: Credential) async throws(SSHError) {
        let name = Array(user.utf8CString)
        let driven: Driven
        switch credential {
        case .key(let key):
            driven = await drive(until: .after(limits.authentication)) { session in
                name.withUnsafeBufferPointer { name in
                    key.signer.map { Self.logIn(session, name, $0) } ?? Self.logIn(session, name, key.text)
                }
            }
        }
        if case .answer(0) = driven { return }
        if case .answer(let code) = driven, wire.breakdown == nil {
            switch Int32(clamping: code) {
            case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, LIBSSH2_ERROR_FILE:
                throw .authenticationRefused(user: user, wire.cause(code))
            default: break
            }
        }
        throw failure(driven, at: .authentication, of: limits.authentication)
    }

    private static func logIn(_ session: OpaquePointer, _ name: UnsafeBufferPointer<CChar>, _ text: [UInt8]) -> Int {
        text.withUnsafeBytes { text in
            // libssh2 runs strlen over the key, so a NUL follows it that its length leaves out.
            Int(
                libssh2_userauth_publickey_frommemory(
                    session, name.baseAddress, name.count - 1, nil, 0, text.baseAddress?.assumingMemoryBound(to: CChar.self),
                    text.count - 1, nil))
        }
    }

    private static func logIn(_ session: OpaquePointer, _ name: UnsafeBufferPointer<CChar>, _ signer: Ed25519Signer) -> Int {
        var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(signer).toOpaque()
        return Int(
            libssh2_userauth_publickey(
                session, name.baseAddress, signer.publicKey, signer.publicKey.count, Ed25519Signer.callback, &context))
    }
}

/// Carries the resolver's answer to the reactor's thread, where alone it is touched.
private final class AnswerBox: @unchecked Sendable {
    var answer: Addresses.Answer?
}
