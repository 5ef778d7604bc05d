import SSHClient
import Testing
import TestSupport

@Suite("A command on a session")
struct CommandTests {
    @Test("gives its output, its errors and its status")
    func basics() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let result = try await session.run("echo out; echo err >&2; exit 7")
                #expect(result.ending == .exited(7))
                #expect(result.stdout.text == "out\n")
                #expect(result.stderr.text == "err\n")
                #expect(result.failure == nil)

                let success = try await session.run("true")
                #expect(success.ending == .exited(0))
                #expect(success.stdout.bytes.isEmpty && success.stderr.bytes.isEmpty)
            }
        }
    }

    static let odd = [
        "printf '%s' 'it'\\''s'", "printf %s \"a!b\" 'a!b'", "printf '%s|' '\\' '\\\\' 'x\\'", "printf %s '$HOME' `echo hi`",
        "printf 'a\\nb'", "x=1; # a comment\nprintf %s $x\n", "case a in\n a) printf '%s\t%s' one \"two\nthree\";;\nesac",
        "printf %s é€ '%b' '%s' \u{1}", "(exit 3)", "exec printf %s exec", "trap 'printf trap' EXIT; printf x",
        "printf %s '-n' ; printf '%s' \"$# $0\"",
    ]

    @Test("reaches /bin/sh unchanged, whatever is in it", arguments: odd)
    func quoting(command: String) async throws {
        try await SSHServer.with { server in
            let expected = try await output(of: ["/bin/sh", "-c", command], in: server)
            try await server.withSession { session in
                let result = try await session.run(command)
                #expect(result.stdout.text == expected.text)
                #expect(result.ending == .exited(expected.status))
                let script = try await session.script(command)
                #expect(script.stdout.text == expected.text)
                #expect(script.ending == .exited(expected.status))
            }
        }
    }

    @Test("works under login shells that aren't POSIX", arguments: ["/bin/dash", "/usr/bin/tcsh", "/usr/bin/fish"])
    func loginShells(shell: String) async throws {
        guard isExecutable(shell) else {
            // Only dash is on every machine.
            #expect(shell != "/bin/dash")
            return
        }
        try await SSHServer.with("ForceCommand exec \(shell) -c \"$SSH_ORIGINAL_COMMAND\"") { server in
            try await server.withSession { session in
                for command in Self.odd {
                    let expected = try await output(of: ["/bin/sh", "-c", command], in: server)
                    let result = try await session.run(command)
                    #expect(result.stdout.text == expected.text, "\(command)")
                    #expect(result.ending == .exited(expected.status), "\(command)")
                }
                let script = try await session.script("cat\nprintf '%s' 'it'\\''s!'\nexit 4")
                #expect(script.stdout.text == "it's!")
                #expect(script.ending == .exited(4))
            }
        }
    }

    @Test("is told from what login scripts print")
    func loginNoise() async throws {
        let noise = "ForceCommand echo Bienvenue; echo bruit >&2; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\""
        try await SSHServer.with(noise) { server in
            try await server.withSession { session in
                let result = try await session.run("echo out; echo err >&2")
                #expect(result.stdout.text == "out\n")
                #expect(result.stderr.text == "err\n")
                #expect(result.ending == .exited(0))
            }
        }
    }

    @Test("that never began shows what the host said instead, and is no success")
    func refusedByShell() async throws {
        try await SSHServer.with("ForceCommand echo This account is not available.; exit 0") { server in
            try await server.withSession { session in
                let result = try await session.run("true")
                #expect(result.stdout.text == "This account is not available.\n")
                #expect(result.ending == .unreported)
            }
        }
    }

    @Test("finds its stdin at the end, so it can't wait for input")
    func stdinAtEnd() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let limits = CommandLimits(total: .seconds(10))
                let command = try await session.run("cat; echo done", limits: limits)
                #expect(command.stdout.text == "done\n")
                let script = try await session.script("cat\nread x\necho done", limits: limits)
                #expect(script.stdout.text == "done\n")
            }
        }
    }

    @Test("takes input and gives it back, byte for byte")
    func binary() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
                let result = try await session.run("cat", stdin: bytes)
                #expect(result.stdout.bytes == bytes)
                #expect(result.ending == .exited(0))
            }
        }
    }

    @Test("that stops reading its input ends all the same")
    func unreadInput() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let much = [UInt8](repeating: 65, count: 8_000_000)
                let result = try await session.run("head -c 5; exit 3", stdin: much, limits: CommandLimits(total: .seconds(20)))
                #expect(result.stdout.text == "AAAAA")
                #expect(result.ending == .exited(3))
            }
        }
    }

    @Test("a script larger than any command line runs, and one that is cut off does not")
    func largeScript() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let filler = String(repeating: "# nothing to see here\n", count: 20_000)
                let result = try await session.script(filler + "echo end of $((6 * 7))")
                #expect(result.stdout.text == "end of 42\n")
                #expect(result.ending == .exited(0))
                await #expect(throws: SSHError.invalid("a command can't contain a NUL byte")) {
                    try await session.script("echo a\0b")
                }
            }
        }
    }

    @Test("killed by a signal reports the signal, and no status")
    func exitSignal() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let result = try await session.run("echo before; kill -TERM $$")
                #expect(result.ending == .killed(signal: "TERM"))
                #expect(result.stdout.text == "before\n")
            }
        }
    }

    @Test("a channel that the server closes early leaves the ending unreported")
    func closedEarly() async throws {
        try await SSHServer.with("ChannelTimeout session:*=1s") { server in
            try await server.withSession { session in
                let result = try await session.run("sleep 4; exit 7", limits: CommandLimits(total: .seconds(20)))
                #expect(result.ending == .unreported)
            }
        }
    }

    @Test("a server that dies leaves the ending unreported and says why")
    func serverDies() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let result = try await session.run("echo here; sleep 0.5; kill -9 $PPID; sleep 1")
                #expect(result.ending == .unreported)
                #expect(result.stdout.text == "here\n")
                guard case .connectionLost = result.failure else {
                    Issue.record("\(String(describing: result.failure))")
                    return
                }
                #expect(await !session.isOpen)
                await #expect(throws: SSHError.self) { try await session.run("true") }
            }
        }
    }

    @Test("keeps the beginning and the end of 100 MB and little memory")
    func muchOutput() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let before = residentBytes()
                let result = try await session.run(
                    "echo first; head -c 100000000 /dev/zero; echo last", keeping: .init(head: 1000, tail: 1000))
                let after = residentBytes()
                #expect(result.ending == .exited(0))
                #expect(result.stdout.head.starts(with: Array("first\n".utf8)))
                #expect(result.stdout.tail.suffix(5).elementsEqual(Array("last\n".utf8)))
                #expect(result.stdout.dropped == 100_000_011 - 2000)
                #expect(after - before < 80_000_000)
            }
        }
    }

    @Test("runs beside others on the same session, each with its own output")
    func several() async throws {
        try await SSHServer.with("MaxSessions 20") { server in
            try await server.withSession { session in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<15 {
                        group.addTask {
                            let result = try await session.run("seq 1 20000; echo \(number); exit \(number)")
                            return result.ending == .exited(UInt8(number)) && result.stdout.dropped == 0
                                && result.stdout.text.hasSuffix("20000\n\(number)\n")
                        }
                    }
                    for try await isRight in group { #expect(isRight) }
                }
            }
        }
    }

    @Test("beyond MaxSessions is refused clearly, and the session stays usable")
    func maxSessions() async throws {
        try await SSHServer.with("MaxSessions 2") { server in
            try await server.withSession { session in
                let one = try await session.start("cat")
                let two = try await session.start("cat")
                await #expect {
                    try await session.run("true")
                } throws: { error in
                    guard case SSHError.channelRefused(open: 2, _)? = error as? SSHError else { return false }
                    return true
                }
                #expect(try await one.ending() == .exited(0))
                #expect(try await two.ending() == .exited(0))
                #expect(try await session.run("echo again").stdout.text == "again\n")
            }
        }
    }

    @Test("on 24 sessions at once all succeed")
    func manySessions() async throws {
        try await SSHServer.with { server in
            try await withThrowingTaskGroup(of: CommandResult.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        try await server.withSession { try await $0.run("echo \(number)") }
                    }
                }
                var seen: Set<String> = []
                for try await result in group {
                    #expect(result.ending == .exited(0))
                    seen.insert(result.stdout.text)
                }
                #expect(seen.count == 24)
            }
        }
    }
}

