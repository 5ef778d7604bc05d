import FleetCore
import TestSupport
import Testing

@Suite("Text for a terminal")
struct EscapingTests {
    @Test(
        "what a terminal may act on is written as an escape",
        arguments: [
            ("\u{1b}[31mred\u{1b}[0m", #"\x1b[31mred\x1b[0m"#),
            ("\u{1b}]0;title\u{7}", #"\x1b]0;title\x07"#),
            ("done\r\u{8}\u{8}fail", #"done\r\x08\x08fail"#),
            ("a\tb\nc\r\nd", #"a\tb\nc\r\nd"#),
            ("\0\u{7f}", #"\x00\x7f"#),
            ("\u{9b}31m \u{85}", #"\x9b31m \x85"#),
            ("abc\u{202e}cba\u{2066}x\u{2069}", #"abc\u{202e}cba\u{2066}x\u{2069}"#),
            ("\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}", #"\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}"#),
            // A control character stays one in front of a combining mark.
            ("\u{1b}\u{301}[2J", "\\x1b\u{301}[2J"),
        ])
    func escapes(text: String, expected: String) {
        #expect(text.escapedForTerminal().unicodeScalars.elementsEqual(expected.unicodeScalars))
    }

    @Test("everything else stays as it is", arguments: ["", "plain", "déjà vu", "日本語", "👩‍👩‍👧", #"back\slash"#, "e\u{301}", "\u{fffd}"])
    func keeps(text: String) {
        #expect(text.escapedForTerminal().unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test("newlines stay where they are wanted, and nothing else does")
    func newlines() {
        #expect("a\r\nb\nc\u{1b}".escapedForTerminal(keepingNewlines: true) == "a\\r\nb\nc\\x1b")
    }

    @Test("no control character comes through, whatever the text", arguments: 0..<50)
    func anyText(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let bytes = (0..<200).map { _ in
            random.chance(50) ? UInt8.random(in: 0..<0x30, using: &random) : .random(in: 0...255, using: &random)
        }
        let escaped = String(decoding: bytes, as: UTF8.self).escapedForTerminal()
        #expect(!escaped.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
}

@Suite("Durations as text")
struct DurationTextTests {
    @Test(
        "reads one whole number and one unit",
        arguments: [
            ("1ms", .milliseconds(1)), ("500ms", .milliseconds(500)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("2h", .seconds(7200)),
            ("1d", .seconds(86_400)), ("007s", .seconds(7)), ("1000000000d", .seconds(86_400_000_000_000)),
        ] as [(String, Duration)])
    func reads(text: String, expected: Duration) {
        #expect(Duration(text) == expected)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "s", "5", "0s", "-5s", "+5s", "1.5s", "5 s", " 5s", "5s ", "5S", "5min", "5m30s", "5us", "٣s", "5s\u{301}", "1000000001s",
            "99999999999999999999s",
        ])
    func refuses(text: String) {
        #expect(Duration(text) == nil)
    }

    @Test(
        "is written in the largest unit that loses nothing, and never in days",
        arguments: [
            (.milliseconds(1), "1ms"), (.milliseconds(1500), "1500ms"), (.seconds(1), "1s"), (.seconds(90), "90s"), (.seconds(300), "5m"),
            (.seconds(5400), "90m"), (.seconds(7200), "2h"), (.seconds(86_400), "24h"), (.zero, "0s"), (.microseconds(2500), "2ms"),
        ] as [(Duration, String)])
    func writes(duration: Duration, expected: String) {
        #expect(duration.text == expected)
    }

    @Test("what is written reads back, from a millisecond to eleven days", arguments: 0..<100)
    func roundTrip(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let most: Int64 = 11 * 86_400_000
        let milliseconds = Int64.random(in: 1...random.pick(1000, 100_000, most), using: &random)
        let duration = Duration.milliseconds(random.chance(50) ? milliseconds : (milliseconds + 999) / 1000 * 1000)
        #expect(Duration(duration.text) == duration)
    }

    @Test("is a number of seconds for arithmetic")
    func seconds() {
        #expect(Duration.milliseconds(1500).inSeconds == 1.5)
        #expect(Duration.seconds(-2).inSeconds == -2)
    }
}
