import FleetCore
import Foundation
import TestSupport
import Testing

@Suite("The lock of a host, in a real shell")
struct HostLockTests {
    private static func lock(_ suffix: String) throws -> HostLock {
        HostLock(
            run: try #require(RunID("20260101-000000-\(suffix)")), person: "o'brien; id", machine: "admin\nhost", planDigest: "abc",
            reason: "it's \tlate")
    }

    /// Feeds a script to a shell, with a folder of the test's own in place of the host's.
    private static func say(_ script: String, at place: JobPlace) async throws -> [UInt8] {
        try FileManager.default.createDirectory(atPath: place.root + "/lib", withIntermediateDirectories: true)
        return try await place.run(script.replacing("/var/lib/fleet", with: place.ground.home))
    }

    private static func take(
        _ lock: HostLock, at place: JobPlace
    ) async throws -> HostLock.Answer? {
        let nonce = JobPlace.nonce()
        let said = try await say(lock.takeScript(nonce: nonce), at: place)
        return HostLock.answer(in: said, nonce: nonce)
    }

    @Test("is had by one of many that ask at the same moment", arguments: JobPlace.Shell.allCases)
    func race(_ shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let answers = try await withThrowingTaskGroup(of: HostLock.Answer?.self) { group in
                for number in 10..<30 { group.addTask { try await Self.take(try Self.lock("aa\(number)"), at: place) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0 == .taken } == 1)
            #expect(answers.count { if case .held = $0 { true } else { false } } == 19)
        }
    }

    @Test("of a coordinator that is gone and began nothing, is had by one of many that ask", arguments: JobPlace.Shell.allCases)
    func staleRace(_ shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            #expect(try await Self.take(try Self.lock("gone"), at: place) == .taken)
            try await place.bash("touch -d '2 hours ago' \"$0/lib/fleet/lock/holder\"")
            let answers = try await withThrowingTaskGroup(of: HostLock.Answer?.self) { group in
                for number in 10..<30 { group.addTask { try await Self.take(try Self.lock("bb\(number)"), at: place) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0 == .taken } == 1)
            #expect(answers.count { if case .held = $0 { true } else { false } } == 19)
        }
    }

    @Test("of a coordinator that is gone, once a step was begun, stays for ever: only its own run has it again")
    func unfinished() async throws {
        try await JobPlace.with { place in
            let first = try Self.lock("dead")
            _ = try await Self.take(first, at: place)
            try await place.bash("echo 02-canopsinit >\"$0/lib/fleet/lock/step\"; touch -d '9 days ago' \"$0/lib/fleet/lock/holder\"")
            guard case .held(let holder) = try await Self.take(try Self.lock("else"), at: place) else {
                Issue.record("an unfinished host was taken")
                return
            }
            #expect(holder.isUnfinished && holder.reason.code == .leftUnfinished)
            #expect(try await Self.take(first, at: place) == .taken)
            // Its heart beats again, and the step is still written down.
            guard case .held(let now) = try await Self.take(try Self.lock("else"), at: place) else {
                Issue.record("a lock in use was taken")
                return
            }
            #expect(now.isInUse && now.step == "02-canopsinit")
        }
    }

    @Test("in use on one machine, is not had by the same run on another, until its heartbeat is old")
    func otherMachine() async throws {
        try await JobPlace.with { place in
            let here = try Self.lock("same")
            let there = HostLock(run: here.run, person: "bob", machine: "copy of the logs", planDigest: "abc", reason: "late")
            #expect(try await Self.take(here, at: place) == .taken)
            guard case .held = try await Self.take(there, at: place) else {
                Issue.record("two coordinators carry out one run")
                return
            }
            try await place.bash("touch -d '2 hours ago' \"$0/lib/fleet/lock/holder\"")
            #expect(try await Self.take(there, at: place) == .taken)
            guard case .held = try await Self.take(here, at: place) else {
                Issue.record("two coordinators carry out one run")
                return
            }
        }
    }

