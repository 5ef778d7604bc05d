import FleetCore
import Foundation
import Subprocess
import TestSupport
import Testing

/// A folder that stands for a host's own, and a shell that stands for its `/bin/sh`. Gone with the closure, its jobs too.
struct JobPlace {
    /// A shell a host may have as `/bin/sh`.
    enum Shell: String, CaseIterable, CustomTestStringConvertible {
        case dash
        case bashAsSh
        case bash
        case busybox

        var testDescription: String { rawValue }

        /// Where its program is and under which name it is called: bash called `sh` is stricter.
        fileprivate var link: (program: String, name: String) {
            switch self {
            case .dash: ("/usr/bin/dash", "sh")
            case .bashAsSh: ("/usr/bin/bash", "sh")
            case .bash: ("/usr/bin/bash", "bash")
            case .busybox: ("/usr/bin/busybox", "sh")
            }
        }
    }

    let root: String
    var ground = Job.Ground()

    /// Makes the folder and hands it to the closure.
    static func with<R>(_ shell: Shell = .dash, _ body: (JobPlace) async throws -> R) async throws -> R {
        _ = brokenPipesAreIgnored
        let root = "/tmp/fleet-job-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: root + "/bin", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        var place = JobPlace(root: root)
        place.ground.home = root + "/lib/fleet"
        place.ground.shell = root + "/bin/" + shell.link.name
        place.ground.systemd = root + "/no-systemd"
        try FileManager.default.createSymbolicLink(atPath: place.ground.shell, withDestinationPath: shell.link.program)
        return try await body(place)
    }

    /// A job of this place.
    func job(_ script: String, step: StepID = .packages) throws -> Job {
        Job(run: try #require(RunID("20260101-000000-test")), number: 1, step: step, script: script, on: ground)
    }

    /// Feeds a script to the place's shell as Fleet does, and returns what it prints.
    func run(_ script: String) async throws -> [UInt8] {
        try await Subprocess.run(
            .name("timeout"), arguments: ["60", ground.shell, "-s"], input: .array(RemoteScript.whole(script)),
            output: .bytes(limit: 64 << 20), error: .discarded
        ).standardOutput
    }

    /// Runs the test's own shell text with `$0` the place's folder.
    @discardableResult
    func bash(_ text: String) async throws -> String {
        try await Subprocess.run(
            .name("timeout"), arguments: ["60", "bash", "-c", text, root], output: .string(limit: 1 << 20), error: .string(limit: 1 << 16)
        ).standardOutput
    }

    /// Starts a job and reads the answer.
    func start(_ job: Job) async throws -> Job.StartAnswer? {
        let nonce = Self.nonce()
        return Job.startAnswer(in: try await run(job.startScript(nonce: nonce)), nonce: nonce)
    }

    /// How a job was followed to its end.
    struct Followed {
        var output: [UInt8] = []
        var alive = 0
        var last: JobFrame?

        var text: String { String(decoding: output, as: UTF8.self) }

        /// Adds what a follower said.
        mutating func add(_ frames: [JobFrame]) {
            for frame in frames {
                switch frame {
                case .output(let part): output += part
                case .alive: alive += 1
                case .exited, .vanished: last = frame
                }
            }
        }
    }

    /// Follows a job to its end.
    func follow(_ job: Job, from offset: Int64 = 0) async throws -> Followed {
        let nonce = Self.nonce()
        return try Self.read(try await run(job.followScript(offset: offset, nonce: nonce)), nonce: nonce)
    }

    /// Takes a follower's bytes apart.
    static func read(_ bytes: [UInt8], nonce: String) throws -> Followed {
        var parser = JobFrameParser(nonce: nonce)
        var followed = Followed()
        followed.add(try parser.take(bytes[...]))
        return followed
    }

    /// The bytes of a file in the job's folder; nil if it is not there.
    func file(_ name: String, of job: Job) -> [UInt8]? {
        FileManager.default.contents(atPath: job.folder + "/" + name).map(Array.init)
    }

    /// Waits until a condition holds, 20 s at most.
    func wait(until condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while try !condition() {
            guard ContinuousClock.now < end else {
                Issue.record("waited for 20 s", sourceLocation: sourceLocation)
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// A word as the rollout makes them.
    static func nonce() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return "fleet" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
