import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("A run taken up again, on scripted hosts")
struct ResumeTests {
    private static let policy = RolloutPolicy(waves: [.hosts(2)], atOnce: 2)
    /// One event more than an undisturbed run of two hosts writes; checked below.
    private static let mostEvents = 60

    @Test("whichever event was the last one written, each effect happens once, and the log is whole", arguments: 0..<mostEvents)
    func everyEvent(_ last: Int) async throws {
        let undisturbed = ScriptedFleet(count: 2)
        let expected = try await undisturbed.carryOut(Self.policy)
        #expect(expected.events.count < Self.mostEvents)
        guard last < expected.events.count else { return }

        let fleet = ScriptedFleet(count: 2)
        let (journal, log) = (MemoryJournal(room: last), MemoryLog())
        do {
            _ = try await fleet.carryOut(Self.policy, journal: journal, log: log)
            // How often progress is written depends on who was quicker: the last events may not come.
            #expect(last >= expected.events.count - 8)
            return
        } catch is MemoryJournal.Full {}
        let record = try await fleet.record(Self.policy, journal.events)
        let ending = try await fleet.carryOut(Self.policy, log: log, earlier: record)

        for host in fleet.hosts {
            let name = host.host.name
            #expect(await host.jobs == ScriptedFleet.allJobs)
            #expect(record[name]?.outcome == .upgraded || ending.outcomes[name] == .upgraded)
            #expect(ending.log[name] == expected.log[name])
            #expect(await host.lock == nil)
        }
    }

    @Test("killed twice in a row, it is as if nothing had been", arguments: 1..<12)
    func twice(_ gap: Int) async throws {
        let fleet = ScriptedFleet(count: 1)
        let log = MemoryLog()
        var events: [RunEvent] = []
        var rounds = 0
        while rounds < 60 {
            rounds += 1
            let journal = MemoryJournal(room: gap)
            let earlier = rounds == 1 ? nil : try fleet.record(Self.policy, events)
            let ending = try? await fleet.carryOut(Self.policy, journal: journal, log: log, earlier: earlier)
            events += await journal.events
            if ending != nil { break }
            // An attempt that cannot get further than its looks never ends; a longer one follows it.
            if rounds.isMultiple(of: 5) {
                let rest = try await fleet.carryOut(Self.policy, log: log, earlier: try fleet.record(Self.policy, events))
                events += rest.events
                break
            }
        }
        #expect(await fleet.hosts[0].jobs == ScriptedFleet.allJobs)
        #expect(try fleet.record(Self.policy, events)[fleet.name(1)]?.outcome == .upgraded)
    }

    @Test("a connection lost in the middle of a step is made anew; not a byte of the log is lost or doubled")
    func reconnects() async throws {
        let expected = try await ScriptedFleet(count: 1).carryOut(RolloutPolicy())
        let fleet = ScriptedFleet(count: 1, faults: [1: [.blinks(.packages), .blinks(.restart), .lostWhileStarting(.canopsinit)]])
        let ending = try await fleet.carryOut(RolloutPolicy())
        #expect(ending.outcomes[fleet.name(1)] == .upgraded)
        #expect(await fleet.hosts[0].jobs == ScriptedFleet.allJobs)
        #expect(ending.log == expected.log)
        #expect(ending.events.count { if case .linkLost = $0 { true } else { false } } == 3)
        #expect(ending.events.count { if case .linkRestored = $0 { true } else { false } } == 3)
    }

    @Test("a host that stays away is unknown, and is finished once it is back")
    func comesBack() async throws {
        let fleet = ScriptedFleet(count: 2, faults: [1: [.linkLost(.canopsinit)]])
        let (journal, log) = (MemoryJournal(), MemoryLog())
        let policy = RolloutPolicy(waves: [.hosts(1)])
        let first = try await fleet.carryOut(policy, journal: journal, log: log)
        #expect(first.outcomes == [fleet.name(1): .unknown])
        #expect(await fleet.hosts[0].lock == "left")

        await fleet.hosts[0].mend(.linkLost(.canopsinit))
        let second = try await fleet.carryOut(policy, log: log, earlier: try fleet.record(policy, await journal.events))
        // What stopped the run does not stop it again: a person has gone on.
        #expect(second.outcomes == [fleet.name(1): .upgraded, fleet.name(2): .upgraded])
        #expect(await fleet.hosts[0].jobs == ScriptedFleet.allJobs)
    }

    @Test("a step that was cut off is looked at: done, it is not done again; undone, it is, up to twice")
    func cutOff() async throws {
        let done = ScriptedFleet(count: 1, faults: [1: [.vanishes(.packages)]])
        #expect(try await done.carryOut(RolloutPolicy()).outcomes[done.name(1)] == .upgraded)
        #expect(await done.hosts[0].jobs == ScriptedFleet.allJobs)

        let undone = ScriptedFleet(count: 1, faults: [1: [.vanishes(.packages), .heldBack]])
        let ending = try await undone.carryOut(RolloutPolicy())
        #expect(ending.ends[undone.name(1)]?.outcome == .unknown)
        #expect(ending.ends[undone.name(1)]?.reason?.code == .jobVanished)
        #expect(await undone.hosts[0].jobs == ["packages", "packages", "packages"])
    }