    @Test("is broken when a person says so and nobody is at work, and who did so is written down")
    func breaking() async throws {
        try await JobPlace.with { place in
            let first = try Self.lock("left")
            func breakIt() async throws -> HostLock.BreakAnswer? {
                let nonce = JobPlace.nonce()
                let script = HostLock.breakScript(nonce: nonce, of: first.run, person: "ana", machine: "admin")
                return HostLock.breakAnswer(in: try await Self.say(script, at: place), nonce: nonce)
            }
            #expect(try await breakIt() == .free)
            _ = try await Self.take(first, at: place)
            guard case .held(let holder) = try await breakIt() else {
                Issue.record("a lock in use was broken")
                return
            }
            #expect(holder.run == first.run)
            _ = try await Self.say(first.leaveScript(unfinished: true), at: place)
            #expect(try await breakIt() == .broken)
            #expect(try await Self.take(try Self.lock("else"), at: place) == .taken)
            let note = try String(contentsOfFile: place.root + "/lib/fleet/broken-locks", encoding: .utf8)
            #expect(note.contains("broken by ana@admin") && note.contains("\(first.run)"))
            // Another run's lock is not the one that was shown to the person.
            guard case .held = try await breakIt() else {
                Issue.record("another run's lock was broken")
                return
            }
        }
    }

    @Test("names its holder to others, is kept by its own run, and is free after a good end")
    func holder() async throws {
        try await JobPlace.with { place in
            let (mine, other) = (try Self.lock("mine"), try Self.lock("else"))
            #expect(try await Self.take(mine, at: place) == .taken)
            #expect(try await Self.take(mine, at: place) == .taken)
            guard case .held(let holder) = try await Self.take(other, at: place) else {
                Issue.record("two runs have one lock")
                return
            }
            #expect(holder.run == mine.run)
            #expect(holder.person == "o'brien; id@admin_host")
            #expect(holder.isInUse)
            // A run cannot give away what it doesn't have.
            _ = try await Self.say(other.leaveScript(unfinished: false), at: place)
            guard case .held = try await Self.take(other, at: place) else {
                Issue.record("a stranger freed the lock")
                return
            }
            _ = try await Self.say(mine.leaveScript(unfinished: false), at: place)
            #expect(try await Self.take(other, at: place) == .taken)
        }
    }

    @Test("left unfinished, gives way to no other run")
    func unplanned() async throws {
        try await JobPlace.with { place in
            let first = try Self.lock("left")
            _ = try await Self.take(first, at: place)
            _ = try await Self.say(first.leaveScript(unfinished: true), at: place)
            guard case .held(let holder) = try await Self.take(try Self.lock("else"), at: place) else {
                Issue.record("an unfinished host was taken")
                return
            }
            #expect(holder.wasLeft && !holder.isInUse)
        }
    }

    @Test("in use, gives way to nobody: its heart beats, or a job of it lives")
    func inUse() async throws {
        try await JobPlace.with { place in
            let (first, other) = (try Self.lock("busy"), try Self.lock("else"))
            _ = try await Self.take(first, at: place)
            guard case .held = try await Self.take(other, at: place) else {
                Issue.record("a beating lock was taken over")
                return
            }
            // The coordinator is long gone, and one of its jobs is a process that lives.
            try await place.bash(
                """
                lib="$0/lib/fleet"
                touch -d '2 hours ago' "$lib/lock/holder"
                mkdir -p "$lib/jobs/\(first.run)/01-packages"
                sleep 60 & echo "$!" >"$0/pid"
                ticks=$(sed 's/.*) //' "/proc/$!/stat" | cut -d ' ' -f 20)
                printf 'boot %s\\nunit none\\npid %s\\nticks %s\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$!" "$ticks" \
                    >"$lib/jobs/\(first.run)/01-packages/started"
                """)
            guard case .held(let holder) = try await Self.take(other, at: place) else {
                Issue.record("taken over under a living job")
                return
            }
            #expect(holder.isLive)
            try await place.bash("kill \"$(cat \"$0/pid\")\"; while kill -0 \"$(cat \"$0/pid\")\" 2>/dev/null; do sleep 0.01; done")
            #expect(try await Self.take(other, at: place) == .taken)
        }
    }

