import FleetCore
import TestSupport
import Testing

@Suite("What an instance says that it is")
struct InstanceReadingTests {
    private static let expected = ExpectedInstance(version: CanopsisVersion(3, 26, 0), edition: .core, stack: .python)

    @Test("each difference is named, and what a place does not say is none")
    func differences() {
        let wrong = DeclaredInstance(version: CanopsisVersion(3, 25, 0), edition: "cat", stack: "go")
        #expect(
            Self.expected.differences(of: "the database", wrong) == [
                "the database says 3.25.0, not 3.26.0", "the database says edition cat, not core",
                "the database says stack go, not python",
            ])
        #expect(Self.expected.differences(of: "the database", DeclaredInstance()).isEmpty)
        #expect(
            Self.expected.differences(of: "x", DeclaredInstance(version: Self.expected.version, edition: "core", stack: "python")).isEmpty)
        // canopsinit did not write them then.
        let old = ExpectedInstance(version: CanopsisVersion(3, 17, 0), edition: .core, stack: .python)
        #expect(old.differences(of: "x", DeclaredInstance(version: old.version, edition: "cat", stack: "go")).isEmpty)
    }

    @Test("the VERSION.txt of 3.13.0, which says 3.12.0, is no difference; any other is")
    func versionFile() {
        #expect(Self.expected.differences(ofFile: CanopsisVersion(3, 25, 0)) == ["VERSION.txt says 3.25.0, not 3.26.0"])
        #expect(Self.expected.differences(ofFile: nil).isEmpty)
        let trap = ExpectedInstance(version: CanopsisVersion(3, 13, 0), edition: .core, stack: .python)
        #expect(trap.differences(ofFile: CanopsisVersion(3, 12, 0)).isEmpty)
    }

    private static let answers: [(String, DatabaseReading)] = [
        (
            "a banner\nNONCE 3.26.0 core python\n",
            .says(DeclaredInstance(version: CanopsisVersion(3, 26, 0), edition: "core", stack: "python"))
        ),
        ("NONCE 3.12.0 - -\n", .says(DeclaredInstance(version: CanopsisVersion(3, 12, 0)))),
        ("NONCE - - -\n", .couldNotTell("it holds no version that canopsinit wrote")),
        ("NONCE 3.26.0 core\n", .couldNotTell("it holds no version that canopsinit wrote")),
        ("there is no MongoDB client on this host\n", .couldNotTell("there is no MongoDB client on this host")),
        ("other 3.26.0 core python\n", .couldNotTell("other 3.26.0 core python")), ("", .couldNotTell("it said nothing")),
    ]

    @Test("the database's answer is believed only in its form", arguments: answers.indices)
    func database(_ index: Int) {
        let (output, reading) = Self.answers[index]
        #expect(DatabaseLook.reading(in: Array(output.utf8), nonce: "NONCE") == reading)
    }

    // MARK: health

    private static func unit(
        _ name: String, started: Int64 = 5, active: String = "active", sub: String = "running", file: String = "enabled"
    )
        -> UnitState
    {
        UnitState(
            name: name, load: "loaded", active: active, sub: sub, file: file, result: "success", mainPID: active == "active" ? 7 : 0,
            startedMicroseconds: started)
    }

    private static let well = DeclaredInstance(version: CanopsisVersion(3, 26, 0), edition: "core", stack: "python")

    private static func health(
        before: [UnitState] = [unit("a")], units: [UnitState] = [unit("a")], web: WebReading = .says(well),
        login: LoginReading = .accepted, database: DatabaseReading = .says(well), wanted: CanopsisVersion? = nil,
        _ change: (inout HostFacts) -> Void = { _ in }
    ) throws -> InstanceHealth {
        var facts = HostFacts.example(identity: HostIdentity(machineID: "m", hostKey: "k"), version: "3.26.0", units: units)
        change(&facts)
        let host = Host(name: try #require(HostName("a")), address: "a")
        return InstanceHealth(of: host, before: before, facts: facts, web: web, login: login, database: database, wanted: wanted)
    }

    @Test("an instance where everything agrees is healthy, also with a unit that is enabled and stopped")
    func healthy() throws {
        #expect(try Self.health().health == .healthy)
        let idle = try Self.health(units: [Self.unit("a"), Self.unit("b", active: "inactive", sub: "dead")])
        #expect(idle.health == .healthy)
        #expect(idle.checks.first?.text == "1 run, none has failed; enabled and stopped: b")
    }

    @Test("one thing that is wrong makes it unhealthy, and is named")
    func unhealthy() throws {
        let cases: [(InstanceHealth, HealthCheck.Subject, String)] = [
            (try Self.health(units: [Self.unit("a"), Self.unit("b", active: "failed", sub: "failed")]), .units, "b does not run"),
            (try Self.health(units: [Self.unit("a", active: "activating", sub: "auto-restart")]), .units, "auto-restart"),
            (try Self.health(units: [Self.unit("a", started: 6)]), .units, "a does not stay up"),
            (try Self.health(units: [Self.unit("a", active: "inactive", sub: "dead")]), .units, "none of the 1 units runs"),
            (try Self.health(wanted: CanopsisVersion(3, 27, 0)), .packages, "not at 3.27.0"),
            (try Self.health { $0.versionFile = CanopsisVersion(3, 25, 0) }, .file, "VERSION.txt says 3.25.0"),
            (try Self.health(web: .silent("refused")), .web, "does not answer: refused"),
            (try Self.health(web: .says(DeclaredInstance(version: CanopsisVersion(3, 25, 0)))), .web, "3.25.0, not 3.26.0"),
            (try Self.health(login: .refused("a redirect")), .login, "does not work: a redirect"),
            (try Self.health(database: .says(DeclaredInstance(version: CanopsisVersion(3, 25, 0)))), .database, "3.25.0, not 3.26.0"),
        ]
        for (found, subject, text) in cases {
            #expect(found.health == .unhealthy, "\(text)")
            let bad = found.checks.filter { $0.health == .unhealthy }
            #expect(bad.contains { $0.subject == subject && $0.text.contains(text) }, "\(text): \(bad)")
        }
    }

    @Test("what could not be told is neither: unread facts decide, a database without a client and a login without an account do not")
    func couldNotTell() throws {
        #expect(InstanceHealth(unasked: Reason(.connectFailed)).health == .couldNotTell)
        #expect(try Self.health { $0.brokenPackages = nil }.health == .couldNotTell)
        #expect(try Self.health { $0.versionFile = nil }.health == .couldNotTell)
        let untold = try Self.health(login: .notTried("no account"), database: .couldNotTell("no client"))
        #expect(untold.health == .healthy)
        #expect(untold.checks.count { $0.health == .couldNotTell } == 2, "they are told all the same")
    }
}
