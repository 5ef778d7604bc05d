import FleetCore
import FleetReports
import Testing

@Suite("What stands in the notes")
struct NotesReportTests {
    private func note(
        _ version: CanopsisVersion, _ date: String?, _ procedure: NoteProcedure, hidden: Bool = false, code: Int = 0,
        reasons: [NoteReason] = [], flaws: [NoteFlaw] = []
    ) -> ReadNote {
        ReadNote(
            version: version, path: "notes-de-version/\(version).md", sha256: String(repeating: "9f2c4d5e", count: 8),
            facts: NoteFacts(published: date, procedure: procedure, hasHiddenSteps: hidden, codeBlocks: code), reasons: reasons,
            flaws: flaws, text: "")
    }

    private var notes: [ReadNote] {
        [
            note(CanopsisVersion(3, 26, 0), "2019-08-19", .standard),
            note(
                CanopsisVersion(3, 38, 0), "2020-03-19", .more, code: 1,
                reasons: [
                    NoteReason(fact: .procedure, line: 7, rule: .sentence, excerpt: "Avant la mise à jour, renommez le champ :"),
                    NoteReason(fact: .procedure, line: 9, rule: .codeBlock, excerpt: "db.aquariums.update({_id: 1})\u{1b}[2J"),
                    NoteReason(fact: .procedure, line: 15, rule: .list, excerpt: ""),
                    NoteReason(fact: .procedure, line: 21, rule: .notice, excerpt: "attention: Relire la note d'avant."),
                    NoteReason(fact: .procedure, line: 25, rule: .image, excerpt: ""),
                ]),
            note(
                CanopsisVersion(3, 44, 0), "2020-07-31", .standard, hidden: true,
                reasons: [NoteReason(fact: .hidden, line: 12, rule: .wording, excerpt: "… vous devez recopier la section")]),
            note(
                CanopsisVersion(4, 5, 2), nil, .missing, hidden: true,
                reasons: [NoteReason(fact: .hidden, line: 3, rule: .wording, excerpt: "Canopsis 4.5.2 ne doit pas être utilisé.")],
                flaws: [NoteFlaw(code: .withdrawn, line: 3, text: "it takes its release back, so it has no procedure")]),
            note(CanopsisVersion(22, 10, 1), "2022-11-29", .standard),
        ]
    }

    private var report: NotesReport {
        let catalogue = Catalogue([
            Release(version: CanopsisVersion(3, 26, 0), published: "2019-08-19", note: notes[0].facts),
            Release(version: CanopsisVersion(3, 25, 0)),
            Release(
                version: CanopsisVersion(3, 38, 0), published: "2020-03-18",
                note: NoteFacts(published: "2020-03-18", procedure: .standard, hasHiddenSteps: true, codeBlocks: 0)),
            Release(version: CanopsisVersion(3, 39, 0)), Release(version: CanopsisVersion(3, 44, 0), published: "2020-07-31"),
            Release(version: CanopsisVersion(4, 5, 2)),
        ])
        let unread = UnreadNote(
            version: CanopsisVersion(3, 45, 0), path: "notes-de-version/3.45.0.md",
            flaws: [NoteFlaw(code: .notText, line: 3, text: "its bytes are not text in UTF-8")])
        return NotesReport(
            notes: notes, unread: [unread], ignored: 2,
            comparison: NoteComparison(
                Dictionary(uniqueKeysWithValues: notes.map { ($0.version, $0.facts) }), unread: [unread.version],
                catalogue: catalogue),
            arrivals: [
                CanopsisVersion(3, 26, 0): .unchanged(since: Samples.at(0)), CanopsisVersion(3, 38, 0): .changed(since: Samples.at(0)),
                CanopsisVersion(3, 44, 0): .new, CanopsisVersion(4, 5, 2): .new, CanopsisVersion(22, 10, 1): .new,
            ])
    }

    @Test("is a line per release, and under it why, what changed and what the catalogue says")
    func text() throws {
        try expectGolden(report.text(.plain), "notes.txt")
        expectFitsPage(report.text(.plain))
        #expect(report.exitStatus == .failed)
    }

    @Test("has every line and every flaw as JSON")
    func json() throws { try expectGolden(report.json(), "notes.json") }

    private func status(_ note: ReadNote) -> FleetCore.ExitStatus {
        let comparison = NoteComparison([:], catalogue: Catalogue([]))
        return NotesReport(notes: [note], unread: [], ignored: 0, comparison: comparison, arrivals: [:]).exitStatus
    }

    @Test("a note that lacks something is a failure, one that takes its release back or has an open fence is none")
    func status() {
        for code in NoteFlaw.Code.allCases {
            let note = note(CanopsisVersion(3, 26, 0), nil, .missing, flaws: [NoteFlaw(code: code, text: "x")])
            #expect(status(note) == ([.withdrawn, .openCodeBlock].contains(code) ? .done : .failed), "\(code)")
        }
        #expect(status(notes[0]) == .done)
    }
}
