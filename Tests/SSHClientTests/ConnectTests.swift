import Glibc
import SSHClient
import Testing
import TestSupport

/// The error that the closure throws.
func failure(_ body: () async throws -> Void) async -> SSHError? {
    do {
        try await body()
        return nil
    } catch { return error as? SSHError }
}

@Suite("Connecting")
struct ConnectTests {
    private func connect(
        _ server: SSHServer, to endpoint: SSHEndpoint? = nil, verifying policy: HostKeyPolicy = .trustAnyKey,
        key: String? = nil, limits: SSHLimits = SSHLimits()
    ) async throws -> SSHSession {
        try await SSHSession.connect(
            to: endpoint ?? server.endpoint, user: "root", authenticating: .key(PrivateKey(file: key ?? server.identityFile)),
            verifying: policy, limits: limits, on: SSHServer.reactor.get())
    }

    @Test("works by IPv4, by IPv6 and by name", arguments: ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
    func addresses(host: String) async throws {
        let listening = host == "localhost" ? "127.0.0.1" : host
        try await SSHServer.with(address: listening) { server in
            let session = try await connect(server, to: SSHEndpoint(host, port: server.endpoint.port))
            try await session.run("true").ending.expectSuccess()
            await session.close()
        }
    }

    @Test("a refused port is unreachable at once, and worth another try")
    func refused() async throws {
        let endpoint = SSHEndpoint("127.0.0.1", port: try SSHServer.freePort())
        let error = await failure { _ = try await SSHSession.hostKey(of: endpoint, on: SSHServer.reactor.get()) }
        guard case .unreachable(endpoint, let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cause.code == ECONNREFUSED)
        #expect(error?.isWorthRetrying == true)
    }

    @Test("a name without an address is unresolvable")
    func unresolvable() async throws {
        let error = await failure {
            _ = try await SSHSession.hostKey(of: SSHEndpoint("no-such-host.invalid"), on: SSHServer.reactor.get())
        }
        guard case .unresolvable("no-such-host.invalid", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("a listener that says nothing runs into the handshake limit")
    func silentListener() async throws {
        let listener = try Listener()
        defer { listener.close() }
        let error = await failure {
            _ = try await SSHSession.hostKey(
                of: listener.endpoint, limits: SSHLimits(handshake: .milliseconds(300)), on: SSHServer.reactor.get())
        }
        #expect(error == .timedOut(.handshake, after: .milliseconds(300)))
    }

    @Test("a listener that says something else and hangs up has dropped us")
    func dropped() async throws {
        let listener = try Listener()
        defer { listener.close() }
        let answer = Task.detached { listener.answerOnce("Exceeded MaxStartups\r\n") }
        let error = await failure {
            _ = try await SSHSession.hostKey(of: listener.endpoint, on: SSHServer.reactor.get())
        }
        await answer.value
        #expect(error == .dropped(serverSaid: "Exceeded MaxStartups"))
        #expect(error?.isWorthRetrying == true)
    }

    @Test("more logins than MaxStartups are dropped, each as such, and the others succeed")
    func maxStartups() async throws {
        try await SSHServer.with("MaxStartups 3:100:3") { server in
            let outcomes = await withTaskGroup(of: SSHError?.self) { group in
                for _ in 0..<20 {
                    group.addTask { await failure { try await connect(server).close() } }
                }
                return await group.reduce(into: [SSHError?]()) { $0.append($1) }
            }
            let errors = outcomes.compactMap { $0 }
            #expect(!errors.isEmpty && errors.count < 20)
            for error in errors {
                guard case .dropped = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test("can be cancelled while it waits")
    func cancelled() async throws {
        let listener = try Listener()
        defer { listener.close() }
        let task = Task { try await SSHSession.hostKey(of: listener.endpoint, on: SSHServer.reactor.get()) }
        task.cancel()
        let error = await failure { _ = try await task.value }
        guard case .cancelled = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}

@Suite("A host's key")
struct HostKeyCheckTests {
    private func connect(_ server: SSHServer, verifying policy: HostKeyPolicy) async throws {
        try await SSHSession.connect(
            to: server.endpoint, user: "root", authenticating: .key(PrivateKey(file: server.identityFile)), verifying: policy,
            on: SSHServer.reactor.get()
        ).close()
    }

    @Test(
        "that isn't on record is refused before any credential is sent", arguments: ["changed", "unknown", "revoked", "declined"])
    func refused(why: String) async throws {
        try await SSHServer.with("LogLevel DEBUG2") { server in
            let line = try read(server.knownHostsFile)
            let changed = line.replacing(
                "ssh-ed25519 \(line.split(separator: " ")[2])", with: "ssh-ed25519 \(KnownHostsTests.other)")
            let policy: HostKeyPolicy =
                switch why {
                case "changed": .onRecord(KnownHosts(text: changed, from: "f"))
                case "unknown": .onRecord(KnownHosts())
                case "revoked": .onRecord(KnownHosts(text: line + "@revoked " + line, from: "f"))
                default: .ask { _ in .declined }
                }
            let error = await failure { try await connect(server, verifying: policy) }
            guard case .hostKeyRejected(let verdict, let key) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            switch why {
            case "changed": #expect(verdict == .mismatch(recorded: [.init(file: "f", line: 1, type: "ssh-ed25519")]))
            case "unknown": #expect(verdict == .unknown)
            case "revoked": #expect(verdict == .revoked(.init(file: "f", line: 2, type: "ssh-ed25519")))
            default: #expect(verdict == .declined)
            }
            #expect(key.type == "ssh-ed25519")
            #expect(error?.isWorthRetrying == false)
            try await server.waitForLog("Connection closed by")
            #expect(!server.log.contains("userauth-request"))
            #expect(!server.log.contains("Accepted publickey"))
        }
    }

    @Test("of the type on file is asked for, whatever libssh2 prefers", arguments: SSHServer.HostKeys.forLibssh2)
    func preference(type: SSHServer.HostKeys) async throws {
        try await SSHServer.with(hostKeys: .ed25519, .ecdsa) { server in
            let lines = try read(server.knownHostsFile).split(separator: "\n")
            let line = try #require(lines.first { $0.contains(type.keyType) })
            let files = KnownHosts(text: String(line), from: "f")
            try await connect(server, verifying: .onRecord(files))
            let reactor = try SSHServer.reactor.get()
            let fetched = try await SSHSession.hostKey(of: server.endpoint, preferring: [type.keyType], on: reactor)
            #expect(fetched.type == type.keyType)
        }
    }

    @Test("of another type than the one on file is a changed key, not a failed negotiation")
    func otherType() async throws {
        try await SSHServer.with(hostKeys: .ecdsa) { server in
            let line = "\(KnownHosts.name(of: server.endpoint)) ssh-ed25519 \(KnownHostsTests.ed25519)"
            let error = await failure { try await connect(server, verifying: .onRecord(KnownHosts(text: line, from: "f"))) }
            guard case .hostKeyRejected(.mismatch, let key) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(key.type == "ecdsa-sha2-nistp256")
        }
    }

    @Test("is shown by the session that accepted it")
    func shown() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let key = await session.hostKey
                #expect(key?.fingerprint.hasPrefix("SHA256:") == true)
            }
        }
    }
}

@Suite("Logging in")
struct LoginTests {
    static let kinds: [(String, String?)] = [
        ("ed25519", nil), ("ecdsa", nil), ("ecdsa", "PEM"), ("ecdsa", "PKCS8"),
    ]

    @Test("works with unencrypted Ed25519 and ECDSA keys in every form", arguments: kinds)
    func keys(kind: String, format: String?) async throws {
        try await SSHServer.with { server in
            let file = server.folder + "/another"
            try await SSHServer.makeKey(file, kind: kind, format: format)
            try write(try read(file + ".pub"), to: server.folder + "/authorized_keys")
            let session = try await SSHSession.connect(
                to: server.endpoint, user: "root", authenticating: .key(PrivateKey(file: file)), verifying: .trustAnyKey,
                on: SSHServer.reactor.get())
            try await session.run("true").ending.expectSuccess()
            await session.close()
        }
    }

    @Test("with a key the server doesn't know is refused, and trying again is no use")
    func unknownKey() async throws {
        try await SSHServer.with { server in
            let file = server.folder + "/another"
            try await SSHServer.makeKey(file, kind: "ed25519")
            let error = await failure {
                _ = try await SSHSession.connect(
                    to: server.endpoint, user: "root", authenticating: .key(PrivateKey(file: file)), verifying: .trustAnyKey,
                    on: SSHServer.reactor.get())
            }
            guard case .authenticationRefused(user: "root", _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(error?.isWorthRetrying == false)
        }
    }

    static let flawed: [(String, String, String?, PrivateKeyFlaw)] = [
        ("ed25519", "secret", nil, .encrypted), ("ecdsa", "secret", nil, .encrypted), ("ecdsa", "secret", "PEM", .encrypted),
        ("ecdsa", "secret", "PKCS8", .encrypted), ("rsa", "", nil, .unsupported(kind: "RSA")),
        ("rsa", "", "PEM", .unsupported(kind: "RSA")), ("rsa", "", "PKCS8", .unsupported(kind: "RSA")),
    ]

    @Test("says what is wrong with a key that can't be used", arguments: flawed)
    func flaws(kind: String, passphrase: String, format: String?, flaw: PrivateKeyFlaw) async throws {
        let folder = try SSHServer.makeFolder()
        defer { SSHServer.removeFolder(folder) }
        let file = folder + "/key"
        try await SSHServer.makeKey(file, kind: kind, passphrase: passphrase, format: format)
        let error = await failure { _ = try PrivateKey(file: file) }
        #expect(error == .privateKey(path: file, flaw))
    }

    @Test("refuses key files that are missing, open to others or no keys")
    func files() async throws {
        let folder = try SSHServer.makeFolder()
        defer { SSHServer.removeFolder(folder) }
        let file = folder + "/key"
        #expect(await failure { _ = try PrivateKey(file: file) } == .privateKey(path: file, .missing))
        #expect(await failure { _ = try PrivateKey(file: folder) } == .privateKey(path: folder, .notAKey))
        try await SSHServer.makeKey(file, kind: "ed25519")
        #expect(
            await failure { _ = try PrivateKey(file: file + ".pub") } == .privateKey(path: file + ".pub", .exposed(mode: 0o644)))
        chmod(file + ".pub", 0o600)
        #expect(await failure { _ = try PrivateKey(file: file + ".pub") } == .privateKey(path: file + ".pub", .notAKey))
        chmod(file, 0o640)
        #expect(await failure { _ = try PrivateKey(file: file) } == .privateKey(path: file, .exposed(mode: 0o640)))
        chmod(file, 0o400)
        #expect(await failure { _ = try PrivateKey(file: file) } == nil)
    }
}

@Suite("A failed negotiation")
struct NegotiationTests {
    private func failedList(_ server: SSHServer) async throws -> NegotiationFailure? {
        let error = await failure { _ = try await SSHSession.hostKey(of: server.endpoint, on: SSHServer.reactor.get()) }
        guard case .noCommonAlgorithm(let failure) = error else {
            Issue.record("\(String(describing: error))")
            return nil
        }
        #expect(error?.isWorthRetrying == false)
        return failure
    }

    @Test("with a server that has only an RSA host key names libssh2's limit")
    func rsaOnly() async throws {
        try await SSHServer.with(hostKeys: .rsa) { server in
            let answer = try await failedList(server)
            let failure = try #require(answer)
            #expect(failure.list == .hostKey)
            #expect(failure.offered == ["rsa-sha2-512", "rsa-sha2-256"])
            #expect(failure.isLimitOfOldLibssh2)
            #expect(failure.supported.contains("ssh-ed25519"))
        }
    }

    static let limited: [(String, NegotiationFailure.List, Bool)] = [
        ("MACs hmac-sha2-256-etm@openssh.com", .macOut, true),
        ("Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com", .cipherOut, true),
        ("KexAlgorithms sntrup761x25519-sha512@openssh.com", .keyExchange, false),
    ]

    @Test("names the list with nothing in common and what the server offers", arguments: limited)
    func lists(setting: String, list: NegotiationFailure.List, isLimit: Bool) async throws {
        try await SSHServer.with(setting) { server in
            let answer = try await failedList(server)
            let failure = try #require(answer)
            #expect(failure.list == list)
            #expect(failure.offered.first == setting.split(separator: " ")[1].split(separator: ",").first.map(String.init))
            #expect(failure.isLimitOfOldLibssh2 == isLimit)
        }
    }
}

/// A listener that does what a test wants.
struct Listener: Sendable {
    let endpoint: SSHEndpoint
    private let descriptor: Int32

    init() throws {
        let port = try SSHServer.freePort()
        endpoint = SSHEndpoint("127.0.0.1", port: port)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let descriptor = descriptor
        let isListening = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(descriptor, 8) == 0
            }
        }
        try #require(isListening)
    }

    /// Accepts one connection, says this and hangs up.
    func answerOnce(_ text: String) {
        let connection = accept(descriptor, nil, nil)
        _ = text.utf8.withContiguousStorageIfAvailable { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // Its words would be lost with unread bytes in the socket.
        shutdown(connection, Int32(SHUT_WR))
        var buffer = [UInt8](repeating: 0, count: 1024)
        while recv(connection, &buffer, buffer.count, 0) > 0 {}
        Glibc.close(connection)
    }

    func close() { Glibc.close(descriptor) }
}
