import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("A host that is brought to versions before its target")
struct StepByStepTests {
    private static let policy = RolloutPolicy(waves: [.hosts(1)], stepByStep: [CanopsisVersion(3, 25, 5)])
    private static let allJobs =
        ["to-3.25.5.packages", "to-3.25.5.canopsinit", "to-3.25.5.daemon-reload", "to-3.25.5.restart"] + ScriptedFleet.allJobs
    /// One event more than an undisturbed run writes; checked below.
    private static let mostEvents = 60

    @Test("gets the whole procedure for each of them, looked at before the next one begins")
    func whole() async throws {
        let fleet = ScriptedFleet(count: 1)
        let ending = try await fleet.carryOut(Self.policy)
        #expect(ending.outcomes == [fleet.name(1): .upgraded])
        #expect(await fleet.hosts[0].jobs == Self.allJobs)
        let ended = ending.events.compactMap { event -> String? in
            if case .stepEnded(_, let step, .succeeded, _, _) = event { step.rawValue } else { nil }
        }
        #expect(ended == Array(Self.allJobs[..<4]) + ["to-3.25.5.verify"] + Array(Self.allJobs[4...]) + ["verify"])
    }

    @Test("is not upgraded when it stopped at one of them, and a retry goes on there")
    func failsOnTheWay() async throws {
        let step = try #require(StepID(rawValue: "to-3.25.5.canopsinit"))
        let fault = ScriptedHost.Fault.exits(step, 2, "no")
        let fleet = ScriptedFleet(count: 1, faults: [1: [fault]])
        let first = try await fleet.carryOut(Self.policy)
        #expect(first.outcomes == [fleet.name(1): .failed])
        #expect(await fleet.hosts[0].jobs == Array(Self.allJobs[..<2]))
        #expect(first.ends[fleet.name(1)]?.reason?.text.contains("a migration step failed") == true)
        await fleet.hosts[0].mend(fault)
        let second = try await fleet.carryOut(Self.policy, earlier: try fleet.record(Self.policy, first.events), retriedBy: "ana")
        #expect(second.outcomes == [fleet.name(1): .upgraded])
        #expect(await fleet.hosts[0].jobs == [Self.allJobs[0]] + Self.allJobs[1...1] + Self.allJobs[1...])
    }

    @Test("is measured by what ran after the version before: a last restart that does nothing is seen")
    func secondRestart() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.restartsOnce]])
        let ending = try await fleet.carryOut(Self.policy)
        #expect(ending.outcomes == [fleet.name(1): .failed])
        #expect(await fleet.hosts[0].jobs == Self.allJobs)
    }

    @Test("a last restart that does nothing is seen, whichever event was the last one written before", arguments: 0..<mostEvents)
    func secondRestartAfterKill(_ last: Int) async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.restartsOnce]])
        let (journal, log) = (MemoryJournal(room: last), MemoryLog())
        do {
            let whole = try await fleet.carryOut(Self.policy, journal: journal, log: log)
            #expect(whole.outcomes == [fleet.name(1): .failed])
            return
        } catch is MemoryJournal.Full {}
        let record = try await fleet.record(Self.policy, journal.events)
        let ending = try await fleet.carryOut(Self.policy, log: log, earlier: record)
        #expect(record[fleet.name(1)]?.outcome == .failed || ending.outcomes[fleet.name(1)] == .failed)
    }

    @Test("whichever event was the last one written, each effect happens once", arguments: 0..<mostEvents)
    func everyEvent(_ last: Int) async throws {
        let fleet = ScriptedFleet(count: 1)
        let (journal, log) = (MemoryJournal(room: last), MemoryLog())
        do {
            let whole = try await fleet.carryOut(Self.policy, journal: journal, log: log)
            #expect(whole.events.count < Self.mostEvents)
            return
        } catch is MemoryJournal.Full {}
        let record = try await fleet.record(Self.policy, journal.events)
        let ending = try await fleet.carryOut(Self.policy, log: log, earlier: record)
        #expect(record[fleet.name(1)]?.outcome == .upgraded || ending.outcomes[fleet.name(1)] == .upgraded)
        #expect(await fleet.hosts[0].jobs == Self.allJobs)
        #expect(await fleet.hosts[0].lock == nil)
    }
}
