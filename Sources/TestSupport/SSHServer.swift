import Glibc
import SSHClient
import Subprocess
import SystemPackage

/// A real `sshd` on a free loopback port with its own keys and settings, gone with the closure that uses it.
public struct SSHServer: Sendable {
    /// Something that kept the server from starting.
    public struct Failure: Error, CustomStringConvertible {
        /// What, with the server's own words.
        public var description: String
    }

    /// Which host keys a server has.
    public enum HostKeys: String, Sendable {
        /// Ed25519.
        case ed25519
        /// ECDSA (NIST P-256).
        case ecdsa
        /// RSA.
        case rsa

        /// Those that libssh2 1.10 can check.
        public static let forLibssh2: [HostKeys] = [.ed25519, .ecdsa]

        /// What SSH calls this type of key.
        public var keyType: String {
            switch self {
            case .ed25519: "ssh-ed25519"
            case .ecdsa: "ecdsa-sha2-nistp256"
            case .rsa: "ssh-rsa"
            }
        }
    }

    /// Everything of the server is in here; it is removed at the end.
    public let folder: String
    /// Where it listens.
    public let endpoint: SSHEndpoint
    /// Its process; its sessions are children of it.
    public let process: Int32
    /// The file of its public Ed25519 host key.
    public var hostKeyFile: String { folder + "/host-ed25519.pub" }
    /// The private key that may log in, as root.
    public var identityFile: String { folder + "/user" }
    /// A known_hosts file that holds its key.
    public var knownHostsFile: String { folder + "/known_hosts" }

    /// What the server wrote to its log so far.
    public var log: String { (try? read(folder + "/log")) ?? "" }

    /// Starts a server, runs the closure and ends the server.
    ///
    /// - Parameter settings: lines of sshd_config that come before the usual ones, so that they win.
    public static func with<R: Sendable>(
        _ settings: String..., hostKeys: HostKeys..., address: String = "127.0.0.1",
        _ body: @escaping @Sendable (SSHServer) async throws -> R
    ) async throws -> R {
        await few.enter()
        defer { few.leave() }
        let folder = try makeFolder()
        defer { removeFolder(folder) }
        let hostKeys = hostKeys.isEmpty ? [.ed25519] : hostKeys
        for kind in hostKeys { try await makeKey(folder + "/host-\(kind)", kind: kind.rawValue) }
        try await makeKey(folder + "/user", kind: "ed25519")
        mkdir("/run/sshd", 0o755)

        var words = ""
        // Another process may take a port between choosing and using it.
        for _ in 0..<5 {
            let port = try freePort(address)
            try prepare(folder, SSHEndpoint(address, port: port), hostKeys, settings)
            do {
                return try await serve(folder, SSHEndpoint(address, port: port), body)
            } catch let failure as Failure {
                words = failure.description
            }
        }
        throw Failure(description: words)
    }

    /// As many servers at once as keep the tests' time limits meaningful on two cores.
    private static let few = Turnstile(3)

    private static func serve<R: Sendable>(
        _ folder: String, _ endpoint: SSHEndpoint, _ body: @escaping @Sendable (SSHServer) async throws -> R
    ) async throws -> R {
        let outcome = try await run(
            .path("/usr/sbin/sshd"), arguments: ["-D", "-f", folder + "/sshd_config", "-E", folder + "/log"],
            input: .none, output: .discarded, error: .discarded
        ) { execution in
            let server = SSHServer(folder: folder, endpoint: endpoint, process: execution.processIdentifier.value)
            do {
                try await server.waitUntilListening()
                let value = try await body(server)
                try? execution.send(signal: .terminate)
                return value
            } catch {
                try? execution.send(signal: .terminate)
                throw error
            }
        }
        return outcome.closureResult
    }

