import FleetCore
import Testing

@Suite("What is read before an upgrade is planned")
struct PlanningFactsTests {
    private func planning(_ section: String, _ lines: String, of fixture: String = "debian12-lab") throws -> PlanningFacts {
        try #require(try FactsFixture(fixture).facts(with: section, saying: lines).planning)
    }

    @Test("hosts of the lab are read in full", arguments: ["debian12-lab", "centos7-lab", "debian8-lab-go"])
    func lab(name: String) throws {
        let facts = try FactsFixture(name).facts()
        let planning = try #require(facts.planning)
        #expect(facts.unread.isEmpty)
        #expect(planning.freeInodes.keys.sorted() == HostFacts.diskPaths.sorted())
        #expect(planning.rebootReasons == [])
        #expect(planning.containers == ContainerSigns())
        let routing = name == "debian8-lab-go" ? ["/opt/canopsis/etc/amqp2engines.conf"] : []
        #expect(
            planning.conffiles?.edited
                == ["/opt/canopsis/etc/amqp.conf"] + routing + ["/opt/canopsis/etc/common/mongo_store.conf"])
        #expect(planning.conffiles?.leftOver == [])
        #expect(planning.redis == .absent)
        #expect(planning.services?.entries.isEmpty == false)
        #expect(planning.services?.remote(address: "127.0.0.1") == [])
        let stack = name == "debian8-lab-go" ? "go" : "python"
        #expect(planning.database == .answered(DatabaseMarks(version: CanopsisVersion(3, 25, 0), edition: "core", stack: stack)))
        #expect(planning.clockOffset == nil)
    }

    @Test("nothing of it is read where nobody asks what is on offer")
    func notAsked() throws { #expect(try FactsFixture("debian12-locked").facts().planning == nil) }

    @Test("without root's rights the database and the configuration files are not told, and that is said")
    func notRoot() throws {
        let facts = try FactsFixture("debian12-not-root").facts()
        #expect(facts.planning?.database == .couldNotTell("only root can read the credentials"))
        #expect(facts.planning?.conffiles == nil)
        #expect(facts.unread.contains { $0.section == "conffiles" })
    }

    @Test(
        "a section that cannot be understood is named, and what it would say is not known",
        arguments: [
            ("inodes", "/proc\t1"), ("reboot", ""), ("reboot", "kernel\t4.9.0-1\t4.9.0-2"), ("reboot", "kernel\t4.9\t$(reboot)\nasked"),
            ("reboot", "perhaps\nasked"), ("containers", "image\tcanopsis/x"), ("containers", "docker perhaps"),
            ("containers", "docker asked\nfile\tdocker-compose.yml"),
            ("containers", "docker asked\nimage\t\(String(repeating: "x", count: 301))"),
            ("services", "service\t/etc/a\thost"), ("services", "service\tetc/a\thost\nasked"),
            ("services", "service\t/etc/a\tho st\nasked"),
            ("services", "service\t/etc/a\tuser:secret@host\nasked"), ("services", "failed"), ("conffiles", "edited\t/opt/canopsis/etc/a"),
            ("conffiles", "edited\tetc/a\nasked"), ("conffiles", "lost\t/a\nasked"), ("redis", "five"), ("redis", ""),
            ("clock-end", "noon"),
            ("database", "status 57"), ("database", "fleet initialized yes"), ("database", "status x"),
            ("database", "fleet initialized perhaps\nfleet version none\nfleet edition none\nfleet stack none\nstatus 57"),
            (
                "database",
                "fleet initialized yes\nfleet initialized no\nfleet version none\nfleet edition none\nfleet stack none\nstatus 57"
            ),
            ("database", "fleet initialized yes\nfleet version \"3.25.0\\n\"\nfleet edition none\nfleet stack none\nstatus 57"),
            ("database", "fleet initialized yes\nfleet version none\nfleet edition \"core\nfleet stack none\nstatus 57"),
        ])
    func unreadable(section: String, lines: String) throws {
        let facts = try FactsFixture("debian12-lab").facts(with: section, saying: lines)
        let planning = try #require(facts.planning)
        #expect(facts.unread.contains { $0.section == section })
        switch section {
        case "inodes": #expect(planning.freeInodes.isEmpty)
        case "reboot": #expect(planning.rebootReasons == nil)
        case "containers": #expect(planning.containers == nil)
        case "services": #expect(planning.services == nil)
        case "conffiles": #expect(planning.conffiles == nil)
        case "redis": #expect(planning.redis == .unknown)
        case "clock-end": #expect(planning.clockAtEnd == nil)
        default: #expect(planning.database == .couldNotTell("its answer could not be understood"))
        }
    }

    @Test("a database that does not answer is told from one that could not be asked, and no password is repeated")
    func database() throws {
        #expect(
            try planning("database", "fleet at connect\nfailed: couldn't connect to mongodb://cps:secret@db1/canopsis\nstatus 1").database
                == .silent("couldn't connect to mongodb://***@db1/canopsis"))
        #expect(
            try planning("database", "fleet at ping\nfailed: a ping was not answered\nstatus 1").database
                == .silent("a ping was not answered"))
        #expect(
            try planning("database", "fleet at login\nfailed: the database refuses the login\nstatus 1").database
                == .couldNotTell("the database refuses the login"))
        #expect(
            try planning("database", "there is no MongoDB client on this host\nstatus 1").database
                == .couldNotTell("there is no MongoDB client on this host"))
        #expect(try planning("database", "status 124").database == .silent("no answer within 20 s"))
        // A client that ends well without having come to the end has told nothing.
        #expect(try planning("database", "fleet initialized yes\nstatus 0").database == .couldNotTell("fleet initialized yes"))
    }

    @Test("what a database without words of edition and stack says is taken as it is")
    func sparse() throws {
        let lines = "noise\nfleet initialized no\nfleet version \"3.5.0\"\nfleet edition none\nfleet stack \"\"\n\nstatus 57"
        #expect(
            try planning("database", lines).database == .answered(DatabaseMarks(isInitialized: false, version: CanopsisVersion(3, 5, 0))))
    }

    @Test(
        "of what the clocks allow the least difference is taken",
        arguments: [
            // The host's two readings, the coordinator's two, the difference.
            (1000, 1000, 1000, 1000, 0), (1000, 1120, 1000, 1120, 0), (1005, 1005, 1000, 1010, 0), (1600, 1601, 1000, 1001, 599),
            (400, 401, 1000, 1001, -599), (1001, 1002, 1000, 1001, 0), (999, 1000, 1000, 1001, 0),
            // A line so slow that nothing can be said.
            (1050, 1050, 1000, 1100, 0),
        ])
    func clocks(begin: Int64, end: Int64, sent: Int64, received: Int64, offset: Int64) throws {
        var facts = try FactsFixture("debian12-lab").facts()
        facts.clock = begin
        facts.planning?.clockAtEnd = end
        facts.compareClocks(sent: sent, received: received)
        #expect(facts.planning?.clockOffset == offset)
        facts.planning?.clockOffset = nil
        facts.clock = nil
        facts.compareClocks(sent: sent, received: received)
        #expect(facts.planning?.clockOffset == nil)
    }

    @Test(
        "a service is on the host if its name is the host's own, or its list of names says so",
        arguments: [
            ("localhost", false), ("127.0.1.1", false), ("::1", false), ("acme-1", false), ("ACME-1", false), ("acme-1.example.net", false),
            ("10.0.0.7", false), ("198.51.100.1", false), ("db", false), ("mongodb", false), ("db.example.net", true), ("10.0.0.8", true),
            ("acme-10", true), ("spare", true),
        ])
    func remote(name: String, isRemote: Bool) {
        let services = ServiceAddresses(
            entries: [.init(file: "/opt/canopsis/etc/amqp.conf", host: name)], own: ["acme-1", "10.0.0.7"],
            listed: ["db": ["127.0.0.1"], "spare": ["10.0.0.9"]])
        #expect(services.remote(address: "198.51.100.1").isEmpty == !isRemote)
    }
}
