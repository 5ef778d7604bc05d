import FleetCore
import TestSupport
import Testing

@Suite("Names of hosts")
struct HostNameTests {
    @Test("takes letters, digits, dots, underscores and hyphens", arguments: ["a", "7", "acme-1.example.net", "A_b", "x..y", longest])
    func takes(text: String) {
        #expect(HostName(text)?.text == text)
    }

    @Test(
        "refuses what could leave a folder, split a word, be an option or act on a terminal",
        arguments: [
            "", ".", "..", ".hidden", "-l", "_a", "a/b", "../a", "a b", "a\n", "a\0", "a\t", "a;b", "a'b", "a$b", "a*", "\u{1b}[31m", "é",
            "a\u{301}",
            "a:22", "a@b", longest + "x",
        ])
    func refuses(text: String) {
        #expect(HostName(text) == nil)
    }

    @Test("orders names as people count")
    func order() throws {
        let texts = ["acme", "acme-1", "acme-2", "acme-10", "web1a", "web01", "web1", "web2", "web10", "web10-2", "web10-11"]
        let names = try texts.map { try host($0) }
        let sorted = names.shuffled().sorted()
        #expect(
            sorted.map(\.text) == ["acme", "acme-1", "acme-2", "acme-10", "web01", "web1", "web1a", "web2", "web10", "web10-2", "web10-11"])
    }

    @Test("orders any three names without a contradiction, however long their numbers", arguments: 0..<50)
    func totalOrder(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        var names: [HostName] = []
        for _ in 0..<12 {
            var text = random.pick("a", "0", "5")
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                text += random.pick("a", "b", "-", ".", "0", "1", "10", "5", "00", "99999999999999999999", "100000000000000000000")
            }
            if text.count <= 64 { names.append(try host(text)) }
        }
        var contradictions: [String] = []
        for a in names {
            for b in names {
                if [a < b, b < a, a == b].count(where: { $0 }) != 1 { contradictions.append("\(a), \(b)") }
                guard a < b else { continue }
                for c in names where b < c && !(a < c) { contradictions.append("\(a) < \(b) < \(c)") }
            }
        }
        #expect(contradictions == [])
    }

    private static let longest = String(repeating: "x", count: 64)
}
