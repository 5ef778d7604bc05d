import FleetCore
import TestSupport
import Testing

/// What holds for every fleet, every policy, every outcome and every order in which hosts end.
///
/// Judged by what the rollout said (``History``), not by what it says about itself.
@Suite("Properties of every rollout")
struct RolloutPropertyTests {
    @Test("never more hosts are at work than at_once allows, failed ones included", arguments: History.seeds)
    func atOnce(seed: Int) {
        for (before, entry) in History.all[seed].moments {
            guard case .started = entry else { continue }
            #expect(before.atWork.count + before.failures < History.all[seed].policy.atOnce)
        }
    }

    @Test("no host is started twice, and only hosts of the plan are", arguments: History.seeds)
    func onceEach(seed: Int) {
        let history = History.all[seed]
        let planned = history.waves.flatMap(\.hosts)
        #expect(Set(history.started).count == history.started.count)
        #expect(Set(history.started).isSubset(of: planned))
        // Without limits it goes in the order of the plan without a gap.
        if history.policy.labelLimits.isEmpty {
            #expect(history.started.elementsEqual(planned.prefix(history.started.count)))
        }
    }

    @Test("nothing is started or opened after a stop", arguments: History.seeds)
    func nothingAfterStop(seed: Int) {
        let history = History.all[seed]
        #expect(history.stops.count <= 1)
        guard let stop = history.entries.firstIndex(where: { if case .stopped = $0 { true } else { false } }) else { return }
        for entry in history.entries[stop...].dropFirst() {
            switch entry {
            case .started, .opened, .stopped, .paused, .awaited, .heldBack: Issue.record("\(entry) after the stop")
            case .ended, .asked, .finished: break
            }
        }
    }

    @Test("a host is started only in its own open wave, when every host of the waves before has ended", arguments: History.seeds)
    func wavesInTurn(seed: Int) {
        let history = History.all[seed]
        let waveOfHost = history.waveOfHost
        for (before, entry) in history.moments {
            switch entry {
            case .opened(let number):
                #expect(number > before.wave)
                #expect(before.atWork.isEmpty)
                let over = Set(before.ended.keys).union(before.heldBack)
                #expect(history.waves.prefix(number - 1).allSatisfy { over.isSuperset(of: $0.hosts) })
                // A wave is passed over only if nobody in it could begin.
                #expect(history.waves[before.wave..<(number - 1)].allSatisfy { before.heldBack.isSuperset(of: $0.hosts) })
            case .started(let host):
                #expect(waveOfHost[host] == before.wave)
            case .ended, .asked, .stopped, .finished, .paused, .awaited, .heldBack: break
            }
        }
    }

    @Test("never more hosts with one value of a label are at work than its limit allows, failed ones included", arguments: History.seeds)
    func limits(seed: Int) {
        let history = History.all[seed]
        for (before, entry) in history.moments {
            guard case .started(let host) = entry else { continue }
            let holders = before.atWork.union(before.failed)
            #expect(!history.isFull(for: host, by: holders))
            guard history.policy.spread == .customer, let customer = history.labels[host]?["customer"] else { continue }
            #expect(!holders.contains { history.labels[$0]?["customer"] == customer })
        }
    }

    @Test("a host is held back only by hosts that failed, once, and is never started", arguments: History.seeds)
    func heldBack(seed: Int) {
        let history = History.all[seed]
        #expect(Set(history.heldBack).count == history.heldBack.count)
        #expect(Set(history.heldBack).isDisjoint(with: history.started))
        for (before, entry) in history.moments {
            guard case .heldBack(let host) = entry else { continue }
            #expect(history.isFull(for: host, by: before.failed))
        }
        #expect(history.rollout.heldBack == Set(history.heldBack))
    }

    @Test("it pauses before every wave but the first, with nothing at work, and never elsewhere", arguments: History.seeds)
    func pauses(seed: Int) {
        let history = History.all[seed]
        let moments = history.moments
        for (place, (before, entry)) in moments.enumerated() {
            switch entry {
            case .paused(let number):
                #expect(history.policy.pause > .zero)
                #expect(before.wave > 0 && number > before.wave && before.atWork.isEmpty && !before.isStopped)
                let next = moments[place + 1].entry
                #expect(next == .opened(number) || next == .asked(.signal("TERM")))
            case .opened(let number) where before.wave > 0 && history.policy.pause > .zero:
                #expect(moments[place - 1].entry == .paused(before: number))
            default: break
            }
        }
    }

