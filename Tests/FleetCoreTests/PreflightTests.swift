import FleetCore
import Testing

@Suite("The gates before an upgrade")
struct PreflightTests {
    private static let target = CanopsisVersion(3, 26, 0)

    /// A Debian 9 host at 3.25.0 with nothing against it.
    private func good() throws -> HostFacts {
        var facts = try FactsFixture("debian12-lab").facts()
        facts.system = OperatingSystem(id: "debian", version: "9", name: "Debian GNU/Linux 9 (stretch)")
        facts.planning?.clockOffset = 0
        return facts
    }

    private func host(_ change: (inout Host) -> Void = { _ in }) throws -> Host {
        var host = Host(name: try #require(HostName("acme-1")), address: "127.0.0.1", addons: [])
        change(&host)
        return host
    }

    private func finding(_ gate: String, _ facts: HostFacts, _ host: Host, _ target: CanopsisVersion? = target) throws -> GateFinding {
        try #require(Preflight.findings(facts, host: host, target: target).first { $0.gate == gate })
    }

    @Test("a good host passes every gate, in the order of the gates, with nothing to do")
    func allPass() throws {
        let findings = Preflight.findings(try good(), host: try host(), target: Self.target)
        #expect(findings.map(\.gate) == Preflight.Gate.allCases.map(\.rawValue))
        #expect(findings.allSatisfy { $0.verdict == .pass && $0.remedy.isEmpty && !$0.text.isEmpty })
    }

    @Test("every gate answers for every stored host, and whatever does not pass says what to do", arguments: FactsFixture.all)
    func complete(name: String) throws {
        for target in [nil, CanopsisVersion(3, 25, 0), Self.target, CanopsisVersion(3, 39, 0), CanopsisVersion(22, 10, 0)] {
            let findings = Preflight.findings(try FactsFixture(name).facts(), host: try host(), target: target)
            #expect(findings.map(\.gate) == Preflight.Gate.allCases.map(\.rawValue))
            #expect(findings.allSatisfy { $0.verdict == .pass || !$0.remedy.isEmpty })
        }
    }

    @Test("without root's rights a host is blocked, and the cure depends on how it should have become root")
    func root() throws {
        var facts = try good()
        facts.isRoot = false
        let plain = try finding("root", facts, try host { $0.user = "ops" })
        #expect(plain.verdict == .block && plain.remedy.contains("become: sudo"))
        let sudo = try finding(
            "root", facts,
            try host {
                $0.user = "ops"
                $0.become = .sudo
            })
        #expect(sudo.verdict == .block && sudo.text == "ops does not become root with `sudo -n`")
    }

    @Test(
        "a system the vendor has no packages for blocks, one that is not known warns",
        arguments: [
            ("debian", "8", "3.27.0", GateFinding.Verdict.pass), ("debian", "8", "3.28.0", .block), ("debian", "9", "4.1.1", .pass),
            ("debian", "9", "4.2.0", .block), ("centos", "7", "3.11.0", .block), ("centos", "7", "3.12.0", .block),
            ("centos", "7", "3.13.0", .pass), ("centos", "7.9", "4.6.0", .pass), ("centos", "7", "22.10.0", .block),
            ("debian", "12", "3.26.0", .warn), ("ubuntu", "16.04", "3.26.0", .warn), ("rhel", "8.6", "22.4.0", .block),
            ("rhel", "8.6", "22.10.0", .pass), ("", "", "3.26.0", .warn),
        ])
    func system(id: String, version: String, target: String, verdict: GateFinding.Verdict) throws {
        var facts = try good()
        facts.system = OperatingSystem(id: id, version: version, name: id)
        #expect(try finding("system", facts, try host(), CanopsisVersion(target)).verdict == verdict)
    }

    @Test("a host without apt and yum is blocked")
    func noManager() throws {
        var facts = try good()
        facts.packageManager = nil
        #expect(try finding("system", facts, try host(), nil).verdict == .block)
    }

    @Test(
        "Canopsis must be there in one version, and its version file should agree",
        arguments: [
            (["3.25.0-1"], CanopsisVersion(3, 25, 0), GateFinding.Verdict.pass), (["3.25.0-1"], CanopsisVersion(3, 24, 0), .warn),
            (["3.25.0-1"], nil, .warn), ([], nil, .block), (["3.25.0-1", "3.24.0-1"], CanopsisVersion(3, 25, 0), .block),
            (["3.25.0-1", "3.25.0-2"], CanopsisVersion(3, 25, 0), .pass), (["3.13.0-1"], CanopsisVersion(3, 12, 0), .pass),
            (["nightly"], CanopsisVersion(3, 25, 0), .block),
        ] as [([String], CanopsisVersion?, GateFinding.Verdict)])
    func installed(versions: [String], file: CanopsisVersion?, verdict: GateFinding.Verdict) throws {
        var facts = try good()
        facts.installed = zip(["canopsis-core", "canopsis-engines-go"], versions).map { Package(name: $0, version: $1) }
        facts.versionFile = file
        #expect(try finding("canopsis-installed", facts, try host()).verdict == verdict)
    }

    @Test("packages that could not be read are not taken for none")
    func unreadPackages() throws {
        let facts = try FactsFixture("debian12-lab").facts(with: "packages", saying: "asked no")
        let finding = try finding("canopsis-installed", facts, try host())
        #expect(finding.verdict == .block && finding.text.contains("could not be read"))
    }

    @Test("the target must be on offer for every installed package")
    func offered() throws {
        var facts = try good()
        #expect(Preflight.packages(to: Self.target, facts) == [Package(name: "canopsis-core", version: "3.26.0-1")])

        facts.installed.append(Package(name: "canopsis-engines-go", version: "3.25.0-1"))
        #expect(Preflight.packages(to: Self.target, facts) == nil)
        let missing = try finding("target-offered", facts, try host())
        #expect(missing.verdict == .block && missing.text == "canopsis-engines-go 3.26.0 is not on offer")

        facts.installed[1].version = "3.26.0-1"
        #expect(Preflight.packages(to: Self.target, facts)?.map(\.version) == ["3.26.0-1", "3.26.0-1"])
        #expect(try finding("target-offered", facts, try host(), CanopsisVersion(3, 27, 0)).verdict == .block)
    }

    @Test("of several revisions the highest is taken, by its number; of newer versions none")
    func revisions() throws {
        var facts = try good()
        facts.offer = .packages(
            ["3.26.0-2", "3.26.0-10", "3.26.0-9", "3.27.0-1", "3.26.01-99"].map { Package(name: "canopsis-core", version: $0) }
                + [Package(name: "canopsis-cat", version: "3.26.0-11")])
        #expect(Preflight.packages(to: CanopsisVersion(3, 26, 0), facts)?.map(\.version) != ["3.27.0-1"])
        facts.offer = .packages(["3.26.0-2", "3.26.0-10", "3.26.0-9", "3.27.0-1"].map { Package(name: "canopsis-core", version: $0) })
        #expect(Preflight.packages(to: CanopsisVersion(3, 26, 0), facts) == [Package(name: "canopsis-core", version: "3.26.0-10")])
    }

    @Test("an offer nobody could read blocks a plan with the host's words and only warns a check")
    func couldNotTell() throws {
        var facts = try good()
        facts.offer = .couldNotTell("E: no route\u{1b}[2J")
        let planned = try finding("target-offered", facts, try host())
        #expect(planned.verdict == .block && planned.text == "could not tell what is on offer: E: no route\\x1b[2J")
        #expect(try finding("target-offered", facts, try host(), nil).verdict == .warn)
        #expect(Preflight.packages(to: Self.target, facts) == nil)

        facts.offer = .notAsked
        #expect(try finding("target-offered", facts, try host()).verdict == .block)
        #expect(try finding("target-offered", facts, try host(), nil).verdict == .pass)
        facts.offer = .packages([])
        #expect(try finding("target-offered", facts, try host(), nil).verdict == .warn)
    }

    @Test("a declared edition that is not what is on the host blocks")
    func edition() throws {
        var facts = try good()
        facts.planning?.database = .answered(DatabaseMarks(version: CanopsisVersion(3, 25, 0)))
        #expect(try finding("edition-stack", facts, try host { $0.edition = .cat }).verdict == .block)
        facts.hasCatModules = nil
        #expect(try finding("edition-stack", facts, try host { $0.edition = .cat }).verdict == .warn)
        facts.hasCatModules = true
        let found = try finding("edition-stack", facts, try host())
        #expect(found.verdict == .block && found.remedy.contains("edition: cat"))
        #expect(try finding("edition-stack", facts, try host { $0.edition = .cat }).verdict == .pass)
        facts.hasCatModules = false
        facts.installed.append(Package(name: "canopsis-engines-go-cat", version: "3.25.0-1"))
        #expect(try finding("edition-stack", facts, try host()).verdict == .block)
    }

    @Test("a declared stack that is not what runs blocks, and so do both at once")
    func stack() throws {
        var facts = try good()
        facts.planning?.database = .answered(DatabaseMarks(version: CanopsisVersion(3, 25, 0)))
        #expect(try finding("edition-stack", facts, try host { $0.stack = .go }).verdict == .block)

        let axe = UnitState(
            name: "canopsis-engine-go@engine-axe.service", load: "loaded", active: "active", sub: "running", file: "enabled",
            result: "success", mainPID: 7, startedMicroseconds: 1)
        facts.units.append(axe)
        for stack in Stack.allCases { #expect(try finding("edition-stack", facts, try host { $0.stack = stack }).verdict == .block) }

        facts.units = [axe]
        #expect(try finding("edition-stack", facts, try host()).verdict == .block)
        #expect(try finding("edition-stack", facts, try host { $0.stack = .go }).verdict == .pass)

        // What runs counts more than what is enabled.
        facts.units = try good().units.map { unit in
            var unit = unit
            (unit.active, unit.sub, unit.mainPID) = ("inactive", "dead", 0)
            return unit
        }
        #expect(try finding("edition-stack", facts, try host()).verdict == .pass)
        #expect(try finding("edition-stack", facts, try host { $0.stack = .go }).verdict == .block)
        facts.units.append(axe)
        #expect(try finding("edition-stack", facts, try host { $0.stack = .go }).verdict == .pass)

        facts.units = []
        #expect(try finding("edition-stack", facts, try host { $0.stack = .go }).verdict == .warn)
    }

    @Test("a busy package manager warns and names who holds it, half-configured packages get a step of their own, broken ones block")
    func packageManager() throws {
        let busy = try finding("package-manager", try FactsFixture("debian12-locked").facts(), try host())
        #expect(busy.verdict == .warn && busy.text.contains("/usr/bin/apt-get -y upgrade"))
        let broken = try finding("package-manager", try FactsFixture("debian12-half-configured").facts(), try host())
        #expect(broken.verdict == .warn && broken.remedy.contains("dpkg --configure -a"))
        var worse = try FactsFixture("debian12-half-configured").facts()
        worse.brokenPackages?.append("iHR\tcanopsis-core 3.26.0-1")
        let blocked = try finding("package-manager", worse, try host())
        #expect(blocked.verdict == .block && blocked.remedy.contains("dpkg --configure -a"))
        var facts = try good()
        facts.brokenPackages = nil
        #expect(try finding("package-manager", facts, try host()).verdict == .block)
        facts.packageManager = .yum
        facts.brokenPackages = ["unfinished yum transaction"]
        #expect(try finding("package-manager", facts, try host()).remedy.contains("yum-complete-transaction"))
    }

    @Test(
        "little free space warns, too little blocks, on any path that matters",
        arguments: [
            (Preflight.comfortableFreeBytes, GateFinding.Verdict.pass), (Preflight.comfortableFreeBytes - 1, .warn),
            (Preflight.leastFreeBytes, .warn), (Preflight.leastFreeBytes - 1, .block), (0, .block), (nil, .warn),
        ] as [(Int64?, GateFinding.Verdict)])
    func diskSpace(free: Int64?, verdict: GateFinding.Verdict) throws {
        for path in HostFacts.diskPaths {
            var facts = try good()
            facts.freeBytes[path] = free
            let finding = try finding("disk-space", facts, try host())
            #expect(finding.verdict == verdict)
            #expect(verdict == .pass || finding.text.contains(path))
        }
    }

    @Test(
        "SELinux blocks where canoctl of the target refuses to run",
        arguments: [
            (SELinuxMode.permissive, "3.38.0", GateFinding.Verdict.pass), (.permissive, "3.39.0", .block), (.permissive, "4.0.0", .pass),
            (.enforcing, "3.38.0", .warn), (.enforcing, "3.39.0", .block), (.enforcing, "4.6.0", .block), (.enforcing, "22.10.0", .warn),
            (.disabled, "3.39.0", .pass), (.unknown, "3.39.0", .warn), (.unknown, "3.26.0", .warn),
        ])
    func selinux(mode: SELinuxMode, target: String, verdict: GateFinding.Verdict) throws {
        var facts = try good()
        facts.selinux = mode
        #expect(try finding("selinux", facts, try host(), CanopsisVersion(target)).verdict == verdict)
    }

    @Test("units that failed before are listed, and none at all is worth a word")
    func units() throws {
        let failed = try finding("units", try FactsFixture("debian8-from-documentation").facts(), try host())
        #expect(failed.verdict == .warn)
        #expect(failed.text == "2 running, failed: canopsis-engine@cleaner-cleaner_alerts.service (exit-code)")
        let looping = try finding("units", try FactsFixture("centos7-from-documentation").facts(), try host())
        #expect(looping.verdict == .warn && looping.text.contains("engine-webhook"))
        var facts = try good()
        facts.units = []
        #expect(try finding("units", facts, try host()).verdict == .warn)
        facts = try FactsFixture("debian12-lab").facts(with: "units", saying: "failed")
        #expect(try finding("units", facts, try host()).text == "the units could not be read")
    }

    @Test(
        "add-ons nobody spoke of keep a host out; packages nobody spoke of, a host without systemd and facts that were not read are worth a word"
    )
    func warnings() throws {
        var facts = try good()
        let unsaid = try finding("addons", facts, try host { $0.addons = nil })
        #expect(unsaid.verdict == .block && unsaid.remedy == "write `addons: none` if there are none, else list the step files")
        let named = try finding("addons", facts, try host { $0.addons = ["acme", "sla"] })
        #expect(named.verdict == .pass && named.text == "acme, sla")
        facts.otherPackages = [Package(name: "canopsis-acme", version: "1.0")]
        let denied = try finding("addons", facts, try host())
        #expect(denied.verdict == .warn && denied.text.contains("canopsis-acme 1.0"))
        facts.systemdVersion = nil
        #expect(try finding("systemd", facts, try host()).verdict == .warn)
        facts.unread = [FactsError(section: "memory", problem: .malformed)]
        #expect(try finding("facts", facts, try host()).verdict == .warn)
    }
}
