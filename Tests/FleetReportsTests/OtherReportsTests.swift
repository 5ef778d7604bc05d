import FleetCore
import FleetReports
import Foundation
import Testing

@Suite("The answers to a command")
struct ExecReportTests {
    private func output(_ name: String, _ ending: ExecEnding = .exited(0), _ stdout: String = "", _ stderr: String = "") -> HostOutput {
        HostOutput(name: Samples.name(name), ending: ending, stdout: Array(stdout.utf8), stderr: Array(stderr.utf8))
    }

    private var report: ExecReport {
        ExecReport(
            command: "cat /etc/debian_version",
            outputs: [
                output("web01", .exited(0), "12.5\n"), output("web02", .exited(0), "12.5\n"), output("web03", .exited(0), "12.4\n"),
                output("web07", .exited(0), "12.5\n"), output("db", .exited(1), "", "cat: /etc/debian_version: No such file\r\n"),
                output("db2", .killed(signal: "KILL"), "a\u{1b}[2J\n\nb"),
                HostOutput(
                    name: Samples.name("gone"), ending: .unreachable, reason: Reason(.connectFailed, ["words": "connection refused"])),
            ])
    }

    @Test("equal answers are shown once under the folded host set")
    func text() throws {
        try expectGolden(report.text(.plain) + report.summary + "\n", "exec.txt")
        expectFitsPage(report.text(.plain))
        #expect(report.exitStatus == .failed)
        #expect(report.endings["db2"] == "killed KILL")
    }

    @Test("as JSON each host has its own output")
    func json() throws { try expectGolden(report.json(), "exec.json") }

    @Test("the same output with another status is another answer")
    func statusDiffers() {
        let text = ExecReport(command: "x", outputs: [output("a1", .exited(0), "same"), output("a2", .exited(3), "same")]).text(.plain)
        #expect(!text.contains("a[1-2]"))
        #expect(text.contains("a2: exit status 3"))
    }

    @Test("the same bytes on the other stream, or cut short, are another answer")
    func streamDiffers() {
        var cut = output("a3", .exited(0), "same")
        cut.isTruncated = true
        let text = ExecReport(command: "x", outputs: [output("a1", .exited(0), "same"), output("a2", .exited(0), "", "same"), cut]).text(
            .plain)
        #expect(!text.contains("["))
        #expect(text.contains("the rest was dropped"))
    }

    @Test(
        "is 0 only if every host said 0",
        arguments: [(ExecEnding.exited(0), 0), (.exited(1), 3), (.unreported, 4), (.unreachable, 4)] as [(ExecEnding, Int32)])
    func status(_ ending: ExecEnding, _ status: Int32) {
        #expect(ExecReport(command: "x", outputs: [output("a"), output("b", ending)]).exitStatus.rawValue == status)
        #expect(ExecReport(command: "x", outputs: [output("b", ending)], interruption: .interrupted).exitStatus.rawValue == 130)
    }

    @Test("bytes that are no text neither break the JSON nor the terminal")
    func notText() throws {
        let report = ExecReport(
            command: "x", outputs: [HostOutput(name: Samples.name("a"), ending: .exited(0), stdout: [0xff, 0, 0x9b, 0x1b])])
        expectFitsPage(report.text(.plain))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) }
    }
}

@Suite("Reports before a run")
struct PlanningReportsTests {
    @Test("a plan shows waves, folded commands, who is left out and who is interrupted")
    func plan() throws {
        let report = PlanReport(
            Samples.plan, digest: "9f2c4d5e6f708192a3b4", budget: "Stops at failure number 1.", reading: Samples.nothingToRead)
        try expectGolden(report.text(.plain), "plan.txt")
        expectFitsPage(report.text(.plain))
        try expectGolden(report.json(), "plan.json")
    }

    @Test("a plan says each rule it has beside waves, places and budget")
    func rules() throws {
        var plan = Samples.plan
        plan.hosts.removeAll { $0.host.name.text != "acme-1" }
        plan.waves = [plan.waves[0]]
        plan.policy.spread = .customer
        plan.policy.limits = ["site": 2, "rack": 1]
        plan.policy.pause = .seconds(600)
        plan.hooks = [
            .afterHost: Hook(command: ["/srv/fleet/notify", "a host"], limit: .seconds(30), onFailure: .warn),
            .beforeRun: Hook(command: ["true"], onFailure: .stop),
        ]
        let paused = PlanReport(plan, digest: "9f2c4d5e6f708192a3b4", budget: "Stops at failure number 1.", reading: Samples.nothingToRead)
        try expectGolden(paused.text(.plain, withCommands: false), "plan-rules.txt")
        try expectGolden(paused.json(), "plan-rules.json")
        plan.policy = RolloutPolicy(approve: true)
        let approved = PlanReport(plan, digest: "d", budget: "b", reading: Samples.nothingToRead)
        #expect(approved.text(.plain).contains("each wave but the first waits for `fleet approve`"))
        #expect(!approved.text(.plain).contains("pause"))
        #expect(try approved.json().contains("\"approve\" : true"))
    }

    @Test("a plan without work says that nobody is touched")
    func idlePlan() {
        var plan = Samples.plan
        plan.hosts.removeAll { $0.steps.isEmpty == false }
        plan.waves = []
        let text = PlanReport(plan, digest: "d", budget: "b", reading: Samples.nothingToRead).text(.plain)
        #expect(text.contains("no host will be touched"))
        #expect(!text.contains("interrupted"))
    }

