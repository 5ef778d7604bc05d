import FleetCore
import TestSupport
import Testing

@Suite("A run read back")
struct RunRecordTests {
    private let id: RunID
    private let a: HostName
    private let b: HostName
    private let c: HostName

    init() throws {
        id = try #require(RunID("20261123-142501-x7k2"))
        (a, b, c) = (try host("a"), try host("b"), try host("c"))
    }

    private func start(_ hosts: [HostStart]) -> RunEvent {
        .runStarted(RunStart(target: CanopsisVersion(3, 26, 0), planDigest: "d", person: "ana", machine: "ops", hosts: hosts))
    }

    private func planned(_ name: HostName, _ outcome: HostOutcome = .notStarted) -> HostStart {
        HostStart(name: name, address: "\(name).example", wave: 1, from: CanopsisVersion(3, 25, 0), outcome: outcome, reason: nil)
    }

    private func inWave(_ name: HostName, _ wave: Int) -> HostStart {
        HostStart(name: name, address: "\(name).example", wave: wave, from: nil, outcome: .notStarted, reason: nil)
    }

    private func record(_ events: [RunEvent], isAlive: Bool = false) -> RunRecord {
        RunRecord(id: id, events: Self.stamped(events), isAlive: isAlive)
    }

    private static func stamped(_ events: [RunEvent]) -> [StampedEvent] {
        events.enumerated().map { place, event in
            StampedEvent(
                sequence: Int64(place + 1), at: Timestamp(milliseconds: 1_795_443_901_000 + Int64(place) * 1000).description, event: event)
        }
    }

    @Test("is done only when every host is upgraded or skipped and the end is written")
    func done() {
        let events: [RunEvent] = [
            start([planned(a), planned(b, .skipped)]), .hostStarted(host: a),
            .hostEnded(host: a, outcome: .upgraded, reason: nil, version: CanopsisVersion(3, 26, 0)),
        ]
        #expect(record(events, isAlive: true).outcome == .running)
        #expect(record(events, isAlive: true).exitStatus == nil)
        #expect(record(events).outcome == .incomplete)
        #expect(record(events).exitStatus == .unreachable)

        let ended = record(events + [.runEnded(outcome: .succeeded, exitStatus: 0)])
        #expect(ended.outcome == .succeeded)
        #expect(ended.exitStatus == .done)
        #expect(ended[a]?.to == CanopsisVersion(3, 26, 0))
        #expect(ended[a]?.started == "2026-11-23T14:25:02.000Z")
    }

    @Test("does not believe an end that says all is well when a host says otherwise")
    func computed() {
        let ended = record([
            start([planned(a)]), .hostStarted(host: a),
            .hostEnded(host: a, outcome: .failed, reason: Reason(.jobExited, ["status": "2"]), version: nil),
            .runEnded(outcome: .succeeded, exitStatus: 0),
        ])
        #expect(ended.outcome == .failed)
        #expect(ended.exitStatus == .failed)
    }

    @Test("a stopped rollout is 5, though a host failed and another is unreachable")
    func stopped() {
        let ended = record([
            start([planned(a), planned(b, .unreachable), planned(c)]), .hostStarted(host: a),
            .hostEnded(host: a, outcome: .failed, reason: nil, version: nil), .rolloutStopped(reason: "1 failure in the run, 0 allowed"),
            .runEnded(outcome: .stopped, exitStatus: 5),
        ])
        #expect(ended.exitStatus == .stopped)
        #expect(ended.hosts.map(\.outcome) == [.failed, .unreachable, .notStarted])
        #expect(ended.hosts[2].reason?.code == .rolloutStopped)
    }

    @Test("hosts left behind without a word are never a success")
    func leftBehind() {
        let ended = record([start([planned(a)]), .runEnded(outcome: .succeeded, exitStatus: 0)])
        #expect(ended.exitStatus == .stopped)
    }

