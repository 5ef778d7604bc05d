import FleetCore
import TestSupport
import Testing

@Suite("Dividing hosts into waves")
struct WaveTests {
    @Test(
        "the sizes of the waves follow the entries, and the last entry repeats",
        arguments: [
            (23, 23, [.hosts(1), .hosts(5), .percent(20)], [1, 5, 4, 4, 4, 4, 1]),
            (5, 5, [.hosts(1), .hosts(2)], [1, 2, 2]),
            (5, 5, [.hosts(1), .hosts(4)], [1, 4]),
            (5, 5, [.hosts(1), .percent(10)], [1, 1, 1, 1, 1]),
            (100, 100, [.hosts(1), .percent(10)], [1] + Array(repeating: 10, count: 9) + [9]),
            // Percentages are of the selection, not of the hosts with work.
            (8, 40, [.percent(10)], [4, 4]),
            (3, 10, [.percent(0)], [1, 1, 1]),
            (3, 10, [.hosts(0)], [1, 1, 1]),
            (3, 10, [.hosts(-4)], [1, 1, 1]),
            (3, 10, [.percent(100)], [3]),
            (3, 10, [.hosts(100_000)], [3]),
            (3, 10, [], [1, 1, 1]),
            (1, 1, [.hosts(5)], [1]),
            (0, 10, [.hosts(5)], []),
        ] as [(Int, Int, [Share], [Int])])
    func sizes(count: Int, selected: Int, sizes: [Share], expected: [Int]) {
        let waves = Wave.divide(hosts(count), selected: selected, sizes: sizes)
        #expect(waves.map(\.hosts.count) == expected)
    }

    @Test("every host is in exactly one wave, in order, and the waves count from 1", arguments: 0..<200)
    func everyHostOnce(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let names = hosts(Int.random(in: 0...300, using: &random))
        let sizes = (0..<Int.random(in: 0...4, using: &random)).map { _ in
            random.chance(50) ? Share.hosts(.random(in: 0...50, using: &random)) : .percent(.random(in: 0...100, using: &random))
        }

        let waves = Wave.divide(names, selected: names.count + .random(in: 0...100, using: &random), sizes: sizes)

        #expect(waves.flatMap(\.hosts) == names)
        #expect(waves.map(\.number) == Array(1..<(waves.count + 1)))
        #expect(!waves.contains { $0.hosts.isEmpty })
    }
}