    private var checked: [CheckedHost] {
        func host(_ name: String) -> FleetCore.Host { FleetCore.Host(name: Samples.name(name), address: "\(name).example.net") }
        let pass = GateFinding(gate: "root", verdict: .pass, text: "root", remedy: "")
        let warn = GateFinding(gate: "system", verdict: .warn, text: "debian 13 is not a system the vendor names", remedy: "Ask first.")
        return [
            CheckedHost(host: host("acme-1"), facts: Samples.facts(), upgradeClass: .intermediate, findings: [pass]),
            CheckedHost(
                host: host("acme-2"), facts: Samples.facts(OperatingSystem(id: "debian", version: "13", name: "trixie\u{7}")),
                upgradeClass: .intermediate, findings: [pass, warn]),
            CheckedHost(host: host("initech"), facts: Samples.facts(), upgradeClass: .intermediate, findings: [pass, Samples.noDisk]),
            CheckedHost(host: host("acme-3"), facts: Samples.facts(), upgradeClass: .intermediate, findings: [pass]),
            CheckedHost(
                host: host("hooli"), facts: Samples.facts(), upgradeClass: .intermediate, findings: [pass, Samples.noDiskOverridden]),
            CheckedHost(host: host("umbrella"), facts: nil, unreachable: Reason(.connectFailed, ["words": "connection refused"])),
        ]
    }

    @Test("a check says of every host whether it can be upgraded, and why not")
    func check() throws {
        let report = CheckReport(checked, target: Samples.target)
        try expectGolden(report.text(.plain), "check.txt")
        expectFitsPage(report.text(.plain))
        try expectGolden(report.json(), "check.json")
        #expect(report.exitStatus == .failed)
    }

    @Test("a host without facts is never ready")
    func noFacts() {
        #expect(CheckedHost(host: FleetCore.Host(name: Samples.name("a"), address: "a"), facts: nil).verdict == .blocked)
    }

    @Test("a look at instances says of each how it is, and what is wrong or could not be told")
    func verify() throws {
        let units = [
            UnitState(
                name: "canopsis-engine@dynamic-alerts.service", load: "loaded", active: "failed", sub: "failed", file: "enabled",
                result: "exit-code", mainPID: 0, startedMicroseconds: 1),
            UnitState(
                name: "canopsis-webserver.service", load: "loaded", active: "active", sub: "running", file: "enabled", result: "success",
                mainPID: 7, startedMicroseconds: 1),
        ]
        func health(_ name: String, _ units: [UnitState], _ login: LoginReading, _ database: DatabaseReading) -> InstanceHealth {
            var facts = Samples.facts()
            facts.units = units
            facts.versionFile = Samples.before
            let declared = DeclaredInstance(version: Samples.before, edition: "core", stack: "python")
            return InstanceHealth(
                of: FleetCore.Host(name: Samples.name(name), address: name), before: units, facts: facts, web: .says(declared),
                login: login, database: database, wanted: nil)
        }
        let well = DatabaseReading.says(DeclaredInstance(version: Samples.before, edition: "core", stack: "python"))
        let report = VerifyReport(
            [
                (Samples.name("acme-1"), health("acme-1", [units[1]], .accepted, well)),
                (Samples.name("acme-2"), health("acme-2", units, .refused("a redirect (HTTP status 302)"), well)),
                (
                    Samples.name("globex"),
                    health(
                        "globex", [units[1]], .notTried("the inventory names no account for it"), .couldNotTell("no client\u{1b}[2J"))
                ),
                (Samples.name("umbrella"), InstanceHealth(unasked: Reason(.connectFailed, ["words": "connection refused"]))),
            ], expected: nil)
        try expectGolden(report.text(.plain), "verify.txt")
        expectFitsPage(report.text(.plain))
        try expectGolden(report.json(), "verify.json")
        #expect(report.exitStatus == .failed)
        #expect(VerifyReport([], expected: nil).exitStatus == .done)
    }

    @Test("the hosts on file with every default resolved")
    func hosts() throws {
        let report = HostsReport([
            FleetCore.Host(name: Samples.name("acme-1"), address: "acme-1.example.net", groups: ["production"]),
            FleetCore.Host(
                name: Samples.name("globex-01"), address: "2001:db8::1", port: 2222, user: "deploy", identity: "/home/ana/.ssh/id",
                become: .sudo, edition: .cat, stack: .go, packages: .canopsis, customer: "globex",
                labels: ["site": "paris", "rack": "12"], addons: ["acme-dashboards", "sla"], services: .remote,
                overrides: ["disk-space": "the disk grows with use"],
                web: WebAccess(
                    address: WebAddress("https://globex.example.net/canopsis") ?? .usual, user: "probe",
                    passwordFile: "/home/ana/secrets/globex"),
                groups: ["production", "paris"]),
        ])
        try expectGolden(report.text(.plain), "hosts.txt")
        expectFitsPage(report.text(.plain))
        try expectGolden(report.json(), "hosts.json")
        let none = FleetCore.Host(name: Samples.name("a"), address: "a", addons: [])
        #expect(try HostsReport([none]).json().contains("\"addons\" : [\n\n      ]"), "none are a list, nothing said is null")
    }
}
