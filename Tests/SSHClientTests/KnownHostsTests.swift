import SSHClient
import Testing
import TestSupport

@Suite("known_hosts")
struct KnownHostsTests {
    static let ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIJqX6YXkkQyKZ0qFVnL6wL4tYbJ1Ct1yGtqxw1tLwPSe"
    static let other = "AAAAC3NzaC1lZDI1NTE5AAAAIBUrOa9d1K3Yw1cXf8oT9uS3mQn0Gk2VpLrE6hDzJb4W"

    private func key(_ text: String = ed25519) throws -> HostKey {
        let bytes = try #require(decoded(text))
        return try #require(HostKey(blob: bytes))
    }

    private func verdict(_ text: String, _ host: String = "alpha", port: UInt16 = 22) throws -> HostKeyVerdict {
        KnownHosts(text: text, from: "f").verdict(on: try key(), of: SSHEndpoint(host, port: port))
    }

    private func place(_ line: Int, _ type: String = "ssh-ed25519") -> KnownHosts.Place {
        KnownHosts.Place(file: "f", line: line, type: type)
    }

    static let fitting: [(String, String, UInt16)] = [
        ("alpha", "alpha", 22), ("ALPHA", "alpha", 22), ("alpha", "Alpha", 22), ("beta,alpha,gamma", "alpha", 22),
        ("al*", "alpha", 22), ("?lph?", "alpha", 22), ("*", "alpha", 22), ("*a*a", "alpha", 22), ("a*,!beta", "alpha", 22),
        ("[alpha]:2222", "alpha", 2222), ("[*]:2222", "alpha", 2222), ("[al*]:22??", "alpha", 2222),
        ("::1", "::1", 22), ("[::1]:2222", "::1", 2222), ("10.0.?.*", "10.0.7.33", 22),
    ]

    @Test("finds a key for a name that fits", arguments: fitting)
    func fits(pattern: String, host: String, port: UInt16) throws {
        #expect(try verdict("\(pattern) ssh-ed25519 \(Self.ed25519) a comment", host, port: port) == .match(place(1)))
        #expect(try verdict("\(pattern) ssh-ed25519 \(Self.other)", host, port: port) == .mismatch(recorded: [place(1)]))
    }

    static let unfitting: [(String, String, UInt16)] = [
        ("alph", "alpha", 22), ("alphas", "alpha", 22), ("beta", "alpha", 22), ("a?a", "alpha", 22), ("a*,!alpha", "alpha", 22),
        ("!alpha,*", "alpha", 22), ("!beta", "alpha", 22), ("alpha", "alpha", 2222), ("[alpha]:2222", "alpha", 22),
        ("[alpha]:2222", "alpha", 2223), ("", "alpha", 22),
    ]

    @Test("knows nothing of a name that doesn't fit", arguments: unfitting)
    func doesNotFit(pattern: String, host: String, port: UInt16) throws {
        #expect(try verdict("\(pattern) ssh-ed25519 \(Self.ed25519)", host, port: port) == .unknown)
    }

    @Test("reads hashed names as ssh-keygen writes them, and only those that are meant")
    func hashed() async throws {
        let folder = try SSHServer.makeFolder()
        defer { SSHServer.removeFolder(folder) }
        let file = folder + "/known_hosts"
        try write("alpha ssh-ed25519 \(Self.ed25519)\n[beta]:2222 ssh-ed25519 \(Self.other)\n", to: file)
        _ = try await SSHServer.output(of: "/usr/bin/ssh-keygen", ["-q", "-H", "-f", file])
        let text = try read(file)
        #expect(text.hasPrefix("|1|") && !text.contains("alpha"))
        let files = try KnownHosts(files: [file, folder + "/missing"])
        #expect(files.verdict(on: try key(), of: SSHEndpoint("ALPHA")).isMatch)
        #expect(!files.verdict(on: try key(), of: SSHEndpoint("beta", port: 2222)).isMatch)
        #expect(files.verdict(on: try key(), of: SSHEndpoint("beta")) == .unknown)
        #expect(files.types(of: SSHEndpoint("beta", port: 2222)) == ["ssh-ed25519"])
    }

