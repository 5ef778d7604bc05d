import FleetCore
import TestSupport
import Testing

@Suite("Versions of Canopsis")
struct CanopsisVersionTests {
    @Test(
        "reads three numbers and writes them back",
        arguments: ["3.26.0", "22.10.1", "0.0.0", "3.0.9999", "22.10.0-rc1", "23.04.0-preview12"])
    func reads(text: String) throws {
        let version = try #require(CanopsisVersion(text))
        #expect(version.description == text)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", "3", "3.26", "3.26.0.1", "3.26.", ".26.0", "3..0", "3.26.0-1", "v3.26.0", "3.26.x", "-3.26.0", "+3.26.0", " 3.26.0",
            "3.26.0\n", "3.26.00000", "22.10.0-", "22.10.0-rc", "22.10.0-rc1-1", "22.10.0-rc 1", "22.10.0-RC1", "22.10.0-beta1",
            "22.10.0~rc1", "3.٢٦.0", "3.\u{301}26.0",
        ])
    func refuses(text: String) {
        #expect(CanopsisVersion(text) == nil)
    }

    @Test(
        "reads the version out of a package's version",
        arguments: [
            ("3.26.0", "3.26.0"), ("3.26.0-1", "3.26.0"), ("1:3.26.0-1.el7", "3.26.0"), ("3.26.0-1-2", "3.26.0"), ("3.26.0~x1-1", nil),
            ("22.10.0-rc1", "22.10.0-rc1"), ("22.10.0-rc1-1", "22.10.0-rc1"), ("1:22.10.0-preview1.el8", "22.10.0-preview1"),
            ("22.10.0~alpha2-1.el8", "22.10.0-alpha2"), ("3.26.0-rc", "3.26.0"), ("3.26.0-1.rc1", "3.26.0"),
            ("", nil), (":", nil), ("-1", nil),
        ] as [(String, String?)])
    func packageVersion(text: String, expected: String?) {
        #expect(CanopsisVersion(packageVersion: text)?.description == expected)
    }

    @Test("orders by the three numbers in turn, not as text")
    func order() throws {
        let texts = [
            "2.99.99", "3.0.0", "3.2.0", "3.9.10", "3.10.0", "3.26.0", "3.26.1", "3.26.10", "4.0.0",
            "22.10.0-alpha2", "22.10.0-preview1", "22.10.0-rc1", "22.10.0-rc10", "22.10.0", "22.10.1-rc1", "23.4.0",
        ]
        let versions = try texts.map { try #require(CanopsisVersion($0)) }
        #expect(versions.shuffled().sorted() == versions)
    }

    @Test(
        "a candidate knows its release, and a development build is none",
        arguments: [
            ("3.43.991", "3.44.0"), ("3.43.990", "3.44.0"), ("3.43.999", "3.44.0"), ("3.99.991", "4.0.0"), ("4.5.992", "4.6.0"),
            ("22.10.0-rc1", "22.10.0"), ("23.04.0-rc12", "23.04.0"), ("3.43.98", nil), ("3.43.90", nil), ("3.43.989", nil),
            ("3.43.1000", nil), ("3.43.0", nil), ("22.10.991", nil), ("22.10.0-preview1", nil), ("22.10.0-alpha1", nil), ("22.10.0", nil),
        ] as [(String, String?)])
    func candidate(text: String, expected: String?) throws {
        let version = try #require(CanopsisVersion(text))
        #expect(version.candidateOf?.description == expected)
        #expect(version.isReleaseCandidate == (expected != nil))
    }

    @Test(
        "every version leads to a release, a release to itself",
        arguments: [
            ("3.43.991", "3.44.0"), ("3.43.90", "3.44.0"), ("3.43.88", "3.44.0"), ("3.43.87", "3.43.87"), ("3.43.1", "3.43.1"),
            ("3.99.90", "4.0.0"), ("22.10.90", "22.10.90"), ("22.10.0-preview1", "22.10.0"), ("22.10.0-rc1", "22.10.0"),
        ])
    func release(text: String, expected: String) throws {
        let version = try #require(CanopsisVersion(text))
        #expect(version.release.description == expected)
        #expect(version.release.release == version.release)
        #expect(!(version.isReleaseCandidate && version.isDevelopmentBuild))
        #expect((version.release == version) == !(version.isReleaseCandidate || version.isDevelopmentBuild))
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
            // A candidate counts as its release.
            ("3.43.1", "3.43.991", .intermediate), ("3.43.991", "3.43.992", .minor), ("3.43.991", "3.44.0", .minor),
            ("3.43.991", "3.45.0", .intermediate), ("3.48.0", "3.99.991", .major), ("3.99.991", "4.0.0", .minor),
            ("3.99.991", "4.1.0", .intermediate), ("3.48.0", "3.48.90", .intermediate), ("4.6.3", "22.10.0-rc1", .major),
            ("22.10.0-rc1", "22.10.0-rc1", .none), ("22.10.0-rc1", "22.10.0-rc2", .minor), ("22.10.0-rc2", "22.10.0", .minor),
            ("22.10.0", "22.10.0-rc1", .downgrade), ("22.10.1", "23.04.0-preview1", .major), ("3.44.0", "3.43.991", .downgrade),
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
    @Test("one way is the other's downgrade, and only what is installed is no upgrade", arguments: 0..<200)
    func opposite(seed: Int) {
        var random = SeededGenerator(seed: seed)
        func draw() -> CanopsisVersion {
            let previews: [CanopsisVersion.Preview?] = [nil, nil, nil, .init(.rc, 1), .init(.preview, 1)]
            let numbers = [0, 1, 10, 48, 88, 90, 99, 990, 991]
            return CanopsisVersion(
                [3, 4, 22, 23][Int.random(in: 0..<4, using: &random)], numbers[Int.random(in: 0..<7, using: &random)],
                numbers[Int.random(in: numbers.indices, using: &random)], previews[Int.random(in: previews.indices, using: &random)])
        }
        for _ in 0..<50 {
            let (one, other) = (draw(), draw())
            let (there, back) = (UpgradeClass(from: one, to: other), UpgradeClass(from: other, to: one))
            #expect((there == .none) == (one == other))
            #expect((there == .downgrade) == (other < one))
            #expect(one == other || (there == .downgrade) != (back == .downgrade))
            if there == .minor { #expect(one.release.major == other.release.major) }
        }
    }
}