    /// Waits until the server has written this to its log.
    public func waitForLog(_ words: String) async throws {
        for _ in 0..<1000 {
            if log.contains(words) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(description: "the log never said “\(words)”: " + log)
    }

    private func waitUntilListening() async throws {
        for _ in 0..<500 {
            if log.contains("Server listening on") { return }
            if kill(process, 0) != 0 { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(description: "sshd did not start: " + log)
    }

    private static func prepare(
        _ folder: String, _ endpoint: SSHEndpoint, _ hostKeys: [HostKeys], _ settings: [String]
    ) throws {
        let configuration =
            settings.joined(separator: "\n") + """

                Port \(endpoint.port)
                ListenAddress \(endpoint.host)
                \(hostKeys.map { "HostKey \(folder)/host-\($0)" }.joined(separator: "\n"))
                AuthorizedKeysFile \(folder)/authorized_keys
                PidFile none
                PermitRootLogin prohibit-password
                PasswordAuthentication no
                StrictModes no
                UsePAM no
                LogLevel VERBOSE
                PrintMotd no
                SetEnv SHLVL=5
                \(settings.contains { $0.hasPrefix("MaxStartups") } ? "" : "MaxStartups 4000:100:4000")
                """
        try write(configuration + "\n", to: folder + "/sshd_config")
        try write(try read(folder + "/user.pub"), to: folder + "/authorized_keys")
        let name = KnownHosts.name(of: endpoint)
        let lines = try hostKeys.map { kind in
            let words = try read(folder + "/host-\(kind).pub").split(separator: " ")
            return "\(name) \(words[0]) \(words[1])\n"
        }
        try write(lines.joined(), to: folder + "/known_hosts")
        unlink(folder + "/log")
        try write("", to: folder + "/log")
    }
}

extension SSHServer {
    /// Makes a key pair with `ssh-keygen`.
    public static func makeKey(_ path: String, kind: String, passphrase: String = "", format: String? = nil) async throws {
        unlink(path)
        unlink(path + ".pub")
        let bits = kind == "rsa" ? ["-b", "2048"] : []
        let form = format.map { ["-m", $0] } ?? []
        let outcome = try await run(
            .path("/usr/bin/ssh-keygen"),
            arguments: Arguments(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", path] + bits + form),
            output: .discarded, error: .string(limit: 4096))
        guard outcome.terminationStatus.isSuccess else {
            throw Failure(description: "ssh-keygen: " + outcome.standardError)
        }
    }

    /// What a program prints; fails unless it succeeds.
    public static func output(of program: String, _ arguments: [String]) async throws -> String {
        let outcome = try await run(
            .path(FilePath(program)), arguments: Arguments(arguments), input: .none, output: .string(limit: 1 << 20),
            error: .discarded)
        guard outcome.terminationStatus.isSuccess else { throw Failure(description: "\(program): \(outcome.terminationStatus)") }
        return outcome.standardOutput
    }

    /// An empty folder under the system's place for temporary files.
    public static func makeFolder() throws -> String {
        var template = Array("/tmp/sshd-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "mkdtemp: errno \(errno)") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes a folder with what is in it.
    public static func removeFolder(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            if unlink(path + "/" + name) != 0 { removeFolder(path + "/" + name) }
        }
        closedir(folder)
        rmdir(path)
    }

    /// A port nobody listens on, outside the range that outgoing connections take theirs from.
    public static func freePort(_ address: String = "127.0.0.1") throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 20000..<32000)
            if isFree(port, address) { return port }
        }
        throw Failure(description: "no free port below 32000")
    }

    private static func isFree(_ port: UInt16, _ address: String) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(port), &hints, &list) == 0, let info = list else { return false }
        defer { freeaddrinfo(list) }
        let descriptor = socket(info.pointee.ai_family, info.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return bind(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0
    }
}

/// Writes a file whole.
public func write(_ text: String, to path: String, mode: UInt32 = 0o600) throws {
    let file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: mode))
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
    chmod(path, mode)
}

/// Reads a file whole as text.
public func read(_ path: String) throws -> String {
    let file = try FileDescriptor.open(FilePath(path), .readOnly)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
