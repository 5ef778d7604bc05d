import FleetCore
import FleetDocuments
import Foundation
import Testing

/// What a reader must find in a note among the fixtures.
struct ExpectedNote: Sendable, CustomTestStringConvertible {
    var version: String
    var date: String?
    var procedure: NoteProcedure
    var hidden: Bool
    var code: Int
    /// `procedure 5 heading` and the like: the fact, the line, the rule.
    var reasons: [String] = []
    var flaws: [NoteFlaw.Code] = []

    var testDescription: String { version }
}

@Suite("The notes in the vendor's format")
struct NoteFixturesTests {
    private func contents() throws -> NotesFolder.Contents { try NotesFolder(fixture("notes")).read() }

    @Test(
        "each gets the right verdict, and the lines that speak for it",
        arguments: [
            // A banner that only announces, a plain procedure.
            ExpectedNote(version: "3.60.0", date: "2019-08-19", procedure: .standard, hidden: false, code: 0),
            // Spaces that do not break in numbers, dates and headings; a byte order mark, CRLF, curved apostrophes.
            ExpectedNote(version: "3.61.0", date: "2019-10-01", procedure: .standard, hidden: false, code: 0),
            // A banner that warns.
            ExpectedNote(
                version: "3.62.0", date: "2020-02-07", procedure: .standard, hidden: true, code: 0, reasons: ["hidden_steps 5 notice"]),
            // Something to do before the standard procedure.
            ExpectedNote(
                version: "3.63.0", date: "2020-03-19", procedure: .more, hidden: false, code: 1,
                reasons: ["procedure 7 sentence", "procedure 9 code-block"]),
            // A warning and lines for a file among the changes; the commands for a new installation are none of it.
            ExpectedNote(
                version: "3.64.0", date: "2020-07-31", procedure: .standard, hidden: true, code: 0,
                reasons: ["hidden_steps 19 notice", "hidden_steps 28 code-block"]),
            // One sentence in the list of changes.
            ExpectedNote(
                version: "3.65.0", date: "2020-09-11", procedure: .standard, hidden: true, code: 0, reasons: ["hidden_steps 17 wording"]),
            // Fenced with tildes, in a list, indented; headings and fences within code are none.
            ExpectedNote(
                version: "3.66.0", date: "2020-11-27", procedure: .more, hidden: false, code: 3,
                reasons: [
                    "procedure 9 heading", "procedure 11 sentence", "procedure 13 code-block", "procedure 19 list",
                    "procedure 21 code-block", "procedure 27 sentence", "procedure 29 code-block",
                ]),
            // Capitals without accents, an anchor, hashes at the end; a mere notice.
            ExpectedNote(
                version: "3.67.0", date: "2021-01-24", procedure: .more, hidden: false, code: 0, reasons: ["procedure 9 notice"]),
            // Underlined headings, a table for the date, a link in the heading, both sentences in one.
            ExpectedNote(version: "3.68.0", date: "2021-03-01", procedure: .standard, hidden: false, code: 0),
            // Two sections on the procedure.
            ExpectedNote(
                version: "3.69.0", date: "2021-05-04", procedure: .more, hidden: false, code: 1,
                reasons: ["procedure 11 sentence", "procedure 13 code-block"]),
            // Taken back.
            ExpectedNote(
                version: "3.70.0", date: nil, procedure: .missing, hidden: true, code: 0, reasons: ["hidden_steps 3 wording"],
                flaws: [.withdrawn]),
            ExpectedNote(
                version: "3.71.0", date: nil, procedure: .standard, hidden: false, code: 0, flaws: [.impossibleDate]),
            ExpectedNote(
                version: "3.72.0", date: "2021-12-15", procedure: .missing, hidden: false, code: 0, flaws: [.noProcedure]),
            // A fence that is never closed.
            ExpectedNote(
                version: "3.73.0", date: "2022-01-28", procedure: .more, hidden: false, code: 1, reasons: ["procedure 9 code-block"],
                flaws: [.openCodeBlock]),
            // Front matter, a comment with code in it, a named link, an answer to look at among the changes.
            ExpectedNote(version: "3.74.0", date: "2022-02-18", procedure: .standard, hidden: false, code: 0),
            // A sentence between the two usual ones.
            ExpectedNote(
                version: "3.75.0", date: "2022-08-04", procedure: .more, hidden: false, code: 0, reasons: ["procedure 9 sentence"]),
            // The procedure of an older note; a warning under known problems.
            ExpectedNote(
                version: "3.76.0", date: "2022-10-21", procedure: .more, hidden: true, code: 0,
                reasons: ["procedure 7 sentence", "hidden_steps 13 wording"]),
            // From 22.10 on the list of changes stands below the heading of the procedure.
            ExpectedNote(version: "26.04.1", date: "2026-04-29", procedure: .standard, hidden: false, code: 0),
            ExpectedNote(
                version: "26.04.2", date: "2026-05-08", procedure: .more, hidden: false, code: 0, reasons: ["procedure 9 notice"]),
            ExpectedNote(
                version: "26.04.3", date: "2026-05-16", procedure: .standard, hidden: true, code: 0,
                reasons: ["hidden_steps 11 notice", "hidden_steps 17 code-block"]),
        ])
    func verdicts(_ expected: ExpectedNote) throws {
        let note = try #require(try contents().notes.first { "\($0.version)" == expected.version })
        #expect(note.facts.published == expected.date)
        #expect(note.facts.procedure == expected.procedure)
        #expect(note.facts.hasHiddenSteps == expected.hidden)
        #expect(note.facts.codeBlocks == expected.code)
        #expect(note.reasons.map { "\($0.fact.rawValue) \($0.line) \($0.rule.rawValue)" } == expected.reasons)
        #expect(note.flaws.map(\.code) == expected.flaws)
    }

