import FleetCore
import TestSupport
import Testing

@Suite("Folding host names")
struct HostSetTests {
    @Test(
        "writes neighbours as a range and keeps leading zeros",
        arguments: [
            (["web01", "web02", "web03", "web07"], "web[01-03,07]"),
            (["web9", "web10", "web8"], "web[8-10]"),
            (["web08", "web09", "web10"], "web[08-10]"),
            (["web98", "web99", "web100"], "web[98-100]"),
            (["web099", "web100"], "web[099-100]"),
            (["web1", "web01"], "web[1,01]"),
            (["db", "web1"], "db,web1"),
            (["a1.example.net", "a2.example.net"], "a[1-2].example.net"),
            (["s1-n7", "s2-n7", "s3-n7"], "s[1-3]-n7"),
            (["s1-n1", "s1-n2", "s2-n1", "s2-n2"], "s1-n[1-2],s2-n[1-2]"),
            (["v123456789012345678901", "v123456789012345678902"], "v123456789012345678901,v123456789012345678902"),
            (["solo-7"], "solo-7"),
            ([], ""),
        ])
    func folds(_ names: [String], to text: String) {
        #expect(HostSet.folded(names.compactMap { HostName($0) }) == text)
    }

    @Test("what is written can be read, and names the same hosts", arguments: 0..<100)
    func readBack(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let names = (0..<Int.random(in: 1...30, using: &random)).compactMap { _ in
            HostName(
                "\(random.pick("web", "db-", "s1-n"))\(random.pick("", "0", "00"))\(Int.random(in: 0...120, using: &random))\(random.pick("", ".x"))"
            )
        }
        let read = try #require(HostSet.names(in: HostSet.folded(names)))
        #expect(Set(read) == Set(names) && read.count == Set(names).count)
    }

    @Test(
        "what is no folded set is none",
        arguments: ["", ",", "web[", "web[]", "web[1-]", "web[3-1]", "web[a]", "web[1-999999999]", "web[1]]", "-x"])
    func unreadable(text: String) { #expect(HostSet.names(in: text) == nil) }

    @Test("names every host and nobody else, in any order of the input", arguments: 0..<100)
    func namesExactly(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let names = Set(
            (0..<random.number(1...40)).compactMap { _ in
                let number = String(random.number(0...30))
                let padded = random.number(0...1) == 0 ? number : String(repeating: "0", count: max(0, 3 - number.count)) + number
                return HostName(["web", "db-", "x1y"][random.number(0...2)] + padded + ["", ".a", "-2"][random.number(0...2)])
            })
        let folded = HostSet.folded(names.shuffled(using: &random))
        #expect(folded == HostSet.folded(names.sorted()))
        #expect(Set(Self.expanded(folded)) == Set(names.map(\.text)), "\(folded)")
        #expect(Self.expanded(folded).count == names.count, "\(folded) names a host twice")
    }

    /// What a folded set stands for: the ranges of the inventory's own form, written out.
    private static func expanded(_ text: String) -> [String] {
        var words: [String] = [""]
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if character == ",", depth == 0 { words.append("") } else { words[words.count - 1].append(character) }
        }
        return words.flatMap { word -> [String] in
            guard let open = word.firstIndex(of: "["), let close = word.firstIndex(of: "]") else { return [word] }
            return word[word.index(after: open)..<close].split(separator: ",").flatMap { range -> [String] in
                let ends = range.split(separator: "-").map(String.init)
                guard let first = Int(ends[0]), let last = Int(ends[ends.count - 1]) else { return [] }
                let width = ends[0].hasPrefix("0") ? ends[0].count : 0
                return (first...last).map { number in
                    let digits = String(number)
                    return word[..<open] + String(repeating: "0", count: max(0, width - digits.count)) + digits
                        + word[word.index(after: close)...]
                }
            }
        }
    }
}

extension SeededGenerator {
    /// A whole number, each of the range as likely.
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
