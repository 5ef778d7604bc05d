import FleetCore
import Testing

@Suite("Choosing hosts with -l")
struct HostSelectionTests {
    private static let inventory = Inventory(
        hosts: [("web2", "front"), ("web10", "front"), ("db1", "back"), ("web1", "back"), ("a.b_c-d", "odd")].compactMap { name, group in
            HostName(name).map { Host(name: $0, address: name, groups: ["all", group]) }
        })

    private func names(_ arguments: String...) throws(Problems) -> [String] {
        try Self.inventory.selected(by: HostSelection(arguments)).hosts.map(\.name.text)
    }

    @Test(
        "takes the hosts a pattern stands for, in the order of the inventory",
        arguments: [
            ("web1", "web1"), ("web1,db1,web2", "web2 db1 web1"), ("front", "web2 web10"), ("all,!front", "db1 web1 a.b_c-d"),
            ("!back", "web2 web10 a.b_c-d"), ("web*", "web2 web10 web1"), ("web?", "web2 web1"), ("*1*", "web10 db1 web1"),
            ("[wd]*[12]", "web2 db1 web1"), ("web[!1]", "web2"), ("web[0-9][0-9]", "web10"), ("web[1:2]", "web2 web1"),
            ("?.b_*", "a.b_c-d"),
            ("web[1,2]", "web2 web1"), (" web1 , db1 ,", "db1 web1"), ("!web[1:2],all", "web10 db1 a.b_c-d"),
            ("**", "web2 web10 db1 web1 a.b_c-d"),
        ])
    func patterns(_ argument: String, _ expected: String) throws {
        #expect(try names(argument).joined(separator: " ") == expected)
    }

    @Test("takes all hosts without a pattern")
    func noPattern() throws { #expect(try names().count == 5) }

    @Test("takes a host once, however many patterns match, and exclusions win wherever they stand")
    func overlapping() throws {
        #expect(try names("!web10", "web*", "front", "web2") == ["web2", "web1"])
    }

    @Test(
        "a pattern that matches nothing is a problem",
        arguments: [
            ("wep1", "-l wep1: No host and no group matches `wep1`.\n    Did you mean `web1`?"),
            ("fornt", "-l fornt: No host and no group matches `fornt`.\n    Did you mean `front`?"),
            (
                "web1,!xyzzy",
                "-l web1,!xyzzy: No host and no group matches `xyzzy`.\n    `fleet hosts list` shows the hosts and their groups."
            ),
            ("x*", "-l x*: No host and no group matches `x*`.\n    `fleet hosts list` shows the hosts and their groups."),
            ("web[1:3]", "-l web[1:3]: No host and no group matches `web3`, which `web[1:3]` stands for.\n    Did you mean `web2`?"),
            ("web[3:1]", "-l web[3:1]: The range in `web[3:1]` counts down, from 3 to 1.\n    Write the smaller number first."),
            ("", nil),
        ])
    func nothingMatches(_ argument: String, _ complaint: String?) {
        do throws(Problems) {
            _ = try names(argument)
            #expect(complaint == nil)
        } catch {
            #expect(error.description == complaint)
        }
    }

    @Test("each pattern that matches nothing is named")
    func everyProblem() {
        let problems = #expect(throws: Problems.self) { try names("nobody", "web1", "nothing") }
        #expect(problems?.all.count == 2)
    }

    @Test("taking away every host is a problem")
    func nothingLeft() {
        let problems = #expect(throws: Problems.self) { try names("front,!web*") }
        #expect(problems?.all.map(\.code) == ["nothing-selected"])
    }
}

@Suite("Ranges in names")
struct NameRangeTests {
    @Test(
        "stand for their numbers, with the leading zeros of the first",
        arguments: [
            ("a", "a"), ("a[1:3]", "a1 a2 a3"), ("a[08:11]b", "a08b a09b a10b a11b"), ("[9:10]", "9 10"), ("[0:0]", "0"),
            ("[1:2]-[1:2]", "1-1 1-2 2-1 2-2"), ("", ""),
        ])
    func texts(_ text: String, _ expected: String) throws {
        let range = try NameRange(text)
        #expect(range.texts.joined(separator: " ") == expected)
        #expect(range.count == range.texts.count)
    }

    @Test(
        "are refused with what is wrong about them",
        arguments: [
            ("a[1:2", .notTwoNumbers("[1:2")), ("a]1:2[", .notTwoNumbers("]1:2[")), ("a[]", .notTwoNumbers("[]")),
            ("a[1]", .notTwoNumbers("[1]")),
            ("a[1:2:3]", .notTwoNumbers("[1:2:3]")), ("a[-1:2]", .notTwoNumbers("[-1:2]")), ("a[١:٢]", .notTwoNumbers("[١:٢]")),
            ("a[1:9999999999]", .notTwoNumbers("[1:9999999999]")), ("a[1:02]", .unequalDigits("[1:02]")),
            ("a[00:000]", .unequalDigits("[00:000]")), ("a[2:1]", .counting(from: 2, downTo: 1)), ("a[0:10000]", .tooMany),
            ("[1:999999999]", .tooMany), ("[1:9999][1:9999][1:9999]", .tooMany),
        ] as [(String, NameRange.Mistake)])
    func mistakes(_ text: String, _ mistake: NameRange.Mistake) {
        #expect(throws: mistake) { try NameRange(text) }
    }
}

@Suite("Guessing what a word was meant to be")
struct SpellingTests {
    @Test(
        "takes the nearest candidate, and none if it is far",
        arguments: [
            ("adress", "address"), ("prot", "port"), ("Port", "port"), ("pasport", nil), ("us", "use"), ("user", "use"), ("xyz", nil),
            ("", nil),
        ] as [(String, String?)])
    func guess(_ word: String, _ expected: String?) {
        #expect(nearest(to: word, among: ["address", "port", "use", "identity"]) == expected)
    }
}
