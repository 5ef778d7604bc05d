import FleetCore
import FleetReports
import Testing

@Suite("What has to be read, for people and programs")
struct ReadingReportTests {
    private static let releases = [
        Release(
            version: CanopsisVersion(3, 25, 1), published: "2019-07-30",
            withdrawals: [Withdrawal(reason: "It loses alarms.", conditions: [.stack(.go)])],
            steps: [
                ReleaseStep(
                    id: "3.25.1-reload", phase: .afterInit, kind: .shell, title: "Reload the rules",
                    text: "The rules are read once.\u{1b}[2J",
                    conditions: [.edition(.cat)], work: .shell("canopsis-rules --reload --all"), isIdempotent: true,
                    requiresEnginesStopped: true)
            ]),
        Release(
            version: Samples.target, published: "2019-08-19",
            steps: [
                ReleaseStep(id: "3.26.0-know", phase: .beforePackages, kind: .notice, title: "The menu moved", text: "Tell the users."),
                ReleaseStep(
                    id: "3.26.0-go", phase: .afterRestart, kind: .manual, title: "Check the engines", text: "See that each runs.",
                    conditions: [.stack(.go)]),
            ]),
    ]

    private func report(showsAll: Bool = false) -> ReadingReport {
        let hosts = [("acme-1", Edition.core), ("acme-2", .core), ("globex", .cat)].map { name, edition in
            Host(name: Samples.name(name), address: name, edition: edition)
        }
        let catalogue = Catalogue(Self.releases)
        func reading(_ version: CanopsisVersion, _ digit: Character, note: String? = nil) -> ReleaseReading {
            ReleaseReading(
                version: version, release: catalogue.release(version), note: note, sha256: String(repeating: digit, count: 64))
        }
        let read = Acknowledgement(
            version: CanopsisVersion(3, 25, 1), sha256: String(repeating: "a", count: 64), person: "ana", at: Samples.at(0))
        return ReadingReport(
            to: Samples.target,
            ways: hosts.map { host in
                ReadingReport.Way(
                    host: host.name,
                    path: ReleasePath(through: catalogue, from: Samples.before, to: Samples.target, facts: Samples.facts(), host: host))
            },
            reading: ReadingList(
                hosts.map { ($0.name, Samples.before) }, to: Samples.target,
                readings: [
                    reading(CanopsisVersion(3, 25, 1), "a"),
                    reading(CanopsisVersion(3, 25, 9), "c", note: "# Notes 3.25.9\r\n\r\n\u{1b}]0;x"),
                    reading(Samples.target, "b"),
                ],
                acknowledgements: [read], now: Timestamp(milliseconds: 1_795_443_902_000)),
            silent: [(Samples.name("umbrella"), Reason(.connectFailed, ["words": "connection refused"]))], showsAll: showsAll)
    }

    @Test("is each release once, with what these hosts need, and a step for none of them is left out")
    func text() throws {
        try expectGolden(report().text(.plain), "notes-show.txt")
        #expect(!report().text(.plain).contains("3.26.0-go"))
        #expect(report(showsAll: true).text(.plain).contains("3.26.0-go"))
        #expect(report().exitStatus == .unreachable)
    }

    @Test("is the same for programs")
    func json() throws { try expectGolden(report().json(), "notes-show.json") }

    @Test("a plan says which notes are read, by whom, and what to do about the others")
    func plan() throws {
        func reading(_ version: CanopsisVersion, _ digit: Character) -> ReleaseReading {
            ReleaseReading(version: version, release: nil, note: nil, sha256: String(repeating: digit, count: 64))
        }
        func word(_ version: CanopsisVersion, _ digit: Character) -> Acknowledgement {
            Acknowledgement(version: version, sha256: String(repeating: digit, count: 64), person: "ana", at: Samples.at(0))
        }
        let versions = (1...3).map { CanopsisVersion(3, 25, $0) }
        let list = ReadingList(
            of: Samples.plan, readings: versions.map { reading($0, "a") },
            acknowledgements: [word(versions[0], "a"), word(versions[1], "b")], now: Timestamp(milliseconds: 1_795_443_902_000))
        let report = PlanReport(Samples.plan, digest: "9f2c4d5e6f708192a3b4", budget: "b", reading: list)
        let text = report.text(.plain, withCommands: false)
        try expectGolden(text, "plan-notes.txt")
        expectFitsPage(text)
        try expectGolden(report.json(), "plan-notes.json")
    }
}
