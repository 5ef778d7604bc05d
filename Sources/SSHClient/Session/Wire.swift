import CSSH2
import Glibc

/// A session's socket and the libssh2 session on it.
///
/// Only for the reactor's thread.
final class Wire: Watched, @unchecked Sendable {
    /// libssh2's session, from the handshake until the wire is cut.
    private(set) var session: OpaquePointer?
    /// How often bytes came in.
    ///
    /// A call that reads for one channel may read what another waits for; this tells.
    private(set) var receives = 0
    /// What the server said in the clear; dropped once keys are exchanged.
    var overture: Overture? = Overture()
    /// What the socket said when it broke: an `errno`, or 0 for an orderly end.
    private(set) var breakdown: Int32?

    /// Encrypted bytes that libssh2 has handed over and the socket has not taken yet.
    ///
    /// libssh2 never sees a full socket. Its ways of sending the rest of a packet later are full of traps: only the operation
    /// that began may go on, with the same buffer; the end of input is a buffer on the stack; a rest that goes out in more
    /// than two pieces is forgotten; and a key exchange in between waits in the wrong direction. So it hands over whole
    /// packets, and those who have much to send wait until this is empty.
    private var outbox: [UInt8] = []
    private var sent = 0
    /// Only control packets are ever added to a filled box, so this much means that the server has stopped reading.
    private static let mostUnsent = 1 << 20

    /// Whether all that was handed over has gone out.
    var hasSentAll: Bool { outbox.isEmpty }

    private var unannounced = false

    /// Makes the libssh2 session that speaks over the open socket.
    func startSession() -> OpaquePointer? {
        let pointer = libssh2_session_init_ex(nil, nil, nil, Unmanaged.passUnretained(self).toOpaque())
        guard let pointer else { return nil }
        cssh2_set_transport(pointer, receiveFromWire, sendToWire)
        libssh2_session_set_blocking(pointer, 0)
        session = pointer
        return pointer
    }

    /// Ends it all: the socket first, since libssh2 would otherwise wait for the server's word on open channels.
    func cut() {
        closeDescriptor()
        reactor.release(self)
        overture = nil
        outbox = []
        guard let ending = session else { return }
        session = nil
        // Each round ends at least one channel; the sends fail at once.
        var rounds = 0
        while rounds < 1000, libssh2_session_free(ending) == LIBSSH2_ERROR_EAGAIN { rounds += 1 }
    }

    /// libssh2's last words; they are those of the last failure, so ask only after one.
    func cause(_ code: Int) -> SSHError.Cause {
        var words: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        if let session { libssh2_session_last_error(session, &words, &length, 0) }
        let text = words.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: Int(length)), as: UTF8.self) } ?? ""
        return SSHError.Cause(code: Int32(clamping: code), words: text)
    }

    /// What to say about a connection that broke.
    var lossCause: SSHError.Cause {
        guard let breakdown, breakdown != 0 else { return SSHError.Cause(code: 0, words: "the server closed the connection") }
        return SSHError.Cause(errno: breakdown)
    }

    fileprivate func receive(_ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard isOpen else { return -Int(EBADF) }
        guard isReadable else { return -Int(EAGAIN) }
        while true {
            let got = recv(descriptor, buffer, count, 0)
            if got > 0 {
                receives &+= 1
                // A short read emptied the socket: the next change will be announced, unless the end was already.
                if got < count, !hasHungUp { isReadable = false }
                overture?.append(UnsafeRawBufferPointer(start: buffer, count: got))
                return got
            }
            if got == 0 {
                breakdown = breakdown ?? 0
                return 0
            }
            let code = errno
            if code == EINTR { continue }
            if code == EAGAIN { isReadable = false } else { breakdown = breakdown ?? code }
            return -Int(code)
        }
    }

    fileprivate func send(_ buffer: UnsafeRawPointer, _ count: Int) -> Int {
        guard isOpen, breakdown == nil else { return -Int(EPIPE) }
        let taken = outbox.isEmpty ? push(buffer, count) : 0
        guard taken >= 0 else { return taken }
        if taken < count {
            outbox.append(contentsOf: UnsafeRawBufferPointer(start: buffer + taken, count: count - taken))
            if outbox.count - sent > Self.mostUnsent { breakdown = ENOBUFS }
        }
        return count
    }

    override func changed(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { flush() }
        super.changed(events)
    }

    private func flush() {
        isWritable = true
        while sent < outbox.count, isWritable {
            let taken = outbox.withUnsafeBytes { bytes in
                bytes.baseAddress.map { push($0 + sent, bytes.count - sent) } ?? 0
            }
            guard taken >= 0 else { return }
            sent += taken
        }
        guard sent == outbox.count else { return }
        outbox.removeAll(keepingCapacity: false)
        sent = 0
    }

    /// Gives bytes to the socket; answers how many it took, or a negative `errno` if the connection is broken.
    private func push(_ buffer: UnsafeRawPointer, _ count: Int) -> Int {
        guard isWritable else { return 0 }
        let most = reactor.faults.largestSend ?? count
        while true {
            let taken = Glibc.send(descriptor, buffer, min(count, most), Int32(MSG_NOSIGNAL))
            if taken >= 0 {
                if taken < count { isWritable = false }
                if taken == most, taken < count { announceRoom() }
                return taken
            }
            let code = errno
            if code == EINTR { continue }
            isWritable = false
            if code == EAGAIN { return 0 }
            breakdown = breakdown ?? code
            return -Int(code)
        }
    }

    /// After a send that a test cut short: the kernel has no change to report, so the report is made up.
    private func announceRoom() {
        guard !unannounced else { return }
        unannounced = true
        reactor.submit { [self] in
            unannounced = false
            changed(EPOLLOUT.rawValue)
        }
    }
}

private func wire(_ abstract: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Wire? {
    abstract?.pointee.map { Unmanaged<Wire>.fromOpaque($0).takeUnretainedValue() }
}

private let receiveFromWire: cssh2_recv = { _, buffer, count, _, abstract in
    guard let buffer, let wire = wire(abstract) else { return -Int(EBADF) }
    return wire.receive(buffer, count)
}

private let sendToWire: cssh2_send = { _, buffer, count, _, abstract in
    guard let buffer, let wire = wire(abstract) else { return -Int(EBADF) }
    return wire.send(buffer, count)
}