    @Test(
        "an interruption is 130 or 143 and outranks the rest",
        arguments: [("INT", 130), ("SIGINT", 130), ("SIGTERM", 143)] as [(String, Int32)])
    func interrupted(_ signal: String, _ status: Int32) {
        let ended = record([
            start([planned(a), planned(b)]), .hostStarted(host: a), .interrupted(signal: signal),
            .hostEnded(host: a, outcome: .failed, reason: nil, version: nil), .rolloutStopped(reason: "stopped by \(signal)"),
            .runEnded(outcome: .interrupted, exitStatus: Int(status)),
        ])
        #expect(ended.exitStatus?.rawValue == status)
        #expect(ended.outcome == .interrupted)
        #expect(ended[b]?.reason?.code == .interrupted)
    }

    @Test("what only Fleet itself can say is taken from the end", arguments: [1, 2, 8])
    func ownFailure(_ status: Int) {
        let ended = record([start([planned(a)]), .runEnded(outcome: .failed, exitStatus: status)])
        #expect(ended.exitStatus?.rawValue == Int32(status))
    }

    @Test("a host begun without an end is running while the coordinator lives, then unknown if a step was intended")
    func openHosts() {
        let events: [RunEvent] = [
            start([planned(a), planned(b)]), .hostStarted(host: a), .hostStarted(host: b),
            .stepIntended(host: b, step: .packages, title: "upgrade the packages"), .stepStarted(host: b, step: .packages),
        ]
        let alive = record(events, isAlive: true)
        #expect(alive.hosts.map(\.outcome) == [.running, .running])
        #expect(alive[b]?.steps[0].outcome == nil)

        let dead = record(events)
        #expect(dead.hosts.map(\.outcome) == [.notStarted, .unknown])
        #expect(dead[b]?.reason?.code == .runEndedEarly)
        #expect(dead[b]?.steps[0].outcome == .unknown)
        #expect(dead.exitStatus == .unreachable)
    }

    @Test("a step without an end is unknown once its host has ended")
    func openStep() {
        let ended = record([
            start([planned(a)]), .hostStarted(host: a), .stepIntended(host: a, step: .packages, title: "t"),
            .hostEnded(host: a, outcome: .unknown, reason: Reason(.linkLost), version: nil), .runEnded(outcome: .incomplete, exitStatus: 4),
        ])
        #expect(ended[a]?.steps[0].outcome == .unknown)
        #expect(ended.exitStatus == .unreachable)
    }

    @Test("a resumed run is open again, and the newer intent answers the older one")
    func resumed() {
        let first: [RunEvent] = [
            start([planned(a)]), .hostStarted(host: a), .stepIntended(host: a, step: .packages, title: "t"), .interrupted(signal: "INT"),
            .hostEnded(host: a, outcome: .unknown, reason: nil, version: nil), .runEnded(outcome: .interrupted, exitStatus: 130),
        ]
        let resumed: [RunEvent] = [.hostStarted(host: a), .stepIntended(host: a, step: .packages, title: "t")]
        #expect(record(first + resumed, isAlive: true).outcome == .running)
        #expect(record(first + resumed, isAlive: true)[a]?.steps.count == 1)
        let done = record(
            first + resumed + [
                .stepEnded(host: a, step: .packages, outcome: .succeeded, exit: 0, reason: nil),
                .hostEnded(host: a, outcome: .upgraded, reason: nil, version: nil), .runEnded(outcome: .succeeded, exitStatus: 0),
            ])
        #expect(done.exitStatus == .done)
    }

    @Test("a command's status is that of its hosts")
    func command() {
        func status(_ endings: [String: String]) -> FleetCore.ExitStatus? {
            record([
                .commandRun(
                    CommandRun(command: "true", person: "ana", started: "2026-11-23T14:25:00.000Z", endings: endings, exitStatus: 0))
            ]).exitStatus
        }
        #expect(status(["a": "0", "b": "0"]) == .done)
        #expect(status(["a": "0", "b": "7"]) == .failed)
        #expect(status(["a": "killed TERM", "b": "unreachable"]) == .failed)
        #expect(status(["a": "unreported"]) == .unreachable)
        #expect(status(["a": "a word of the future"]) == .unreachable)
    }

