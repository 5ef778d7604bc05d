import FleetCore
import Testing

@Suite("What a rollout does next")
struct RolloutTests {
    @Test("opens with the canary alone, then fills the places at work, then slides")
    func slides() {
        var rollout = Rollout(waves: waves(1, 4), policy: RolloutPolicy(atOnce: 2), selected: 5)
        #expect(rollout.begin() == [.openWave(1), .start(h(1))])
        #expect(rollout.record(.upgraded, of: h(1)) == [.openWave(2), .start(h(2)), .start(h(3))])
        #expect(rollout.record(.upgraded, of: h(3)) == [.start(h(4))])
        #expect(rollout.record(.upgraded, of: h(4)) == [.start(h(5))])
        #expect(rollout.record(.upgraded, of: h(5)) == [])
        #expect(!rollout.isFinished)
        #expect(rollout.record(.upgraded, of: h(2)) == [.finish])
        #expect(rollout.isFinished)
        #expect(rollout.stopReason == nil)
        #expect(rollout.notStarted == [])
    }

    @Test("with a barrier the next group waits for the slowest of the one before")
    func barrier() {
        var rollout = Rollout(waves: waves(5), policy: RolloutPolicy(atOnce: 2, barrier: true), selected: 5)
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(2))])
        #expect(rollout.record(.upgraded, of: h(2)) == [])
        #expect(rollout.record(.upgraded, of: h(1)) == [.start(h(3)), .start(h(4))])
    }

    @Test("a failed canary leaves every later host untouched")
    func canary() {
        var rollout = Rollout(waves: waves(1, 4), policy: RolloutPolicy(), selected: 5)
        _ = rollout.begin()
        #expect(rollout.record(.failed, of: h(1)) == [.stop(.failuresInRun(1, allowed: 0)), .finish])
        #expect(rollout.notStarted == [h(2), h(3), h(4), h(5)])
        #expect(rollout.stopReason == .failuresInRun(1, allowed: 0))
    }

    @Test("a canary that may fail still opens no gate")
    func canaryWithinBudget() {
        var rollout = Rollout(waves: waves(1, 4), policy: RolloutPolicy(maxFailures: .hosts(3)), selected: 5)
        _ = rollout.begin()
        #expect(rollout.record(.unreachable, of: h(1)) == [.stop(.noUpgradedHost(wave: 1)), .finish])
        #expect(rollout.notStarted.count == 4)
    }

    @Test("hosts that were to be started and were not begun are taken back after a stop: they are not at work and have no ending")
    func takenBack() {
        var rollout = Rollout(waves: waves(3), policy: RolloutPolicy(atOnce: 2), selected: 3)
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(2))])
        #expect(rollout.stop(because: .hookFailed("a hook failed")) == [.stop(.hookFailed("a hook failed"))])
        #expect(rollout.takeBack([h(2)]) == [] && rollout.atWork == [h(1)])
        #expect(rollout.record(.upgraded, of: h(1)) == [.finish])
        #expect(rollout.notStarted == [h(2), h(3)])
        #expect(rollout.takeBack([h(1)]) == [], "the finish is said once")
    }

    @Test("the budget is checked while other hosts are at work, and those finish")
    func stopsWhileOthersWork() {
        var rollout = Rollout(waves: waves(6), policy: RolloutPolicy(atOnce: 3, maxFailures: .hosts(1)), selected: 6)
        _ = rollout.begin()
        // The failed host keeps its place: nothing starts in its stead.
        #expect(rollout.record(.failed, of: h(1)) == [])
        #expect(rollout.record(.unknown, of: h(2)) == [.stop(.failuresInRun(2, allowed: 1))])
        #expect(rollout.atWork == [h(3)])
        #expect(!rollout.isFinished)
        #expect(rollout.record(.upgraded, of: h(3)) == [.finish])
        #expect(rollout.notStarted == [h(4), h(5), h(6)])
        #expect(rollout.ended == [h(1): .failed, h(2): .unknown, h(3): .upgraded])
        #expect(rollout.failures == 2)
    }

    @Test("a wave has a budget of its own, which begins anew with each wave")
    func waveBudget() {
        let policy = RolloutPolicy(atOnce: 9, maxFailures: .hosts(8), maxFailuresPerWave: .percent(50))
        var rollout = Rollout(waves: waves(2, 2, 2), policy: policy, selected: 6)
        _ = rollout.begin()
        #expect(rollout.record(.failed, of: h(1)) == [])
        #expect(rollout.record(.upgraded, of: h(2)) == [.openWave(2), .start(h(3)), .start(h(4))])
        #expect(rollout.record(.failed, of: h(3)) == [])
        #expect(rollout.record(.failed, of: h(4)) == [.stop(.failuresInWave(2, count: 2, allowed: 1)), .finish])
        #expect(rollout.notStarted == [h(5), h(6)])
    }

    @Test("failed hosts keep their places over the whole run, and stop it when they hold every one")
    func places() {
        var rollout = Rollout(waves: waves(2, 3), policy: RolloutPolicy(atOnce: 2, maxFailures: .hosts(9)), selected: 5)
        _ = rollout.begin()
        #expect(rollout.record(.failed, of: h(1)) == [])
        #expect(rollout.record(.upgraded, of: h(2)) == [.openWave(2), .start(h(3))])
        #expect(rollout.record(.upgraded, of: h(3)) == [.start(h(4))])
        #expect(rollout.record(.failed, of: h(4)) == [.stop(.noPlaceLeft(atOnce: 2)), .finish])
        #expect(rollout.notStarted == [h(5)])
    }

    @Test("failures within the budget do not stop a run that has nothing left to start")
    func lastHostFails() {
        var rollout = Rollout(waves: waves(1, 1), policy: RolloutPolicy(atOnce: 1, maxFailures: .hosts(1)), selected: 2)
        _ = rollout.begin()
        _ = rollout.record(.upgraded, of: h(1))
        #expect(rollout.record(.failed, of: h(2)) == [.finish])
        #expect(rollout.stopReason == nil)
    }

    @Test("a budget that is exceeded by the very last host stops nothing: nothing was left to start")
    func lastHostExceeds() {
        var rollout = Rollout(waves: waves(1), policy: RolloutPolicy(), selected: 1)
        _ = rollout.begin()
        #expect(rollout.record(.failed, of: h(1)) == [.finish])
        #expect(rollout.stopReason == nil)
    }

    @Test("a host that turns out to be at the target opens the gate", arguments: [HostOutcome.upgraded, .skipped])
    func opensGate(outcome: HostOutcome) {
        var rollout = Rollout(waves: waves(1, 1), policy: RolloutPolicy(), selected: 2)
        _ = rollout.begin()
        #expect(rollout.record(outcome, of: h(1)) == [.openWave(2), .start(h(2))])
    }

    @Test(
        "a host that was kept out is no failure and frees its place, but opens no gate",
        arguments: [HostOutcome.blocked, .deferred, .waiting, .aborted])
    func keptOut(outcome: HostOutcome) {
        var rollout = Rollout(waves: waves(2, 1), policy: RolloutPolicy(atOnce: 1), selected: 3)
        _ = rollout.begin()
        #expect(rollout.record(outcome, of: h(1)) == [.start(h(2))])
        #expect(rollout.failures == 0)
        #expect(rollout.record(outcome, of: h(2)) == [.stop(.noUpgradedHost(wave: 1)), .finish])
        #expect(rollout.notStarted == [h(3)])
    }

    @Test("when asked to stop it starts nothing more, and hosts at work finish")
    func asked() {
        var rollout = Rollout(waves: waves(3), policy: RolloutPolicy(atOnce: 2), selected: 3)
        _ = rollout.begin()
        #expect(rollout.stop(because: .signal("INT")) == [.stop(.signal("INT"))])
        #expect(rollout.stop(because: .askedByOperator) == [])
        #expect(rollout.record(.upgraded, of: h(1)) == [])
        #expect(rollout.record(.failed, of: h(2)) == [.finish])
        #expect(rollout.stopReason == .signal("INT"))
        #expect(rollout.notStarted == [h(3)])
    }

    @Test("stopped before it began, it never begins")
    func stoppedBefore() {
        var rollout = Rollout(waves: waves(3), policy: RolloutPolicy(), selected: 3)
        #expect(rollout.stop(because: .askedByOperator) == [.stop(.askedByOperator), .finish])
        #expect(rollout.begin() == [])
        #expect(rollout.notStarted.count == 3)
    }

    @Test("without hosts it finishes at once")
    func empty() {
        var rollout = Rollout(waves: [], policy: RolloutPolicy(), selected: 4)
        #expect(rollout.begin() == [.finish])
        #expect(rollout.stop(because: .askedByOperator) == [])
        #expect(rollout.stopReason == nil)
    }

    @Test("what cannot have happened changes nothing")
    func ignores() {
        var rollout = Rollout(waves: waves(1, 2), policy: RolloutPolicy(), selected: 3)
        expectNothing(of: &rollout) { $0.record(.upgraded, of: h(1)) }
        _ = rollout.begin()
        expectNothing(of: &rollout) { $0.begin() }
        expectNothing(of: &rollout) { $0.record(.failed, of: h(2)) }
        expectNothing(of: &rollout) { $0.record(.failed, of: h(99)) }
        expectNothing(of: &rollout) { $0.record(.running, of: h(1)) }
        expectNothing(of: &rollout) { $0.record(.notStarted, of: h(1)) }
        _ = rollout.record(.upgraded, of: h(1))
        expectNothing(of: &rollout) { $0.record(.failed, of: h(1)) }
        _ = rollout.record(.upgraded, of: h(2))
        _ = rollout.record(.upgraded, of: h(3))
        expectNothing(of: &rollout) { $0.record(.failed, of: h(3)) }
        expectNothing(of: &rollout) { $0.stop(because: .askedByOperator) }
    }

    @Test("a plan that names a host twice or has an empty wave starts each host once")
    func oddPlans() {
        let waves = [
            Wave(number: 1, hosts: []), Wave(number: 2, hosts: [h(1), h(1)]), Wave(number: 3, hosts: [h(1)]),
            Wave(number: 4, hosts: [h(2)]),
        ]
        var rollout = Rollout(waves: waves, policy: RolloutPolicy(), selected: 2)
        #expect(rollout.begin() == [.openWave(2), .start(h(1))])
        #expect(rollout.record(.upgraded, of: h(1)) == [.openWave(4), .start(h(2))])
        #expect(rollout.record(.upgraded, of: h(2)) == [.finish])
    }

    @Test(
        "every reason to stop has its sentence",
        arguments: [
            (.failuresInRun(1, allowed: 0), "1 failure in the run, 0 allowed"),
            (.failuresInWave(3, count: 2, allowed: 1), "2 failures in wave 3, 1 allowed"),
            (.noPlaceLeft(atOnce: 1), "a failed host holds the only place at work"),
            (.noPlaceLeft(atOnce: 5), "failed hosts hold all 5 places at work"),
            (.noUpgradedHost(wave: 1), "no host of wave 1 was upgraded"),
            (.askedByOperator, "an operator asked to stop"),
            (.signal("TERM"), "stopped by SIGTERM"),
        ] as [(StopReason, String)])
    func sentences(reason: StopReason, text: String) {
        #expect(reason.text == text)
    }
}

/// Expects that a call says nothing and changes nothing.
func expectNothing(
    of rollout: inout Rollout, _ call: (inout Rollout) -> [Rollout.Instruction], sourceLocation: SourceLocation = #_sourceLocation
) {
    let before = rollout
    #expect(call(&rollout) == [], sourceLocation: sourceLocation)
    #expect(rollout == before, sourceLocation: sourceLocation)
}

/// Waves of these sizes, of the hosts `h1`, `h2` ...
func waves(_ sizes: Int...) -> [Wave] {
    Wave.divide(hosts(sizes.reduce(0, +)), selected: 0, sizes: sizes.map { .hosts($0) })
}

/// The host with this number.
func h(_ number: Int) -> HostName { hosts(number)[number - 1] }
