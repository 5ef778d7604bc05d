import FleetCore
import Testing

@Suite("Notes beside the catalogue")
struct NoteComparisonTests {
    private let facts = NoteFacts(published: "2019-08-19", procedure: .standard, hasHiddenSteps: false, codeBlocks: 0)
    private let version = CanopsisVersion(3, 26, 0)

    private func standing(_ published: String?, _ note: NoteFacts?) -> NoteStanding {
        NoteStanding(of: facts, to: Release(version: version, published: published, note: note))
    }

    @Test("a note like its entry is the same, one without an entry is missing")
    func plain() {
        #expect(standing("2019-08-19", facts) == .same(compared: NoteFact.allCases))
        #expect(NoteStanding(of: facts, to: nil) == .missing)
    }

    @Test("every fact that differs is named with both values")
    func changed() {
        let known = NoteFacts(published: "2019-08-20", procedure: .more, hasHiddenSteps: true, codeBlocks: 2)
        guard case .changed(let differences, let compared) = standing("2019-08-20", known) else {
            Issue.record("not changed")
            return
        }
        #expect(compared == NoteFact.allCases)
        #expect(differences.map(\.fact) == NoteFact.allCases)
        #expect(differences.map(\.catalogue) == ["2019-08-20", "more", "true", "2"])
        #expect(differences.map(\.note) == ["2019-08-19", "standard", "false", "0"])
    }

    @Test("an entry that records no facts is compared by its date alone, and one without a date not at all")
    func dateAlone() {
        #expect(standing("2019-08-19", nil) == .same(compared: [.date]))
        #expect(standing("2019-08-20", nil).word == "changed")
        #expect(standing(nil, nil) == .same(compared: []))
    }

    @Test("an entry that records facts and no date differs from a note that has one")
    func withoutDate() {
        #expect(
            standing(nil, facts)
                == .changed([NoteDifference(fact: .date, catalogue: nil, note: "2019-08-19")], compared: NoteFact.allCases))
    }

    @Test("entries without a note are named, in order, with whether they lie within the import; a note that was not read is there")
    func lone() {
        let known = [(4, 0), (3, 24), (3, 25), (3, 26), (3, 27)].map { Release(version: CanopsisVersion($0.0, $0.1, 0)) }
        let comparison = NoteComparison(
            [CanopsisVersion(3, 25, 0): facts, CanopsisVersion(3, 28, 0): facts], unread: [version],
            catalogue: Catalogue(known))
        #expect(comparison.withoutNote.map { "\($0.version) \($0.isWithinSpan)" } == ["3.24.0 false", "3.27.0 true", "4.0.0 false"])
        #expect(comparison.standings.mapValues(\.word) == [CanopsisVersion(3, 25, 0): "same", CanopsisVersion(3, 28, 0): "missing"])
        #expect(NoteComparison([:], catalogue: Catalogue([Release(version: version)])).withoutNote.map(\.isWithinSpan) == [false])
    }
}
