import FleetCore
import Subprocess
import TestSupport
import Testing

@Suite("What add-ons ask for, in a plan")
struct AddOnTests {
    private static let target = CanopsisVersion(3, 26, 0)

    private static func step(_ id: String, check: String? = nil, _ change: (inout ReleaseStep) -> Void = { _ in }) -> AddOnStep {
        var work = ReleaseStep(
            id: id, phase: .afterRestart, kind: .shell, title: "Title of \(id)", text: "", work: .shell("echo \(id)\n"), limit: .seconds(90)
        )
        change(&work)
        return AddOnStep(work: work, check: check)
    }

    /// Plans one host whose inventory names these add-ons.
    private static func planned(
        _ addOns: [AddOn], named names: [String]?, asking releaseSteps: [ReleaseStep] = [], _ change: (inout HostFacts) -> Void = { _ in }
    ) throws -> PlannedHost {
        let name = try host("h1")
        var facts = HostFacts.example(identity: HostIdentity(machineID: "id", hostKey: "SHA256:x"), version: "3.25.0")
        facts.freeBytes = Dictionary(uniqueKeysWithValues: HostFacts.diskPaths.map { ($0, 50 << 30) })
        change(&facts)
        var planner = Planner(
            target: target, policy: RolloutPolicy(), catalogue: Catalogue([Release(version: target, steps: releaseSteps)]), fleet: "test",
            created: "2026-01-01T00:00:00Z")
        planner.addOns = addOns
        let plan = try planner.plan([Host(name: name, address: "h1", addons: names, accounts: .keepReset)], given: [name: .facts(facts)])
        return try #require(plan.hosts.first)
    }

    @Test("a host whose inventory says nothing of add-ons is blocked with a cure, and has no step")
    func nothingSaid() throws {
        let planned = try Self.planned([], named: nil)
        guard case .block(let reason) = planned.disposition else {
            Issue.record("\(planned.disposition)")
            return
        }
        #expect(reason.parameters["gate"] == "addons")
        #expect(reason.parameters["remedy"] == "write `addons: none` if there are none, else list the step files")
        #expect(planned.steps.isEmpty)
        #expect(try Self.planned([], named: []).disposition == .upgrade(wave: 1))
    }

