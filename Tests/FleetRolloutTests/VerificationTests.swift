import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("The look after an upgrade, on scripted hosts")
struct VerificationTests {
    private static let web = WebAccess(user: "probe", passwordFile: "/nonexistent")

    private static func ending(_ faults: Set<ScriptedHost.Fault>, web: WebAccess = web) async throws -> (
        HostOutcome?, Reason?, VerifiedInstance?, ServiceBaseline?, Int
    ) {
        let fleet = ScriptedFleet(count: 1, faults: [1: faults], web: web)
        let ending = try await fleet.carryOut(RolloutPolicy())
        var verified: VerifiedInstance?
        var baseline: ServiceBaseline?
        for event in ending.events {
            if case .stepEnded(_, .verify, _, _, _, let found) = event { verified = found }
            if case .baselineTaken(_, _, let service) = event { baseline = service }
        }
        let end = ending.ends[fleet.name(1)]
        return (end?.outcome, end?.reason, verified, baseline, await fleet.hosts[0].logins)
    }

    @Test("a login that worked before works again: upgraded, nothing to warn of, one login before and one after")
    func well() async throws {
        let (outcome, _, verified, baseline, logins) = try await Self.ending([])
        #expect(outcome == .upgraded)
        #expect(verified?.warnings == [])
        #expect(verified?.servedAfterMilliseconds != nil)
        #expect(baseline == ServiceBaseline(silence: nil, login: .accepted))
        #expect(logins == 2)
    }

    @Test("a login that worked before and is answered with a redirect now fails the host, in these words")
    func loginStops() async throws {
        let (outcome, reason, verified, _, _) = try await Self.ending([.loginStops])
        #expect(outcome == .failed)
        #expect(reason?.code == .loginFailed)
        #expect(reason?.text.contains("redirect") == true)
        #expect(verified?.servedAfterMilliseconds == nil, "it was never good")
    }

    @Test("a login that never worked is a warning, not a failure of the upgrade")
    func loginNeverWorked() async throws {
        let (outcome, _, verified, baseline, _) = try await Self.ending([.loginNeverWorks])
        #expect(outcome == .upgraded)
        #expect(baseline?.login == .refused("a redirect (HTTP status 302)"))
        #expect(verified?.warnings.map(\.code) == [.loginFailedBefore])
    }

    @Test("a web interface that never answered is a warning; one that answered before and is silent now is a failure")
    func silence() async throws {
        let (outcome, _, verified, baseline, logins) = try await Self.ending([.webNeverAnswers])
        #expect(outcome == .upgraded)
        #expect(baseline?.silence == "connection refused")
        #expect(verified?.warnings.map(\.code) == [.webSilentBefore])
        #expect(verified?.servedAfterMilliseconds == nil)
        #expect(logins == 0)
        let (failed, reason, _, _, _) = try await Self.ending([.webSilent])
        #expect(failed == .failed && reason?.code == .webNotAnswering)
    }

    @Test("without credentials nobody logs in, and the report is told so")
    func noCredentials() async throws {
        let (outcome, _, verified, _, logins) = try await Self.ending([], web: WebAccess())
        #expect(outcome == .upgraded)
        #expect(logins == 0)
        #expect(verified?.warnings.map(\.code) == [.loginNotTried])
    }

    @Test("a database that was not brought to the target fails the host though canopsinit ended with 0; both versions are named")
    func database() async throws {
        let (outcome, reason, _, _, _) = try await Self.ending([.databaseStays("3.25.0")])
        #expect(outcome == .failed)
        #expect(reason?.code == .instanceDiffers)
        #expect(reason?.text.contains("the database says 3.25.0, not 3.26.0") == true)
    }

    @Test("a database that cannot be asked is a warning: packages, disk and web interface prove the version")
    func muteDatabase() async throws {
        let (outcome, _, verified, _, _) = try await Self.ending([.databaseMute])
        #expect(outcome == .upgraded)
        #expect(verified?.warnings.map(\.code) == [.databaseNotAsked])
    }

    @Test("web interface and database both of the old version are both named")
    func both() async throws {
        let (outcome, reason, _, _, _) = try await Self.ending([.webStays("3.25.0"), .databaseStays("3.24.0")])
        #expect(outcome == .failed)
        #expect(reason?.text.contains("the web interface says 3.25.0, not 3.26.0") == true)
        #expect(reason?.text.contains("the database says 3.24.0, not 3.26.0") == true)
    }

    private static let replies: [(WebAnswer, LoginReading)] = [
        (.answered(status: 200, body: Array(#"{"authkey": "k", "crecord_name": "root"}"#.utf8)), .accepted),
        (
            .answered(status: 200, body: Array(#"{"authkey": "", "success": true}"#.utf8)),
            .refused("HTTP status 200, and the answer is not that of a login")
        ),
        (
            .answered(status: 200, body: Array(#"{"total": 0, "data": [], "success": false, "authkey": "k"}"#.utf8)),
            .refused("HTTP status 200, and the answer is not that of a login")
        ),
        (
            .answered(status: 200, body: Array("<html>".utf8)),
            .refused("HTTP status 200, and the answer is not that of a login")
        ),
        (.answered(status: 302, body: []), .refused("a redirect (HTTP status 302)")),
        (.answered(status: 307, body: []), .refused("a redirect (HTTP status 307)")),
        (.answered(status: 403, body: []), .refused("HTTP status 403")), (.answered(status: 502, body: []), .noAnswer("HTTP status 502")),
        (.none("connection refused"), .noAnswer("connection refused")),
    ]

    @Test(
        "a login is judged by its reply, never by its status alone, and nothing of the authkey is in the judgement",
        arguments: replies.indices)
    func reply(_ index: Int) {
        let (answer, reading) = Self.replies[index]
        #expect(LoginReading(replied: answer) == reading)
    }

    @Test("every host is looked at, and each is healthy, unhealthy, or nobody can tell")
    func health() async throws {
        let fleet = ScriptedFleet(count: 3, faults: [2: [.loginNeverWorks], 3: [.unreachable]], web: Self.web)
        let found = await HealthReader(ScriptedConnector(fleet.hosts), clock: .jumping(), atOnce: 2).look(
            fleet.hosts.map(\.host), wanted: CanopsisVersion(3, 25, 0))
        #expect(found[fleet.name(1)]?.health == .healthy)
        #expect(found[fleet.name(2)]?.health == .unhealthy)
        #expect(found[fleet.name(3)]?.health == .couldNotTell)
        for host in fleet.hosts {
            #expect(await host.jobs.isEmpty, "a look touches nothing")
            #expect(await host.lock == nil)
            let connections = await host.connections
            #expect(connections.made == connections.closed)
        }
    }
}
