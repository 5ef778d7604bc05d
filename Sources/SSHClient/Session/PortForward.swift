import CSSH2
import Glibc

extension SSHSession {
    /// Makes a server that the host can reach reachable on a loopback port of this machine.
    ///
    /// Each connection to the port goes over this session to the given host and port, as the remote host sees them. Only this
    /// machine can connect. It lasts until it is closed or the session ends.
    public func forward(to host: String, port: UInt16) throws(SSHError) -> PortForward {
        guard wire.session != nil else { throw loss ?? .closed }
        let (listener, localPort) = try listen()
        let session = self
        let task = Task { await session.serve(listener, host, port) }
        return PortForward(port: localPort) { [weak self] in
            task.cancel()
            await self?.stop(listener)
            await task.value
        }
    }

    private func listen() throws(SSHError) -> (Watched, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        let watched = Watched(wire.reactor)
        wire.reactor.admit(watched)
        guard isListening, watched.open(descriptor) else {
            let failure = errno
            Glibc.close(descriptor)
            wire.reactor.release(watched)
            throw .system(call: "listen", errno: failure)
        }
        return (watched, UInt16(bigEndian: address.sin_port))
    }

    private func stop(_ listener: Watched) {
        listener.closeDescriptor()
        wire.reactor.release(listener)
    }

    /// Accepts until the listener is closed or the session ends, then ends the connections under way.
    private func serve(_ listener: Watched, _ host: String, _ port: UInt16) async {
        await withDiscardingTaskGroup { group in
            while listener.isOpen, wire.session != nil, !Task.isCancelled {
                let connection = accept4(
                    listener.descriptor, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                if connection >= 0 {
                    group.addTask { await self.carry(connection, host, port) }
                } else if errno == EAGAIN || errno == EMFILE || errno == ENFILE {
                    // Woken by a connection, by the end of the listener, and now and then to see whether the session lives.
                    await waitOnce(Waiter(on: listener, until: .after(.seconds(1))))
                }
            }
            group.cancelAll()
        }
        stop(listener)
    }

    private func waitOnce(_ waiter: Waiter) async {
        let reactor = wire.reactor
        await withTaskCancellationHandler {
            await waiter.park(isolation: self)
        } onCancel: {
            reactor.submit { waiter.cancel() }
        }
    }

    private func carry(_ descriptor: Int32, _ host: String, _ port: UInt16) async {
        let local = Watched(wire.reactor)
        wire.reactor.admit(local)
        guard local.open(descriptor) else {
            Glibc.close(descriptor)
            wire.reactor.release(local)
            return
        }
        defer {
            local.closeDescriptor()
            wire.reactor.release(local)
        }
        // A port that refuses there shows here as a connection that ends at once.
        guard let channel = try? await openDirect(host, port) else { return }
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.upload(local, channel) }
            group.addTask { await self.download(channel, local) }
            // One direction may end before the other; a failure ends both.
            for await hasEndedWell in group where !hasEndedWell { group.cancelAll() }
        }
        await abandon(channel)
    }

    private func openDirect(_ host: String, _ port: UInt16) async throws(SSHError) -> Channel {
        let pointer = try await open(until: .after(limits.open), stage: .forward) { session in
            libssh2_channel_direct_tcpip_ex(session, host, Int32(port), "127.0.0.1", 0)
        }
        return Channel(pointer, markers: nil, on: wire)
    }

    private func upload(_ local: Watched, _ channel: Channel) async -> Bool {
        while !Task.isCancelled, !channel.hasEnded {
            let scratch = wire.reactor.scratch
            let count = recv(local.descriptor, scratch.baseAddress, scratch.count, 0)
            if count < 0, errno == EAGAIN {
                await waitOnce(Waiter(on: local, until: .never))
                guard local.isOpen else { return false }
                continue
            }
            guard count >= 0 else { return false }
            let bytes = count == 0 ? [] : [UInt8](UnsafeRawBufferPointer(rebasing: scratch[..<count]))
            do throws(SSHError) {
                try await write(bytes, ending: count == 0, to: channel, CommandLimits(), .never)
            } catch { return false }
            if count == 0 { return true }
        }
        return channel.hasEnded
    }

    private func download(_ channel: Channel, _ local: Watched) async -> Bool {
        do throws(SSHError) {
            while let bytes = try await next(.stdout, of: channel, CommandLimits(), .never) {
                guard await send(bytes, to: local) else { return false }
            }
        } catch { return false }
        shutdown(local.descriptor, Int32(SHUT_WR))
        return true
    }

    private func send(_ bytes: [UInt8], to local: Watched) async -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return Glibc.send(local.descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                await waitOnce(Waiter(on: local, until: .never))
                if !local.isOpen || Task.isCancelled { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// A loopback port of this machine that leads to a server the remote host can reach.
public struct PortForward: Sendable {
    /// The port on 127.0.0.1.
    public let port: UInt16
    private let end: @Sendable () async -> Void

    init(port: UInt16, _ end: @escaping @Sendable () async -> Void) {
        self.port = port
        self.end = end
    }

    /// Stops listening and ends the connections under way.
    public func close() async { await end() }
}