    @Test("with approvals no wave but the first opens without one, and the attempt ends where one is missing", arguments: History.seeds)
    func approvals(seed: Int) {
        let history = History.all[seed]
        guard history.policy.approve else {
            #expect(history.awaited == nil)
            return
        }
        for case .opened(let number) in history.entries where number > 1 { #expect(history.approved.contains(number)) }
        guard let place = history.entries.firstIndex(where: { if case .awaited = $0 { true } else { false } }) else { return }
        #expect(!history.approved.contains(history.awaited ?? 0))
        #expect(history.entries[(place + 1)...].elementsEqual([.finished]))
        #expect(history.stops.isEmpty)
    }

    @Test("no wave opens after a wave without a good host", arguments: History.seeds)
    func gates(seed: Int) {
        let history = History.all[seed]
        for (before, entry) in history.moments {
            guard case .opened = entry, before.wave > 0 else { continue }
            // Between the two may be waves that nobody could begin in.
            let outcomes = history.waves[before.wave - 1].hosts.compactMap { before.ended[$0] }
            #expect(outcomes.contains { $0 == .upgraded || $0 == .skipped })
        }
    }

    @Test("a canary that failed leaves every later host untouched", arguments: History.seeds)
    func failedCanary(seed: Int) {
        let history = History.all[seed]
        guard let canaries = history.waves.first?.hosts, let last = canaries.last else { return }
        let ended = history.ended
        guard canaries.allSatisfy({ ended[$0] == .failed }) else { return }
        #expect(Set(history.started).isSubset(of: canaries), "\(last) was the last canary")
    }

    @Test("nothing is started once more hosts failed than the run or the wave allows", arguments: History.seeds)
    func budgets(seed: Int) {
        let history = History.all[seed]
        let allowed = history.policy.maxFailures.hosts(of: history.selected)
        for (before, entry) in history.moments {
            guard case .started = entry else { continue }
            #expect(before.failures <= allowed)
            if let share = history.policy.maxFailuresPerWave {
                #expect(before.failuresInWave <= share.hosts(of: history.waves[before.wave - 1].hosts.count))
            }
        }
    }

    /// The bound, exactly: with k the failure that stops the run, there are fewer than k failures before the stop is said or k at
    /// that very moment, and after it only hosts then at work can fail. And because failed hosts keep their places, there are
    /// never more than `at_once`.
    @Test(
        "failures stay below the one that stops the run, plus the hosts at work at that moment; and never exceed at_once",
        arguments: History.seeds)
    func boundOnFailures(seed: Int) {
        let history = History.all[seed]
        let number = Budget(history.policy, selected: history.selected).stopsAtFailure
        let moments = history.moments
        let total = moments.last.map { $0.before.failures } ?? 0

        #expect(total <= history.policy.atOnce)
        let stop = moments.first { if case .stopped = $0.entry { true } else { false } }
        if let stop {
            #expect(stop.before.failures <= number)
            #expect(total <= stop.before.failures + stop.before.atWork.count)
            #expect(total <= number + stop.before.atWork.count)
        } else {
            // Without a stop, either the bound holds or nothing was left that a stop could have kept from starting.
            let left = Set(history.waves.flatMap(\.hosts)).subtracting(history.started).subtracting(history.heldBack)
            #expect(total <= number || left.isEmpty)
        }
    }

    @Test("a stop by a rule is said at once, for the reason that holds at that moment", arguments: History.seeds)
    func reasons(seed: Int) {
        let history = History.all[seed]
        let budget = Budget(history.policy, selected: history.selected)
        for (before, entry) in history.moments {
            guard case .stopped(let reason) = entry else { continue }
            switch reason {
            case .failuresInRun(let count, let allowed):
                #expect(count == before.failures && allowed == budget.mayFail && count == allowed + 1)
            case .failuresInWave(let wave, let count, let allowed):
                #expect(wave == before.wave && count == before.failuresInWave && count == allowed + 1)
                #expect(allowed == budget.mayFail(inWaveOf: history.waves[wave - 1].hosts.count))
            case .noPlaceLeft(let atOnce):
                #expect(atOnce == history.policy.atOnce && before.failures == atOnce && before.atWork.isEmpty)
                #expect(before.started.count < history.waves.flatMap(\.hosts).count)
            case .noUpgradedHost(let wave):
                #expect(wave == before.wave && wave < history.waves.count && before.atWork.isEmpty)
                #expect(!history.waves[wave - 1].hosts.contains { before.ended[$0] == .upgraded || before.ended[$0] == .skipped })
            case .askedByOperator, .signal, .hookFailed:
                #expect(history.entries.contains(.asked(reason)))
            }
        }
    }

    @Test(
        "a place that is free is used: a host waits only for a place, its labels' too, a barrier, a gate or a stop",
        arguments: History.seeds)
    func noIdlePlaces(seed: Int) {
        let history = History.all[seed]
        guard !history.policy.barrier else { return }
        let waveOfHost = history.waveOfHost
        // Whenever the rollout listens for the next ending, it has started all it may.
        for (before, entry) in history.moments {
            guard case .ended = entry, !before.isStopped else { continue }
            let holders = before.atWork.union(before.failed)
            let couldStart = history.waves[before.wave - 1].hosts.contains {
                !before.started.contains($0) && waveOfHost[$0] == before.wave && !history.isFull(for: $0, by: holders)
            }
            #expect(!couldStart || before.atWork.count + before.failures == history.policy.atOnce)
        }
    }

    @Test("with a barrier a group starts only when the whole group before has ended, and fills every free place", arguments: History.seeds)
    func barrier(seed: Int) {
        let history = History.all[seed]
        guard history.policy.barrier else { return }
        var group: Set<HostName> = []
        var groupIsStarting = false
        for (before, entry) in history.moments {
            switch entry {
            case .started(let host):
                if !groupIsStarting {
                    #expect(group.allSatisfy { before.ended[$0] != nil })
                    group = []
                }
                groupIsStarting = true
                group.insert(host)
            case .ended where groupIsStarting:
                groupIsStarting = false
                let wave = history.waves[before.wave - 1].hosts
                let holders = before.atWork.union(before.failed)
                let couldStart = wave.contains { !before.started.contains($0) && !history.isFull(for: $0, by: holders) }
                #expect(group.count == history.policy.atOnce - before.failures || !couldStart)
            case .ended, .opened, .asked, .stopped, .finished, .paused, .awaited, .heldBack: break
            }
        }
    }

    @Test("it finishes exactly once, as the last thing said, with nothing at work", arguments: History.seeds)
    func finishes(seed: Int) {
        let history = History.all[seed]
        let finishes = history.moments.filter { $0.entry == .finished }
        #expect(finishes.count == 1)
        #expect(finishes.allSatisfy { $0.before.atWork.isEmpty })
        #expect(history.answers.last { !$0.isEmpty }?.last == .finish)
        #expect(history.rollout.isFinished)
    }

    @Test(
        "every host has either ended or was not started; only a stop, a missing approval or failed hosts leave hosts behind",
        arguments: History.seeds)
    func everyHostAccountedFor(seed: Int) {
        let history = History.all[seed]
        let planned = history.waves.flatMap(\.hosts)
        let ended = history.ended
        #expect(history.rollout.notStarted == planned.filter { ended[$0] == nil })
        #expect(history.rollout.ended == ended)
        #expect(Set(history.started) == Set(ended.keys))
        if history.stops.isEmpty, history.awaited == nil { #expect(Set(history.rollout.notStarted) == Set(history.heldBack)) }
        #expect(history.rollout.stopReason == history.stops.first)
        #expect(history.rollout.failures == ended.values.count { [.failed, .unreachable, .unknown].contains($0) })
    }

    @Test("the same calls give the same answers, so a resumed run stands where it stood", arguments: History.seeds)
    func replay(seed: Int) {
        let history = History.all[seed]
        var again = Rollout(
            waves: history.waves, policy: history.policy, selected: history.selected, hosts: history.hosts, approved: history.approved)
        for (call, answer) in zip(history.calls, history.answers) {
            switch call {
            case .begin: #expect(again.begin() == answer)
            case .pauseEnded: #expect(again.pauseEnded() == answer)
            case .record(let outcome, let host): #expect(again.record(outcome, of: host) == answer)
            case .stop(let reason): #expect(again.stop(because: reason) == answer)
            }
        }
        #expect(again == history.rollout)
    }

    @Test("the histories hold every case that the properties speak of")
    func coverage() {
        let histories = History.all
        let stops = histories.flatMap(\.stops)
        #expect(stops.contains { if case .failuresInRun = $0 { true } else { false } })
        #expect(stops.contains { if case .failuresInWave = $0 { true } else { false } })
        #expect(stops.contains { if case .noPlaceLeft = $0 { true } else { false } })
        #expect(stops.contains { if case .noUpgradedHost = $0 { true } else { false } })
        #expect(stops.contains(.askedByOperator))
        #expect(stops.contains(.signal("INT")))
        #expect(histories.contains { $0.stops.isEmpty && $0.waves.count > 3 })
        #expect(histories.contains { $0.stops.isEmpty && $0.rollout.failures > 3 })
        #expect(histories.contains { $0.waves.isEmpty })
        #expect(histories.contains { $0.awaited != nil })
        #expect(histories.contains { $0.policy.approve && $0.awaited == nil && $0.waves.count > 2 && $0.stops.isEmpty })
        #expect(histories.contains { $0.stops.isEmpty && !$0.heldBack.isEmpty && $0.started.count > $0.heldBack.count })
        #expect(histories.contains { $0.entries.contains { if case .paused = $0 { true } else { false } } && $0.stops.isEmpty })
        #expect(histories.contains { $0.stops.contains(.signal("TERM")) })
        #expect(
            histories.contains { history in
                history.stops.isEmpty && history.heldBack.isEmpty && history.started.count > 20
                    && history.started != history.waves.flatMap(\.hosts)
            })
        #expect(histories.contains { $0.waves.flatMap(\.hosts).count > 200 && $0.started.count > 200 })
        #expect(histories.contains { $0.policy.barrier && $0.policy.atOnce > 3 && $0.started.count > 20 })
        #expect(
            histories.contains { history in
                let canaries = history.waves.first?.hosts ?? []
                return !canaries.isEmpty && history.waves.count > 1 && canaries.allSatisfy { history.ended[$0] == .failed }
            })
    }
}
