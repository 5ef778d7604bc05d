import FleetCore
import Testing

@Suite("The gates on what is read before an upgrade is planned")
struct PlanningGateTests {
    private typealias Verdict = GateFinding.Verdict

    private func finding(
        _ gate: Preflight.Gate, to target: CanopsisVersion? = CanopsisVersion(3, 26, 0),
        host change: (inout FleetCore.Host) -> Void = { _ in },
        facts changeFacts: (inout HostFacts) throws -> Void
    ) throws -> GateFinding {
        var facts = try FactsFixture("debian12-lab").facts()
        facts.planning?.clockOffset = 0
        try changeFacts(&facts)
        var host = FleetCore.Host(name: try #require(HostName("acme-1")), address: "198.51.100.1", addons: [])
        change(&host)
        let found = try #require(Preflight.findings(facts, host: host, target: target).first { $0.gate == gate.rawValue })
        #expect(found.verdict == .pass || !found.remedy.isEmpty)
        return found
    }

    @Test("what nobody asked is never a pass")
    func notAsked() throws {
        for gate in [Preflight.Gate.install, .database, .initialized, .clock, .reboot, .services, .conffiles] {
            #expect(try finding(gate) { $0.planning = nil }.verdict == .warn, "\(gate)")
        }
    }

    @Test(
        "an installation in containers is blocked, whatever packages are there; a file of it beside packages is worth a word",
        arguments: [
            (ContainerSigns(), true, GateFinding.Verdict.pass), (ContainerSigns(images: ["canopsis/engine-axe:3.26.0"]), true, .block),
            (ContainerSigns(images: ["canopsis/engine-axe:3.26.0"]), false, .block),
            (ContainerSigns(files: ["/root/canopsis/docker-compose.yml"]), true, .warn),
            (ContainerSigns(files: ["/root/canopsis/docker-compose.yml"]), false, .block), (ContainerSigns(isSilent: true), true, .warn),
            (nil, true, .warn),
        ] as [(ContainerSigns?, Bool, GateFinding.Verdict)])
    func install(signs: ContainerSigns?, hasPackages: Bool, verdict: GateFinding.Verdict) throws {
        let found = try finding(.install) { facts in
            facts.planning?.containers = signs
            if !hasPackages { facts.installed = [] }
        }
        #expect(found.verdict == verdict)
    }

    @Test(
        "a database that does not answer blocks, one that could not be asked warns and says why",
        arguments: [
            (DatabaseState.silent("refused"), GateFinding.Verdict.block, GateFinding.Verdict.warn),
            (.couldNotTell("there is no MongoDB client"), .warn, .warn),
            (.answered(DatabaseMarks(version: CanopsisVersion(3, 25, 0))), .pass, .pass),
            (.answered(DatabaseMarks(isInitialized: false, version: CanopsisVersion(3, 25, 0))), .pass, .block),
            (.answered(DatabaseMarks(version: CanopsisVersion(3, 24, 0))), .warn, .pass),
            (.answered(DatabaseMarks(version: nil)), .warn, .pass),
        ])
    func database(state: DatabaseState, verdict: GateFinding.Verdict, marker: GateFinding.Verdict) throws {
        let found = try finding(.database) { $0.planning?.database = state }
        #expect(found.verdict == verdict)
        #expect(try finding(.initialized) { $0.planning?.database = state }.verdict == marker)
        if case .couldNotTell(let words) = state { #expect(found.text.contains(words)) }
    }

    @Test("a database that declares another edition or stack than the inventory blocks; one that declares none does not")
    func declared() throws {
        func verdict(_ edition: String?, _ stack: String?) throws -> GateFinding {
            try finding(.editionStack) {
                $0.planning?.database = .answered(DatabaseMarks(version: CanopsisVersion(3, 25, 0), edition: edition, stack: stack))
            }
        }
        #expect(try verdict(nil, nil).verdict == .pass)
        #expect(try verdict("core", "python").verdict == .pass)
        #expect(try verdict("cat", "python").text == "the database says edition cat, the inventory core")
        #expect(try verdict("core", "go").verdict == .block)
    }

    @Test("too few inodes block as too few bytes do")
    func inodes() throws {
        for path in HostFacts.diskPaths {
            let found = try finding(.diskSpace) { $0.planning?.freeInodes[path] = Preflight.leastFreeInodes - 1 }
            #expect(found.verdict == .block && found.text.contains("\(path) has"))
        }
        // A file system that counts none has no limit.
        #expect(try finding(.diskSpace) { $0.planning?.freeInodes = [:] }.verdict == .pass)
    }

    @Test(
        "a clock that is a little wrong warns, one that is wrong by minutes blocks, in either direction",
        arguments: [
            (0, GateFinding.Verdict.pass), (59, .pass), (60, .warn), (-60, .warn), (299, .warn), (300, .block), (-600, .block),
            (nil, .warn),
        ] as [(Int64?, GateFinding.Verdict)])
    func clock(offset: Int64?, verdict: GateFinding.Verdict) throws {
        let found = try finding(.clock) { $0.planning?.clockOffset = offset }
        #expect(found.verdict == verdict)
        if offset == -600 { #expect(found.text.hasPrefix("the clock is 10 min behind the coordinator's")) }
    }

    @Test("little memory and a pending reboot are worth a word")
    func memoryAndReboot() throws {
        #expect(try finding(.memory) { $0.memory = Memory(total: 1 << 30, available: Preflight.comfortableMemory) }.verdict == .pass)
        #expect(try finding(.memory) { $0.memory = Memory(total: 1 << 30, available: Preflight.comfortableMemory - 1) }.verdict == .warn)
        #expect(try finding(.memory) { $0.memory = nil }.verdict == .warn)
        let found = try finding(.reboot) { $0.planning?.rebootReasons = ["kernel 4.9.0-12 runs, 4.9.0-13 is installed"] }
        #expect(found.verdict == .warn && found.text.contains("4.9.0-13"))
        #expect(try finding(.reboot) { $0.planning?.rebootReasons = nil }.verdict == .warn)
    }

    @Test("services on other machines block unless the inventory says that they are there")
    func services() throws {
        let elsewhere = ServiceAddresses(entries: [.init(file: "/opt/canopsis/etc/amqp.conf", host: "mq.example.net")])
        let found = try finding(.services) { $0.planning?.services = elsewhere }
        #expect(found.verdict == .block && found.text.contains("mq.example.net in /opt/canopsis/etc/amqp.conf"))
        #expect(found.remedy.contains("services: remote"))
        #expect(try finding(.services, host: { $0.services = .remote }) { $0.planning?.services = elsewhere }.verdict == .pass)
        #expect(try finding(.services) { $0.planning?.services = nil }.verdict == .warn)
    }

    @Test("an edited configuration file and one that was never merged are named; what every deployment writes is not")
    func conffiles() throws {
        let usual = "/opt/canopsis/etc/amqp.conf"
        #expect(try finding(.conffiles) { $0.planning?.conffiles = Conffiles(edited: [usual]) }.verdict == .pass)
        let edited = try finding(.conffiles) { $0.planning?.conffiles = Conffiles(edited: [usual, "/opt/canopsis/etc/webserver.conf"]) }
        #expect(edited.verdict == .warn && edited.text == "edited by hand: /opt/canopsis/etc/webserver.conf")
        let left = try finding(.conffiles) { $0.planning?.conffiles = Conffiles(leftOver: ["/opt/canopsis/etc/webserver.conf.rpmnew"]) }
        #expect(left.verdict == .warn && left.text == "never merged: /opt/canopsis/etc/webserver.conf.rpmnew")
        #expect(try finding(.conffiles) { $0.planning?.conffiles = nil }.verdict == .warn)
    }

    @Test("a Python host whose engine routing was never edited is warned of the release that replaces it")
    func engineRouting() throws {
        let (before, flip) = (CanopsisVersion(3, 43, 0), CanopsisVersion(3, 44, 0))
        #expect(try finding(.engineRouting, to: before) { _ in }.verdict == .pass)
        #expect(try finding(.engineRouting, to: flip) { _ in }.verdict == .warn)
        #expect(try finding(.engineRouting, to: flip, host: { $0.stack = .go }) { _ in }.verdict == .pass)
        #expect(try finding(.engineRouting, to: flip) { $0.planning?.conffiles = nil }.verdict == .warn)
        let edited = ["/opt/canopsis/etc/amqp2engines.conf"]
        #expect(try finding(.engineRouting, to: flip) { $0.planning?.conffiles?.edited = edited }.verdict == .pass)
    }

    @Test(
        "a Redis below 5 blocks the way to 3.39.0, and only that",
        arguments: [
            (RedisVersion.major(3), "3.38.0", GateFinding.Verdict.pass), (.major(3), "3.39.0", .block), (.major(4), "3.48.0", .block),
            (.major(5), "3.39.0", .pass), (.absent, "3.39.0", .warn), (.unknown, "3.39.0", .warn), (.unknown, "3.38.0", .pass),
        ])
    func redis(version: RedisVersion, target: String, verdict: GateFinding.Verdict) throws {
        #expect(try finding(.redis, to: CanopsisVersion(target)) { $0.planning?.redis = version }.verdict == verdict)
    }

    @Test("an overridden gate warns and carries the reason, and only if it would block")
    func overridden() throws {
        let reason = "grows with use"
        func disk(_ free: Int64) throws -> GateFinding {
            try finding(.diskSpace, host: { $0.overrides = ["disk-space": reason] }) { $0.freeBytes["/var"] = free }
        }
        let overridden = try disk(0)
        #expect(overridden.verdict == .warn && overridden.overridden == reason && overridden.text.contains("/var has 0 MiB"))
        #expect(overridden.note == "disk-space: /var has 0 MiB free; overridden: grows with use")
        let low = try disk(Preflight.leastFreeBytes)
        #expect(low.verdict == .warn && low.overridden == nil)
        let other = try finding(.diskSpace, host: { $0.overrides = ["clock": reason] }) { $0.freeBytes["/var"] = 0 }
        #expect(other.verdict == .block && other.overridden == nil)
    }

    @Test("a gate that must hold cannot be overridden, whatever the inventory says")
    func firm() throws {
        let all = Dictionary(uniqueKeysWithValues: Preflight.Gate.allCases.map { ($0.rawValue, "because") })
        let found = try finding(.initialized, host: { $0.overrides = all }) {
            $0.planning?.database = .answered(DatabaseMarks(isInitialized: false, version: nil))
        }
        #expect(found.verdict == .block && found.overridden == nil)
        #expect(try finding(.root, host: { $0.overrides = all }) { $0.isRoot = false }.verdict == .block)
        #expect(try finding(.targetOffered, host: { $0.overrides = all }) { $0.offer = .packages([]) }.verdict == .block)
        #expect(Preflight.overridable == [.install, .system, .diskSpace, .clock, .selinux, .redis])
    }
}