@Suite("Waiting for a command")
struct CommandLimitTests {
    @Test("ends at the total limit, with the output so far and an unreported ending")
    func total() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let start = ContinuousClock.now
                let result = try await session.run("echo begun; sleep 60", limits: CommandLimits(total: .seconds(3)))
                #expect(ContinuousClock.now - start < .seconds(50), "it did not wait for the command")
                #expect(result.ending == .unreported)
                #expect(result.stdout.text == "begun\n")
                #expect(result.failure == .timedOut(.command, after: .seconds(3)))
                #expect(try await session.run("echo usable").stdout.text == "usable\n")
            }
        }
    }

    @Test("ends at the idle limit, but not while output comes")
    func idle() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let limits = CommandLimits(idle: .seconds(2))
                let busy = try await session.run("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done", limits: limits)
                #expect(busy.ending == .exited(0))
                let silent = try await session.run("echo begun; sleep 60", limits: limits)
                #expect(silent.ending == .unreported)
                #expect(silent.failure == .timedOut(.output, after: .seconds(2)))
            }
        }
    }

    @Test("can be cancelled at once and leaves the session usable")
    func cancelled() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let start = ContinuousClock.now
                let task = Task { try await session.run("sleep 60") }
                try await session.run("true").ending.expectSuccess()
                task.cancel()
                await #expect(throws: SSHError.self) { try await task.value }
                #expect(ContinuousClock.now - start < .seconds(50), "it did not wait for the command")
                #expect(try await session.run("echo usable").stdout.text == "usable\n")
            }
        }
    }

    @Test("can be cancelled at any moment, from before it is opened, and leaves the session usable")
    func cancelledAnywhere() async throws {
        try await SSHServer.with("MaxSessions 50") { server in
            try await server.withSession { session in
                for delay in 0..<30 {
                    let task = Task { try await session.run("true") }
                    try await Task.sleep(for: .microseconds(delay * 300))
                    task.cancel()
                    _ = await failure { _ = try await task.value }
                    #expect(await session.isOpen)
                }
                try await session.run("true").ending.expectSuccess()
            }
        }
    }

    @Test("ends when the session is closed, which never waits")
    func closed() async throws {
        try await SSHServer.with { server in
            let session = try await server.connect()
            let process = try await session.start("echo begun; sleep 60")
            var iterator = process.stdout.makeAsyncIterator()
            #expect(try await iterator.next() == Array("begun\n".utf8))
            let waiting = Task { try await process.ending() }
            let start = ContinuousClock.now
            await session.close()
            await #expect(throws: SSHError.closed) { try await waiting.value }
            #expect(ContinuousClock.now - start < .seconds(50), "it did not wait for the command")
        }
    }
}

