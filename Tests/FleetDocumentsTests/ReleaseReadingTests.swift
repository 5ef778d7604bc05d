import FleetCore
import FleetDocuments
import Testing

@Suite("All there is to read of a release")
struct ReleaseReadingTests {
    private let version = CanopsisVersion(3, 26, 0)

    private func digest(_ text: String?, note: String?) -> String {
        let release = text.map { text in
            Release(
                version: version,
                steps: [ReleaseStep(id: "3.26.0-x", phase: .afterInit, kind: .manual, title: "Look", text: text)])
        }
        return ReleaseReading(version: version, release: release, note: note).sha256
    }

    @Test("has another digest as soon as the entry of the catalogue or the note is another text")
    func changes() {
        let texts: [(String?, String?)] = [
            (nil, nil), (nil, ""), ("look", nil), ("look twice", nil), ("look", "a note"), ("look", "a note "), (nil, "a note"),
            (nil, "none\n"), ("look", ""),
        ]
        #expect(Set(texts.map { digest($0.0, note: $0.1) }).count == texts.count)
        #expect(digest("look", note: "a note") == digest("look", note: "a note"))
    }

    @Test("has the same digest however the lines of the note end")
    func lineEnds() { #expect(digest("look", note: "a\r\nnote\r\n") == digest("look", note: "a\nnote\n")) }

    @Test("is there for every release of the catalogue and for every note, oldest first")
    func all() throws {
        let catalogue = try BuiltInCatalogue.read()
        let later = CanopsisVersion(3, 99, 0)
        let readings = ReleaseReading.all(in: catalogue, notes: [later: "text", version: "other text"])
        #expect(readings.map(\.version) == (catalogue.releases.map(\.version) + [later]).sorted())
        #expect(readings.first { $0.version == later }?.release == nil)
        #expect(readings.first { $0.version == version }?.note == "other text")
    }
}