    @Test("a host that loses its power twice in its packages is repaired twice, each time as a try of its own, and is upgraded")
    func cutOffTwice() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.cutsOffPackages(2)]])
        let ending = try await fleet.carryOut(RolloutPolicy())
        #expect(ending.outcomes[fleet.name(1)] == .upgraded)
        #expect(
            await fleet.hosts[0].jobs
                == ["packages", "repair", "packages", "repair", "packages", "canopsinit", "daemon-reload", "restart"])
        let repair = try fleet.record(RolloutPolicy(), ending.events)[fleet.name(1)]?.steps.first { $0.id == .repair }
        #expect(repair?.tries == 2 && repair?.outcome == .succeeded)
        let intents = ending.events.count { if case .stepIntended(_, .repair, _, _) = $0 { true } else { false } }
        #expect(intents == 1, "a journal takes one intent of a step in an attempt")
    }

    @Test("a repair that an attempt before had ended is a new try after the next cut, and the log of the packages stays whole")
    func cutOffAfterResume() async throws {
        // The coordinator is gone when it has written that the first repair ended.
        let fleet = ScriptedFleet(count: 1, faults: [1: [.cutsOffPackages(2)]])
        let all = try await ScriptedFleet(count: 1, faults: [1: [.cutsOffPackages(2)]]).carryOut(RolloutPolicy()).events
        let place = try #require(all.firstIndex { if case .stepEnded(_, .repair, _, _, _, _) = $0 { true } else { false } })
        let (journal, log) = (MemoryJournal(room: place + 1), MemoryLog())
        _ = try? await fleet.carryOut(RolloutPolicy(), journal: journal, log: log)
        let ending = try await fleet.carryOut(RolloutPolicy(), log: log, earlier: try fleet.record(RolloutPolicy(), await journal.events))
        #expect(ending.outcomes[fleet.name(1)] == .upgraded)
        #expect(await fleet.hosts[0].jobs.count { $0 == "repair" } == 2)
        let text = String(decoding: ending.log[fleet.name(1)] ?? [], as: UTF8.self)
        #expect(text.split(separator: "==> packages: ", omittingEmptySubsequences: false).count == 4)
    }

    @Test("a host that lets us in and talks nonsense becomes unknown, is not asked without end, and its run goes on once it is mended")
    func garbled() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.garbles(.canopsinit)]])
        let (journal, log) = (MemoryJournal(), MemoryLog())
        let ending = try await fleet.carryOut(RolloutPolicy(), journal: journal, log: log)
        #expect(ending.outcomes[fleet.name(1)] == .unknown)
        #expect(await fleet.hosts[0].connections.made < 100, "ten minutes of patience, with growing pauses of 7.5 s at least in the end")
        await fleet.hosts[0].mend(.garbles(.canopsinit))
        let resumed = try await fleet.carryOut(
            RolloutPolicy(), log: log, earlier: try fleet.record(RolloutPolicy(), await journal.events))
        #expect(resumed.outcomes[fleet.name(1)] == .upgraded)
        #expect(await fleet.hosts[0].jobs == ScriptedFleet.allJobs)
    }

    @Test("a host that has other packages than its run left there fails, and no canopsinit of another version runs on it")
    func putBack() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.alreadyMoved("3.24.0")]])
        let name = fleet.name(1)
        let begun: [RunEvent] = [
            .waveStarted(wave: 1), .hostStarted(host: name), .baselineTaken(host: name, units: []),
            .stepIntended(host: name, step: .packages, title: "t"), .stepStarted(host: name, step: .packages),
            .stepEnded(host: name, step: .packages, outcome: .succeeded, exit: 0, reason: nil),
        ]
        let ending = try await fleet.carryOut(RolloutPolicy(), earlier: try fleet.record(RolloutPolicy(), begun))
        #expect(ending.ends[name]?.outcome == .failed)
        #expect(ending.ends[name]?.reason?.code == .versionNotReached)
        #expect(await fleet.hosts[0].jobs.isEmpty)
    }

    @Test("a failed host stays failed when its run goes on, and is tried again only when a person says so")
    func retry() async throws {
        let fault = ScriptedHost.Fault.exits(.canopsinit, 2, "no")
        let fleet = ScriptedFleet(count: 2, faults: [1: [fault]])
        let (journal, log) = (MemoryJournal(), MemoryLog())
        let policy = RolloutPolicy(waves: [.hosts(2)], maxFailures: .hosts(1))
        _ = try await fleet.carryOut(policy, journal: journal, log: log)
        let events = await journal.events
        await fleet.hosts[0].mend(fault)

        let resumed = try await fleet.carryOut(policy, log: log, earlier: try fleet.record(policy, events))
        #expect(resumed.events.isEmpty)
        let retried = try await fleet.carryOut(policy, log: log, earlier: try fleet.record(policy, events), retriedBy: "ana")
        #expect(retried.outcomes == [fleet.name(1): .upgraded])
        #expect(await fleet.hosts[0].jobs == ["packages", "canopsinit", "canopsinit", "daemon-reload", "restart"])
        #expect(await fleet.hosts[1].jobs == ScriptedFleet.allJobs)
    }

    @Test("a host that became another machine in between is blocked, and nothing is done there")
    func reinstalled() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.swapped]])
        let name = fleet.name(1)
        let policy = RolloutPolicy()
        let begun: [RunEvent] = [
            .waveStarted(wave: 1), .hostStarted(host: name), .baselineTaken(host: name, units: []),
            .stepIntended(host: name, step: .packages, title: "t"), .stepStarted(host: name, step: .packages),
        ]
        let ending = try await fleet.carryOut(policy, earlier: try fleet.record(policy, begun))
        #expect(ending.ends[name]?.outcome == .blocked)
        #expect(ending.ends[name]?.reason?.code == .identityChanged)
        #expect(await fleet.hosts[0].jobs.isEmpty)
    }
}
