import FleetCore
import TestSupport
import Testing

@Suite("The planner")
struct PlannerTests {
    private static let target = CanopsisVersion(3, 26, 0)
    private static let catalogue = Catalogue(
        [(3, 25), (3, 26), (3, 27), (3, 28), (4, 0)].map { Release(version: CanopsisVersion($0.0, $0.1, 0)) })

    private static func planner(_ target: CanopsisVersion = target, _ policy: RolloutPolicy = RolloutPolicy()) -> Planner {
        Planner(target: target, policy: policy, catalogue: catalogue, fleet: "test", created: "2026-01-01T00:00:00Z")
    }

    private static func facts(_ name: HostName, version: String = "3.25.0", _ change: (inout HostFacts) -> Void = { _ in }) -> FactReading {
        var facts = HostFacts.example(identity: HostIdentity(machineID: "id of \(name)", hostKey: "SHA256:\(name)"), version: version)
        facts.freeBytes = Dictionary(uniqueKeysWithValues: HostFacts.diskPaths.map { ($0, 50 << 30) })
        change(&facts)
        return .facts(facts)
    }

    /// Plans one host with these facts.
    private static func planOne(
        _ target: CanopsisVersion = target, version: String = "3.25.0", _ change: (inout HostFacts) -> Void = { _ in }
    ) throws -> PlannedHost {
        let name = try host("h1")
        let plan = try planner(target).plan(
            [Host(name: name, address: "h1", addons: [])], given: [name: facts(name, version: version, change)])
        return try #require(plan.hosts.first)
    }

    private static func code(_ disposition: Disposition) -> String {
        switch disposition {
        case .upgrade(let wave): "upgrade in wave \(wave)"
        case .skip(let reason): "skip: \(reason.code.rawValue)"
        case .block(let reason): "block: \(reason.parameters["gate"] ?? reason.code.rawValue)"
        case .defer(let reason): "defer: \(reason.code.rawValue)"
        case .unreachable(let reason): "unreachable: \(reason.code.rawValue)"
        }
    }

    /// What is so on a host, and what is planned for it.
    private static let cases: [(version: String, target: CanopsisVersion, change: @Sendable (inout HostFacts) -> Void, expected: String)] =
        [
            ("3.25.0", target, { _ in }, "upgrade in wave 1"),
            ("3.26.0", target, { _ in }, "skip: already-at-target"),
            ("3.27.0", target, { _ in }, "block: downgrade"),
            ("3.25.0", CanopsisVersion(4, 0, 0), { _ in }, "block: major-upgrade"),
            ("3.25.0", target, { $0.isRoot = false }, "block: root"),
            ("3.25.0", target, { $0.offer = .couldNotTell("dead") }, "block: target-offered"),
            ("3.25.0", target, { $0.offer = .notAsked }, "block: target-offered"),
            ("3.25.0", target, { $0.offer = .packages([Package(name: "canopsis-core", version: "3.27.0-1")]) }, "block: target-offered"),
            ("3.25.0", target, { $0.brokenPackages = ["iF \tcanopsis-core 3.25.0-1"] }, "upgrade in wave 1"),
            ("3.25.0", target, { $0.brokenPackages = ["iHR\tcanopsis-core 3.25.0-1"] }, "block: package-manager"),
            ("3.25.0", target, { $0.brokenPackages = nil }, "block: package-manager"),
            ("3.26.0", target, { $0.brokenPackages = ["iF \tcanopsis-core 3.26.0-1"] }, "upgrade in wave 1"),
            ("3.26.0", target, { $0.brokenPackages = nil }, "block: package-manager"),
            ("3.25.0", target, { $0.freeBytes["/var"] = 1 }, "block: disk-space"),
            ("3.25.0", target, { $0.installed = [] }, "block: canopsis-installed"),
            (
                "3.25.0", target, { $0.installed.append(Package(name: "canopsis-engines-go", version: "3.24.0-1")) },
                "block: canopsis-installed"
            ),
            ("3.25.0", target, { $0.packageManager = nil }, "block: system"),
            ("3.25.0", target, { $0.versionFile = CanopsisVersion(3, 24, 0) }, "upgrade in wave 1"),
            ("3.26.0", target, { $0.versionFile = CanopsisVersion(3, 25, 0) }, "skip: already-at-target"),
            ("3.25.0", target, { $0.packageLockHolder = "apt-get" }, "upgrade in wave 1"),
        ]