    @Test("steps stand at the end of their phase, after the releases' and in the order of the inventory, and say where they come from")
    func places() throws {
        let acme = AddOn(
            name: "acme", steps: [Self.step("acme.last"), Self.step("acme.first") { $0.phase = .beforePackages }])
        let other = AddOn(name: "other", steps: [Self.step("other.last"), Self.step("other.cat") { $0.conditions = [.edition(.cat)] }])
        let release = ReleaseStep(
            id: "3.26.0-x", phase: .afterRestart, kind: .shell, title: "x", text: "x", work: .shell("true\n"))
        let unnamed = AddOn(name: "unnamed", steps: [Self.step("unnamed.step")])
        let steps = try Self.planned([acme, other, unnamed], named: ["other", "acme"], asking: [release]).steps
        let names = steps.map(\.id.rawValue).filter { $0 != "check-database" }
        #expect(
            names == [
                "acme.first", "packages", "canopsinit", "daemon-reload", "restart", "3.26.0-x", "other.last", "acme.last", "verify",
            ])
        let last = try #require(steps.first { $0.id.rawValue == "acme.last" })
        #expect(last.origin == "add-on acme" && last.script == "echo acme.last\n" && last.limit == .seconds(90))
        #expect(last.kind == .job && !last.isRepeatable && last.title == "Title of acme.last")
    }

    @Test("a host that is brought to versions before the target has an add-on's steps once, at the beginning or with the target")
    func stepByStep() throws {
        let name = try host("h1")
        var facts = HostFacts.example(identity: HostIdentity(machineID: "id", hostKey: "SHA256:x"), version: "3.25.0")
        facts.freeBytes = Dictionary(uniqueKeysWithValues: HostFacts.diskPaths.map { ($0, 50 << 30) })
        facts.offer = .packages(["3.26.0", "3.27.0"].map { Package(name: "canopsis-core", version: "\($0)-1") })
        var planner = Planner(
            target: CanopsisVersion(3, 27, 0), policy: RolloutPolicy(stepByStep: [Self.target]),
            catalogue: Catalogue([Release(version: Self.target), Release(version: CanopsisVersion(3, 27, 0))]), fleet: "test",
            created: "2026-01-01T00:00:00Z")
        planner.addOns = [AddOn(name: "acme", steps: [Self.step("acme.last"), Self.step("acme.first") { $0.phase = .beforePackages }])]
        let plan = try planner.plan([Host(name: name, address: "h1", addons: ["acme"])], given: [name: .facts(facts)])
        let names = try #require(plan.hosts.first).steps.map(\.id.rawValue)
        #expect(names.filter { $0.hasPrefix("acme.") } == ["acme.first", "acme.last"])
        let (first, last) = (names.firstIndex(of: "acme.first") ?? .max, names.firstIndex(of: "acme.last") ?? -1)
        #expect(first < names.firstIndex(of: "to-3.26.0.packages") ?? -1 && last > names.firstIndex(of: "restart") ?? .max)
    }

    @Test("what facts decided stands beside the step; what they don't say makes it a question for a person")
    func conditions() throws {
        let probe = try #require(FileProbe(path: "/etc/acme", text: "x"))
        let acme = AddOn(
            name: "acme",
            steps: [
                Self.step("acme.core") { $0.conditions = [.edition(.core)] }, Self.step("acme.go") { $0.conditions = [.stack(.go)] },
                Self.step("acme.file", check: "test -e /y") { $0.conditions = [.fileContains(probe)] },
                Self.step("acme.hand") { ($0.kind, $0.work, $0.text) = (.manual, nil, "Do it by hand.") },
            ])
        let steps = try Self.planned([acme], named: ["acme"]).steps.filter { $0.origin != nil }
        #expect(steps.map(\.id.rawValue) == ["acme.core", "acme.file", "acme.hand"])
        #expect(steps.map(\.kind) == [.job, .manual, .manual])
        #expect(steps[0].because == ["the edition is core"])
        let question = steps[1].instruction
        #expect(question.hasPrefix("Fleet does not know whether this host needs it: nobody could tell whether /etc/acme has x."))
        #expect(question.contains("echo acme.file") && question.contains("test -e /y") && steps[1].script.isEmpty)
        #expect(steps[2].instruction == "Do it by hand.")
        let known = try Self.planned([acme], named: ["acme"]) { $0.probes[probe] = .present }
        #expect(known.steps.first { $0.id.rawValue == "acme.file" }?.kind == .job)
    }

    @Test("engines are stopped around steps that need it, once for the releases' and the add-ons' together")
    func engines() throws {
        let release = ReleaseStep(
            id: "3.26.0-x", phase: .afterRestart, kind: .shell, title: "x", text: "x", work: .shell("true\n"), requiresEnginesStopped: true)
        let acme = AddOn(
            name: "acme", steps: [Self.step("acme.one") { $0.requiresEnginesStopped = true }, Self.step("acme.two")])
        let names = try Self.planned([acme], named: ["acme"], asking: [release]).steps.map(\.id.rawValue)
        #expect(names.suffix(6) == ["stop-engines-1", "3.26.0-x", "acme.one", "start-engines-1", "acme.two", "verify"])
    }

    @Test(
        "a step with a check succeeds only if both do, and the check is not passed over",
        arguments: [
            ("echo done", "echo seen", 0, "done\nseen\n"), ("exit 0", "exit 7", 7, ""), ("exit 3", "echo seen", 3, ""),
            ("echo done; exit 0 # at once", "echo seen # here", 0, "done\nseen\n"), ("set -e; false; echo done", "echo seen", 1, ""),
            ("cd /tmp\nx=1", "[ -z \"$x\" ]", 0, ""),
        ])
    func check(_ script: String, _ check: String, _ status: Int32, _ output: String) async throws {
        let ended = try await run(
            .name("sh"), arguments: ["-c", CheckedScript(script, check: check).text], output: .string(limit: 1000),
            error: .string(limit: 1000))
        #expect(ended.terminationStatus == .exited(status))
        #expect(ended.standardOutput == output)
        let saysSo = ended.standardError == "the check of this step failed\n"
        #expect(saysSo == (status == 7))
    }
}
