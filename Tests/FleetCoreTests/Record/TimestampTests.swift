import FleetCore
import TestSupport
import Testing

@Suite("A moment in files")
struct TimestampTests {
    @Test(
        "is RFC 3339 in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_443_901_250, "2026-11-23T14:25:01.250Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func isRFC3339(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test("reads back what it wrote", arguments: 0..<100)
    func roundTrip(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let moment = Timestamp(milliseconds: Int64(random.number(0...253_402_300_799_999)))
        #expect(Timestamp(moment.description) == moment)
    }

    @Test(
        "refuses what is not a moment in UTC",
        arguments: ["", "2026-11-23", "2026-11-23T14:25:01", "2026-11-23T14:25:01+01:00", "2026-13-01T00:00:00Z", "2026-11-23T14:25:01.Z"])
    func refuses(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test("begins the id of a run, which is valid and sorts by time")
    func runID() {
        var random = SeededGenerator(seed: 1)
        let first = RunID(at: Timestamp(milliseconds: 1_795_443_901_250), using: &random)
        let second = RunID(at: Timestamp(milliseconds: 1_795_443_902_250), using: &random)
        #expect(first.text.hasPrefix("20261123-142501-"))
        #expect(RunID(first.text) == first)
        #expect(first.text < second.text)
    }
}
