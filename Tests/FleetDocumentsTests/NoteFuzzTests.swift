import FleetCore
import Foundation
import TestSupport
import Testing

@testable import FleetDocuments

@Suite("Any text at all", .timeLimit(.minutes(5)))
struct NoteFuzzTests {
    private static let fragments = [
        "# Notes de version Canopsis 3.26.0\n", "## Procédure de mise à jour\n", "### Liste des modifications\n", "\n", "\n\n", "    ",
        "\t", "```",
        "~~~", "```sh\n", "!!! attention\n", "=== \"Docker\"\n", "* ", "- ", "1. ", "> ", "> [!WARNING]\n", "|", "|---|\n", "===\n",
        "---\n",
        "<!--", "-->", "<pre>", "</pre>", "<br/>", "[", "](", ")", "![", "`", "**", "_", "&nbsp;", "\\", "{#a}", "[a]: b\n", "\u{a0}",
        "\u{202f}",
        "\u{200b}", "\u{feff}", "\r\n", "\r", "\u{301}", "é", "’", "31 février 2019", "publié le 19 août 2019.", "1er", "3.26.0",
        "99999999999",
        "vous devez", "il faut", "aucune autre action", "Suivre la procédure standard de mise à jour.", "😀", "\u{202e}", "a", "...", "?!",
        ":", "\0",
    ]

    /// What has to hold of the reading of any text.
    private func check(_ text: String, _ name: String) {
        let reading = NoteReading(of: text)
        let lines = PlainText.normalised(text).utf8.count { $0 == 0x0a } + 1
        #expect((0...lines).contains(reading.facts.codeBlocks), "\(name)")
        if let date = reading.facts.published { #expect(Timestamp(date + "T00:00:00Z") != nil, "\(name): \(date)") }
        #expect(reading.reasons.allSatisfy { (1...lines).contains($0.line) && $0.excerpt.count <= 100 }, "\(name)")
        #expect(reading.flaws.allSatisfy { $0.line.map { (1...lines).contains($0) } ?? true }, "\(name)")
        #expect(reading.reasons.map(\.line) == reading.reasons.map(\.line).sorted(), "\(name)")
        let counts = reading.reasons.count { $0.fact == .procedure && $0.rule == .codeBlock }
        #expect(counts == reading.facts.codeBlocks, "\(name)")
        #expect(reading.facts.hasHiddenSteps == reading.reasons.contains { $0.fact == .hidden }, "\(name)")
        let asksForMore = reading.reasons.contains { $0.fact == .procedure }
        #expect(reading.facts.procedure == .more ? asksForMore : !asksForMore, "\(name)")
        // What is not there is said, or the note takes itself back.
        let codes = reading.flaws.map(\.code)
        if reading.facts.procedure == .missing {
            #expect(codes.contains { [.noProcedure, .emptyProcedure, .withdrawn].contains($0) }, "\(name)")
        }
        #expect(
            (reading.facts.published == nil) == codes.contains { [.noDate, .impossibleDate, .severalDates, .withdrawn].contains($0) },
            "\(name)")
        #expect((reading.version == nil) == codes.contains(.noTitle), "\(name)")
    }

    @Test("made of bytes is read", arguments: 0..<100)
    func bytes(_ seed: Int) {
        var random = SeededGenerator(seed: seed)
        let length = Int.random(in: 0..<4000, using: &random)
        let bytes = (0..<length).map { _ in UInt8.random(in: random.chance(50) ? 0...255 : 0x20...0x7e, using: &random) }
        check(String(decoding: bytes, as: UTF8.self), "bytes \(seed)")
    }

    @Test("made of pieces of Markdown is read", arguments: 0..<400)
    func pieces(_ seed: Int) {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 0..<300, using: &random)
        let text = (0..<count).map { _ in Self.fragments[Int.random(in: Self.fragments.indices, using: &random)] }.joined()
        check(text, "pieces \(seed)")
    }

    @Test("made of a note by cutting, doubling and planting is read", arguments: 0..<400)
    func mutations(_ seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let folder = fixture("notes")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let name = names[Int.random(in: names.indices, using: &random)]
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...80, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: bytes.indices, using: &random))
            case 2: bytes.insert(contentsOf: Self.fragments[Int.random(in: Self.fragments.indices, using: &random)].utf8, at: place)
            default: bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
        }
        check(String(decoding: bytes, as: UTF8.self), "mutation \(seed) of \(name)")
    }

    @Test(
        "that goes on and on in one way is read in a time that grows with its length and not with its square",
        arguments: [
            "[", "](", "[](", "![", "`", "``` `", "* ", "- + ", "> ", "<", "<a ", "<!--", "<!-- -->", "&", "\\", "#", "# ", "|", "| a |\n",
            "1. ",
            "!!! a\n", "!!! a\n    ", "=== \"a\"\n", "```\n", "~~~\n\n", "a. ", "a ", "vous ", "aucune ", "19 août ", "1", "1.", "\n", " ",
            "\t",
            "    a\n\n", "é", "\u{301}", "\u{a0}", "procédure de mise à jour ", "## Mise à jour\n", "<pre>\n", "il est nécessaire ",
            "3.26.0 ", "a\n---\n",
            "* a\n  ", "** ", "_a", "{#", "[a]: b\n", "> > > > > > > > > > ", "pas d autre ", "Publié le 19 août 2019 ",
        ])
    func long(_ piece: String) {
        let head = "# Notes de version Canopsis 3.26.0\n\nPublié le 19 août 2019.\n\n## Procédure de mise à jour\n\n"
        func time(_ bytes: Int) -> Duration {
            let text = head + String(repeating: piece, count: bytes / piece.utf8.count)
            let before = computed()
            check(text, "\(piece) repeated")
            return computed() - before
        }
        let (short, long) = (time(16_000), time(64_000))
        // Four times the text; sixteen times the time would be the square.
        #expect(long < short * 10 + .milliseconds(400), "\(short), \(long)")
    }

    /// How long this thread has computed: what else the machine does is not in it.
    private func computed() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
