import FleetCore
import Testing

@Suite("The vendor's migration guides")
struct MigrationGuideTests {
    @Test(
        "a major upgrade says what the vendor demands",
        arguments: [
            (
                "3.26.0", "4.0.0",
                "4.0.0 is supported only from exactly 3.48.0 on Go engines, by the vendor's migration guide"
            ),
            (
                "3.48.0", "3.99.991",
                "4.0.0 is supported only from exactly 3.48.0 on Go engines, by the vendor's migration guide"
            ),
            (
                "3.48.0", "4.3.1",
                "4.0.0 is supported only from exactly 3.48.0 on Go engines, by the vendor's migration guide; "
                    + "guides of their own follow for 4.2.0, 4.3.0"
            ),
            ("4.6.3", "22.10.0", "22.10.0 is supported only from 4.6.x, by the vendor's migration guide"),
            ("22.10.3", "23.04.0", "23.04.0 is supported only from the last 22.10.x, by the vendor's migration guide"),
            ("2.9.0", "3.26.0", "no migration guide of the vendor leads from 2.9.0 to 3.26.0"),
            ("3.25.0", "3.26.0", nil), ("4.1.0", "4.2.0", nil), ("3.99.992", "4.0.0", nil), ("4.0.0", "3.48.0", nil),
            ("4.0.0", "4.0.0", nil),
        ] as [(String, String, String?)])
    func constraint(from: String, to: String, expected: String?) throws {
        let (installed, target) = (try #require(CanopsisVersion(from)), try #require(CanopsisVersion(to)))
        #expect(MigrationGuide.constraint(from: installed, to: target) == expected)
    }

    @Test("guides within a major version are crossed too, in order")
    func crossed() {
        let guides = MigrationGuide.crossed(from: CanopsisVersion(4, 1, 1), to: CanopsisVersion(4, 4, 0))
        #expect(guides.map { "\($0.release)" } == ["4.2.0", "4.3.0", "4.4.0"])
        #expect(MigrationGuide.crossed(from: CanopsisVersion(4, 4, 0), to: CanopsisVersion(4, 4, 1)).isEmpty)
        #expect(MigrationGuide.all.map(\.release) == MigrationGuide.all.map(\.release).sorted())
    }
}
