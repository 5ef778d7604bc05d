import FleetCore
import Foundation
import Subprocess
import Testing

@Suite("A job on difficult ground")
struct JobGroundTests {
    /// Runs scripts one after the other with a small file system where Fleet's files go, in a mount namespace of its own.
    private static func run(_ scripts: [String], on options: String, at place: JobPlace) async throws -> [String] {
        var text = "mkdir -p \(place.ground.home) && mount -t tmpfs -o \(options) none \(place.ground.home) || exit 1\n"
        for (number, script) in scripts.enumerated() {
            try Data(RemoteScript.whole(script)).write(to: URL(fileURLWithPath: "\(place.root)/script\(number)"))
            text += "\(place.ground.shell) -s <\(place.root)/script\(number) >\(place.root)/said\(number) 2>/dev/null\n"
        }
        // Whoever is not root is it in a user namespace of their own.
        let arguments = geteuid() == 0 ? ["-m"] : ["-r", "-m"]
        let result = try await Subprocess.run(
            .name("unshare"), arguments: .init(arguments + ["sh", "-s"]), input: .string(text), output: .discarded,
            error: .string(limit: 1 << 16))
        #expect(result.terminationStatus == .exited(0), "\(result.standardError)")
        return try scripts.indices.map { try String(contentsOfFile: "\(place.root)/said\($0)", encoding: .utf8) }
    }