    @Test("takes a key of another type than those on file for a mismatch, not for an unknown host")
    func otherType() throws {
        let ecdsa =
            "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
        let text = "# a comment\n\nalpha ecdsa-sha2-nistp256 \(ecdsa)"
        #expect(try verdict(text) == .mismatch(recorded: [place(3, "ecdsa-sha2-nistp256")]))
        let both = text + "\nalpha ssh-ed25519 \(Self.ed25519)"
        #expect(try verdict(both) == .match(place(4)))
        #expect(KnownHosts(text: both, from: "f").types(of: SSHEndpoint("alpha")) == ["ecdsa-sha2-nistp256", "ssh-ed25519"])
    }

    @Test("a key for the port's own entry isn't excused by the plain name")
    func portIsItsOwn() throws {
        let text = "[alpha]:2222 ssh-ed25519 \(Self.other)\nalpha ssh-ed25519 \(Self.ed25519)"
        #expect(try verdict(text, port: 2222) == .mismatch(recorded: [place(1)]))
    }

    @Test("a revoked key is revoked, even if another line vouches for it")
    func revoked() throws {
        let text = "alpha ssh-ed25519 \(Self.ed25519)\n@revoked * ssh-ed25519 \(Self.ed25519)"
        #expect(try verdict(text) == .revoked(place(2)))
        #expect(try verdict("alpha ssh-ed25519 \(Self.ed25519)\n@revoked * ssh-ed25519 \(Self.other)") == .match(place(1)))
        #expect(try verdict("@revoked alpha ssh-ed25519 \(Self.other)") == .unknown)
    }

    @Test("a certificate authority's key doesn't vouch for a plain key")
    func certificateAuthority() throws {
        #expect(try verdict("@cert-authority * ssh-ed25519 \(Self.ed25519)") == .unknown)
    }

    @Test("lines it can't read vouch for nobody and are named")
    func unreadable() throws {
        let text = """
            alpha ssh-ed25519
            alpha ssh-ed25519 not!base64
            alpha ssh-rsa \(Self.ed25519)
            @unheard-of alpha ssh-ed25519 \(Self.ed25519)
            |1|abc ssh-ed25519 \(Self.ed25519)
            """
        #expect(try verdict(text) == .unknown)
        #expect(KnownHosts(text: text, from: "f").unreadable.map(\.line) == [1, 2, 3, 4, 5])
        #expect(try verdict("alpha\tssh-ed25519  \(Self.ed25519)\r\n") == .match(place(1)))
    }

    @Test("writes the line that it then finds, and the fingerprint that OpenSSH shows", arguments: [22, 2222] as [UInt16])
    func enrolment(port: UInt16) async throws {
        try await SSHServer.with { server in
            let reactor = try SSHServer.reactor.get()
            let key = try await SSHSession.hostKey(of: server.endpoint, on: reactor)
            let endpoint = SSHEndpoint("Alpha.example", port: port)
            let line = key.knownHostsLine(for: endpoint)
            #expect(KnownHosts(text: line, from: "f").verdict(on: key, of: endpoint).isMatch)
            let shown = try await SSHServer.output(of: "/usr/bin/ssh-keygen", ["-l", "-f", server.hostKeyFile])
            #expect(shown.split(separator: " ")[1] == key.fingerprint)
        }
    }
}

extension HostKeyVerdict {
    var isMatch: Bool {
        guard case .match = self else { return false }
        return true
    }
}

/// Base64 by counting bits, apart from the code under test.
private func decoded(_ text: String) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var (bits, count, bytes) = (0, 0, [UInt8]())
    for character in text.utf8 where character != UInt8(ascii: "=") {
        guard let value = alphabet.firstIndex(of: character) else { return nil }
        bits = bits << 6 | value
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        bits &= 0xffff
    }
    return bytes
}
