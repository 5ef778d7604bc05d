import Foundation
import SSHClient
import TestSupport
import Testing

/// One command on many hosts, against a real sshd that stands for all of them.
@Suite("fleet exec", .timeLimit(.minutes(30)))
struct ExecTests {
    /// Prints a number of its own on each host: the last byte of the address it was reached at.
    static let number = "set -- $SSH_CONNECTION; echo ${3##*.}"

    @Test("equal answers are shown once, under all the hosts that gave them")
    func folding() async throws {
        try await Operator.at { person in
            try await SSHServer.with(Operator.loopback(4)) { server in
                try person.write(inventoryOf: server, hosts: 4)
                let line = "\(Self.number) | grep -q 3 && { echo other; exit 0; }; echo same"
                let text = try await person.fleet("exec", "--", line)
                text.ended(0)
                #expect(text.stdout == "web[1-2,4] (3 hosts): exit status 0\n    same\nweb3: exit status 0\n    other\n")
                #expect(text.stderr.isEmpty)

                let json = try await person.fleet("exec", "--output", "json", "--", line)
                json.ended(0)
                let document = try json.document(ExecDocument.self)
                #expect(document.command == line)
                #expect(document.hosts.map(\.stdout) == ["same\n", "same\n", "other\n", "same\n"])
                #expect(
                    document.groups == [
                        .init(hosts: "web[1-2,4]", count: 3, ending: "exited", exit: 0),
                        .init(hosts: "web3", count: 1, ending: "exited", exit: 0),
                    ])

                // Several words are kept apart, a single one is a line for the shell.
                let words = try await person.fleet("exec", "-l", "web1", "--", "printf", "%s.", "a b", "$HOME", "--output", "json")
                #expect(words.stdout.contains("    a b.$HOME.--output.json."))
            }
        }
    }

    @Test("the exit status says the worst: 3 a command failed, 4 a host was not reached, and every host is in the answer")
    func statuses() async throws {
        try await Operator.at { person in
            try await SSHServer.with(Operator.loopback(3)) { server in
                let closed = try SSHServer.freePort()
                try person.write(inventoryOf: server, hosts: 3, more: "  gone: {address: 127.0.0.1, port: \(closed)}\n")

                let partly = try await person.fleet("exec", "--output", "json", "--", "true")
                partly.ended(4)
                let document = try partly.document(ExecDocument.self)
                #expect(document.exit_status == 4)
                #expect(document.hosts.map(\.ending) == ["exited", "exited", "exited", "unreachable"])
                #expect(document.hosts.last?.reason?.code == "connect-failed")

                let failed = try await person.fleet("exec", "--output", "json", "--", "\(Self.number) | grep -q 2 && exit 7 || exit 0")
                failed.ended(3)
                #expect(try failed.document(ExecDocument.self).hosts.map(\.exit) == [0, 7, 0, nil])

                let killed = try await person.fleet("exec", "-l", "web1", "--output", "json", "--", "kill -KILL $$")
                killed.ended(3)
                let ending = try killed.document(ExecDocument.self).hosts.first
                #expect(ending?.ending == "killed")
                #expect(ending?.signal == "KILL")
                #expect(ending?.exit == nil)

                let fine = try await person.fleet("exec", "-l", "web*", "--", "cat")
                fine.ended(0)
            }
        }
    }

    @Test("a command that takes too long is left: nobody knows its ending, which is never success")
    func timeout() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                let result = try await person.fleet("exec", "--timeout", "1s", "--output", "json", "--", "echo begun; exec sleep 4")
                result.ended(4)
                let host = try result.document(ExecDocument.self).hosts.first
                #expect(host?.ending == "unreported")
                #expect(host?.exit == nil)
                #expect(host?.stdout == "begun\n")
                #expect(host?.reason?.code == "job-overdue")
            }
        }
    }

    @Test("what a host sends cannot act on the terminal: control characters and bytes that are no text are escaped")
    func hostileOutput() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                let line = #"printf 'a\033]0;title\007\377\200b\rc\000d\n'; printf '\033[31mred\n' >&2"#
                let text = try await person.fleet("exec", "--", line)
                text.ended(0)
                #expect(text.stdout.contains(#"    a\x1b]0;title\x07"#))
                #expect(text.stdout.contains(#"b\rc\x00d"#))
                #expect(text.stdout.contains(#"  ! \x1b[31mred"#))
                #expect(!text.stdout.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })

                let json = try await person.fleet("exec", "--output", "json", "--", line)
                json.ended(0)
                #expect(try json.document(ExecDocument.self).hosts.first?.stdout == "a\u{1b}]0;title\u{7}\u{fffd}\u{fffd}b\rc\0d\n")
                #expect(!json.stdout.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
            }
        }
    }

    @Test("100 MB of output cost little memory, and the report says that most of it was dropped")
    func muchOutput() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                let result = try await person.fleet(
                    "exec", "--output", "json", "--", "echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo last")
                result.ended(0)
                let host = try #require(try result.document(ExecDocument.self).hosts.first)
                #expect(host.truncated)
                #expect(host.stdout.hasPrefix("first\nxxxx"))
                #expect(host.stdout.hasSuffix("xxxxlast\n"))
                #expect(host.stdout.utf8.count < 2 << 20)
                #expect(result.peakResidentBytes > 1 << 20)
                #expect(result.peakResidentBytes < 150 << 20, "\(result.peakResidentBytes >> 20) MiB")
            }
        }
    }

    @Test("the journal keeps one entry per command, with every ending and without the output")
    func journal() async throws {
        try await Operator.at { person in
            try await SSHServer.with(Operator.loopback(2)) { server in
                try person.write(inventoryOf: server, hosts: 2)
                let line = "echo pass''word-of-the-host; \(Self.number) | grep -q 1 || exit 5"
                try await person.fleet("exec", "--", line).ended(3)

                let history = try await person.fleet("history", "--output", "json")
                history.ended(0)
                let runs = try history.document(HistoryDocument.self).runs
                #expect(runs.count == 1)
                #expect(runs.first?.kind == "exec")
                #expect(runs.first?.command == line)
                #expect(runs.first?.exit_status == 3)
                #expect(runs.first?.person == "ana")

                let report = try await person.fleet("report", runs.first?.run ?? "", "--output", "json")
                report.ended(0)
                let record = try report.document(CommandRunDocument.self)
                #expect(record.hosts.map(\.name) == ["web1", "web2"])
                #expect(record.hosts.map(\.exit) == [0, 5])
                for name in try FileManager.default.contentsOfDirectory(atPath: person.logs) {
                    #expect(!(try read(person.logs + "/" + name)).contains("password-of-the-host"), "\(name) holds the output")
                }

                // `report` without a run is about upgrades, and there was none.
                let none = try await person.fleet("report")
                none.ended(2)
                #expect(none.stdout.isEmpty)
                #expect(none.stderr.contains("no upgrade yet"))
            }
        }
    }

    @Test("an interrupted command says which hosts were never asked, and exits with 130")
    func interrupted() async throws {
        try await Operator.at { person in
            try await SSHServer.with(Operator.loopback(2)) { server in
                try person.write(inventoryOf: server, hosts: 2)
                let mark = person.folder + "/mark"
                let result = try await person.fleet(
                    "exec", "--at-once", "1", "--output", "json", "--", "echo x >>'\(mark)'; exec sleep 4"
                ) { running in
                    try await running.wait("the first host is at work") { FileManager.default.fileExists(atPath: mark) }
                    running.send(SIGINT)
                }
                result.ended(130)
                let document = try result.document(ExecDocument.self)
                #expect(document.hosts.map(\.ending) == ["unreported", "unreachable"])
                #expect(document.hosts.last?.reason?.code == "interrupted")
                #expect(try read(mark) == "x\n", "the second host was asked after the interruption")
            }
        }
    }
}

/// A run of `fleet exec`, read back.
struct CommandRunDocument: Document {
    static let form = Form("schema run command started ended outcome exit_status hosts", within: ["hosts": Form("name ending exit signal")])

    struct Host: Decodable {
        var name: String
        var ending: String
        var exit: Int?
        var signal: String?
    }

    var run: String
    var outcome: String
    var hosts: [Host]
}
