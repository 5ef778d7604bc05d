import Foundation
import SSHClient
import TestSupport
import Testing

/// Host keys: nothing is trusted that a person did not enrol, and no credential is sent before the key is checked.
@Suite("host keys", .timeLimit(.minutes(30)))
struct TrustTests {
    /// What a server logs about every attempt to log in.
    static let talkative = "LogLevel DEBUG3"
    static let attempt = "userauth-request for user"

    @Test("an unknown key is enrolled only when a person says so; until then no host is logged in to")
    func unknownKey() async throws {
        try await Operator.at { person in
            try await SSHServer.with(Self.talkative) { server in
                try person.write(inventoryOf: server)
                unlink(person.knownHosts)
                let refused = try await person.fleet("exec", "--output", "json", "--", "true")
                refused.ended(4)
                let reason = try refused.document(ExecDocument.self).hosts.first?.reason
                #expect(reason?.code == "host-key-refused")
                #expect(reason?.text.contains("fleet hosts trust") == true)

                let unasked = try await person.fleet("hosts", "trust")
                unasked.ended(2)
                #expect(unasked.stdout.contains("web1  ssh-ed25519  SHA256:"))
                #expect(unasked.stderr.contains("--yes"))
                #expect(!FileManager.default.fileExists(atPath: person.knownHosts))

                let declined = try await person.fleet(answering: "n", "hosts", "trust")
                declined.ended(5)
                #expect(declined.stdout.contains("Trust this key? [y/N]"))
                #expect(!FileManager.default.fileExists(atPath: person.knownHosts))
                #expect(!server.log.contains(Self.attempt), "a credential was sent before the key was known")

                let accepted = try await person.fleet(answering: "y", "hosts", "trust")
                accepted.ended(0)
                let enrolled = try read(person.knownHosts)
                #expect(enrolled == (try read(server.knownHostsFile)))

                let known = try await person.fleet("hosts", "trust")
                known.ended(0)
                #expect(try read(person.knownHosts) == enrolled)
                try await person.fleet("exec", "--", "true").ended(0)
                #expect(server.log.contains(Self.attempt))
            }
        }
    }

    @Test("a changed key is refused by every command before a credential is sent; only --replace puts it in the old one's place")
    func changedKey() async throws {
        try await Operator.at { person in
            try await SSHServer.with(Self.talkative) { server in
                try person.write(inventoryOf: server)
                let name = KnownHosts.name(of: server.endpoint)
                try await SSHServer.makeKey(person.folder + "/other", kind: "ed25519")
                let other = try read(person.folder + "/other.pub").split(separator: " ").prefix(2).joined(separator: " ")
                let before = "# ours\n\(name) \(other)\nacme.example.net \(other)\n"
                try write(before, to: person.knownHosts)

                let exec = try await person.fleet("exec", "--output", "json", "--", "true")
                exec.ended(4)
                #expect(try exec.document(ExecDocument.self).hosts.first?.reason?.code == "host-key-refused")
                let check = try await person.fleet("check", "--to", "3.26.0", "--output", "json")
                check.ended(4)
                #expect(try check.document(CheckDocument.self)["web1"].reason?.code == "host-key-refused")
                let upgrade = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
                upgrade.ended(4)
                let run = try upgrade.document(RunDocument.self)
                #expect(run.outcomes == ["web1": "unreachable"])
                #expect(run["web1"].reason?.code == "host-key-refused")
                #expect(run["web1"].reason?.text.contains("\(person.knownHosts):2") == true, "\(run["web1"].reason?.text ?? "")")

                let refused = try await person.fleet("hosts", "trust", "--yes")
                refused.ended(3)
                try await person.fleet("hosts", "trust", "--replace").ended(2)
                #expect(try read(person.knownHosts) == before)
                #expect(!server.log.contains(Self.attempt), "a credential was sent to a host that is not the one on record")

                try await person.fleet("hosts", "trust", "--replace", "--yes").ended(0)
                let after = try read(person.knownHosts)
                #expect(after.hasPrefix("# ours\nacme.example.net \(other)\n"))
                #expect(after.hasSuffix(try read(server.knownHostsFile)))
                try await person.fleet("exec", "--", "true").ended(0)
            }
        }
    }

    @Test("a host that cannot be asked for its key is named, and nothing is enrolled for it")
    func unreachable() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server, more: "  gone: {address: 127.0.0.1, port: \(SSHServer.freePort())}\n")
                let result = try await person.fleet("hosts", "trust", "--yes")
                result.ended(4)
                #expect(result.stdout.contains("gone  unreachable  no connection"))
                #expect(try read(person.knownHosts).split(separator: "\n").count == 1)
            }
        }
    }
}
