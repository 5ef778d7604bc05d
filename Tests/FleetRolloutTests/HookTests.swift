import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("Hooks of a run")
struct HookTests {
    private static let all = Dictionary(uniqueKeysWithValues: HookEvent.allCases.map { ($0, $0.usualPolicy) })
    private static let failed = HookEnding(.failed, exit: 3, seconds: 1)

    @Test("are called around the run, each wave and each host, with what there is to know, and each is in the journal before it is called")
    func order() async throws {
        let fleet = ScriptedFleet(count: 2)
        let (hooks, journal) = (ScriptedHooks(), MemoryJournal())
        let ending = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1)]), journal: journal, hooks: Self.all, calling: hooks)
        #expect(ending.outcomes.values.allSatisfy { $0 == .upgraded })
        let calls = await hooks.calls
        #expect(
            calls == [
                "before_run", "before_wave 1", "before_host h1", "after_host h1", "after_wave 1", "before_wave 2", "before_host h2",
                "after_host h2", "after_wave 2", "after_run",
            ])
        let told = await hooks.told
        #expect(told.first?.hosts == [fleet.name(1), fleet.name(2)] && told[1].hosts == [fleet.name(1)])
        #expect(told.map(\.wave) == [nil, 1, 1, 1, 1, 2, 2, 2, 2, nil])
        #expect(told.filter { $0.event == .afterHost }.map(\.outcome) == ["upgraded", "upgraded"])
        #expect(told.filter { $0.event == .beforeHost || $0.event == .afterWave }.allSatisfy { $0.outcome == nil })
        var open: [HookMoment] = []
        for event in ending.events {
            switch event {
            case .hookIntended(let moment): open.append(moment)
            case .hookEnded(let moment, _): #expect(open.popLast() == moment)
            case .waveStarted(let number): #expect(!ending.events.prefix { $0 != event }.contains(.waveStarted(wave: number)))
            default: break
            }
        }
        #expect(open.isEmpty)
        let record = try fleet.record(RolloutPolicy(waves: [.hosts(1)]), ending.events)
        #expect(record.hooks.count == 10 && record.hooks.allSatisfy { $0.ending?.outcome == .ok })
    }

    @Test("one before the run that fails keeps every host from being touched, and its end is told all the same")
    func beforeRun() async throws {
        let fleet = ScriptedFleet(count: 2)
        let hooks = ScriptedHooks(["before_run": Self.failed])
        let ending = try await fleet.carryOut(RolloutPolicy(), hooks: Self.all, calling: hooks)
        #expect(await hooks.calls == ["before_run", "after_run"])
        #expect(ending.outcomes.isEmpty && ending.waves.isEmpty)
        for host in fleet.hosts { #expect(await host.connections.made == 0) }
        let record = try fleet.record(RolloutPolicy(), ending.events + [.runEnded(outcome: .stopped, exitStatus: 5)])
        #expect(record.stop == "hook before_run failed (exit status 3)" && record.exitStatus == .stopped)
        #expect(record.hosts.allSatisfy { $0.outcome == .notStarted && $0.reason?.code == .rolloutStopped })
    }

    @Test(
        "one before a wave that fails, or that takes too long, stops the rollout before that wave",
        arguments: [HookOutcome.failed, .timedOut])
    func beforeWave(_ outcome: HookOutcome) async throws {
        let fleet = ScriptedFleet(count: 3)
        let hooks = ScriptedHooks(["before_wave 2": HookEnding(outcome, seconds: 60)])
        let ending = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1), .hosts(2)]), hooks: Self.all, calling: hooks)
        #expect(ending.outcomes == [fleet.name(1): .upgraded] && ending.waves == [1])
        #expect(await hooks.calls.suffix(3) == ["after_wave 1", "before_wave 2", "after_run"])
        for host in fleet.hosts.dropFirst() { #expect(await host.connections.made == 0) }
        #expect(ending.events.count { if case .rolloutStopped = $0 { true } else { false } } == 1)
    }

    @Test("one before a host that fails keeps that host back with its reason, and the others go on")
    func beforeHost() async throws {
        let fleet = ScriptedFleet(count: 3)
        let hooks = ScriptedHooks(["before_host h2": Self.failed])
        let policy = RolloutPolicy(waves: [.hosts(3)], atOnce: 1)
        let ending = try await fleet.carryOut(policy, hooks: Self.all, calling: hooks)
        #expect(ending.outcomes == [fleet.name(1): .upgraded, fleet.name(3): .upgraded])
        #expect(await fleet.hosts[1].connections.made == 0)
        #expect(await !hooks.calls.contains("after_host h2"))
        var record = try fleet.record(policy, ending.events + [.runEnded(outcome: .stopped, exitStatus: 5)])
        #expect(record[fleet.name(2)]?.outcome == .notStarted && record.exitStatus == .stopped)
        #expect(record[fleet.name(2)]?.reason?.text == "not started: hook before_host of h2 failed (exit status 3)")

        // Taken up again, that host is asked about once more, and hosts that were begun are not.
        let again = ScriptedHooks()
        let second = try await fleet.carryOut(policy, earlier: record, hooks: Self.all, calling: again)
        #expect(second.outcomes == [fleet.name(2): .upgraded])
        #expect(await again.calls == ["before_run", "before_wave 1", "before_host h2", "after_host h2", "after_wave 1", "after_run"])
        record = try fleet.record(policy, ending.events + second.events)
        #expect(record[fleet.name(2)]?.outcome == .upgraded)
    }

    @Test("of a host that an earlier attempt has begun only what comes after is called")
    func begunBefore() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.exits(.canopsinit, 2, "no")]])
        let first = try await fleet.carryOut(RolloutPolicy(), hooks: Self.all, calling: ScriptedHooks())
        #expect(first.outcomes == [fleet.name(1): .failed])
        let hooks = ScriptedHooks()
        _ = try await fleet.carryOut(
            RolloutPolicy(), earlier: try fleet.record(RolloutPolicy(), first.events), retriedBy: "ana", hooks: Self.all, calling: hooks)
        let calls = await hooks.calls
        #expect(!calls.contains("before_host h1") && calls.contains("after_host h1"))
    }

    @Test(
        "one after a host that fails with `stop` lets hosts at work finish and starts no other; with `warn` it changes nothing",
        arguments: [HookPolicy.stop, .warn])
    func afterHost(_ policy: HookPolicy) async throws {
        let fleet = ScriptedFleet(count: 3)
        let hooks = ScriptedHooks(["after_host h1": Self.failed])
        let ending = try await fleet.carryOut(
            RolloutPolicy(waves: [.hosts(3)], atOnce: 1), hooks: [.afterHost: policy, .afterWave: .warn], calling: hooks)
        #expect(ending.outcomes.count == (policy == .stop ? 1 : 3))
        #expect(ending.outcomes.values.allSatisfy { $0 == .upgraded })
        #expect(await fleet.hosts[2].connections.made == (policy == .stop ? 0 : 1))
        #expect(await hooks.calls.last == "after_wave 1", "the wave has come to its end either way")
    }

    @Test("one after a wave that fails with `stop` starts nothing more, and asks for no approval", arguments: [false, true])
    func afterWave(approve: Bool) async throws {
        let fleet = ScriptedFleet(count: 2)
        let hooks = ScriptedHooks(["after_wave 1": Self.failed])
        let policy = RolloutPolicy(waves: [.hosts(1)], approve: approve)
        let ending = try await fleet.carryOut(policy, hooks: [.afterWave: .stop, .beforeWave: .stop], calling: hooks)
        #expect(ending.outcomes == [fleet.name(1): .upgraded])
        #expect(await hooks.calls == ["before_wave 1", "after_wave 1"])
        #expect(ending.events.last == .rolloutStopped(reason: "hook after_wave of wave 1 failed (exit status 3)"))
        #expect(!ending.events.contains(.approvalNeeded(wave: 2)))
        #expect(await fleet.hosts[1].connections.made == 0)
    }

    @Test(
        "one after the run that fails with `stop` makes it one that was stopped, with `warn` it does not",
        arguments: [HookPolicy.stop, .warn])
    func afterRun(_ policy: HookPolicy) async throws {
        let fleet = ScriptedFleet(count: 1)
        let hooks = ScriptedHooks(["after_run": Self.failed])
        let ending = try await fleet.carryOut(RolloutPolicy(), hooks: [.afterRun: policy], calling: hooks)
        let record = try fleet.record(RolloutPolicy(), ending.events + [.runEnded(outcome: .running, exitStatus: 0)])
        #expect(record.exitStatus == (policy == .stop ? .stopped : .done))
        #expect(record.hosts.allSatisfy { $0.outcome == .upgraded })
    }

    @Test(
        "who asks to stop while one is at work is heard: nothing is begun after it",
        arguments: ["before_run", "before_wave 1", "before_host h1"])
    func interrupted(_ name: String) async throws {
        let fleet = ScriptedFleet(count: 1)
        let (stops, request) = AsyncStream.makeStream(of: String.self)
        let journal = MemoryJournal()
        let hooks = ScriptedHooks { called in
            guard called == name else { return }
            request.yield("INT")
            while await !journal.events.contains(.interrupted(signal: "INT")) { await Task.yield() }
            // A host's hook runs beside the rollout, which has to have taken the request in.
            if name == "before_host h1" {
                while await !journal.events.contains(.rolloutStopped(reason: "stopped by SIGINT")) { await Task.yield() }
            }
        }
        let ending = try await fleet.carryOut(RolloutPolicy(), stops: stops, journal: journal, hooks: Self.all, calling: hooks)
        #expect(ending.outcomes.isEmpty)
        #expect(await fleet.hosts[0].connections.made == 0)
        #expect(await hooks.calls.last == "after_run")
        #expect(ending.events.contains(.rolloutStopped(reason: "stopped by SIGINT")))
    }

    @Test("a second request leaves at once, and nothing more is called")
    func left() async throws {
        let fleet = ScriptedFleet(count: 1)
        let (stops, request) = AsyncStream.makeStream(of: String.self)
        let hooks = ScriptedHooks { called in
            guard called == "before_run" else { return }
            request.yield("INT")
            request.yield("INT")
            while !Task.isCancelled { await Task.yield() }
        }
        let ending = try await fleet.carryOut(RolloutPolicy(), stops: stops, hooks: Self.all, calling: hooks)
        guard case .detached = ending.how else {
            Issue.record("\(ending.how)")
            return
        }
        #expect(await hooks.calls == ["before_run"])
        #expect(await fleet.hosts[0].connections.made == 0)
    }
}
