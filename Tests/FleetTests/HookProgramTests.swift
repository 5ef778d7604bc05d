import Foundation
import TestSupport
import Testing

/// Hooks as processes of the coordinator: what they are told, how long they may take, what is kept of them. No host is needed for that.
@Suite("hooks as programs", .timeLimit(.minutes(30)))
struct HookProgramTests {
    /// Writes an inventory of one host that nobody answers for, with these hooks, and a program `hook` for them.
    private static func prepare(_ person: Operator, hooks: String, program: String = "exit 0\n") throws {
        try write("", to: person.knownHosts)
        try write("#!/bin/sh\n" + program, to: person.folder + "/hook")
        chmod(person.folder + "/hook", 0o755)
        let host = "acme-1: {address: 127.0.0.1, port: 1, known_hosts: \(person.knownHosts), addons: none}"
        try write("hosts:\n  \(host)\nhooks:\n\(hooks)\n", to: person.inventory)
    }

    private static func upgrade(_ person: Operator) async throws -> Finished {
        try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
    }

    private static func log(of run: RunDocument, _ person: Operator) throws -> String {
        let file = person.logs + "/\(run.run)/hooks.txt"
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        return try read(file)
    }

    @Test("they have the documented variables and no other, the JSON on standard input, and their arguments as written")
    func told() async throws {
        try await Operator.at { person in
            var person = person
            person.variables = ["FLEET_PASSWORD": "hidden", "SSH_AUTH_SOCK": "/x", "LANG": "C.UTF-8"]
            try Self.prepare(
                person, hooks: "  before_run: {command: [env]}\n  after_run: {command: [./hook, \"$HOME\", \"a  b\"]}",
                program: "printf '<%s>' \"$@\"\ncat\n")
            let ended = try await Self.upgrade(person)
            ended.ended(4)
            let run = try ended.document(RunDocument.self)
            #expect(run.hooks.map(\.event) == ["before_run", "after_run"] && run.hooks.map(\.outcome) == ["ok", "ok"])
            let log = try Self.log(of: run, person)
            let parts = log.components(separatedBy: "==> ")
            try #require(parts.count == 3, "\(log)")
            #expect(parts[1].hasPrefix("hook before_run at "))
            let variables = Set(parts[1].split(separator: "\n").dropFirst().map(String.init))
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            #expect(
                variables == [
                    "FLEET_EVENT=before_run", "FLEET_RUN=\(run.run)", "FLEET_TARGET=3.26.0", "FLEET_WAVE=", "FLEET_HOST=",
                    "FLEET_OUTCOME=", "FLEET_LOGS=\(person.logs)", "PATH=\(path)", "HOME=\(person.folder)/home", "LANG=C.UTF-8",
                ])
            #expect(parts[2].contains("\n<$HOME><a  b>{"))
            let json = try #require(parts[2].range(of: "{")).lowerBound
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(parts[2][json...].utf8)) as? [String: Any])
            #expect(Set(object.keys) == ["schema", "event", "run", "target", "wave", "hosts", "host", "outcome", "reason"])
            #expect(object["event"] as? String == "after_run" && object["outcome"] as? String == "incomplete")
            #expect(!log.contains("hidden"))
        }
    }

    @Test("one that is over its time is asked to end and then killed with all it started; a failure before the run stops it")
    func overdue() async throws {
        try await Operator.at { person in
            try Self.prepare(
                person, hooks: "  before_run: {command: [./hook, pids], limit: 1s}",
                program: "trap '' TERM\nsleep 300 &\necho $! $$ >\"$(dirname \"$0\")/pids\"\necho begun\nwait\nsleep 300\n")
            let began = ContinuousClock.now
            let ended = try await Self.upgrade(person)
            ended.ended(5)
            let took = ContinuousClock.now - began
            #expect(took > .seconds(6) && took < .seconds(60), "\(took)")
            let run = try ended.document(RunDocument.self)
            let hook = try #require(run.hooks.first)
            #expect(hook.outcome == "timed-out" && hook.exit == nil && hook.policy == "stop")
            #expect(try Self.log(of: run, person).contains("begun"))
            let pids = try read(person.folder + "/pids").split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
            try #require(pids.count == 2)
            for pid in pids {
                let state = (try? read("/proc/\(pid)/stat")).flatMap { $0.split(separator: " ").dropFirst(2).first }
                #expect(state == nil || state == "Z", "\(pid) lives")
            }
        }
    }

    @Test("one that ends when it is asked to is not waited for any longer, and neither is what another left behind")
    func quick() async throws {
        try await Operator.at { person in
            try Self.prepare(
                person, hooks: "  before_run: {command: [./hook]}\n  after_run: {command: [sleep, \"300\"], limit: 1s}",
                program: "sleep 300 &\necho left $!\n")
            let ended = try await Self.upgrade(person)
            ended.ended(4)
            let run = try ended.document(RunDocument.self)
            #expect(run.hooks.map(\.outcome) == ["ok", "timed-out"])
            let log = try Self.log(of: run, person)
            let left = log.split(separator: "\n").first { $0.hasPrefix("left ") }
            let pid = try #require(left.flatMap { Int32($0.dropFirst(5)) })
            #expect(kill(pid, SIGKILL) == 0, "what a hook that ended well left behind goes on")
        }
    }

    @Test("of what they write the first part is kept, however much it is, and of a failure the status")
    func bounded() async throws {
        try await Operator.at { person in
            try Self.prepare(
                person, hooks: "  before_run: {command: [./hook], on_failure: warn}",
                program: "head -c 3000000 /dev/zero | tr '\\0' x\necho >&2 the end\nexit 7\n")
            let ended = try await Self.upgrade(person)
            ended.ended(4)
            let run = try ended.document(RunDocument.self)
            #expect(run.hooks.map(\.exit) == [7] && run.hooks.map(\.outcome) == ["failed"] && run.hooks.map(\.policy) == ["warn"])
            let log = try Self.log(of: run, person)
            #expect(log.utf8.count > 60_000 && log.utf8.count < 70_000)
            #expect(log.hasSuffix("... and more that is not kept\n"))
            let report = try await person.fleet("report")
            #expect(report.stdout.contains("hook before_run failed (exit status 7); a warning"))
        }
    }

    @Test("one whose program is gone since the plan was made keeps the run from beginning")
    func gone() async throws {
        try await Operator.at { person in
            try Self.prepare(person, hooks: "  after_host: {command: [./hook]}")
            try await person.fleet("plan", "--to", "3.26.0", "-o", "plan.json").ended(4)
            try FileManager.default.removeItem(atPath: person.folder + "/hook")
            let ended = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json")
            ended.ended(2)
            #expect(try ended.document(ErrorsDocument.self).codes == ["bad-hook-command"])
            let history = try await person.fleet("history", "--output", "json").document(HistoryDocument.self)
            #expect(history.runs.isEmpty)
        }
    }

    @Test("bad hooks and step files are told with file and line, exit status 2, and no connection is made")
    func mistakes() async throws {
        try await Operator.at { person in
            try await SSHServer.with { server in
                try person.write(inventoryOf: server)
                try await person.fleet("exec", "--", "true").ended(0)
                let connections = server.log.components(separatedBy: "Connection from").count
                try FileManager.default.createDirectory(atPath: person.folder + "/add-ons", withIntermediateDirectories: true)
                try write("name: acme\nsteps:\n  - {id: one, phase: soon}\n", to: person.folder + "/add-ons/acme.yaml")
                try person.write(
                    inventoryOf: server,
                    more: "  web2: {address: 127.0.0.2, addons: [add-ons/acme.yaml, gone.yaml]}\n"
                        + "hooks:\n  before_run: {command: [./gone]}\n")
                for command in [["check"], ["plan", "--to", "3.26.0"], ["upgrade", "--to", "3.26.0", "--yes"], ["hosts", "list"]] {
                    let result = try await person.fleet(command + ["--output", "json"])
                    result.ended(2)
                    for place in [
                        "inventory.yaml:4: There is no step file", "inventory.yaml:6: There is no program", "acme.yaml:3: `soon`",
                    ] {
                        #expect(result.stderr.contains(place), "\(command): \(result.stderr)")
                    }
                    let codes = Set(try result.document(ErrorsDocument.self).codes)
                    #expect(codes == ["add-on-missing", "bad-hook-command", "bad-value", "missing-key"])
                }
                #expect(server.log.components(separatedBy: "Connection from").count == connections, "a host was asked")
            }
        }
    }
}