    @Test("decides for each host from its facts, and only an upgrade has steps", arguments: cases.indices)
    func dispositions(_ index: Int) throws {
        let (version, target, change, expected) = Self.cases[index]
        let planned = try Self.planOne(target, version: version, change)
        #expect(Self.code(planned.disposition) == expected)
        #expect(planned.steps.isEmpty == !expected.hasPrefix("upgrade"))
        // What is installed is told of every host that could be read, also where nothing will be done.
        #expect(planned.facts != nil || !expected.hasPrefix("upgrade"))
        #expect(planned.identity != nil)
        if expected.hasPrefix("upgrade") { #expect(!planned.findings.contains { $0.verdict == .block }) }
    }

    @Test("a release that was withdrawn is no target for the hosts it was withdrawn for, and one to pass")
    func withdrawn() throws {
        let debian = StepCondition.system(id: "debian", versions: [])
        let catalogue = Catalogue([
            Release(version: Self.target, withdrawals: [Withdrawal(reason: "Broken.", conditions: [debian])]),
            Release(version: CanopsisVersion(3, 27, 0)),
        ])
        for (target, system, expected) in [
            (Self.target, "debian", "block: release-withdrawn"), (Self.target, "centos", "upgrade in wave 1"),
            (CanopsisVersion(3, 27, 0), "debian", "upgrade in wave 1"),
        ] {
            let name = try host("h1")
            let planner = Planner(
                target: target, policy: RolloutPolicy(), catalogue: catalogue, fleet: "test", created: "2026-01-01T00:00:00Z")
            let planned = try planner.plan(
                [Host(name: name, address: "h1", addons: [])],
                given: [
                    name: Self.facts(name) {
                        $0.system = OperatingSystem(id: system, version: system == "debian" ? "9" : "7", name: system)
                        $0.offer = .packages([Package(name: "canopsis-core", version: "\(target)-1")])
                    }
                ]
            ).hosts[0]
            #expect(Self.code(planned.disposition) == expected, "\(planned.disposition)")
        }
    }

    @Test("a major upgrade is refused with the start its migration guide demands")
    func majorUpgrade() throws {
        let planned = try Self.planOne(CanopsisVersion(4, 0, 0))
        guard case .block(let reason) = planned.disposition else {
            Issue.record("\(planned.disposition)")
            return
        }
        #expect(reason.text.contains("4.0.0 is supported only from exactly 3.48.0 on Go engines"))
    }

    private static let accountCases: [(AccountPolicy, hasClient: Bool, target: CanopsisVersion, steps: [String], finding: String)] = [
        (.restore, true, target, ["check-database", "save-accounts", "restore-accounts"], ""),
        (.restore, false, target, ["restore-accounts"], "warn"),
        (.keepReset, true, target, ["check-database"], "warn"),
        (.keepReset, false, target, [], "warn"),
        (.stop, true, target, [], "block"),
        (.stop, true, CanopsisVersion(3, 38, 0), ["check-database", "save-accounts", "restore-accounts"], ""),
    ]

    @Test("the accounts that canopsinit resets are guarded as the inventory says and the host allows", arguments: accountCases.indices)
    func accounts(_ index: Int) throws {
        let (policy, hasClient, target, steps, finding) = Self.accountCases[index]
        let name = try host("h1")
        let planned = try Self.planner(target).plan(
            [Host(name: name, address: "h1", addons: [], accounts: policy)],
            given: [
                name: Self.facts(name) {
                    $0.hasDatabaseClient = hasClient
                    $0.offer = .packages([Package(name: "canopsis-core", version: "\(target)-1")])
                    $0.system = OperatingSystem(id: "debian", version: "9", name: "Debian 9")
                }
            ]
        ).hosts[0]
        let guarding = planned.steps.filter { ["check-database", "save-accounts", "restore-accounts"].contains($0.id.rawValue) }
        #expect(guarding.map(\.id.rawValue) == steps)
        #expect(guarding.last.map { ($0.kind == .manual) == !hasClient } ?? true)
        let said = planned.findings.filter { $0.gate == "accounts" }
        #expect(said.map(\.verdict.rawValue).joined() == finding)
        if finding == "block" { #expect(Self.code(planned.disposition) == "block: accounts") }
    }

    @Test("a version file that disagrees is told, whatever is planned", arguments: ["3.25.0", "3.26.0"])
    func versionFile(version: String) throws {
        let planned = try Self.planOne(version: version) { $0.versionFile = CanopsisVersion(3, 20, 0) }
        #expect(planned.findings.contains { $0.gate == "canopsis-installed" && $0.verdict == .warn && $0.text.contains("3.20.0") })
    }

    @Test("a host that was not asked or not reached is unreachable, one without root's rights blocked")
    func failures() throws {
        let names = try ["a", "b", "c"].map { try host($0) }
        let plan = try Self.planner().plan(
            names.map { Host(name: $0, address: "x", addons: []) },
            given: [names[0]: .failure(Reason(.noRoot, ["words": "sudo: no"])), names[1]: .failure(Reason(.loginRefused))])
        #expect(
            plan.hosts.map { Self.code($0.disposition) } == ["block: no-root", "unreachable: login-refused", "unreachable: connect-failed"])
        #expect(plan.waves.isEmpty)
        #expect(plan.hosts.allSatisfy { $0.identity == nil && $0.steps.isEmpty })
    }

    @Test("waves hold only hosts with work, percentages are of the selection", arguments: 0..<200)
    func waves(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let names = hosts(Int.random(in: 1...40, using: &random))
        var readings: [HostName: FactReading] = [:]
        for name in names {
            readings[name] = random.pick(
                Self.facts(name), Self.facts(name), Self.facts(name, version: "3.26.0"), Self.facts(name) { $0.isRoot = false },
                .failure(Reason(.connectFailed)))
        }
        let percent = Int.random(in: 1...100, using: &random)
        let plan = try Self.planner(Self.target, RolloutPolicy(waves: [.hosts(1), .percent(percent)]))
            .plan(names.map { Host(name: $0, address: "x", addons: []) }, given: readings)
        #expect(plan.hosts.map(\.host.name) == names)
        for wave in plan.waves {
            #expect(!wave.hosts.isEmpty)
            let share = wave.number == 1 ? 1 : max(1, names.count * percent / 100)
            #expect(wave.hosts.count <= share && (wave.number == plan.waves.count || wave.hosts.count == share))
        }
        for planned in plan.hosts {
            let wave = plan.waves.first { $0.hosts.contains(planned.host.name) }?.number
            #expect((planned.disposition == wave.map { .upgrade(wave: $0) }) == (wave != nil))
            #expect(planned.steps.isEmpty == (wave == nil))
        }
    }

    @Test("two entries for one machine are refused, each one named")
    func sameMachine() throws {
        let names = try ["a", "b", "c", "d"].map { try host($0) }
        var readings = Dictionary(uniqueKeysWithValues: names.map { ($0, Self.facts($0)) })
        readings[names[2]] = Self.facts(names[0])
        readings[names[3]] = Self.facts(names[0])
        let problems = #expect(throws: Problems.self) {
            try Self.planner().plan(names.map { Host(name: $0, address: "x", addons: []) }, given: readings)
        }
        #expect(problems?.all.map(\.code) == ["same-machine", "same-machine"])
        #expect(problems?.all[0].what.contains("c and a") == true)
    }

