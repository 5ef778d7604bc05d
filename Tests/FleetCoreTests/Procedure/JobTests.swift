import FleetCore
import Foundation
import Subprocess
import TestSupport
import Testing

@Suite("A job, run by the shells a host may have")
struct JobTests {
    @Test("runs to its end while nobody looks, and tells its output and status", arguments: JobPlace.Shell.allCases)
    func runs(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job("echo out\necho err >&2\nexit 7\n")
            #expect(try await place.start(job) == .started)
            let followed = try await place.follow(job)
            #expect(followed.text == "out\nerr\n")
            #expect(followed.last == .exited(7))
        }
    }

    @Test("started again it answers that it is claimed, and does not run again", arguments: JobPlace.Shell.allCases)
    func startedTwice(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(#"echo ran >>"$FLEET_JOB/count""#)
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).last == .exited(0))
            #expect(try await place.start(job) == .claimed)
            #expect(try await place.follow(job).last == .exited(0))
            #expect(place.file("count", of: job) == Array("ran\n".utf8))
        }
    }

    @Test("started by fifty at the same moment it runs once, with its whole script", arguments: JobPlace.Shell.allCases)
    func startedByMany(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let padding = String(repeating: "# a line that makes the script long\n", count: 3000)
            let job = try place.job(padding + #"echo ran >>"$FLEET_JOB/count""#)
            let answers = try await withThrowingTaskGroup(of: Job.StartAnswer?.self) { group in
                for _ in 0..<50 { group.addTask { try await place.start(job) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0 == .started || $0 == .claimed }, "\(answers)")
            #expect(answers.contains(.started))
            #expect(try await place.follow(job).last == .exited(0))
            #expect(place.file("count", of: job) == Array("ran\n".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: job.folder).filter { $0.contains(".fleet") } == [])
        }
    }

    @Test("a folder that was filled and never claimed is filled anew and started", arguments: JobPlace.Shell.allCases)
    func unclaimed(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job("echo new\n")
            try FileManager.default.createDirectory(atPath: job.folder, withIntermediateDirectories: true)
            try Data("echo old\n".utf8).write(to: URL(fileURLWithPath: job.folder + "/script"))
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).text == "new\n")
        }
    }

    @Test("goes on when the shell that started it and its whole session are killed", arguments: JobPlace.Shell.allCases)
    func starterKilled(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(#"until [ -e "$FLEET_JOB/killed" ]; do sleep 0.05; done; echo finished; exit 3"#)
            let script = RemoteScript.whole(job.startScript(nonce: JobPlace.nonce()))
            try Data(script).write(to: URL(fileURLWithPath: place.root + "/start"))
            let said = try await place.bash(
                """
                setsid sh -c '\(place.ground.shell) -s <"$0/start" >/dev/null; exec sleep 1000' "$0" & leader=$!
                until [ -e \(job.folder)/output ]; do sleep 0.05; done
                kill -KILL -- "-$leader"; wait "$leader"; echo "ended with $?"
                touch \(job.folder)/killed
                """)
            #expect(said == "ended with 137\n")
            let followed = try await place.follow(job)
            #expect(followed.text == "finished\n")
            #expect(followed.last == .exited(3))
        }
    }

    /// Texts that a shell, a here-document or a count of characters may stumble over.
    private static let hostile: [String] = {
        var texts = [
            "", "\n", "\n\n\n", "exit 0", "echo 'a \"b\" \\ $HOME `id` $(id)\nEOF\n", "fleet0123456789abcdef-script\n'\n", "\\\n\\",
            "}\n{\n",
            "\r\nexit\r\n", "\t<<'X'\nX\n", "a\u{1}b\u{2}\u{7f}\u{80}\u{81}\u{88}\u{ff}é日本語\u{1f600}",
            String(repeating: "x", count: 70_000),
            String(repeating: "é\n", count: 40_000),
        ]
        var random = SeededGenerator(seed: 1)
        var long = ""
        while long.utf8.count < 1 << 20 {
            let scalar = random.chance(70) ? Unicode.Scalar(UInt8.random(in: 1...0x7f, using: &random)) : "\u{10348}"
            long.unicodeScalars.append(scalar)
        }
        texts.append(long)
        return texts
    }()

    @Test("the script arrives byte for byte, whatever is in it", arguments: JobPlace.Shell.allCases)
    func scriptArrives(shell: JobPlace.Shell) async throws {
        for (number, text) in Self.hostile.enumerated() {
            try await JobPlace.with(shell) { place in
                let script = "exit 0\n" + text
                let job = try place.job(script)
                #expect(try await place.start(job) == .started)
                let arrived = place.file("script", of: job) == Array(script.utf8)
                #expect(arrived, "text \(number)")
                #expect(try await place.follow(job).last == .exited(0))
            }
        }
    }

    @Test("its output is told byte for byte from any offset", arguments: JobPlace.Shell.allCases)
    func offsets(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            var random = SeededGenerator(seed: 2)
            let nonce = JobPlace.nonce()
            var bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes += Array("\n\(nonce) exited 0\n\(nonce) bytes 5\n".utf8) + Array(0...255) + [0, 0, 0x0a, 0x0a]
            try Data(bytes).write(to: URL(fileURLWithPath: place.root + "/bytes"))
            let job = try place.job("cat \(place.root)/bytes; exit 1")
            #expect(try await place.start(job) == .started)
            for offset in [0, 1, 1999, 2001, bytes.count - 1, bytes.count, bytes.count + 10] {
                let said = try await place.run(job.followScript(offset: Int64(offset), nonce: nonce))
                let followed = try JobPlace.read(said, nonce: nonce)
                #expect(followed.output == Array(bytes.dropFirst(offset)), "from \(offset)")
                #expect(followed.last == .exited(1))
            }
        }
    }

    @Test("fifty million bytes of output are followed whole")
    func muchOutput() async throws {
        try await JobPlace.with { place in
            let job = try place.job("head -c 50000000 /dev/zero | tr '\\0' x; echo end")
            #expect(try await place.start(job) == .started)
            let followed = try await place.follow(job)
            #expect(followed.output.count == 50_000_004)
            #expect(followed.output.suffix(5) == Array("xend\n".utf8)[...])
            #expect(followed.last == .exited(0))
        }
    }

    @Test(
        "the status is the script's own, 128 and the number for a signal", arguments: JobPlace.Shell.allCases,
        [
            ("exit 0", 0), ("exit 255", 255), ("false", 1), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("no-such-command", 127),
            ("if", 2),
        ])
    func status(shell: JobPlace.Shell, ending: (script: String, status: UInt8)) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(ending.script)
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).last == .exited(ending.status))
            #expect(place.file("status.new", of: job) == nil)
        }
    }

    @Test(
        "the script has a file's usual mask, no input and its folder's name; the job's files are root's alone",
        arguments: JobPlace.Shell.allCases)
    func surroundings(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(
                "umask; readlink /proc/self/fd/0; echo \"$FLEET_JOB\"; echo \"$HOME\"; pwd; cat; read -r x || echo none")
            #expect(try await place.start(job) == .started)
            let text = try await place.follow(job).text
            #expect(text.drop { $0 == "0" } == "22\n/dev/null\n\(job.folder)\n/root\n/\nnone\n")
            let modes = try await place.bash("cd \(job.folder) && stat -c '%n %a' . .. ../.. ../../.. * | sort")
            #expect(
                modes.split(separator: "\n").map(String.init) == [
                    ". 700", ".. 700", "../.. 700", "../../.. 700", "job 600", "output 600", "script 600", "started 600", "status 600",
                ])
        }
    }

    @Test("a process the script leaves behind keeps nobody waiting", arguments: JobPlace.Shell.allCases)
    func childLeftBehind(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job("sleep 300 & echo $!")
            #expect(try await place.start(job) == .started)
            let followed = try await place.follow(job)
            #expect(followed.last == .exited(0))
            let child = try #require(pid_t(followed.text.dropLast()))
            #expect(kill(child, SIGKILL) == 0)
        }
    }

    @Test("what outlives its wrapper is followed, and then said to have left no status", arguments: JobPlace.Shell.allCases)
    func wrapperKilled(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(#"kill -KILL $PPID; until [ -e "$FLEET_JOB/go" ]; do sleep 0.05; done; echo late"#)
            #expect(try await place.start(job) == .started)
            let nonce = JobPlace.nonce()
            try Data(RemoteScript.whole(job.followScript(offset: 0, nonce: nonce))).write(to: URL(fileURLWithPath: place.root + "/follow"))
            try await place.bash(
                """
                \(place.ground.shell) -s <"$0/follow" >"$0/said" & follower=$!
                until grep -q alive "$0/said"; do sleep 0.05; done
                touch \(job.folder)/go; wait "$follower"
                """)
            let said = try Data(contentsOf: URL(fileURLWithPath: place.root + "/said"))
            let followed = try JobPlace.read(Array(said), nonce: nonce)
            #expect(followed.text == "late\n")
            #expect(followed.alive > 0)
            #expect(followed.last == .vanished)
        }
    }

    @Test(
        "a job of another boot, or whose number another process has now, has vanished", arguments: JobPlace.Shell.allCases,
        ["s/^boot .*/boot 0/", "s/^ticks .*/ticks 1/", "/^pid /d"])
    func vanished(shell: JobPlace.Shell, edit: String) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(#"until [ -e "$FLEET_JOB/end" ]; do sleep 0.05; done"#)
            #expect(try await place.start(job) == .started)
            try await place.wait { place.file("output", of: job) != nil }
            try await place.bash("cp \(job.folder)/started \"$0/kept\" && sed '\(edit)' \"$0/kept\" >\(job.folder)/started")
            #expect(try await place.follow(job).last == .vanished)
            try await place.bash("touch \(job.folder)/end")
            try await place.wait { place.file("status", of: job) != nil }
        }
    }

    @Test("of a start that was cut off on the way nothing is done", arguments: JobPlace.Shell.allCases)
    func cutOff(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let bytes = RemoteScript.whole(try place.job("echo 1\n}\necho 2\n").startScript(nonce: JobPlace.nonce()))
            try Data(bytes).write(to: URL(fileURLWithPath: place.root + "/start"))
            // Every length near a line's end, where a shell may take a part for a whole, and every one near both ends.
            let ends = bytes.indices.filter { bytes[$0] == 0x0a }
            var lengths = Set(0..<100)
            lengths.formUnion(bytes.count - 60..<bytes.count - 1)
            for end in ends { lengths.formUnion(end - 1...end + 1) }
            lengths = lengths.filter { $0 < bytes.count - 1 }
            let done = try await place.bash(
                """
                for length in \(lengths.sorted().map(String.init).joined(separator: " ")); do
                    head -c "$length" "$0/start" | \(place.ground.shell) -s >"$0/said" 2>/dev/null
                    if [ -s "$0/said" ] || [ -e "$0/lib" ]; then echo "$length"; fi
                done
                """)
            #expect(done == "")
            #expect(FileManager.default.fileExists(atPath: place.root + "/said"))
        }
    }

    @Test("no function of the scripts has the name of a command", arguments: JobPlace.Shell.allCases)
    func functionNames(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job("")
            let text = job.startScript(nonce: "n") + job.followScript(offset: 0, nonce: "n")
            let names = text.split(separator: "\n").compactMap { line -> Substring? in
                line.firstRange(of: "() {").map { line[..<$0.lowerBound].drop { $0 == " " } }
            }
            #expect(names.count >= 4)
            for name in names {
                #expect(String(decoding: try await place.run("command -v \(name) || echo none"), as: UTF8.self) == "none\n", "\(name)")
            }
        }
    }

    @Test("an answer is found after a login's words, with and without a line's end")
    func answers() {
        func answer(_ text: String) -> Job.StartAnswer? { Job.startAnswer(in: Array(text.utf8), nonce: "n1") }
        #expect(answer("Bienvenue\nn1 started\n") == .started)
        #expect(answer("progress 99%\r\nn1 claimed\n") == .claimed)
        #expect(answer("\u{fffd}\nn1 refused no room\r\n") == .refused("no room\r"))
        #expect(answer("\nn1 refused\n") == .refused(""))
        #expect(answer("n1 unsure it is slow\n") == .unsure("it is slow"))
        #expect(answer("n2 started\nxn1 started\nn1started\nn1  started\nn1 startedx\n") == nil)
        #expect(answer("") == nil)
    }
}