    @Test("each file that is no note is named with what is wrong, and files with other names are counted")
    func unread() throws {
        let contents = try contents()
        #expect(contents.notes.count == 20)
        #expect(contents.unread.map { "\($0.version)" } == ["3.77.0", "3.78.0", "3.79.0"])
        #expect(contents.unread.map { $0.flaws.map(\.code) } == [[.otherTitle], [.notText], [.noTitle, .noDate]])
        #expect(contents.unread[1].flaws.first?.line == 3)
        #expect(contents.ignored == 2)
    }

    @Test("a reason has the words of the note, so that a person can judge")
    func excerpts() throws {
        let reasons = Dictionary(try contents().notes.map { ("\($0.version)", $0.reasons) }) { first, _ in first }
        #expect(reasons["3.65.0"]?.first?.excerpt.contains("Après la mise à jour, vous devez recopier la section [loutre]") == true)
        #expect(
            reasons["3.76.0"]?.first?.excerpt
                == "Suivre la procédure de mise à jour de Canopsis. → 3.63.0.md#procedure-de-mise-a-jour")
        #expect(
            reasons["3.64.0"]?.map(\.excerpt) == [
                "attention: Cette version présente un bug dans le comptage des girafes. Les girafes existantes ne so…",
                "[enclos:nord]",
            ])
    }
}

@Suite("A folder of notes")
struct NotesFolderTests {
    private let note = "# Notes de version Canopsis 3.26.0\n\nPublié le 19 août 2019.\n\n## Mise à jour\n\nSuivre la procédure standard.\n"

    private func problem(_ folder: String) -> String? {
        do throws(Problem) { _ = try NotesFolder(folder).read() } catch { return error.code }
        return nil
    }

    @Test("is found within a checkout, wherever it lies, but not behind a link")
    func checkout() throws {
        let folder = try TemporaryFolder()
        try folder.write(note, to: "checkout/community/docs/fr/notes-de-version/3.26.0.md")
        try folder.write(note, to: "checkout/community/docs/fr/notes-de-version/migration/3.27.0.md")
        try folder.write("x", to: "checkout/README.md")
        let contents = try NotesFolder(folder.path + "/checkout").read()
        #expect(contents.notes.map(\.path) == [folder.path + "/checkout/community/docs/fr/notes-de-version/3.26.0.md"])
        #expect(contents.notes.first?.flaws.isEmpty == true)
        #expect(contents.ignored == 0)

        try FileManager.default.createDirectory(atPath: folder.path + "/empty", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/empty/docs", withDestinationPath: folder.path + "/checkout/community/docs")
        #expect(problem(folder.path + "/empty") == "no-notes")
    }

    @Test("that is not there, is no folder or has no note is a problem")
    func problems() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("x", to: "readme.md")
        #expect(problem(folder.path + "/nowhere") == "folder-missing")
        #expect(problem(file) == "not-a-folder")
        #expect(problem(folder.path) == "no-notes")
    }

    @Test("one version in two files, a note that is too large, a pipe, and links out of the folder are named and not read")
    func refused() throws {
        let folder = try TemporaryFolder()
        try folder.write(note, to: "n/3.26.0.md")
        try folder.write(note, to: "n/3.026.0.md")
        try folder.write(note + String(repeating: "x", count: NotesFolder.mostBytes), to: "n/3.27.0.md")
        try folder.write(note, to: "secret/3.28.0.md")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/n/3.28.0.md", withDestinationPath: "../secret/3.28.0.md")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/n/3.29.0.md", withDestinationPath: "nothing")
        #expect(mkfifo(folder.path + "/n/3.30.0.md", 0o600) == 0)
        try FileManager.default.createDirectory(atPath: folder.path + "/n/3.31.0.md", withIntermediateDirectories: true)
        try folder.write("# Notes de version Canopsis 3.32.0\0", to: "n/3.32.0.md")
        let contents = try NotesFolder(folder.path + "/n/").read()
        #expect(contents.notes.map { "\($0.version)" } == ["3.26.0"])
        #expect(
            contents.unread.map { "\($0.version) \($0.flaws.map(\.code.rawValue).joined(separator: " "))" } == [
                "3.26.0 duplicate", "3.27.0 too-large", "3.28.0 outside", "3.29.0 unreadable", "3.30.0 unreadable", "3.31.0 unreadable",
                "3.32.0 not-text",
            ])
    }

    @Test("a file named after a package from before a release is no note")
    func preview() throws {
        let folder = try TemporaryFolder()
        try folder.write(note, to: "n/3.26.0.md")
        try folder.write(note, to: "n/22.10.0-rc1.md")
        let contents = try NotesFolder(folder.path + "/n").read()
        #expect(contents.notes.map { "\($0.version)" } == ["3.26.0"])
        #expect(contents.unread.isEmpty && contents.ignored == 1)
    }

    @Test("a link within the folder is followed")
    func linkWithin() throws {
        let folder = try TemporaryFolder()
        try folder.write(note, to: "n/texts/a.md")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/n/3.26.0.md", withDestinationPath: "texts/a.md")
        #expect(try NotesFolder(folder.path + "/n").read().notes.count == 1)
    }
}