    @Test("a target nobody knows is refused, unless somebody could not be asked")
    func unknownTarget() throws {
        let problems = #expect(throws: Problems.self) { try Self.planOne(CanopsisVersion(3, 62, 0)) }
        #expect(problems?.all.map(\.code) == ["unknown-version"])
        #expect(problems?.all[0].remedy == "On offer: 3.25.0, 3.26.0.")
        let blocked = try Self.planOne(CanopsisVersion(3, 62, 0)) { $0.offer = .couldNotTell("dead") }
        #expect(Self.code(blocked.disposition) == "block: target-offered")
        let offered = try Self.planOne(CanopsisVersion(3, 62, 0)) {
            $0.offer = .packages([Package(name: "canopsis-core", version: "3.62.0-1")])
        }
        #expect(Self.code(offered.disposition) == "upgrade in wave 1")
        #expect(
            offered.findings.filter { $0.gate == "release-note" }.map(\.text)
                == ["no note of the vendor on 3.62.0 is known: what it asks for is not known either"])
        #expect(try Self.planOne().findings.allSatisfy { $0.gate != "release-note" })
    }

    /// What changed since a plan was made, and what is said of it.
    private static let changes: [(@Sendable (inout HostFacts) -> Void, Reason.Code?, String)] = [
        ({ _ in }, nil, ""),
        ({ $0.freeBytes = [:] }, nil, ""),
        ({ $0.units = [] }, nil, ""),
        ({ $0.offer = .notAsked }, nil, ""),
        ({ $0.bootID = "another" }, nil, ""),
        ({ $0.identity.machineID = "x" }, .identityChanged, "another machine id"),
        ({ $0.identity.hostKey = "x" }, .identityChanged, "another host key"),
        ({ $0.system.name = "Debian 12" }, .factsChanged, "Debian 12"),
        ({ $0.packageManager = .yum }, .factsChanged, "another package manager"),
        ({ $0.installed = [Package(name: "canopsis-core", version: "3.26.0-1")] }, .factsChanged, "now canopsis-core 3.26.0-1"),
        ({ $0.installed = [] }, .factsChanged, "now nothing"),
    ]

    @Test("only what the plan relied on makes it out of date", arguments: changes.indices)
    func staleness(_ index: Int) throws {
        let (change, code, words) = Self.changes[index]
        let planned = try Self.planOne()
        guard case .facts(let facts) = Self.facts(planned.host.name, change) else { return }
        let reason = planned.change(since: facts)
        #expect(reason?.code == code)
        #expect(reason?.text.contains(words) ?? true)
    }

    @Test("a host is at the target when every package is there and whole")
    func reached() throws {
        func text(_ version: String = "3.26.0", _ change: (inout HostFacts) -> Void = { _ in }) throws -> String? {
            guard case .facts(let facts) = Self.facts(try host("h1"), version: version, change) else { return nil }
            return facts.reasonNotAt(Self.target)?.text
        }
        #expect(try text() == nil)
        #expect(try text("3.25.0") == "canopsis-core is at 3.25.0-1, not at 3.26.0")
        #expect(try text { $0.installed = [] } == "Canopsis is not at 3.26.0: no package of it is installed")
        #expect(try text { $0.brokenPackages = ["iF \u{1b}[31m"] } == #"Canopsis is not at 3.26.0: half installed, iF \x1b[31m"#)
        #expect(
            try text { $0.installed.append(Package(name: "canopsis-cat", version: "garbage")) }
                == "canopsis-cat is at garbage, not at 3.26.0")
    }
}

