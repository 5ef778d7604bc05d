import FleetCore
import TestSupport
import Testing

@testable import FleetReports

@Suite("A run under way")
struct ProgressViewTests {
    private static let now = Timestamp(Samples.at(75)) ?? Timestamp(milliseconds: 0)

    private static func live(_ record: RunRecord, width: Int = 80, mostLines: Int = 20) -> [String] {
        ProgressView.live(record, waves: 3, now: now, width: width, mostLines: mostLines)
    }

    private static let hosts = [
        Samples.host("acme-1", wave: 1), Samples.host("globex-02", wave: 2), Samples.host("globex-03", wave: 2),
        Samples.host("old", wave: nil, .skipped, Reason(.alreadyAtTarget, ["version": "3.26.0"])),
    ]

    @Test("a hook is spoken of when it has not ended well")
    func hooks() {
        func line(_ event: RunEvent) -> String? { ProgressView.line(for: event, in: Samples.hooked, waves: 2) }
        let moment = HookMoment(.beforeHost, wave: 1, host: Samples.name("acme-1"), policy: .stop)
        #expect(line(.hookIntended(moment: moment)) == nil)
        #expect(line(.hookEnded(moment: moment, ending: HookEnding(.ok, exit: 0, seconds: 1))) == nil)
        #expect(
            line(.hookEnded(moment: moment, ending: HookEnding(.failed, seconds: 1, words: "\u{1b}[2J")))
                == "hook before_host of acme-1 failed (\\x1b[2J)")
    }

    @Test("shows totals first, then a line for each host at work with its step and how long it takes")
    func golden() {
        let work: [(Int, RunEvent)] = [
            (60, .waveStarted(wave: 2)), (60, .hostStarted(host: Samples.name("globex-02"))),
            (65, .stepIntended(host: Samples.name("globex-02"), step: .packages, title: "upgrade the packages")),
            (66, .stepStarted(host: Samples.name("globex-02"), step: .packages)), (74, .hostStarted(host: Samples.name("globex-03"))),
        ]
        let before = [(0, Samples.start(Self.hosts)), (1, .waveStarted(wave: 1))] + Samples.way("acme-1", from: 2)
        #expect(
            Self.live(Samples.record(before + work, isAlive: true)) == [
                "wave 2 of 3  2 of 4 done (1 skipped, 1 upgraded)  1m 15s",
                "  globex-02  packages      9s     upgrade the packages",
                "  globex-03  looking       1s     how the host is before",
            ])
        #expect(
            Self.live(Samples.record(before + work + [(75, .interrupted(signal: "INT"))], isAlive: true)).first
                == "wave 2 of 3  stopping: waiting for 2 at work  2 of 4 done (1 skipped, 1 upgrade…")
        #expect(Self.live(Samples.record([(0, Samples.start(Self.hosts))], isAlive: true)) == ["starting  1 of 4 done (1 skipped)  1m 15s"])
    }

    @Test("in a pause the first line counts down to the wave that is awaited")
    func pause() {
        let pause: [(Int, RunEvent)] = [(70, .pauseStarted(wave: 2, length: "10m"))]
        let before = [(0, Samples.start(Self.hosts)), (1, .waveStarted(wave: 1))] + Samples.way("acme-1", from: 2)
        let record = Samples.record(before + pause, isAlive: true)
        #expect(Self.live(record) == ["wave 1 of 3  wave 2 begins in 9m 55s  2 of 4 done (1 skipped, 1 upgraded)  1m 1…"])
        let status = StatusReport(record, now: Samples.at(75), context: ReportContext(logs: "logs")).text(.plain)
        #expect(status.contains("\n  wave 2 begins in 9m 55s\n"))
        let begun = Samples.record(before + pause + [(72, .waveStarted(wave: 2))], isAlive: true)
        #expect(Self.live(begun).first?.contains("begins in") == false)
        let late = ProgressView.live(record, waves: 3, now: Timestamp(Samples.at(9000)) ?? Self.now, width: 80)
        #expect(late.first?.contains("wave 2 begins in 0s") == true)
    }

    @Test("hosts beyond the lines there are counted in the last one", arguments: [(1, 3), (3, 3), (5, 5), (12, 12), (13, 13), (40, 13)])
    func manyHosts(mostLines: Int, lines: Int) {
        let names = (1...12).map { "h\($0)" }
        let events = names.enumerated().map { ($0.offset, RunEvent.hostStarted(host: Samples.name($0.element))) }
        let record = Samples.record([(0, Samples.start(names.map { Samples.host($0, wave: 1) }))] + events, isAlive: true)
        let shown = Self.live(record, mostLines: mostLines)
        #expect(shown.count == lines)
        #expect(
            shown.last
                == (lines == 13 ? "  h12  looking       1m 04s how the host is before" : "  and \(12 - (lines - 2)) more hosts at work"))
    }

    @Test("no line is wider than the terminal, nor can it act on it", arguments: 0..<300)
    func width(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let titles = ["upgrade the packages", "日本語のタイトルはとても長い", "\u{1b}[2J\u{9b}31m", "a\nb\tc\r", "\u{202e}drow", "é e\u{301} 👩‍👩‍👧 x", ""]
        let names = (0..<Int.random(in: 1...30, using: &random)).map { "h\(String(repeating: "x", count: $0 % 7))-\($0)" }
        var events: [(Int, RunEvent)] = [(0, Samples.start(names.map { Samples.host($0, wave: 1) })), (1, .waveStarted(wave: 1))]
        for name in names where random.chance(80) {
            events.append((Int.random(in: 1...99, using: &random), .hostStarted(host: Samples.name(name))))
            guard random.chance(80) else { continue }
            let title = titles[Int.random(in: titles.indices, using: &random)]
            let step = StepID.standardProcedure[Int.random(in: StepID.standardProcedure.indices, using: &random)]
            events.append((2, .stepIntended(host: Samples.name(name), step: step, title: title)))
            if random.chance(30) {
                events.append(
                    (90, .hostEnded(host: Samples.name(name), outcome: random.pick(.upgraded, .failed), reason: nil, version: nil)))
            }
        }
        if random.chance(20) { events.append((99, .rolloutStopped(reason: "\u{1b}]0;x\u{7}"))) }
        let record = Samples.record(events, isAlive: true)
        for width in [20, Int.random(in: 20...200, using: &random), 200] {
            for line in Self.live(record, width: width, mostLines: Int.random(in: 0...40, using: &random)) {
                #expect(line.columns <= width, "\(line)")
                #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || $0.value == 0x202e })
            }
        }
    }

    @Test("every event that says something new is a line, with nothing in it that acts on a terminal")
    func lines() {
        let host = Samples.name("acme-1")
        let words = Reason(.jobExited, ["status": "2", "words": "\u{1b}[31mred\nnext"])
        let record = Samples.record([(0, Samples.start(Self.hosts))] + Samples.way("acme-1", from: 2))
        func line(_ event: RunEvent) -> String? { ProgressView.line(for: event, in: record, waves: 3) }
        #expect(line(.waveStarted(wave: 2)) == "wave 2 of 3 begins: globex-[02-03]")
        #expect(line(.hostStarted(host: host)) == "acme-1: connecting")
        #expect(line(.stepIntended(host: host, step: .packages, title: "up\u{1b}c")) == #"acme-1: packages: up\x1bc"#)
        #expect(
            line(.stepEnded(host: host, step: .packages, outcome: .succeeded, exit: 0, reason: nil))
                == "acme-1: packages succeeded after 8s")
        #expect(
            line(.stepEnded(host: host, step: .packages, outcome: .failed, exit: 2, reason: words))
                == #"acme-1: packages failed after 8s: exit status 2: \x1b[31mred | next"#)
        #expect(
            line(.hostEnded(host: host, outcome: .upgraded, reason: nil, version: Samples.target))
                == "acme-1: UPGRADED 3.25.0 -> 3.26.0 after 53s")
        #expect(
            line(.hostEnded(host: host, outcome: .failed, reason: words, version: nil))
                == #"acme-1: FAILED after 53s: exit status 2: \x1b[31mred | next"#)
        #expect(line(.rolloutStopped(reason: "\u{7}x")) == #"STOPPED: \x07x: no further host is started"#)
        #expect(
            line(.interrupted(signal: "INT"))
                == "SIGINT: nothing new is started, the hosts at work finish; once more leaves them to themselves")
        #expect(
            line(.pauseStarted(wave: 2, length: "10m")) == "wave 2 of 3 begins in 10m; Ctrl-C ends the pause and starts nothing new")
        #expect(line(.approvalNeeded(wave: 2)) == "wave 2 of 3 waits for an approval")
        #expect(line(.approved(wave: 2, by: "\u{7}ana")) == #"wave 2 of 3 is approved by \x07ana"#)
        let held = Reason(.noPlaceLeft, ["label": "customer", "value": "acme", "holders": "acme-2 (failed)"])
        #expect(
            line(.hostHeldBack(host: host, reason: held))
                == "acme-1: not started: customer acme has no place left at work beside acme-2 (failed)")
        #expect(line(.stepStarted(host: host, step: .packages)) == nil)
        #expect(line(.stepProgress(host: host, step: .packages, offset: 1)) == nil)
        #expect(line(.runEnded(outcome: .succeeded, exitStatus: 0)) == nil)
        #expect(line(Samples.start(Self.hosts)) == nil)
    }

    @Test("a plain line begins with its moment, to the second")
    func stamp() {
        #expect(ProgressView.stamped("x", at: "2026-11-23T14:25:01.999Z") == "2026-11-23T14:25:01Z x")
        #expect(ProgressView.stamped("x", at: "2026-11-23T14:25:01Z") == "2026-11-23T14:25:01Z x")
    }
}
