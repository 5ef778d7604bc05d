import FleetCore
import Testing

/// The rules that keep hosts apart, and those that make a gate wait.
@Suite("A rollout with limits, pauses and approvals")
struct RolloutPolicyTests {
    /// `h1`, `h2` ... each of the customer at its place; an empty text is no customer.
    private func customers(_ names: String...) -> [Host] {
        names.enumerated().map { Host(name: h($0.offset + 1), address: "x", customer: $0.element.isEmpty ? nil : $0.element) }
    }

    private func held(_ host: HostName, _ label: String, _ value: String, by holders: String) -> Rollout.Instruction {
        .holdBack(host, because: Reason(.noPlaceLeft, ["label": label, "value": value, "holders": holders]))
    }

    @Test("two hosts of a customer are never at work together: the second is passed over until the first has ended")
    func spread() {
        let policy = RolloutPolicy(atOnce: 3, spread: .customer)
        var rollout = Rollout(waves: waves(5), policy: policy, selected: 5, hosts: customers("a", "a", "b", "b", "c"))
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(3)), .start(h(5))])
        #expect(rollout.record(.upgraded, of: h(5)) == [])
        #expect(rollout.record(.upgraded, of: h(3)) == [.start(h(4))])
        #expect(rollout.record(.upgraded, of: h(1)) == [.start(h(2))])
        #expect(rollout.record(.upgraded, of: h(2)) == [])
        #expect(rollout.record(.upgraded, of: h(4)) == [.finish])
    }

    @Test("hosts without a customer are not of one customer")
    func nobodys() {
        var rollout = Rollout(waves: waves(3), policy: RolloutPolicy(spread: .customer), selected: 3, hosts: customers("", "", "a"))
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(2)), .start(h(3))])
    }

    @Test(
        "a host that did not end well keeps its customer's other hosts from being started, in every wave, and the rest goes on",
        arguments: [HostOutcome.failed, .unreachable, .unknown])
    func failedCustomer(outcome: HostOutcome) {
        let policy = RolloutPolicy(maxFailures: .hosts(2), spread: .customer)
        let hosts = customers("b", "a", "a", "b", "a", "c")
        var rollout = Rollout(waves: waves(4, 1, 1), policy: policy, selected: 6, hosts: hosts)
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(2))])
        #expect(rollout.record(outcome, of: h(2)) == [held(h(3), "customer", "a", by: "h2 (\(outcome.rawValue))")])
        #expect(rollout.record(.upgraded, of: h(1)) == [.start(h(4))])
        // The second wave has nobody who could begin; the third is opened by what the first one showed.
        #expect(
            rollout.record(.upgraded, of: h(4))
                == [held(h(5), "customer", "a", by: "h2 (\(outcome.rawValue))"), .openWave(3), .start(h(6))])
        #expect(rollout.record(.upgraded, of: h(6)) == [.finish])
        #expect(rollout.stopReason == nil)
        #expect(rollout.notStarted == [h(3), h(5)])
        #expect(rollout.heldBack == [h(3), h(5)])
    }

    @Test("a host that was kept out untouched gives its place back", arguments: [HostOutcome.blocked, .deferred, .aborted])
    func keptOut(outcome: HostOutcome) {
        var rollout = Rollout(waves: waves(2), policy: RolloutPolicy(spread: .customer), selected: 2, hosts: customers("a", "a"))
        _ = rollout.begin()
        #expect(rollout.record(outcome, of: h(1)) == [.start(h(2))])
    }

    @Test("a run whose last hosts are all held back ends without a stop")
    func nothingLeft() {
        let policy = RolloutPolicy(spread: .customer)
        var rollout = Rollout(waves: waves(2), policy: policy, selected: 2, hosts: customers("a", "a"))
        _ = rollout.begin()
        #expect(rollout.record(.failed, of: h(1)) == [held(h(2), "customer", "a", by: "h1 (failed)"), .finish])
        #expect(rollout.stopReason == nil)
    }

    @Test("at most so many hosts of one site are at work, and as many failed ones hold the rest back")
    func limits() {
        let policy = RolloutPolicy(atOnce: 9, maxFailures: .hosts(5), limits: ["site": 2])
        var hosts = customers("", "", "", "", "")
        for (place, site) in ["paris", "paris", "paris", "lyon", "paris"].enumerated() { hosts[place].labels["site"] = site }
        var rollout = Rollout(waves: waves(5), policy: policy, selected: 5, hosts: hosts)
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(2)), .start(h(4))])
        #expect(rollout.record(.failed, of: h(2)) == [])
        #expect(rollout.record(.upgraded, of: h(1)) == [.start(h(3))])
        #expect(rollout.record(.unknown, of: h(3)) == [held(h(5), "site", "paris", by: "h2 (failed), h3 (unknown)")])
        #expect(rollout.record(.upgraded, of: h(4)) == [.finish])
    }

    @Test("every limit of a host has to leave it a place, the stricter of two for customers counting")
    func severalLimits() {
        let policy = RolloutPolicy(atOnce: 9, spread: .customer, limits: ["customer": 3, "site": 2])
        var hosts = customers("a", "b", "c", "a")
        for place in 0..<3 { hosts[place].labels["site"] = "paris" }
        var rollout = Rollout(waves: waves(4), policy: policy, selected: 4, hosts: hosts)
        #expect(rollout.begin() == [.openWave(1), .start(h(1)), .start(h(2))])
        #expect(rollout.record(.upgraded, of: h(2)) == [.start(h(3))])
        #expect(rollout.record(.upgraded, of: h(1)) == [.start(h(4))])
    }

    @Test("between two waves it pauses, and neither before the first nor after the last")
    func pause() {
        var rollout = Rollout(waves: waves(1, 1), policy: RolloutPolicy(pause: .seconds(600)), selected: 2)
        expectNothing(of: &rollout) { $0.pauseEnded() }
        #expect(rollout.begin() == [.openWave(1), .start(h(1))])
        expectNothing(of: &rollout) { $0.pauseEnded() }
        #expect(rollout.record(.upgraded, of: h(1)) == [.pause(before: 2, .seconds(600))])
        #expect(!rollout.isFinished)
        #expect(rollout.atWork.isEmpty)
        #expect(rollout.pauseEnded() == [.openWave(2), .start(h(2))])
        expectNothing(of: &rollout) { $0.pauseEnded() }
        #expect(rollout.record(.upgraded, of: h(2)) == [.finish])
    }

    @Test("a stop ends a pause at once, and a wave that opens no gate has none")
    func stoppedPause() {
        var rollout = Rollout(waves: waves(1, 1), policy: RolloutPolicy(pause: .seconds(600)), selected: 2)
        _ = rollout.begin()
        _ = rollout.record(.upgraded, of: h(1))
        #expect(rollout.stop(because: .signal("INT")) == [.stop(.signal("INT")), .finish])
        expectNothing(of: &rollout) { $0.pauseEnded() }
        #expect(rollout.notStarted == [h(2)])

        var other = Rollout(waves: waves(1, 1), policy: RolloutPolicy(maxFailures: .hosts(2), pause: .seconds(600)), selected: 2)
        _ = other.begin()
        #expect(other.record(.failed, of: h(1)) == [.stop(.noUpgradedHost(wave: 1)), .finish])
    }

    @Test("a run taken up again between two waves begins without a pause")
    func resumedPause() {
        var rollout = Rollout(
            waves: waves(1, 1, 1), policy: RolloutPolicy(pause: .seconds(600)), selected: 3, earlier: [h(1): .upgraded])
        #expect(rollout.begin() == [.openWave(2), .start(h(2))])
        #expect(rollout.record(.upgraded, of: h(2)) == [.pause(before: 3, .seconds(600))])
    }

    @Test("with approvals the attempt ends at each gate; taken up again with the approval it goes on to the next")
    func approve() {
        let policy = RolloutPolicy(approve: true)
        var first = Rollout(waves: waves(1, 1, 1), policy: policy, selected: 3)
        #expect(first.begin() == [.openWave(1), .start(h(1))])
        #expect(first.record(.upgraded, of: h(1)) == [.awaitApproval(of: 2), .finish])
        #expect(first.isFinished && first.stopReason == nil)
        #expect(first.notStarted == [h(2), h(3)])

        var unapproved = Rollout(waves: waves(1, 1, 1), policy: policy, selected: 3, earlier: [h(1): .upgraded])
        #expect(unapproved.begin() == [.awaitApproval(of: 2), .finish])

        var second = Rollout(waves: waves(1, 1, 1), policy: policy, selected: 3, approved: [2], earlier: [h(1): .upgraded])
        #expect(second.begin() == [.openWave(2), .start(h(2))])
        #expect(second.record(.upgraded, of: h(2)) == [.awaitApproval(of: 3), .finish])

        var last = Rollout(
            waves: waves(1, 1, 1), policy: policy, selected: 3, approved: [2, 3], earlier: [h(1): .upgraded, h(2): .upgraded])
        #expect(last.begin() == [.openWave(3), .start(h(3))])
        #expect(last.record(.upgraded, of: h(3)) == [.finish])
    }

    @Test("a wave that was begun before is gone on with, its approval being on record")
    func resumedInWave() {
        var rollout = Rollout(
            waves: waves(1, 2), policy: RolloutPolicy(approve: true), selected: 3, approved: [2],
            earlier: [h(1): .upgraded, h(2): .upgraded])
        #expect(rollout.begin() == [.openWave(2), .start(h(3))])
    }

    @Test("no approval is asked for after a stop, nor for a wave that nobody could begin in")
    func noApproval() {
        var stopped = Rollout(waves: waves(1, 1), policy: RolloutPolicy(approve: true), selected: 2)
        _ = stopped.begin()
        #expect(stopped.record(.failed, of: h(1)) == [.stop(.failuresInRun(1, allowed: 0)), .finish])

        let policy = RolloutPolicy(maxFailures: .hosts(3), approve: true, spread: .customer)
        var idle = Rollout(waves: waves(2, 1), policy: policy, selected: 3, hosts: customers("a", "b", "a"))
        _ = idle.begin()
        _ = idle.record(.failed, of: h(1))
        #expect(idle.record(.upgraded, of: h(2)) == [held(h(3), "customer", "a", by: "h1 (failed)"), .finish])
    }

    @Test(
        "a host that failed before the run was taken up again still keeps its customer's place, forgiven or not",
        arguments: [true, false])
    func earlierFailure(forgiving: Bool) {
        let policy = RolloutPolicy(maxFailures: .hosts(3), spread: .customer)
        var rollout = Rollout(
            waves: waves(3), policy: policy, selected: 3, hosts: customers("a", "a", "b"), earlier: [h(1): .failed], forgiving: forgiving)
        #expect(rollout.begin() == [held(h(2), "customer", "a", by: "h1 (failed)"), .openWave(1), .start(h(3))])
        #expect(rollout.record(.upgraded, of: h(3)) == [.finish])
    }

    @Test("a rule that goes by a label none of the hosts has is refused, with a guess")
    func unknownLabels() {
        var hosts = customers("a", "")
        hosts[1].labels = ["site": "paris"]
        let good = RolloutPolicy(spread: .customer, limits: ["site": 2, "customer": 1])
        #expect(good.unknownLabels(among: hosts).isEmpty)
        let problems = RolloutPolicy(spread: .customer, limits: ["site": 1, "sit": 2]).unknownLabels(among: [hosts[1]])
        #expect(problems.map(\.code) == ["unknown-label", "unknown-label"])
        #expect(problems.map(\.place) == [.argument("--spread"), .argument("--limits")])
        #expect(problems[1].what == "No selected host has the label `sit`.")
        #expect(problems[1].remedy == "Did you mean `site`? They have: site.")
        #expect(RolloutPolicy(limits: ["rack": 1]).unknownLabels(among: customers("")).map(\.remedy) == ["They have none."])
    }
}