@Suite("A plan through versions before the target")
struct StepByStepPlanTests {
    private static let versions = [25, 26, 27, 28].map { CanopsisVersion(3, $0, 0) }
    private static let catalogue = Catalogue(
        versions.map { version in
            Release(
                version: version,
                steps: [
                    ReleaseStep(
                        id: "\(version)-x", phase: .afterInit, kind: .shell, title: "do \(version)", text: "t", work: .shell("true"),
                        isIdempotent: false, requiresEnginesStopped: true)
                ])
        })

    private func plan(
        _ through: [CanopsisVersion], version: String = "3.25.0", offered: [CanopsisVersion] = versions
    ) throws -> PlannedHost {
        let name = try host("h1")
        var facts = HostFacts.example(identity: HostIdentity(machineID: "id", hostKey: "SHA256:x"), version: version)
        facts.freeBytes = Dictionary(uniqueKeysWithValues: HostFacts.diskPaths.map { ($0, 50 << 30) })
        facts.offer = .packages(offered.map { Package(name: "canopsis-core", version: "\($0)-1") })
        let planner = Planner(
            target: CanopsisVersion(3, 28, 0), policy: RolloutPolicy(stepByStep: through), catalogue: Self.catalogue, fleet: "test",
            created: "2026-01-01T00:00:00Z")
        return try #require(
            try planner.plan([Host(name: name, address: "h1", addons: [], accounts: .keepReset)], given: [name: .facts(facts)]).hosts.first)
    }

    @Test("has the whole procedure for each of them, with the exact packages and what the releases up to it ask for")
    func steps() throws {
        let planned = try plan([CanopsisVersion(3, 26, 0)])
        #expect(
            planned.steps.map(\.id.rawValue) == [
                "to-3.26.0.check-database", "to-3.26.0.packages", "to-3.26.0.canopsinit", "stop-engines-1", "3.26.0-x", "start-engines-1",
                "to-3.26.0.daemon-reload", "to-3.26.0.restart", "to-3.26.0.verify", "check-database", "packages", "canopsinit",
                "stop-engines-2", "3.27.0-x", "3.28.0-x", "start-engines-2", "daemon-reload", "restart", "verify",
            ])
        try #require(planned.steps.count == 19)
        #expect(planned.steps[1].script.contains("3.26.0-1") && !planned.steps[1].script.contains("3.28.0-1"))
        #expect(planned.steps[7].mayBeEnded && !planned.steps[1].mayBeEnded)
        #expect(!planned.steps[1].id.isOfRelease && planned.steps[4].id.isOfRelease)
    }

    @Test("leaves out the versions a host is past")
    func past() throws {
        let direct = try plan([], version: "3.27.0")
        #expect(try plan([CanopsisVersion(3, 26, 0), CanopsisVersion(3, 27, 0)], version: "3.27.0").steps == direct.steps)
    }

    @Test("keeps a host out whose repository lacks one of them, and says which")
    func notOffered() throws {
        let planned = try plan([CanopsisVersion(3, 26, 0)], offered: [CanopsisVersion(3, 28, 0)])
        guard case .block(let reason) = planned.disposition else {
            Issue.record("\(planned.disposition)")
            return
        }
        #expect(reason.parameters["gate"] == "step-offered")
        #expect(reason.text.contains("3.26.0"))
        #expect(planned.steps.isEmpty)
    }

    @Test(
        "refuses a version that does not come before the target",
        arguments: [CanopsisVersion(3, 28, 0), CanopsisVersion(3, 29, 0), CanopsisVersion(3, 26, 991)])
    func notBefore(_ version: CanopsisVersion) {
        #expect(throws: Problems.self) { try plan([version]) }
    }

    @Test("has names for its steps that read back, and no other name is taken for one of them")
    func names() throws {
        let version = CanopsisVersion(3, 26, 0)
        let id = StepID.canopsinit.onTheWay(to: version)
        #expect(StepID(rawValue: id.rawValue) == id && id.base == .canopsinit && id.stop == version)
        for other in ["packages", "to-3.26.0.rules", "to-x.packages", "to-3.26.packages", "3.26.0.packages", "to-3.26.0-x"] {
            let id = try #require(StepID(rawValue: other))
            #expect(id.stop == nil && id.base == id)
        }
    }
}
