import FleetCore
import FleetReports
import Foundation
import Testing

@Suite("A run as a report")
struct RunReportTests {
    private let context = ReportContext(logs: "logs", inventory: "inventory/production.yaml")

    @Test("for people: counts, every host, the failed one in its own words, the logs, the next command")
    func stoppedText() throws {
        let text = TextReport(Samples.stopped, context: context).text
        try expectGolden(text, "run-stopped.txt")
        expectFitsPage(text)
        for host in Samples.stopped.hosts { #expect(text.contains(host.name.text)) }
    }

    @Test("as JSON: every key, null where nothing is known")
    func stoppedJSON() throws { try expectGolden(JSONReport(Samples.stopped).text(), "run-stopped.json") }

    @Test("a run that went well asks for nothing more")
    func succeeded() throws {
        let earlier = [Samples.name("acme-2"): Duration.seconds(70)]
        let text = TextReport(Samples.succeeded, context: context, earlier: earlier).text
        try expectGolden(text, "run-succeeded.txt")
        expectFitsPage(text)
        #expect(!text.contains("Next:"))
        try expectGolden(JSONReport(Samples.succeeded, earlier: earlier).text(), "run-succeeded.json")
    }

    @Test("hooks are counted, and each that did not end well is told with what it meant")
    func hooks() throws {
        let text = TextReport(Samples.hooked, context: context).text
        try expectGolden(text, "run-hooked.txt")
        expectFitsPage(text)
        try expectGolden(JSONReport(Samples.hooked).text(), "run-hooked.json")
        #expect(!TextReport(Samples.succeeded, context: context).text.contains("Hooks"))
    }

    @Test("what a hook reads: every key, null where it does not apply, and the words of a host made harmless")
    func hookInput() throws {
        let host = Samples.name("acme-2")
        let call = HookCall(
            .afterHost, run: Samples.run, target: Samples.target, wave: 2, hosts: [host], host: host, outcome: "failed",
            reason: Samples.failure)
        try expectGolden(HookInput(call).text(), "hook-host.json")
        let before = HookCall(.beforeRun, run: Samples.run, target: Samples.target, hosts: [Samples.name("acme-1"), host])
        try expectGolden(HookInput(before).text(), "hook-run.json")
    }

    @Test("a run that waits for an approval says which wave and what to type, and after it what comes next")
    func waiting() throws {
        try expectGolden(StatusReport(Samples.waiting(), now: Samples.at(90), context: context).text(.plain), "status-waiting.txt")
        try expectGolden(TextReport(Samples.waiting(), context: context).text, "run-waiting.txt")
        try expectGolden(JSONReport(Samples.waiting()).text(), "run-waiting.json")
        let approved = TextReport(Samples.waiting(approvedBy: "bob\u{7}"), context: context).text
        expectFitsPage(approved)
        #expect(approved.contains("fleet resume \(Samples.run)\n"))
        #expect(!approved.contains("fleet approve"))
    }

    @Test("hosts that wait for a person are told together, with what to do, uncut, and what to type; after the answer what comes next")
    func awaited() throws {
        let text = TextReport(Samples.awaiting(), context: context).text
        try expectGolden(text, "run-awaiting.txt")
        #expect(text.contains("acme-[1-2] waiting with step 3.32.0-influx-stat"))
        #expect(text.contains("    " + Samples.longCommand + "\n"), "a command is there to be copied")
        #expect(text.contains("fleet confirm \(Samples.run) 'acme-[1-2]' 3.32.0-influx-stat\n"))
        try expectGolden(StatusReport(Samples.awaiting(), now: Samples.at(90), context: context).text(.plain), "status-awaiting.txt")
        let answered = TextReport(Samples.awaiting(answered: true), context: context).text
        #expect(answered.contains("fleet resume \(Samples.run)\n") && !answered.contains("fleet confirm"))
    }

    @Test("a run under way has no exit status and no end")
    func halfway() throws {
        try expectGolden(JSONReport(Samples.halfway(isAlive: true)).text(), "run-halfway.json")
        let text = StatusReport(Samples.halfway(isAlive: true), now: Samples.at(75), context: context).text(.plain)
        try expectGolden(text, "status-halfway.txt")
        expectFitsPage(text)
    }

    @Test("a run whose coordinator is gone does not claim to run")
    func abandoned() throws {
        let text = StatusReport(Samples.halfway(isAlive: false), now: Samples.at(75), context: context).text(.plain)
        try expectGolden(text, "status-abandoned.txt")
        #expect(!text.contains("running"))
        try expectGolden(TextReport(Samples.halfway(isAlive: false), context: context).text, "run-abandoned.txt")
    }

    @Test("a command's run lists the endings")
    func command() throws {
        try expectGolden(TextReport(Samples.command, context: context).text, "run-exec.txt")
        try expectGolden(JSONReport(Samples.command).text(), "run-exec.json")
    }

    @Test("the history names each run with its outcome")
    func history() throws {
        let report = HistoryReport([Samples.command, Samples.stopped, Samples.halfway(isAlive: true)])
        try expectGolden(report.text(.plain), "history.txt")
        expectFitsPage(report.text(.plain))
        try expectGolden(report.json(), "history.json")
        #expect(HistoryReport([]).text(.plain) == "No runs are on record here.\n")
    }

    @Test("colour changes no word")
    func colour() {
        let coloured = TextReport(Samples.stopped, context: context, style: .ansi).text
        #expect(coloured.contains("\u{1b}[31m"))
        let bare = coloured.replacing(#/\u{1b}\[[0-9]+m/#, with: "")
        #expect(bare == TextReport(Samples.stopped, context: context).text)
    }

    @Test("the next command is one a shell takes as it stands")
    func nextCommand() {
        let odd = ReportContext(logs: "/srv/my runs", inventory: "my fleet.yaml", namesLogs: true)
        #expect(TextReport(Samples.stopped, context: odd).text.contains("fleet logs \(Samples.run) acme-2 --logs '/srv/my runs'"))
    }

    /// What a host might say to take hold of a terminal or to tear a page apart.
    private static let hostileWords = ["\u{9b}31m\u{202e}\u{7f}\r\n", String(repeating: "x", count: 1990), "é è 日本語 \t"]

    @Test("fits 80 columns and leaves the terminal alone whatever a host says", arguments: 0..<3)
    func hostile(_ number: Int) throws {
        let words = Self.hostileWords[number]
        let reason = Reason(.jobExited, ["status": "2", "words": words])
        let longest = String(repeating: "n", count: 64)
        let record = Samples.record(
            [(0, Samples.start([Samples.host(longest, wave: 1)]))] + Samples.failing(longest, from: 1, reason)
                + [(60, .rolloutStopped(reason: words)), (61, .interrupted(signal: words))])
        expectFitsPage(TextReport(record, context: context).text)
        expectFitsPage(StatusReport(record, now: Samples.at(90), context: context).text(.plain))
        let json = try JSONReport(record).text()
        #expect(!json.unicodeScalars.contains { (0x7f..<0xa0).contains($0.value) || (0x202a...0x202e).contains($0.value) })
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.utf8)) }
    }
}
