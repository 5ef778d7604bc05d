import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("The rules of a rollout, on scripted hosts", .timeLimit(.minutes(10)))
struct PolicyTests {
    private static let pause = Duration.seconds(3600)

    /// A clock that jumps, and calls this instead of waiting for the pause.
    private static func clock(inPause act: @escaping @Sendable () async -> Void) -> RolloutClock {
        let jumping = RolloutClock.jumping()
        return RolloutClock(now: jumping.now) { duration in
            if duration == pause { await act() } else { await jumping.sleep(duration) }
        }
    }

    /// A clock that jumps, but lets no host come to its end before these have begun.
    private static func clock(until names: [HostName], begunIn journal: MemoryJournal) -> RolloutClock {
        let jumping = RolloutClock.jumping()
        return RolloutClock(now: jumping.now) { duration in
            while await !Set(journal.events).isSuperset(of: names.map { .hostStarted(host: $0) }), !Task.isCancelled { await Task.yield() }
            await jumping.sleep(duration)
        }
    }

    @Test("pauses between two waves with nobody at work, and begins the next one only then")
    func pause() async throws {
        let fleet = ScriptedFleet(count: 3)
        let journal = MemoryJournal()
        let seen = Seen()
        let ending = try await fleet.carryOut(
            RolloutPolicy(waves: [.hosts(1)], pause: Self.pause), journal: journal,
            clock: Self.clock {
                var atWork = 0
                for host in fleet.hosts {
                    let connections = await host.connections
                    atWork += connections.made - connections.closed
                }
                await seen.note(journal.events.last, atWork: atWork)
            })
        #expect(ending.outcomes.count == 3 && ending.outcomes.values.allSatisfy { $0 == .upgraded })
        #expect(await seen.events == [.pauseStarted(wave: 2, length: "1h"), .pauseStarted(wave: 3, length: "1h")])
        #expect(await seen.atWork == [0, 0])
        let gates = ending.events.filter {
            switch $0 {
            case .waveStarted, .pauseStarted: true
            default: false
            }
        }
        #expect(
            gates == [
                .waveStarted(wave: 1), .pauseStarted(wave: 2, length: "1h"), .waveStarted(wave: 2), .pauseStarted(wave: 3, length: "1h"),
                .waveStarted(wave: 3),
            ])
    }

    @Test("a request to stop ends a pause at once, and nobody else is begun")
    func stoppedPause() async throws {
        let fleet = ScriptedFleet(count: 2)
        let (stops, request) = AsyncStream.makeStream(of: String.self)
        let ending = try await fleet.carryOut(
            RolloutPolicy(waves: [.hosts(1)], pause: Self.pause), stops: stops,
            clock: Self.clock {
                request.yield("INT")
                // A wait that nothing but its cancelling ends.
                while !Task.isCancelled { await Task.yield() }
            })
        #expect(ending.how == .finished)
        #expect(ending.events.suffix(2) == [.interrupted(signal: "INT"), .rolloutStopped(reason: "stopped by SIGINT")])
        #expect(ending.outcomes == [fleet.name(1): .upgraded])
        #expect(ending.waves == [1])
        #expect(await fleet.hosts[1].connections.made == 0)
    }

    @Test("two hosts of one customer are never at work together, those of two customers are")
    func spread() async throws {
        let fleet = ScriptedFleet(count: 6, customers: ["a", "a", "b", "b", "a", "b"])
        let journal = MemoryJournal()
        let ending = try await fleet.carryOut(
            RolloutPolicy(waves: [.hosts(6)], atOnce: 6, spread: .customer), journal: journal,
            clock: Self.clock(until: [1, 3].map(fleet.name), begunIn: journal))
        #expect(ending.outcomes.values.count { $0 == .upgraded } == 6)
        #expect(ending.mostAtWork(of: [1, 2, 5].map(fleet.name)) == 1)
        #expect(ending.mostAtWork(of: [3, 4, 6].map(fleet.name)) == 1)
        #expect(ending.mostAtWork(of: fleet.hosts.map(\.host.name)) == 2)
    }

    @Test("the other hosts of a customer whose host failed are never touched, and say why; the run goes on to its end")
    func failedCustomer() async throws {
        let fleet = ScriptedFleet(count: 4, faults: [1: [.exits(.canopsinit, 2, "no")]], customers: ["a", "a", "b", "a"])
        let policy = RolloutPolicy(waves: [.hosts(3), .hosts(1)], maxFailures: .hosts(2), spread: .customer)
        let ending = try await fleet.carryOut(policy)
        #expect(ending.outcomes == [fleet.name(1): .failed, fleet.name(3): .upgraded])
        for host in [fleet.hosts[1], fleet.hosts[3]] { #expect(await host.connections.made == 0) }
        let record = try fleet.record(policy, ending.events + [.runEnded(outcome: .stopped, exitStatus: 5)])
        for number in [2, 4] {
            let host = try #require(record[fleet.name(number)])
            #expect(host.outcome == .notStarted)
            #expect(host.reason?.text == "not started: customer a has no place left at work beside h1 (failed)")
        }
        #expect(record.exitStatus == .stopped)
        #expect(record.stop == nil)
    }

    @Test("taken up again with the failed host mended and retried, its customer's other hosts have their turn")
    func mendedCustomer() async throws {
        let fault = ScriptedHost.Fault.exits(.canopsinit, 2, "no")
        let fleet = ScriptedFleet(count: 2, faults: [1: [fault]], customers: ["a", "a"])
        let policy = RolloutPolicy(waves: [.hosts(2)], maxFailures: .hosts(1), spread: .customer)
        let first = try await fleet.carryOut(policy)
        #expect(first.outcomes == [fleet.name(1): .failed])

        let again = try await fleet.carryOut(policy, earlier: try fleet.record(policy, first.events))
        #expect(again.outcomes.isEmpty)
        #expect(await fleet.hosts[1].connections.made == 0)

        await fleet.hosts[0].mend(fault)
        let last = try await fleet.carryOut(policy, earlier: try fleet.record(policy, first.events + again.events), retriedBy: "ana")
        #expect(last.outcomes == [fleet.name(1): .upgraded, fleet.name(2): .upgraded])
    }

    @Test("at most so many hosts of a site are at work, while those of another have their own places")
    func limits() async throws {
        let sites = ["paris", "paris", "paris", "paris", "lyon", "lyon"]
        let labels = Dictionary(uniqueKeysWithValues: sites.enumerated().map { ($0.offset + 1, ["site": $0.element]) })
        let fleet = ScriptedFleet(count: 6, labels: labels)
        let journal = MemoryJournal()
        let ending = try await fleet.carryOut(
            RolloutPolicy(waves: [.hosts(6)], atOnce: 6, limits: ["site": 2]), journal: journal,
            clock: Self.clock(until: [1, 2, 5, 6].map(fleet.name), begunIn: journal))
        #expect(ending.outcomes.values.count { $0 == .upgraded } == 6)
        #expect(ending.mostAtWork(of: (1...4).map(fleet.name)) == 2)
        #expect(ending.mostAtWork(of: (5...6).map(fleet.name)) == 2)
    }

    @Test("with approvals it ends at each gate, the rest untouched and waiting, and goes on only where a person has approved")
    func approve() async throws {
        let fleet = ScriptedFleet(count: 3)
        let policy = RolloutPolicy(waves: [.hosts(1)], approve: true)
        var events = try await fleet.carryOut(policy).events
        #expect(events.last == .approvalNeeded(wave: 2))
        let waiting = try fleet.record(policy, events + [.runEnded(outcome: .waiting, exitStatus: 6)])
        #expect(waiting.exitStatus == .waiting)
        #expect(waiting.waveToApprove == 2)
        #expect(waiting.hosts.map(\.outcome) == [.upgraded, .waiting, .waiting])

        let unapproved = try await fleet.carryOut(policy, earlier: waiting)
        #expect(unapproved.events == [.approvalNeeded(wave: 2)])
        for host in fleet.hosts[1...] { #expect(await host.connections.made == 0) }

        events.append(.approved(wave: 2, by: "ana"))
        let second = try await fleet.carryOut(policy, earlier: try fleet.record(policy, events))
        #expect(second.outcomes == [fleet.name(2): .upgraded])
        #expect(second.events.last == .approvalNeeded(wave: 3))
        #expect(await fleet.hosts[2].connections.made == 0)

        events += second.events + [.approved(wave: 3, by: "bob")]
        let last = try await fleet.carryOut(policy, earlier: try fleet.record(policy, events))
        #expect(last.outcomes == [fleet.name(3): .upgraded])
        for host in fleet.hosts { #expect(await host.jobs == ScriptedFleet.allJobs) }
    }

    /// What was so when a pause began.
    private actor Seen {
        var events: [RunEvent?] = []
        var atWork: [Int] = []

        func note(_ event: RunEvent?, atWork count: Int) {
            events.append(event)
            atWork.append(count)
        }
    }
}
