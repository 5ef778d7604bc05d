import Foundation
import Subprocess
import TestSupport
import Testing

/// Whole upgrades of real hosts, as an operator starts them.
@Suite("an upgrade of real hosts", .timeLimit(.minutes(30)))
struct UpgradeTests {
    /// The steps of a host that has a client for its database, in their order; the last one is no job.
    static let steps = [
        "check-database", "packages", "save-accounts", "canopsinit", "restore-accounts", "daemon-reload", "restart", "verify",
    ]

    /// The folders of the jobs of these steps on a host.
    static func jobs(of run: String) -> [String] { steps.dropLast().enumerated().map { "\(run)/0\($0 + 1)-\($1)" } }

    @Test("five hosts of four systems go to the target in waves, no further though more is on offer; a second upgrade touches none")
    func wavesAndThenNothing() async throws {
        let settings = [
            "a1": "customer: acme", "a2": "user: ops, become: sudo", "a3": "user: dashy, become: sudo, packages: canopsis",
            "a4": "customer: globex", "a5": "packages: canopsis",
        ]
        try await Operator.at(
            "a1:deb9:noisy", "a2:deb8:noisy", "a3:deb12:plain", "a4:deb12:noisy", "a5:rpm:noisy", hosts: settings
        ) { person, lab in
            // What a login shell prints there is part of what a step wrote.
            try await lab["a1"].shell(#"echo 'printf "\\033[31mBonjour\\377\\033[0m\\r\\n"' >/etc/profile.d/colours.sh"#)
            let conf = "/opt/canopsis/etc/webserver.conf"
            try await lab["a5"].shell("echo '# ours' >>\(conf)")
            let first = try await person.fleet("upgrade", "--to", "3.26.0", "--waves", "1,2", "--yes", "--output", "json")
            first.ended(0)
            let run = try first.document(RunDocument.self)
            #expect(run.target == "3.26.0")
            #expect(run.outcome == "succeeded")
            #expect(run.exit_status == 0)
            #expect(run.counts == ["upgraded": 5])
            #expect(run.hosts.map(\.name) == ["a1", "a2", "a3", "a4", "a5"])
            #expect(run.hosts.map(\.wave) == [1, 2, 2, 3, 3])
            for host in run.hosts {
                #expect(host.from == "3.25.0")
                #expect(host.to == "3.26.0")
                #expect(host.steps.map(\.id) == Self.steps)
                #expect(host.steps.allSatisfy { $0.outcome == "succeeded" })
            }
            try await expectUpgradedOnce(lab, run: run.run)
            // The scope "system" takes the rest of the system along, the scope "canopsis" does not.
            for (name, version) in ["a1": "1.1", "a2": "1.1", "a3": "1.0", "a4": "1.1", "a5": "1.0"] {
                #expect(try await lab[name].installed("lab-tool").hasPrefix(version), "lab-tool on \(name)")
            }
            #expect(try await lab["a5"].shell("tail -n 1 \(conf); head -n 1 \(conf).rpmnew") == "# ours\n# Shipped with Canopsis 3.26.0\n")
            #expect(first.stderr.contains("Z a2: UPGRADED 3.25.0 -> 3.26.0"))
            #expect(!first.stderr.contains("\u{1b}"), "stderr is no terminal")

            let second = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
            second.ended(0)
            let nothing = try second.document(RunDocument.self)
            #expect(nothing.counts == ["skipped": 5])
            #expect(nothing.hosts.allSatisfy { $0.steps.isEmpty && $0.reason?.code == "already-at-target" })
            try await expectUpgradedOnce(lab, run: run.run)

            try await readBack(person, run: run.run, second: nothing.run)
            let login = try await person.fleet("exec", "-l", "a1,a2,a3", "--", "id", "-un")
            login.ended(0)
            #expect(login.stdout.contains("    ops\n") && login.stdout.contains("    dashy\n"))
            let root = try await person.fleet("exec", "--become", "-l", "a2,a3", "--", "id -un && cat /opt/canopsis/VERSION.txt | wc -l")
            root.ended(0)
            #expect(root.stdout == "a[2-3] (2 hosts): exit status 0\n    root\n    1\n")
        }
    }

    /// Says what the hosts themselves say: the exact version, one call of canopsinit without options, the jobs of one run.
    private func expectUpgradedOnce(_ lab: Lab, run: String) async throws {
        for host in lab.hosts {
            #expect(try await host.installed().hasPrefix("3.26.0-1"), "\(host.name)")
            #expect(try await host.shell("cat /opt/canopsis/VERSION.txt").contains("3.26.0"), "\(host.name)")
            #expect(try await host.canopsinitCalls() == [""], "\(host.name)")
            #expect(try await host.lines(of: "/var/log/fleet-lab/canoctl.count").count == 1, "\(host.name)")
            #expect(
                try await host.jobs() == Self.jobs(of: run),
                "\(host.name)")
        }
    }