    @Test(
        "a full disk is refused with words before anything starts", arguments: JobPlace.Shell.allCases, ["64k", "4k", "300k,nr_inodes=3"])
    func fullDisk(shell: JobPlace.Shell, size: String) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job("touch \(place.root)/ran")
            let nonce = JobPlace.nonce()
            let look = "sleep 0.2; ls \(job.folder)/started || echo none"
            let said = try await Self.run([job.startScript(nonce: nonce), look], on: "size=\(size)", at: place)
            guard case .refused(let words) = Job.startAnswer(in: Array(said[0].utf8), nonce: nonce) else {
                Issue.record("\(said)")
                return
            }
            #expect(words.contains("No space left on device"))
            #expect(said[1] == "none\n")
            #expect(!FileManager.default.fileExists(atPath: place.root + "/ran"))
        }
    }

    @Test("a script that fills the disk leaves its status all the same", arguments: JobPlace.Shell.allCases)
    func diskFilled(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job(#"cat /dev/zero >"$FLEET_JOB/fill"; exit 9"#)
            let nonce = JobPlace.nonce()
            let said = try await Self.run(
                [job.startScript(nonce: nonce), job.followScript(offset: 0, nonce: nonce)], on: "size=2m", at: place)
            #expect(Job.startAnswer(in: Array(said[0].utf8), nonce: nonce) == .started)
            #expect(try JobPlace.read(Array(said[1].utf8), nonce: nonce).last == .exited(9))
        }
    }

    @Test("nothing has to be executable where the files are", arguments: JobPlace.Shell.allCases)
    func noexec(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let job = try place.job("echo ran")
            let nonce = JobPlace.nonce()
            let said = try await Self.run(
                [job.startScript(nonce: nonce), job.followScript(offset: 0, nonce: nonce)], on: "noexec,nosuid,nodev", at: place)
            let followed = try JobPlace.read(Array(said[1].utf8), nonce: nonce)
            #expect(followed.text == "ran\n")
            #expect(followed.last == .exited(0))
        }
    }

    @Test("a folder that cannot be made is refused with words")
    func noFolder() async throws {
        try await JobPlace.with { place in
            try Data().write(to: URL(fileURLWithPath: place.root + "/lib"))
            guard case .refused(let words) = try await place.start(try place.job("")) else {
                Issue.record("not refused")
                return
            }
            #expect(words.contains("Not a directory"))
        }
    }

    /// Puts programs that stand for systemd's before the real ones.
    private static func withSystemd(
        _ shell: JobPlace.Shell = .dash, run: String, show: String = "echo ActiveState=inactive",
        _ body: (JobPlace) async throws -> Void
    ) async throws {
        try await JobPlace.with(shell) { place in
            var place = place
            place.ground.systemd = place.root
            place.ground.path = place.root + "/fake:" + place.ground.path
            let programs = [
                "systemd-run": "echo \"$*\" >>\(place.root)/calls\n\(run)",
                "systemctl": "case $1 in show) \(show);; *) exit 1;; esac",
                // The start waits by counting: here it need not take its time.
                "sleep": "exec /usr/bin/sleep 0.001",
            ]
            try FileManager.default.createDirectory(atPath: place.root + "/fake", withIntermediateDirectories: true)
            for (name, text) in programs {
                try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(place.root)/fake/\(name)"))
            }
            try await place.bash("chmod 755 \"$0\"/fake/*")
            try await body(place)
        }
    }

    @Test("under systemd it is a unit of its own, asked for in words that old versions know", arguments: JobPlace.Shell.allCases)
    func unit(shell: JobPlace.Shell) async throws {
        try await Self.withSystemd(shell, run: "shift; setsid \"$@\" >/dev/null 2>&1 </dev/null &") { place in
            let job = try place.job("echo ran; exit 4")
            #expect(try await place.start(job) == .started)
            let followed = try await place.follow(job)
            #expect(followed.text == "ran\n")
            #expect(followed.last == .exited(4))
            let calls = try String(contentsOfFile: place.root + "/calls", encoding: .utf8)
            #expect(calls == "--unit=fleet-20260101-000000-test-01-packages.service \(place.ground.shell) \(job.folder)/job\n")
        }
    }

    @Test("a unit that systemd refuses is refused in its words, and nothing runs")
    func unitRefused() async throws {
        try await Self.withSystemd(run: "echo 'Failed to start transient service unit: no bus' >&2; exit 1") { place in
            let job = try place.job("touch \(place.root)/ran")
            #expect(try await place.start(job) == .refused("Failed to start transient service unit: no bus"))
            #expect(!FileManager.default.fileExists(atPath: place.root + "/ran"))
            // systemd may have taken the order all the same, and carry it out late: then the step is claimed, and nothing runs.
            try await place.bash("sh \(job.folder)/job")
            #expect(!FileManager.default.fileExists(atPath: place.root + "/ran"))
            #expect(place.file("status", of: job) == nil)
        }
    }

    @Test("where logind ends what a session leaves behind and systemd does not start the step, its output says so")
    func logind() async throws {
        for (line, warns) in [("KillUserProcesses=yes", true), ("  killuserprocesses = 1 ", true), ("#KillUserProcesses=yes", false)] {
            try await JobPlace.with { place in
                var place = place
                place.ground.configuration = place.root + "/etc"
                try await place.bash(
                    "mkdir -p \"$0/etc/systemd/logind.conf.d\"; printf '[Login]\\n\(line)\\n' >\"$0/etc/systemd/logind.conf.d/a.conf\"")
                let job = try place.job("echo ran")
                #expect(try await place.start(job) == .started)
                let text = try await place.follow(job).text
                #expect(text.hasSuffix("ran\n"))
                #expect(text.contains("warning: ") == warns, "\(line): \(text)")
            }
        }
    }

    @Test("a job is started only while its run has the host's lock, on the machine that took it", arguments: JobPlace.Shell.allCases)
    func fence(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            let run = try #require(RunID("20260101-000000-test"))
            let lock = HostLock(run: run, person: "ana", machine: "here", planDigest: "d", reason: "r")
            var job = try place.job("touch \(place.root)/ran")
            job.lock = lock
            try await place.bash("mkdir -p \"$0/lib/fleet\"")
            guard case .refused = try await place.start(job) else {
                Issue.record("started without the lock")
                return
            }
            for holder in ["run 20260101-000000-else\nmachine here", "run \(run)\nmachine elsewhere"] {
                try await place.bash(
                    "mkdir -p \"$0/lib/fleet/lock\"; printf '\(holder.replacing("\n", with: "\\n"))\\n' >\"$0/lib/fleet/lock/holder\"")
                guard case .refused(let words) = try await place.start(job) else {
                    Issue.record("started under the lock of \(holder)")
                    return
                }
                #expect(words.contains("no longer this run's"))
            }
            #expect(!FileManager.default.fileExists(atPath: place.root + "/ran"))
            try await place.bash("printf 'run \(run)\\nmachine here\\n' >\"$0/lib/fleet/lock/holder\"")
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).last == .exited(0))
        }
    }

    @Test("a step that writes all the time keeps the heart of the lock beating")
    func heartbeat() async throws {
        try await JobPlace.with { place in
            let run = try #require(RunID("20260101-000000-test"))
            let holder = place.ground.home + "/lock/holder"
            try await place.bash("mkdir -p '\(place.ground.home)/lock'; printf 'run \(run)\\nmachine here\\n' >'\(holder)'")
            // It writes until it has seen a beat, for a minute at most.
            let job = try place.job(
                """
                touch -d '1 hour ago' '\(holder)'
                i=0
                while [ $(($(date +%s) - $(stat -c %Y '\(holder)'))) -gt 600 ] && [ $i -lt 600 ]; do echo $i; sleep 0.1; i=$((i + 1)); done
                [ $i -lt 600 ]
                """)
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).last == .exited(0))
        }
    }

    @Test("a status that a power cut left empty or torn is no status: the job vanished", arguments: ["", "exi", "exited \n", "\n"])
    func tornStatus(text: String) async throws {
        try await JobPlace.with { place in
            let job = try place.job("echo ran")
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).last == .exited(0))
            try Data(text.utf8).write(to: URL(fileURLWithPath: job.folder + "/status"))
            #expect(try await place.follow(job).last == .vanished)
        }
    }

    @Test("a unit that another start has loaded is waited for", arguments: ["active", "activating"])
    func unitLoaded(state: String) async throws {
        let run = "job=$3; (/usr/bin/sleep 0.3; setsid sh \"$job\") >/dev/null 2>&1 </dev/null & echo 'Unit already exists' >&2; exit 1"
        try await Self.withSystemd(run: run, show: "echo ActiveState=\(state)") { place in
            let job = try place.job("echo ran")
            #expect(try await place.start(job) == .started)
            #expect(try await place.follow(job).text == "ran\n")
        }
    }

    @Test("a job that a busy host begins late is followed all the same")
    func late() async throws {
        let run =
            "touch \"${0%/fake/*}/active\"; job=$3; (until [ -e \"${0%/fake/*}/go\" ]; do /usr/bin/sleep 0.01; done; setsid sh \"$job\") >/dev/null 2>&1 &"
        let show = "if [ -e \"${0%/fake/*}/active\" ]; then echo ActiveState=active; else echo ActiveState=inactive; fi"
        try await Self.withSystemd(run: run, show: show) { place in
            let job = try place.job("echo ran")
            #expect(try await place.start(job) == .started)
            #expect(place.file("started", of: job) == nil)
            // The follower needs time that passes.
            try FileManager.default.removeItem(atPath: place.root + "/fake/sleep")
            let nonce = JobPlace.nonce()
            try Data(RemoteScript.whole(job.followScript(offset: 0, nonce: nonce))).write(to: URL(fileURLWithPath: place.root + "/follow"))
            try await place.bash(
                """
                sh -s <"$0/follow" >"$0/said" & follower=$!
                until grep -q alive "$0/said"; do sleep 0.01; done
                touch "$0/go"; wait "$follower"
                """)
            let followed = try JobPlace.read(Array(try Data(contentsOf: URL(fileURLWithPath: place.root + "/said"))), nonce: nonce)
            #expect(followed.text == "ran\n")
            #expect(followed.last == .exited(0))
        }
    }

    @Test("a job that does not begin in time is not called refused: it may still begin")
    func slow() async throws {
        try await Self.withSystemd(run: "exit 0") { place in
            guard case .unsure = try await place.start(try place.job("")) else {
                Issue.record("it was said to be known")
                return
            }
        }
    }
}