@Suite("A started command")
struct RemoteProcessTests {
    @Test("talks both ways")
    func conversation() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let process = try await session.start("while read x; do echo \"got $x\"; done; echo bye >&2; exit 5")
                var lines = process.stdout.makeAsyncIterator()
                for word in ["one", "two"] {
                    try await process.write(Array("\(word)\n".utf8))
                    #expect(try await lines.next() == Array("got \(word)\n".utf8))
                }
                try await process.finishWriting()
                #expect(try await lines.next() == nil)
                #expect(try await process.stderr.collect().text == "bye\n")
                #expect(try await process.ending() == .exited(5))
            }
        }
    }

    @Test("gives both streams to two readers at once")
    func bothStreams() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let process = try await session.start("seq 1 60000 >&2 & seq 1 60000; wait")
                async let errors = process.stderr.collect()
                async let output = process.stdout.collect()
                let (left, right) = try await (errors, output)
                #expect(left.text == right.text)
                #expect(left.text.hasSuffix("\n60000\n"))
                #expect(try await process.ending() == .exited(0))
            }
        }
    }

    @Test("is held up by a reader that doesn't read, with bounded memory")
    func backPressure() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let process = try await session.start("head -c 400000000 /dev/zero")
                var output = process.stdout.makeAsyncIterator()
                _ = try await output.next()
                // Other commands of the session read the socket meanwhile.
                let before = residentBytes()
                for _ in 0..<5 { try await session.run("head -c 1000000 /dev/zero >&2").ending.expectSuccess() }
                #expect(residentBytes() - before < 100_000_000)
                await process.abandon()
            }
        }
    }

    @Test("whose errors nobody reads can't fill the memory through a reader of its output")
    func floodOnTheOtherStream() async throws {
        try await SSHServer.with { server in
            try await server.withSession { session in
                let process = try await session.start("head -c 400000000 /dev/zero >&2; echo end")
                let before = residentBytes()
                let reader = Task { try await process.stdout.collect() }
                for _ in 0..<20 { try await session.run("true").ending.expectSuccess() }
                #expect(residentBytes() - before < 100_000_000)
                reader.cancel()
                _ = await failure { _ = try await reader.value }
                await process.abandon()
            }
        }
    }
}