    /// The same run, read back with the commands that read the journal.
    private func readBack(_ person: Operator, run: String, second: String) async throws {
        let report = try await person.fleet("report", run, "--output", "json")
        report.ended(0)
        let again = try report.document(RunDocument.self)
        #expect(again.run == run)
        #expect(again.counts == ["upgraded": 5])

        let status = try await person.fleet("status", run, "--output", "json")
        status.ended(0)
        #expect(try status.document(RunDocument.self).outcome == "succeeded")

        let latest = try await person.fleet("report")
        latest.ended(0)
        #expect(latest.stdout.contains("Run \(second): succeeded"))
        #expect(latest.stdout.contains("5 skipped"))
        #expect(latest.stderr.isEmpty)

        let history = try await person.fleet("history", "--output", "json")
        history.ended(0)
        let runs = try history.document(HistoryDocument.self).runs
        #expect(runs.map(\.run) == [second, run])
        #expect(runs.map(\.target) == ["3.26.0", "3.26.0"])
        #expect(runs.allSatisfy { $0.kind == "upgrade" && $0.exit_status == 0 && $0.person == "ana" })

        let log = try await person.fleet("logs", run, "a1")
        log.ended(0)
        #expect(log.stdout.contains("==> packages"))
        #expect(log.stdout.contains("Setting up canopsis-core (3.26.0-1)"))
        #expect(log.stdout.contains("migrationtool module rights"))

        #expect(log.stdout.contains("\\x1b[31mBonjour\u{fffd}\\x1b[0m"))
        #expect(!log.stdout.contains("\u{1b}"))
        let raw = try await person.fleet("logs", run, "a1", "--raw")
        raw.ended(0)
        #expect(raw.stdout.contains("\u{1b}[31mBonjour\u{fffd}\u{1b}[0m\r\n"))

        let stranger = try await person.fleet("logs", run, "b9")
        stranger.ended(2)
        #expect(stranger.stderr.contains("has no host b9"))
        #expect(stranger.stderr.contains("a[1-5]"))

        let events = try read("\(person.logs)/\(run)/events.jsonl").split(separator: "\n")
        for line in events { #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)") }
    }

    @Test("a failed step and an engine that dies after the restart both stop the run; hosts never begun are named and untouched")
    func budgetIsSpent() async throws {
        try await Operator.at("a1:deb9", "a2:deb9", "a3:deb12", "a4:deb12", "a5:deb9") { person, lab in
            try await lab["a2"].turn("canopsinit.fail-at", to: "rights")
            try await lab["a3"].turn("engine-dynamic-context-graph.fail", to: "1")

            let run = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "1,4", "--at-once", "2", "--max-failures", "1", "--yes", "--output", "json")
            run.ended(5)
            let document = try run.document(RunDocument.self)
            #expect(document.outcome == "stopped")
            #expect(document.exit_status == 5)
            #expect(
                document.outcomes == ["a1": "upgraded", "a2": "failed", "a3": "failed", "a4": "not_started", "a5": "not_started"])
            #expect(document.hosts.map(\.wave) == [1, 2, 2, 2, 2])

            let migration = document["a2"].steps.last
            #expect(migration?.id == "canopsinit")
            #expect(migration?.outcome == "failed")
            #expect(migration?.exit == 2)
            #expect(migration?.reason?.text.contains("OperationFailure: lab knob: module rights") == true)
            #expect(document["a2"].reason?.code == "job-exited")
            #expect(try await lab["a2"].lines(of: "/var/log/fleet-lab/canoctl.count").isEmpty, "a failed host takes no further step")

            // canoctl said that all was well; the host's own journal says what was not.
            #expect(document["a3"].step("restart")?.exit == 0)
            let verification = document["a3"].steps.last
            #expect(verification?.id == "verify")
            #expect(verification?.outcome == "failed")
            #expect(verification?.reason?.text.contains("canopsis-engine@dynamic-context-graph.service") == true)
            #expect(verification?.reason?.text.contains("RuntimeError: lab knob") == true)

            for name in ["a4", "a5"] {
                #expect(document[name].reason?.code == "rollout-stopped")
                #expect(document[name].steps.isEmpty)
                #expect(document[name].started == nil)
                #expect(try await lab[name].jobs().isEmpty, "\(name) was begun")
                #expect(try await lab[name].canopsinitCalls().isEmpty, "\(name) was begun")
                #expect(try await lab[name].installed() == "3.25.0-1")
            }

            let report = try await person.fleet("report", document.run)
            report.ended(0)
            let unwrapped = report.stdout.replacingOccurrences(of: "\n  | ", with: "")
            #expect(unwrapped.contains("OperationFailure: lab knob: module rights"))
            #expect(unwrapped.contains("RuntimeError: lab knob"))
            #expect(report.stdout.contains("not started"))
            let status = try await person.fleet("status")
            status.ended(0)
            #expect(status.stdout.contains("stopped"))
            #expect(status.stdout.contains("a2 failed at canopsinit"))

            // The packages are there, the rest is not: a host that looks upgraded is put off by every other run.
            let other = try await person.fleet("upgrade", "-l", "a[1:3]", "--to", "3.26.0", "--yes", "--output", "json")
            other.ended(7)
            let put = try other.document(RunDocument.self)
            #expect(put.outcomes == ["a1": "skipped", "a2": "deferred", "a3": "deferred"])
            #expect(put["a2"].reason?.code == "left-unfinished")
            #expect(put["a2"].reason?.text.contains(document.run) == true)
            let locks = try await person.fleet("lock", "list")
            locks.ended(0)
            #expect(locks.stdout.contains("unfinished"))

            // Once it is mended, its own run goes on at the step it failed at, and with the hosts that were never begun.
            try await lab["a2"].shell("rm /etc/fleet-test/canopsinit.fail-at")
            try await lab["a3"].shell("rm /etc/fleet-test/engine-dynamic-context-graph.fail")
            let again = try await person.fleet("retry", document.run, "--yes", "--output", "json")
            again.ended(0)
            let mended = try again.document(RunDocument.self)
            #expect(mended.outcomes.values.allSatisfy { $0 == "upgraded" }, "\(mended.outcomes)")
            #expect(mended["a2"].steps.map(\.id) == Self.steps)
            #expect(mended["a2"].steps.map(\.tries) == [1, 1, 1, 2, 1, 1, 1, 1])
            #expect(mended["a3"].steps.map(\.tries) == [1, 1, 1, 1, 1, 1, 2, 1])
            #expect(try await lab["a2"].canopsinitCalls() == ["", ""])
            #expect(try await lab["a1"].canopsinitCalls() == [""])
            #expect(try await lab["a3"].canopsinitCalls() == [""])
        }
    }

    @Test("a host unplugged after planning is unreachable, the others are upgraded")
    func unpluggedAfterPlanning() async throws {
        try await Operator.at("a1:deb9", "a2:deb12", "a3:deb9") { person, lab in
            let plan = try await person.fleet(
                "plan", "--to", "3.26.0", "--waves", "1,4", "--max-failures", "1", "-o", "plan.json", "--output", "json")
            plan.ended(0)
            let planned = try plan.document(PlanDocumentForTests.self)
            #expect(planned.waves.map(\.hosts) == [["a1"], ["a2", "a3"]])
            #expect(planned.interrupted == ["a1", "a2", "a3"])
            for host in lab.hosts { #expect(try await host.jobs().isEmpty, "a plan touches nothing") }
            try await lab["a2"].cut()

            let run = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json")
            run.ended(4)
            let document = try run.document(RunDocument.self)
            #expect(document.outcome == "incomplete")
            #expect(document.outcomes == ["a1": "upgraded", "a2": "unreachable", "a3": "upgraded"])
            #expect(document["a2"].reason?.code == "connect-failed")
            #expect(document["a2"].steps.isEmpty)
            #expect(try await lab["a2"].jobs().isEmpty)
            #expect(try await lab["a2"].installed() == "3.25.0-1")
            #expect(try await lab["a3"].installed() == "3.26.0-1")
        }
    }

    @Test("canopsinit is told edition and stack where they are not core and python; edited configuration is kept; nosudo is blocked")
    func declaredEdition() async throws {
        let settings = [
            "a1": "edition: core, stack: go", "a2": "user: nosudo, become: sudo", "a3": "user: nosudo", "a4": "edition: cat, stack: python",
        ]
        try await Operator.at("a1:deb9:go", "a2:deb12", "a3:rpm", "a4:deb9:python:cat", hosts: settings) { person, lab in
            let conf = "/opt/canopsis/etc/webserver.conf"
            try await lab["a1"].shell("echo '# ours' >>\(conf)")
            try await lab["a4"].shell("mkdir -p /opt/canopsis/lib/python2.7/site-packages/canopsis_cat")

            let run = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "100%", "--yes", "--output", "json")
            run.ended(3)
            let document = try run.document(RunDocument.self)
            #expect(document.outcomes == ["a1": "upgraded", "a2": "blocked", "a3": "blocked", "a4": "upgraded"])
            #expect(try await lab["a1"].canopsinitCalls() == ["--canopsis-edition core --canopsis-stack go"])
            #expect(try await lab["a4"].canopsinitCalls() == ["--canopsis-edition cat --canopsis-stack python"])
            let database = try await lab["a4"].shell("cat /var/lib/canopsis-db/canopsis/configuration.json")
            #expect(database.contains(#""edition": "cat""#))

            #expect(try await lab["a1"].shell("tail -n 1 \(conf)") == "# ours\n")
            #expect(try await lab["a1"].shell("head -n 1 \(conf)").contains("3.25.0"))
            #expect(try await lab["a1"].shell("head -n 1 \(conf).dpkg-dist").contains("3.26.0"))

            for name in ["a2", "a3"] {
                #expect(document[name].steps.isEmpty)
                #expect(try await lab[name].jobs().isEmpty)
                #expect(try await lab[name].installed().hasPrefix("3.25.0-1"))
            }
            let become = try await person.fleet("exec", "--become", "-l", "a2", "--output", "json", "--", "id")
            become.ended(3)
            #expect(try become.document(ExecDocument.self).hosts.first?.stdout.isEmpty == true)

            let check = try await person.fleet("check", "-l", "a2,a3", "--to", "3.26.0", "--output", "json")
            check.ended(3)
            for host in try check.document(CheckDocument.self).hosts {
                let finding = host.findings.first { $0.verdict == "block" }
                #expect(finding?.gate == "root")
                #expect(finding?.remedy.contains("sudo") == true, "\(finding?.remedy ?? "no remedy")")
            }
        }
    }
}
