import FleetCore
import Testing

@Suite("Notes beside the catalogue")
struct NoteComparisonTests {
    private let facts = NoteFacts(published: "2019-08-19", procedure: .standard, hasHiddenSteps: false, codeBlocks: 0)
    private let version = CanopsisVersion(3, 26, 0)

    private func standing(_ entry: CatalogueNote?) -> NoteStanding { NoteStanding(of: facts, to: entry) }

    @Test("a note like its entry is the same, one without an entry is missing")
    func plain() {
        #expect(standing(CatalogueNote(published: "2019-08-19", facts: facts)) == .same(compared: NoteFact.allCases))
        #expect(standing(nil) == .missing)
    }

    @Test("every fact that differs is named with both values")
    func changed() {
        let known = NoteFacts(published: "2019-08-20", procedure: .more, hasHiddenSteps: true, codeBlocks: 2)
        guard case .changed(let differences, _) = standing(CatalogueNote(published: nil, facts: known)) else {
            Issue.record("not changed")
            return
        }
        #expect(differences.map(\.fact) == NoteFact.allCases)
        #expect(differences.map(\.catalogue) == ["2019-08-20", "more", "true", "2"])
        #expect(differences.map(\.note) == ["2019-08-19", "standard", "false", "0"])
    }

    @Test("an entry that records no facts is compared by its date alone, and one without a date not at all")
    func dateAlone() {
        #expect(standing(CatalogueNote(published: "2019-08-19", facts: nil)) == .same(compared: [.date]))
        #expect(standing(CatalogueNote(published: "2019-08-20", facts: nil)).word == "changed")
        #expect(standing(CatalogueNote(published: nil, facts: nil)) == .same(compared: []))
    }

    @Test("the date of the entry stands in where its facts have none")
    func entryDate() {
        var known = facts
        known.published = nil
        #expect(standing(CatalogueNote(published: "2019-08-19", facts: known)).word == "same")
        #expect(standing(CatalogueNote(published: "2019-08-18", facts: known)).word == "changed")
    }

    @Test("entries without a note are named, in order, with whether they lie within the import; a note that was not read is there")
    func lone() {
        let entry = CatalogueNote(published: nil, facts: nil)
        let known = [(3, 24), (3, 25), (3, 26), (3, 27), (4, 0)].map { CanopsisVersion($0.0, $0.1, 0) }
        let comparison = NoteComparison(
            [CanopsisVersion(3, 25, 0): facts, CanopsisVersion(3, 28, 0): facts], unread: [version],
            catalogue: Dictionary(uniqueKeysWithValues: known.map { ($0, entry) }))
        #expect(comparison.withoutNote.map { "\($0.version) \($0.isWithinSpan)" } == ["3.24.0 false", "3.27.0 true", "4.0.0 false"])
        #expect(comparison.standings.mapValues(\.word) == [CanopsisVersion(3, 25, 0): "same", CanopsisVersion(3, 28, 0): "missing"])
        #expect(NoteComparison([:], catalogue: [version: entry]).withoutNote.map(\.isWithinSpan) == [false])
    }
}
