import Foundation
import SSHClient
import TestSupport
import Testing

/// What is wrong is said before anything is done: clear words, exit status 2, nothing touched and nothing lost.
@Suite("bad input", .timeLimit(.minutes(30)))
struct BadInputTests {
    @Test("five mistakes in an inventory are five messages with file and line, and no connection is made")
    func fiveMistakes() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                try await person.fleet("exec", "--", "true").ended(0)
                #expect(server.log.contains("Connection from"))
                let connections = server.log.components(separatedBy: "Connection from").count

                let good = try read(person.inventory)
                try write(
                    good + """
                          web2: {adress: 127.0.0.2}
                          web3: {address: 127.0.0.3, port: 70000}
                          web[4:1]: {address: 127.0.0.4}
                          web1: {address: 127.0.0.5}
                          web6: {address: 127.0.0.6, identity: nowhere}

                        """, to: person.inventory)
                let commands = [
                    ["exec", "--output", "json", "--", "true"], ["check", "--to", "3.26.0", "--output", "json"],
                    ["plan", "--to", "3.26.0", "--output", "json"], ["upgrade", "--to", "3.26.0", "--yes", "--output", "json"],
                    ["hosts", "list", "--output", "json"],
                ]
                for command in commands {
                    let result = try await person.fleet(command)
                    result.ended(2)
                    for line in 4...8 { #expect(result.stderr.contains("inventory.yaml:\(line): "), "\(command)") }
                    let errors = try result.document(ErrorsDocument.self)
                    #expect(Set(errors.codes) == ["unknown-key", "bad-port", "bad-range", "duplicate-host", "key-file-missing"])
                    #expect(errors.errors.allSatisfy { !$0.remedy.isEmpty })
                    #expect(result.stderr.contains("Did you mean `address`?"))
                }
                #expect(server.log.components(separatedBy: "Connection from").count == connections, "a host was asked")
            }
        }
    }

    @Test("a missing journal is said to be missing, and none is made")
    func missingJournal() async throws {
        try await Operator.at { person in
            for command in [["status"], ["report"], ["history"], ["logs", "x", "y"], ["approve", "x"]] {
                let result = try await person.fleet(command)
                result.ended(2)
                #expect(result.stderr.contains("There is no journal here"), "\(command)")
                #expect(result.stderr.contains("--logs"), "\(command)")
                #expect(result.stdout.isEmpty)
            }
            #expect(!FileManager.default.fileExists(atPath: person.logs))
        }
    }

    @Test("a file that is no journal is refused by every command and left as it is; no host is asked")
    func garbageJournal() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                mkdir(person.logs, 0o700)
                let garbage = String(repeating: "This is not a database. ", count: 1000)
                try write(garbage, to: person.logs + "/journal.sqlite")
                for command in [["status"], ["history", "--output", "json"], ["exec", "--", "true"]] {
                    let result = try await person.fleet(command)
                    result.ended(2)
                    #expect(result.stderr.contains("journal.sqlite"), "\(command)")
                    #expect(result.stderr.contains("left as it is"), "\(command)")
                    #expect(try read(person.logs + "/journal.sqlite") == garbage, "\(command)")
                }
                #expect(!server.log.contains("Connection from"))
            }
        }
    }

    @Test("with --output json, stdout is one JSON document also when the arguments are wrong, and the talk is on stderr")
    func errorsAsJSON() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                let commands = [
                    ["upgrade", "--output", "json"], ["check", "--to", "soon", "--output=json"], ["plan", "--output", "json"],
                    ["exec", "--output", "json"], ["report", "none-such", "--output", "json"], ["status", "--output", "json"],
                    ["hosts", "list", "-l", "nobody", "--output", "json"], ["check", "-i", "nowhere.yaml", "--output", "json"],
                    ["history", "--output", "json"], ["upgrade", "nowhere.json", "--yes", "--output", "json"],
                    ["upgrade", "--to", "3.26.0", "--waves", "0", "--output", "json"],
                ]
                for command in commands {
                    let result = try await person.fleet(command)
                    result.ended(2)
                    #expect(try result.document(ErrorsDocument.self).errors.count == 1, "\(command)")
                    #expect(!result.stderr.isEmpty, "\(command)")
                }
                #expect(!server.log.contains("Connection from"))

                // Words of the command for the hosts are not options of Fleet.
                let words = try await person.fleet("exec", "--", "false", "--output", "json")
                words.ended(3)
                #expect(words.stdout.hasPrefix("web1: exit status 1"))
            }
        }
    }

    @Test("a rule that is no rule, or goes by a label nobody has, is refused with a guess before a host is asked")
    func badRules() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server, more: "  web2: {address: 127.0.0.2, labels: {site: paris}}\n")
                let cases: [(arguments: [String], code: String, words: String)] = [
                    (["--limits", "sit=2"], "unknown-label", "Did you mean `site`? They have: site."),
                    (["--limits", "site=2,customer=1"], "unknown-label", "No selected host has the label `customer`"),
                    (["--spread", "customer"], "unknown-label", "--spread"),
                    (["--limits", "site"], "invalid-argument", "Write it like site=2"),
                    (["--limits", "site=0"], "invalid-argument", "`site=0` is no limit"),
                    (["--limits", "site=2,"], "invalid-argument", "`` is no limit"),
                    (["--limits", "site=2,site=3"], "invalid-argument", "`site` is limited twice"),
                    (["--pause", "10m", "--approve"], "invalid-argument", "at each gate the run ends"),
                    (["--pause", "10"], "usage", "--pause"),
                    (["--spread", "site"], "usage", "--spread"),
                ]
                for command in [["plan"], ["upgrade", "--yes"]] {
                    for (arguments, code, words) in cases {
                        let result = try await person.fleet(command + ["--to", "3.26.0", "--output", "json"] + arguments)
                        result.ended(2)
                        #expect(try result.document(ErrorsDocument.self).codes == [code], "\(arguments)")
                        #expect(result.stderr.contains(words), "\(arguments): \(result.stderr)")
                    }
                }
                let beside = try await person.fleet("upgrade", "plan.json", "--yes", "--limits", "site=2")
                beside.ended(2)
                #expect(beside.stderr.contains("A plan file says it all"))
                #expect(!server.log.contains("Connection from"))
            }
        }
    }

    @Test("hosts list shows every default resolved, and connects to nobody")
    func hostsList() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(
                    inventoryOf: server, hosts: 2, more: "  web3: {address: 127.0.0.3, become: sudo, user: ops, labels: {site: paris}}\n")
                let result = try await person.fleet("hosts", "list", "-l", "!web2", "--output", "json")
                result.ended(0)
                let hosts = try result.document(HostsDocument.self).hosts
                #expect(hosts.map(\.name) == ["web1", "web3"])
                #expect(hosts.map(\.become) == ["none", "sudo"])
                #expect(hosts.map(\.labels) == [[:], ["site": "paris"]])
                #expect(hosts.allSatisfy { $0.port == Int(server.endpoint.port) })
                let text = try await person.fleet("hosts")
                text.ended(0)
                #expect(text.stdout.contains("web2"))
                #expect(!server.log.contains("Connection from"))
            }
        }
    }
}