    @Test("left by a run that is gone is not kept alive by another process with its job's old number")
    func recycledNumber() async throws {
        try await JobPlace.with { place in
            let first = try Self.lock("gone")
            _ = try await Self.take(first, at: place)
            try await place.bash(
                """
                lib="$0/lib/fleet"
                mkdir -p "$lib/jobs/\(first.run)/01-packages"
                printf 'boot %s\\nunit none\\npid %s\\nticks 1\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$$" >"$lib/jobs/\(first.run)/01-packages/started"
                touch -d '2 hours ago' "$lib/lock/holder"
                """)
            #expect(try await Self.take(try Self.lock("else"), at: place) == .taken)
        }
    }

    @Test("with a heartbeat of the future, for the host's clock was set back, is that of a coordinator that is gone")
    func clockSetBack() async throws {
        try await JobPlace.with { place in
            _ = try await Self.take(try Self.lock("gone"), at: place)
            try await place.bash("touch -d '1 day' \"$0/lib/fleet/lock/holder\"")
            #expect(try await Self.take(try Self.lock("else"), at: place) == .taken)
        }
    }

    @Test("tells who has it and what for, in any language, cut to what a line holds")
    func words() async throws {
        try await JobPlace.with { place in
            let purpose = "mise à jour " + String(repeating: "é", count: 200)
            let run = try #require(RunID("20260101-000000-held"))
            let lock = HostLock(run: run, person: "zoé", machine: "poste", planDigest: "d", reason: purpose)
            #expect(lock.reason.utf8.count <= 100 && purpose.hasPrefix(lock.reason))
            _ = try await Self.take(lock, at: place)
            guard case .held(let holder) = try await Self.take(try Self.lock("else"), at: place) else {
                Issue.record("a lock in use was taken")
                return
            }
            #expect(holder.person == "zoé@poste")
            #expect(holder.purpose == lock.reason)
            #expect(holder.text.contains("(mise à jour é"))
        }
    }

    @Test("no answer to a break that a host makes up is taken for one, or acts on a terminal", arguments: 0..<200)
    func hostileBreak(seed: Int) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("abc019- @\u{1b}\u{202e}\u{9b}\t\r\nheldbrokenfreerefused".unicodeScalars)
        var text = Bool.random(using: &generator) ? "n0nce " : "n0nce held "
        for _ in 0..<Int.random(in: 0...3000, using: &generator) {
            text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
        }
        let run = RunID("20260101-000000-test")
        switch HostLock.breakAnswer(in: Array(text.utf8), nonce: "n0nce") {
        case .held(let holder):
            #expect(!holder.text.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || $0 == "\u{202e}" })
            #expect(holder.text.utf8.count < 4000)
        case .refused(let words): #expect(words.utf8.count <= 1000)
        case .broken, .free, nil: break
        }
        switch run.flatMap({ SavedState.answer(in: Array(text.utf8), run: $0, nonce: "n0nce") }) {
        case .refused(let words): #expect(words.utf8.count <= 600)
        case .saved(let state): #expect(state.bytes >= 0 && state.folder == "/var/lib/fleet/saved/20260101-000000-test")
        case nil: break
        }
        #expect(HostLock.breakAnswer(in: Array(text.utf8), nonce: "another") == nil)
    }

    @Test("an answer that no script gives is none, and a holder that makes no sense counts as in use", arguments: 0..<200)
    func hostile(seed: Int) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("abc019- @\u{1b}\u{202e}\nheldtakenunit".unicodeScalars)
        var text = "n0nce "
        for _ in 0..<Int.random(in: 0...300, using: &generator) {
            text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
        }
        switch HostLock.answer(in: Array(text.utf8), nonce: "n0nce") {
        case .held(let holder):
            #expect(!holder.text.unicodeScalars.contains("\u{1b}"))
            #expect(holder.person.utf8.count < 2000)
        case .taken, .refused, nil: break
        }
    }
}