    @Test("no prefix of a run loses a host, crashes or makes up a success", arguments: 0..<200)
    func prefixes(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let names = (1...random.number(1...8)).compactMap { HostName("h\($0)") }
        let events = Self.stamped(drawRun(of: names, &random))
        var live = RunRecord(id: id, isAlive: true)
        var upgraded: Set<HostName> = []
        for (count, event) in events.enumerated() {
            live.apply(event)
            if case .hostEnded(let name, .upgraded, _, _) = event.event { upgraded.insert(name) }
            for isAlive in [true, false] {
                let prefix = RunRecord(id: id, events: events.prefix(count + 1), isAlive: isAlive)
                #expect(prefix.hosts.map(\.name) == names)
                #expect(prefix.hosts.allSatisfy { $0.outcome != .upgraded || upgraded.contains($0.name) })
                #expect(prefix.counts.values.reduce(0, +) == names.count)
                #expect((prefix.exitStatus == nil) == (prefix.outcome == .running))
                #expect(prefix.exitStatus != .done || prefix.hosts.allSatisfy { [.upgraded, .skipped].contains($0.outcome) })
                if !isAlive { #expect(prefix.hosts.allSatisfy { $0.outcome != .running }) }
                if isAlive { #expect(prefix == live) }
            }
        }
    }

    /// A valid run with hosts at work side by side, that may end anywhere in it.
    private func drawRun(of names: [HostName], _ random: inout SeededGenerator) -> [RunEvent] {
        let plain: [HostOutcome] = [.notStarted, .notStarted, .notStarted, .skipped, .blocked, .unreachable]
        let starts = names.map { HostStart(name: $0, address: "x", wave: 1, from: nil, outcome: plain[random.number(0...5)], reason: nil) }
        var lanes = starts.filter { $0.outcome == .notStarted }.map { laneOf($0.name, &random) }
        var events = [start(starts), .waveStarted(wave: 1)]
        while let lane = lanes.indices.randomElement(using: &random) {
            events.append(lanes[lane].removeFirst())
            if lanes[lane].isEmpty { lanes.remove(at: lane) }
            if random.number(0...30) == 0 { events.append(.rolloutStopped(reason: "drawn")) }
            if random.number(0...60) == 0 { events.append(.interrupted(signal: "INT")) }
        }
        return events + [.runEnded(outcome: .succeeded, exitStatus: 0)]
    }

    private func laneOf(_ name: HostName, _ random: inout SeededGenerator) -> [RunEvent] {
        var lane: [RunEvent] = [.hostStarted(host: name)]
        for step in StepID.standardProcedure {
            lane.append(.stepIntended(host: name, step: step, title: step.rawValue))
            if random.number(0...3) > 0 { lane.append(.stepStarted(host: name, step: step)) }
            if random.number(0...3) == 0 { lane.append(.stepProgress(host: name, step: step, offset: 10)) }
            let outcome: StepOutcome = [.succeeded, .succeeded, .succeeded, .succeeded, .failed, .unknown][random.number(0...5)]
            if random.number(0...9) > 0 { lane.append(.stepEnded(host: name, step: step, outcome: outcome, exit: nil, reason: nil)) }
            guard outcome == .succeeded else {
                return lane + [.hostEnded(host: name, outcome: outcome == .failed ? .failed : .unknown, reason: nil, version: nil)]
            }
        }
        return lane + [.hostEnded(host: name, outcome: .upgraded, reason: nil, version: CanopsisVersion(3, 26, 0))]
    }

    @Test("hosts whose wave needs an approval wait, and the run exits with that; an approval begins nobody by itself")
    func approval() {
        let held = Reason(.noPlaceLeft, ["label": "customer", "value": "x", "holders": "a (failed)"])
        let begun: [RunEvent] = [
            start([inWave(a, 1), inWave(b, 2), inWave(c, 2)]), .waveStarted(wave: 1), .hostStarted(host: a),
            .hostEnded(host: a, outcome: .upgraded, reason: nil, version: CanopsisVersion(3, 26, 0)),
        ]
        let end = [RunEvent.approvalNeeded(wave: 2), .runEnded(outcome: .waiting, exitStatus: 6)]
        #expect(record(begun + end).exitStatus == .waiting)
        #expect(record(begun + end).outcome == .waiting)
        #expect(record(begun + end.prefix(1), isAlive: true).waveToApprove == nil)

        let ended = begun + [.hostHeldBack(host: c, reason: held)] + end
        let waiting = record(ended)
        #expect(waiting.waveToApprove == 2)
        #expect(waiting[b]?.outcome == .waiting)
        #expect(waiting[b]?.reason?.text == "waits for an approval of wave 2")
        #expect(waiting[c]?.outcome == .notStarted)
        #expect(waiting[c]?.reason == held)
        // A host that is left behind is the graver thing.
        #expect(waiting.exitStatus == .stopped)

        let approved = record(ended + [.approved(wave: 2, by: "bob")])
        #expect(approved.waveToApprove == nil)
        #expect(approved.approvals == [2: "bob"])
        #expect(approved[b]?.outcome == .waiting)
        #expect(approved[b]?.reason?.text == "wave 2 is approved by bob; the run is to be taken up again")
        #expect(approved.ended == waiting.ended)

        let resumed = record(
            ended + [.approved(wave: 2, by: "bob"), .runResumed(RunResume(person: "eve", machine: "x", retriesFailed: false))],
            isAlive: true)
        #expect(resumed.outcome == .running)
        #expect(resumed[b]?.reason?.code == .approved)
        #expect(resumed[c]?.reason == held)
        let goingOn = record(
            ended + [
                .approved(wave: 2, by: "bob"), .runResumed(RunResume(person: "eve", machine: "x", retriesFailed: true)),
                .waveStarted(wave: 2),
            ], isAlive: true)
        #expect(goingOn[b]?.outcome == .notStarted)
        #expect(goingOn[b]?.reason == nil)
        #expect(goingOn[c]?.reason == nil)
        #expect(goingOn.awaitedWave == nil)
        #expect(goingOn.approvals == [2: "bob"])
    }

    @Test("a host that is given up leaves the others waiting for their approval; with nobody waiting there is none to give")
    func abortedWhileWaiting() {
        func aborted(_ names: HostName...) -> RunRecord {
            record(
                [start([inWave(a, 1), inWave(b, 2), inWave(c, 2)]), .hostEnded(host: a, outcome: .upgraded, reason: nil, version: nil)]
                    + [.approvalNeeded(wave: 2), .runEnded(outcome: .waiting, exitStatus: 6)]
                    + [.runResumed(RunResume(person: "eve", machine: "x", retriesFailed: false))]
                    + names.map { .hostEnded(host: $0, outcome: .aborted, reason: nil, version: nil) }
                    + [.runEnded(outcome: .stopped, exitStatus: 5)])
        }
        #expect(aborted(b).hosts.map(\.outcome) == [.upgraded, .aborted, .waiting])
        #expect(aborted(b).waveToApprove == 2)
        #expect(aborted(b, c).waveToApprove == nil)
    }

    @Test("a pause is under way until its wave begins or the run is stopped")
    func pause() {
        let events = [start([planned(a)]), .waveStarted(wave: 1), .pauseStarted(wave: 2, length: "10m")]
        #expect(record(events, isAlive: true).pause == Pause(wave: 2, since: "2026-11-23T14:25:03.000Z", length: .seconds(600)))
        #expect(record(events + [.waveStarted(wave: 2)], isAlive: true).pause == nil)
        #expect(record(events + [.interrupted(signal: "INT"), .rolloutStopped(reason: "x")], isAlive: true).pause == nil)
    }
}
