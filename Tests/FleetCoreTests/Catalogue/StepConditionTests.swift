import FleetCore
import Testing

@Suite("Conditions of a step")
struct StepConditionTests {
    private static let installed = CanopsisVersion(3, 25, 0)

    /// A CentOS 7 host with a Go engine that runs, one that is enabled and stopped, and one that is neither.
    static func facts(_ change: (inout HostFacts) -> Void = { _ in }) throws -> HostFacts {
        var facts = try FactsFixture("debian12-lab").facts()
        facts.system = OperatingSystem(id: "centos", version: "7", name: "CentOS Linux 7 (Core)")
        facts.installed = [Package(name: "canopsis-core", version: "3.25.0-1.el7")]
        facts.units = [
            unit("canopsis-engine-go@engine-axe.service", "active", "enabled"),
            unit("canopsis-engine-go@engine-stat.service", "inactive", "enabled"),
            unit("canopsis-engine@task_mail-task_mail.service", "inactive", "disabled"),
            unit("canopsis-engine@gone.service", "inactive", "enabled", load: "not-found"),
        ]
        change(&facts)
        return facts
    }

    private static func unit(_ name: String, _ active: String, _ file: String, load: String = "loaded") -> UnitState {
        UnitState(
            name: name, load: load, active: active, sub: active == "active" ? "running" : "dead", file: file, result: "success",
            mainPID: active == "active" ? 1 : 0, startedMicroseconds: 0)
    }

    static func host(_ edition: Edition = .cat, _ stack: Stack = .go) throws -> Host {
        Host(name: try #require(HostName("acme-1")), address: "127.0.0.1", edition: edition, stack: stack)
    }

    static func probe(_ text: String = "dynamic_infos") throws -> FileProbe {
        try #require(FileProbe(path: "/opt/canopsis/etc/webserver.conf", text: text))
    }

    private func finding(_ condition: StepCondition, _ change: (inout HostFacts) -> Void = { _ in }) throws -> ConditionFinding {
        condition.finding(facts: try Self.facts(change), host: try Self.host(), installed: Self.installed)
    }

    @Test(
        "facts decide, and the one that did is told",
        arguments: [
            (.system(id: "centos", versions: ["7"]), .holds, "the host is CentOS 7"),
            (.system(id: "centos", versions: []), .holds, "the host is CentOS 7"),
            (.system(id: "centos", versions: ["6", "8"]), .fails, "the host is CentOS 7"),
            (.system(id: "debian", versions: ["7"]), .fails, "the host is CentOS 7"),
            (.edition(.cat), .holds, "the edition is cat"), (.edition(.core), .fails, "the edition is cat"),
            (.stack(.go), .holds, "the stack is go"), (.stack(.python), .fails, "the stack is go"),
            (.install(.packages), .holds, "the package canopsis-core is installed"),
            (.install(.docker), .fails, "the package canopsis-core is installed"),
            (
                .unit(pattern: "canopsis-engine-go@engine-axe.service", .active), .holds,
                "canopsis-engine-go@engine-axe.service is active"
            ),
            (
                .unit(pattern: "canopsis-engine-go@engine-stat.service", .active), .fails,
                "canopsis-engine-go@engine-stat.service is not active"
            ),
            (
                .unit(pattern: "canopsis-engine-go@engine-stat.service", .enabled), .holds,
                "canopsis-engine-go@engine-stat.service is enabled"
            ),
            (
                .unit(pattern: "canopsis-engine@task_*.service", .enabled), .fails,
                "canopsis-engine@task_mail-task_mail.service is not enabled"
            ),
            (
                .unit(pattern: "canopsis-engine@task_*.service", .present), .holds,
                "canopsis-engine@task_mail-task_mail.service is present"
            ),
            (.unit(pattern: "canopsis-engine-go@*.service", .active), .holds, "canopsis-engine-go@engine-axe.service is active"),
            (.unit(pattern: "canopsis-engine@gone.service", .present), .fails, "there is no unit canopsis-engine@gone.service"),
            (.comesFrom(before: CanopsisVersion(3, 26, 0)), .holds, "3.25.0 is installed, older than 3.26.0"),
            (.comesFrom(before: CanopsisVersion(3, 25, 0)), .fails, "3.25.0 is installed, not older than 3.25.0"),
        ] as [(StepCondition, ConditionFinding.Verdict, String)])
    func decided(condition: StepCondition, verdict: ConditionFinding.Verdict, fact: String) throws {
        #expect(try finding(condition) == ConditionFinding(verdict, fact))
    }

    @Test("a version covers what begins with it and a dot, and nothing else")
    func systemVersions() throws {
        let condition = StepCondition.system(id: "centos", versions: ["7"])
        for (version, verdict) in [("7.9", ConditionFinding.Verdict.holds), ("77", .fails), ("8", .fails)] {
            #expect(try finding(condition) { $0.system.version = version }.verdict == verdict)
        }
    }

    @Test("a file has the text, lacks it, or is not there: then neither condition holds")
    func files() throws {
        let probe = try Self.probe()
        let (contains, lacks) = (StepCondition.fileContains(probe), StepCondition.fileLacks(probe))
        let table: [(ProbeAnswer, ConditionFinding.Verdict, ConditionFinding.Verdict, String)] = [
            (.present, .holds, .fails, "/opt/canopsis/etc/webserver.conf has a line with dynamic_infos"),
            (.absent, .fails, .holds, "/opt/canopsis/etc/webserver.conf has no line with dynamic_infos"),
            (.noFile, .fails, .fails, "there is no file /opt/canopsis/etc/webserver.conf"),
        ]
        for (answer, contained, lacked, fact) in table {
            #expect(try finding(contains) { $0.probes[probe] = answer } == ConditionFinding(contained, fact))
            #expect(try finding(lacks) { $0.probes[probe] = answer } == ConditionFinding(lacked, fact))
        }
    }

    @Test("what was not read is not known, and never taken for no")
    func unknown() throws {
        let probe = try Self.probe()
        #expect(try finding(.fileContains(probe)).verdict == .unknown)
        #expect(try finding(.fileLacks(probe)).verdict == .unknown)
        #expect(try finding(.system(id: "debian", versions: [])) { $0.system.id = "" }.verdict == .unknown)
        #expect(try finding(.system(id: "centos", versions: ["7"])) { $0.system.version = "" }.verdict == .unknown)
        let unread = try finding(.unit(pattern: "canopsis-webserver.service", .present)) {
            $0.unread = [FactsError(section: "units", problem: .empty)]
        }
        #expect(unread == ConditionFinding(.unknown, "the units could not be read"))
        for kind in InstallKind.allCases {
            let unread = try finding(.install(kind)) {
                $0.installed = []
                $0.unread = [FactsError(section: "packages", problem: .empty)]
            }
            #expect(unread == ConditionFinding(.unknown, "the installed packages could not be read"))
        }
        #expect(try finding(.install(.packages)) { $0.installed = [] }.verdict == .fails)
        #expect(try finding(.install(.docker)) { $0.installed = [] }.verdict == .unknown)
    }
}
