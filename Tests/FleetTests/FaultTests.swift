import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What goes wrong between coordinator and host while a host is upgraded, and what is made of it. `docs/reliability.md` has the
/// table of these tests.
@Suite("faults during an upgrade of real hosts", .timeLimit(.minutes(20)))
struct FaultTests {
    @Test("a cable that is pulled for ten seconds, an sshd that refuses, a reset, a slow line: the host is upgraded, every effect once")
    func line() async throws {
        try await Operator.at("a1:deb9", "a2:deb12", "a3:rpm", "a4:deb8") { person, lab in
            for host in lab.hosts { try await host.turn("canopsinit.sleep", to: "18") }
            let result = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "4", "--yes", "--reconnect", "2m", "--output", "json", limit: .seconds(300)
            ) { running in
                try await running.wait("canopsinit runs everywhere") {
                    for host in lab.hosts where try await host.canopsinitCalls().isEmpty { return false }
                    return true
                }
                try await lab["a1"].cut()
                try await lab["a2"].refuse()
                try await lab["a2"].reset()
                try await lab["a3"].reset()
                try await lab["a4"].slow()
                try await running.waitFor("a2: RECONNECTING")
                let status = try await person.fleet("status", "--output", "json")
                #expect(try status.document(RunDocument.self)["a2"].outcome == "running", "a lost link is no failure")
                // The cable stays pulled for ten seconds: that is the fault, not a wait for something.
                try await Task.sleep(for: .seconds(10))
                try await lab["a1"].heal()
                try await lab["a2"].heal()
            }
            result.ended(0)
            let run = try result.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded", "a3": "upgraded", "a4": "upgraded"])
            for name in ["a2", "a3"] {
                #expect(result.stderr.contains("\(name): RECONNECTING"))
                #expect(result.stderr.contains("\(name): connected again"))
            }
            for host in lab.hosts {
                #expect(run[host.name].steps.map(\.tries) == UpgradeTests.steps.map { _ in 1 })
                #expect(try await host.canopsinitCalls().count == 1)
                try await person.expectWholeLog(of: host, in: run.run)
            }
        }
    }

    @Test("a host that stays away longer than --reconnect is unknown; fleet resume follows the same job to its end")
    func away() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            try await host.turn("canopsinit.sleep", to: "1000")
            let result = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--yes", "--reconnect", "3s", "--output", "json"
            ) { running in
                try await running.wait("canopsinit runs") { try await !host.canopsinitCalls().isEmpty }
                try await host.refuse()
                try await host.reset()
            }
            result.ended(4)
            let run = try result.document(RunDocument.self)
            #expect(run["a1"].outcome == "unknown")
            #expect(run["a1"].step("canopsinit")?.reason?.code == "link-lost")
            let report = try await person.fleet("report")
            #expect(report.stdout.contains("fleet resume \(run.run)"))

            let early = try await person.fleet("resume", "--yes", "--reconnect", "1s", "--output", "json")
            early.ended(4)
            #expect(try early.document(RunDocument.self)["a1"].outcome == "unknown", "it was touched: it is not merely unreachable")

            try await host.heal()
            try await host.shell("pkill -x -f 'sleep 1000'")
            let resumed = try await person.fleet("resume", "--yes", "--output", "json")
            resumed.ended(0)
            #expect(try resumed.document(RunDocument.self).outcomes == ["a1": "upgraded"])
            #expect(try await host.canopsinitCalls() == [""])
            try await person.expectWholeLog(of: host, in: run.run)
        }
    }

    @Test("a power cut in the middle of the packages and a reboot in the middle of canopsinit: looked at, completed, upgraded")
    func power() async throws {
        try await Operator.at("a1:deb12", "a2:deb9") { person, lab in
            let (cut, rebooted) = (try lab["a1"], try lab["a2"])
            try await cut.turn("postinst.sleep", to: "20")
            try await rebooted.turn("canopsinit.sleep", to: "1000")
            let result = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "2", "--yes", "--output", "json", limit: .seconds(300)
            ) { running in
                try await running.wait("the packages are half-way") {
                    try await cut.shell("dpkg-query -W -f='${db:Status-Abbrev}' canopsis-core").hasPrefix("iF")
                }
                try await cut.crash()
                try await running.wait("canopsinit runs") { try await !rebooted.canopsinitCalls().isEmpty }
                try await rebooted.reboot()
                try await cut.start()
                try await cut.turn("postinst.sleep", to: "0")
                try await running.wait("the rebooted host is there again") {
                    (try? await rebooted.turn("canopsinit.sleep", to: "0")) != nil
                }
            }
            result.ended(0)
            let run = try result.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded"])
            #expect(run["a1"].steps.contains { $0.id == "repair" && $0.outcome == "succeeded" }, "\(run["a1"].steps)")
            #expect(try await cut.shell("dpkg --audit").isEmpty)
            #expect(try await cut.canopsinitCalls().count == 1)
            #expect(run["a2"].step("canopsinit")?.tries == 2)
            #expect(run["a2"].step("packages")?.tries == 1)
            #expect(try await rebooted.canopsinitCalls().count == 2)
            #expect(try await rebooted.lines(of: "/var/lib/canopsis-db/canopsinit.ended").count == 1)
        }
    }

    @Test("a disk that is full, a repository that is gone or badly signed, a package lock that is held: said before, or waited for")
    func host() async throws {
        try await Operator.at("a1:deb12", "a2:deb12", "a3:deb9", "a4:deb9") { person, lab in
            let plan = try await person.fleet("plan", "--to", "3.26.0", "--waves", "4", "--max-failures", "4", "-o", "plan.json")
            plan.ended(0)
            try await lab["a1"].fillDisk(keepingBytes: 4 << 20)
            try await lab["a2"].breakRepository(.gone)
            try await lab["a3"].breakRepository(.signature)
            try await lab["a4"].holdPackageLock(seconds: 15)
            let result = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json", limit: .seconds(300))
            result.ended(3)
            let run = try result.document(RunDocument.self)
            #expect(run["a1"].outcome == "blocked")
            #expect(run["a1"].reason?.code == "state-not-saved")
            #expect(run["a1"].steps.isEmpty)
            #expect(try await lab["a1"].jobs().isEmpty, "a host without room was touched")
            for name in ["a2", "a3"] {
                #expect(run[name].outcome == "failed")
                #expect(run[name].steps.map(\.id) == ["check-database", "packages"])
                #expect(try await lab[name].installed() == "3.25.0-1")
                #expect(try await lab[name].canopsinitCalls().isEmpty)
            }
            #expect(run["a4"].outcome == "upgraded")
            let log = try await person.fleet("logs", run.run, "a4", "--raw")
            #expect(log.stdout.contains("(lab-lock-holder), which has the package manager's lock"), "the holder is named")

            // Mended, the same run goes on with all of them.
            for name in ["a1", "a2", "a3"] { try await lab[name].heal() }
            let again = try await person.fleet("retry", "--yes", "--output", "json", limit: .seconds(300))
            again.ended(3)
            let mended = try again.document(RunDocument.self)
            #expect(mended["a2"].outcome == "upgraded" && mended["a3"].outcome == "upgraded")
            // What was blocked takes a new plan.
            #expect(mended["a1"].outcome == "blocked")
        }
    }

    @Test("two coordinators started at the same moment: each host is upgraded once, the other puts it off and names who has it")
    func twoCoordinators() async throws {
        try await Operator.at("a1:deb12", "a2:deb9") { person, lab in
            for host in lab.hosts { try await host.turn("canopsinit.sleep", to: "3") }
            let plan = try await person.fleet("plan", "--to", "3.26.0", "--waves", "2", "--max-failures", "2", "-o", "plan.json")
            plan.ended(0)
            async let first = person.fleet("upgrade", "plan.json", "--yes", "--logs", "logs-1", "--output", "json")
            async let second = person.fleet("upgrade", "plan.json", "--yes", "--logs", "logs-2", "--output", "json")
            let runs = try await [first, second].map { try $0.document(RunDocument.self) }
            for host in lab.hosts {
                let outcomes = runs.map { $0[host.name].outcome }.sorted()
                #expect(outcomes == ["deferred", "upgraded"], "\(host.name): \(outcomes)")
                #expect(try await host.canopsinitCalls() == [""])
                #expect(try await host.jobs().count == 7)
                for run in runs where run[host.name].outcome == "deferred" {
                    #expect(run[host.name].reason?.code == "host-locked")
                    #expect(run[host.name].reason?.text.contains("ana@") == true)
                }
            }
        }
    }

    @Test("where the coordinator's disk fills up the run is left, and resume goes on once there is room; nothing is doubled or lost")
    func coordinatorDisk() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            let room = person.folder + "/small"
            try FileManager.default.createDirectory(atPath: room, withIntermediateDirectories: true)
            try await person.shell("mount -t tmpfs -o size=3m tmpfs '\(room)'")
            do {
                try await host.turn("canopsinit.flood", to: "12")
                let full = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--logs", room, "--output", "json")
                full.ended(1)
                #expect(full.stdout.contains("fleet resume"), "\(full.stdout)")
                try await person.shell("mount -o remount,size=64m '\(room)'")
                let resumed = try await person.fleet("resume", "--yes", "--logs", room, "--output", "json")
                resumed.ended(0)
                let run = try resumed.document(RunDocument.self)
                #expect(run.outcomes == ["a1": "upgraded"])
                #expect(try await host.canopsinitCalls() == [""])
                let sizes = try await person.shell("wc -c <'\(room)/\(run.run)/a1.log'")
                #expect((Int(sizes.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 12 << 20)
                let sums = try await host.shell("md5sum </var/lib/fleet/jobs/\(run.run)/04-canopsinit/output")
                let local = try await person.shell(
                    "sed -n '/^==> canopsinit: /,/^==> restore-accounts: /p' '\(room)/\(run.run)/a1.log' | sed '1,/^==> output$/d' | sed '$d' | md5sum"
                )
                #expect(sums == local)
            } catch {
                _ = try? await person.shell("umount -l '\(room)'")
                throw error
            }
            try await person.shell("umount -l '\(room)'")
        }
    }

    @Test("200 MB of output, and an sshd that the upgrade itself restarts: nothing is lost, and the coordinator's memory is bounded")
    func steps() async throws {
        try await Operator.at("a1:deb12", "a2:deb12") { person, lab in
            try await lab["a1"].turn("canopsinit.flood", to: "200")
            try await lab["a2"].turn("lab-tool.restart-ssh", to: "1")
            let result = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "2", "--yes", "--output", "json", limit: .seconds(400))
            result.ended(0)
            let run = try result.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded"])
            #expect(result.peakResidentBytes < 200 << 20, "\(result.peakResidentBytes) bytes of memory")
            let size = try await person.shell("wc -c <'\(person.logs)/\(run.run)/a1.log'")
            #expect((Int(size.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 200 << 20)
            for host in lab.hosts { #expect(try await host.canopsinitCalls().count == 1) }
        }
    }
}

extension Operator {
    /// Runs a line of shell on this machine and returns what it wrote to stdout.
    @discardableResult
    func shell(_ line: String) async throws -> String {
        let outcome = try await run(
            .path("/bin/sh"), arguments: ["-c", line], input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
        guard outcome.terminationStatus.isSuccess else { throw Trouble("\(line): \(outcome.standardError)") }
        return outcome.standardOutput
    }

    /// Expects what each job of a host wrote in the log of a run once, whole and in order.
    func expectWholeLog(of host: LabHost, in run: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let log = try read("\(logs)/\(run)/\(host.name).log")
        var rest = log[...]
        for job in try await host.jobs() where job.hasPrefix(run) {
            let output = try await host.shell("cat /var/lib/fleet/jobs/\(job)/output")
            guard let found = rest.range(of: "==> output\n\(output)") else {
                Issue.record("the output of \(job) is not in the log as a whole", sourceLocation: sourceLocation)
                return
            }
            rest = rest[found.upperBound...]
            #expect(rest.isEmpty || rest.hasPrefix("==> "), "bytes too many after \(job)", sourceLocation: sourceLocation)
        }
    }
}
