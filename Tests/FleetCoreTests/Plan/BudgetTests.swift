import FleetCore
import TestSupport
import Testing

@Suite("The budget of failures")
struct BudgetTests {
    @Test(
        "the run stops when more hosts failed than may fail, or when failed hosts hold every place",
        arguments: [
            (.hosts(0), 5, 23, 1, "stops at failure number 1: none of 23 hosts may fail"),
            (.hosts(0), 1, 1, 1, "stops at failure number 1: none of 1 host may fail"),
            (.hosts(1), 2, 5, 2, "stops at failure number 2: at most 1 of 5 hosts may fail"),
            (.hosts(2), 5, 23, 3, "stops at failure number 3: at most 2 of 23 hosts may fail"),
            (.hosts(4), 5, 23, 5, "stops at failure number 5: at most 4 of 23 hosts may fail"),
            (.hosts(5), 5, 23, 5, "stops at failure number 5: failed hosts then hold all 5 places at work"),
            (.hosts(3), 1, 23, 1, "stops at failure number 1: a failed host then holds the only place at work"),
            // Cut down: 10 % of 19 hosts is 1, of 9 hosts none.
            (.percent(10), 5, 19, 2, "stops at failure number 2: at most 1 of 19 hosts may fail"),
            (.percent(10), 5, 9, 1, "stops at failure number 1: none of 9 hosts may fail"),
            (.percent(10), 50, 50, 6, "stops at failure number 6: at most 5 of 50 hosts may fail"),
            (.percent(100), 10, 4, 5, "stops at failure number 5: at most 4 of 4 hosts may fail"),
            (.hosts(-1), 0, 4, 1, "stops at failure number 1: none of 4 hosts may fail"),
        ] as [(Share, Int, Int, Int, String)])
    func run(maxFailures: Share, atOnce: Int, selected: Int, number: Int, text: String) {
        let budget = Budget(RolloutPolicy(atOnce: atOnce, maxFailures: maxFailures), selected: selected)
        #expect(budget.stopsAtFailure == number)
        #expect(budget.text == text)
    }

    @Test(
        "a wave has a limit of its own, of its own size",
        arguments: [
            (.hosts(0), 5, 1, "stops at failure number 1 in wave 2: none of 5 hosts may fail"),
            (.percent(20), 5, 2, "stops at failure number 2 in wave 2: at most 1 of 5 hosts may fail"),
            (.percent(20), 4, 1, "stops at failure number 1 in wave 2: none of 4 hosts may fail"),
            (.percent(100), 4, nil, nil),
            (.hosts(9), 4, nil, nil),
            (nil, 4, nil, nil),
        ] as [(Share?, Int, Int?, String?)])
    func wave(maxFailures: Share?, size: Int, number: Int?, text: String?) {
        let budget = Budget(RolloutPolicy(maxFailuresPerWave: maxFailures), selected: 100)
        #expect(budget.stopsAtFailure(inWaveOf: size) == number)
        #expect(budget.text(for: Wave(number: 2, hosts: hosts(size))) == text)
    }
}
