import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("A step that a person does")
struct ManualStepTests {
    private let policy = RolloutPolicy(waves: [.hosts(2)])

    private static func step(_ id: String, kind: PlannedStep.Kind = .manual, isRepeatable: Bool = true) throws -> PlannedStep {
        PlannedStep(
            id: try #require(StepID(rawValue: id)), title: "do \(id)", script: kind == .job ? "true\n" : "", limit: .seconds(60),
            kind: kind,
            instruction: kind == .manual ? "Do \(id) by hand." : "", isRepeatable: isRepeatable, origin: "release 3.26.0")
    }

    private static func further(_ phase: StepPhase, _ steps: PlannedStep...) -> ReleaseSteps {
        ReleaseSteps().adding(steps.map { (phase, $0) })
    }

    /// The events of a run that came to its end, and then a person's answer.
    private func answered(_ ending: ScriptedFleet.Ending, _ host: HostName, _ step: PlannedStep, _ verdict: StepAnswer.Verdict)
        -> [RunEvent]
    {
        ending.events + [.stepAnswered(host: host, step: step.id, answer: StepAnswer(verdict, by: "ana", note: "seen"))]
    }

    @Test(
        "stops its host there with the instruction, while the others go on; once it is answered for, the host goes on, and nothing is done twice",
        arguments: [StepAnswer.Verdict.done, .skipped])
    func parked(verdict: StepAnswer.Verdict) async throws {
        let step = try Self.step("3.26.0-by-hand")
        let fleet = ScriptedFleet(count: 2, further: [1: Self.further(.afterPackages, step)])
        let (name, log) = (fleet.name(1), MemoryLog())
        let first = try await fleet.carryOut(policy, log: log)
        #expect(first.outcomes == [name: .waiting, fleet.name(2): .upgraded])
        #expect(first.ends[name]?.reason == Reason(.stepAwaited, ["step": "3.26.0-by-hand", "title": "do 3.26.0-by-hand"]))
        #expect(await fleet.hosts[0].jobs == ["packages"])
        #expect(await fleet.hosts[0].lock == "left", "the host stays locked as an unfinished one")
        let ended = RunEvent.runEnded(outcome: .waiting, exitStatus: 6)
        var record = try fleet.record(policy, first.events + [ended])
        #expect(record[name]?.awaitedStep?.instruction == "Do 3.26.0-by-hand by hand.")
        #expect(record.exitStatus == .waiting)

        record = try fleet.record(policy, answered(first, name, step, verdict) + [ended])
        #expect(record[name]?.outcome == .waiting && record.exitStatus == .waiting)
        #expect(record[name]?.steps.last?.outcome == (verdict == .done ? .succeeded : .skipped))
        let second = try await fleet.carryOut(policy, log: log, earlier: record)
        #expect(second.outcomes == [name: .upgraded])
        #expect(await fleet.hosts[0].jobs == ScriptedFleet.allJobs)
        #expect(await fleet.hosts[1].jobs == ScriptedFleet.allJobs)
    }

    @Test("that nobody has answered for is waited for again, without a second word about it in the journal")
    func unanswered() async throws {
        let step = try Self.step("3.26.0-by-hand")
        let fleet = ScriptedFleet(count: 1, further: [1: Self.further(.beforePackages, step)])
        let first = try await fleet.carryOut(policy)
        let second = try await fleet.carryOut(policy, earlier: try fleet.record(policy, first.events))
        #expect(second.outcomes == [fleet.name(1): .waiting])
        #expect(!second.events.contains { if case .stepAwaited = $0 { true } else { false } })
        #expect(await fleet.hosts[0].jobs.isEmpty)
    }

    @Test(
        "whose host keeps its place is gone on with in the same run as soon as it is answered for, and no other host has the place before")
    func kept() async throws {
        let step = try Self.step("3.26.0-by-hand")
        let fleet = ScriptedFleet(count: 2, further: [1: Self.further(.afterRestart, step)])
        let (name, journal) = (fleet.name(1), MemoryJournal())
        let policy = RolloutPolicy(waves: [.hosts(2)], atOnce: 1, parkedPlace: .keep)
        async let ending = fleet.carryOut(policy, journal: journal)
        while await journal.standing(of: name)?.steps.last?.outcome != .waiting { await Task.yield() }
        #expect(await fleet.hosts[1].jobs.isEmpty)
        try await journal.append(.stepAnswered(host: name, step: step.id, answer: StepAnswer(.done, by: "ana", note: nil)))
        #expect(try await ending.outcomes == [name: .upgraded, fleet.name(2): .upgraded])
        #expect(await fleet.hosts[0].jobs == ScriptedFleet.allJobs)
    }

    @Test("a step cut off that must not run twice is left to a person, and is never begun again")
    func cutOff() async throws {
        let step = try Self.step("3.26.0-once", kind: .job, isRepeatable: false)
        let fleet = ScriptedFleet(count: 1, faults: [1: [.vanishes(step.id)]], further: [1: Self.further(.afterInit, step)])
        let (name, log) = (fleet.name(1), MemoryLog())
        let first = try await fleet.carryOut(policy, log: log)
        #expect(first.outcomes == [name: .waiting])
        #expect(await fleet.hosts[0].jobs == ["packages", "canopsinit", "3.26.0-once"])
        let record = try fleet.record(policy, first.events)
        #expect(record[name]?.awaitedStep?.instruction?.contains("not safe to run it twice") == true)

        let again = try await fleet.carryOut(policy, log: log, earlier: record)
        #expect(again.outcomes == [name: .waiting])
        let answered = answered(first, name, step, .done)
        let last = try await fleet.carryOut(policy, log: log, earlier: try fleet.record(policy, answered))
        #expect(last.outcomes == [name: .upgraded])
        #expect(await fleet.hosts[0].jobs == ["packages", "canopsinit", "3.26.0-once", "daemon-reload", "restart"])
    }

    @Test("a step of a release that failed may be confirmed once it was done by hand; a step of the procedure may not")
    func failed() async throws {
        let step = try Self.step("3.26.0-fails", kind: .job)
        let fleet = ScriptedFleet(count: 1, faults: [1: [.exits(step.id, 1, "no")]], further: [1: Self.further(.afterPackages, step)])
        let (name, log) = (fleet.name(1), MemoryLog())
        let first = try await fleet.carryOut(policy, log: log)
        #expect(first.outcomes == [name: .failed])
        let host = try #require(try fleet.record(policy, first.events)[name])
        #expect(host.mayBeAnswered(step.id) && !host.mayBeAnswered(.packages) && !host.mayBeAnswered(.verify))

        let record = try fleet.record(policy, answered(first, name, step, .done))
        #expect(try await fleet.carryOut(policy, log: log, earlier: record).outcomes == [name: .upgraded])
        #expect(await fleet.hosts[0].jobs == ["packages", "3.26.0-fails", "canopsinit", "daemon-reload", "restart"])
    }
}
