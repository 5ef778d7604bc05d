import FleetCore
import Testing

@Suite("A number or a percentage of hosts")
struct ShareTests {
    @Test(
        "reads numbers and percentages and writes them back",
        arguments: [("0", .hosts(0)), ("5", .hosts(5)), ("100000", .hosts(100_000)), ("0%", .percent(0)), ("100%", .percent(100))]
            as [(String, Share)])
    func reads(text: String, expected: Share) {
        #expect(Share(text) == expected)
        #expect(expected.description == text)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "%", "-1", "+1", "1.5", "101%", "100001", "5 %", " 5", "5 ", "%5", "5%%", "five", "٣", "5%\u{301}", "99999999999999999999",
        ])
    func refuses(text: String) {
        #expect(Share(text) == nil)
    }

    @Test(
        "a percentage is cut down to whole hosts",
        arguments: [(20, 23, 4), (20, 4, 0), (50, 3, 1), (99, 100, 99), (100, 7, 7), (0, 7, 0), (33, 0, 0)])
    func cutDown(percent: Int, of count: Int, expected: Int) {
        #expect(Share.percent(percent).hosts(of: count) == expected)
    }

    @Test("a number stays that number, whatever it is of")
    func number() {
        #expect(Share.hosts(5).hosts(of: 3) == 5)
    }
}
