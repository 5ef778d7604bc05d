import FleetCore
import Testing

@Suite("Versions of Canopsis")
struct CanopsisVersionTests {
    @Test("reads three numbers and writes them back", arguments: ["3.26.0", "22.10.1", "0.0.0", "3.0.9999"])
    func reads(text: String) throws {
        let version = try #require(CanopsisVersion(text))
        #expect(version.description == text)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "3", "3.26", "3.26.0.1", "3.26.", ".26.0", "3..0", "3.26.0-1", "v3.26.0", "3.26.x", "-3.26.0", "+3.26.0", " 3.26.0",
            "3.26.0\n", "3.26.00000", "3.٢٦.0", "3.\u{301}26.0",
        ])
    func refuses(text: String) {
        #expect(CanopsisVersion(text) == nil)
    }

    @Test(
        "reads the version out of a package's version",
        arguments: [
            ("3.26.0", "3.26.0"), ("3.26.0-1", "3.26.0"), ("1:3.26.0-1.el7", "3.26.0"), ("3.26.0-1-2", "3.26.0"), ("3.26.0~rc1-1", nil),
            ("", nil), (":", nil), ("-1", nil),
        ] as [(String, String?)])
    func packageVersion(text: String, expected: String?) {
        #expect(CanopsisVersion(packageVersion: text)?.description == expected)
    }

    @Test("orders by the three numbers in turn, not as text")
    func order() throws {
        let texts = ["2.99.99", "3.0.0", "3.2.0", "3.9.10", "3.10.0", "3.26.0", "3.26.1", "3.26.10", "4.0.0", "22.10.0", "23.4.0"]
        let versions = try texts.map { try #require(CanopsisVersion($0)) }
        #expect(versions.shuffled().sorted() == versions)
    }
}

@Suite("Classes of upgrade")
struct UpgradeClassTests {
    @Test(
        "the numbers that differ decide",
        arguments: [
            ("3.26.0", "3.26.0", .none),
            ("3.26.0", "3.26.1", .minor),
            ("3.26.9", "3.26.10", .minor),
            ("3.25.0", "3.26.0", .intermediate),
            ("3.25.9", "3.27.0", .intermediate),
            ("3.48.0", "4.0.0", .major),
            ("2.9.0", "3.26.0", .major),
            ("4.6.0", "22.10.0", .major),
            ("4.1.0", "4.2.0", .intermediate),
            // Year and month together are the major number.
            ("22.10.0", "22.10.1", .minor),
            ("22.4.0", "22.10.0", .major),
            ("22.10.3", "23.10.0", .major),
            ("3.26.1", "3.26.0", .downgrade),
            ("3.26.0", "3.25.9", .downgrade),
            ("4.0.0", "3.48.0", .downgrade),
            ("22.10.0", "4.6.0", .downgrade),
        ] as [(String, String, UpgradeClass)])
    func classes(from: String, to: String, expected: UpgradeClass) throws {
        let installed = try #require(CanopsisVersion(from))
        let target = try #require(CanopsisVersion(to))
        #expect(UpgradeClass(from: installed, to: target) == expected)
    }
}
