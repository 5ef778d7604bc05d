import FleetCore
import Foundation
import GRDB
import Testing

@testable import FleetJournal

@Suite("Imported notes")
struct NoteTests {
    private func note(_ version: CanopsisVersion, _ text: String, _ digit: Character = "a") -> ReadNote {
        ReadNote(
            version: version, path: "\(version).md", sha256: String(repeating: digit, count: 64),
            facts: NoteFacts(published: "2019-08-19", procedure: .more, hasHiddenSteps: true, codeBlocks: 2), reasons: [], flaws: [],
            text: text)
    }

    private let text = "\u{feff}# Notes de version Canopsis 3.26.0\r\n\r\nl’été «\u{a0}publié\u{202f}»\n"
    private let version = CanopsisVersion(3, 26, 0)

    @Test("are kept with their text, character for character, and read back after it was opened again")
    func kept() throws {
        try withFolder { folder in
            do { #expect(try Journal(in: folder).importNotes([note(version, text)]) == [version: .new]) }
            let kept = try Journal(in: folder, creating: false).latestNotes()
            #expect(kept.map(\.version) == [version])
            #expect(kept.first?.text.utf8.elementsEqual(text.utf8) == true)
            #expect(kept.first?.facts == note(version, text).facts)
            #expect(kept.first?.sha256 == String(repeating: "a", count: 64))
        }
    }

    @Test("are added when the text changed, and not when it is the same")
    func appended() throws {
        try withFolder { folder in
            let moments = Moments()
            let journal = try Journal(in: folder, clock: { moments.next() })
            let later = CanopsisVersion(22, 10, 1)
            try journal.importNotes([note(later, "x"), note(version, "one")])
            let first = try #require(try journal.latestNotes().first?.importedAt)
            #expect(
                try journal.importNotes([note(version, "one"), note(later, "x")]) == [
                    version: .unchanged(since: first), later: .unchanged(since: first),
                ])
            #expect(try journal.importNotes([note(version, "two", "b")]) == [version: .changed(since: first)])
            let second = try #require(try journal.latestNotes().first?.importedAt)
            #expect(first < second)
            // The text of before is another one than the last.
            #expect(try journal.importNotes([note(version, "one")]) == [version: .changed(since: second)])
            #expect(try journal.latestNotes().map(\.text) == ["one", "x"])
            let rows = try DatabaseQueue(path: folder + "/" + Journal.fileName).read {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM notes")
            }
            #expect(rows == 4)
        }
    }

    @Test(
        "are refused by the schema where they must not be, and all or none are kept",
        arguments: ["", "A", String(repeating: "g", count: 64), String(repeating: "a", count: 63)])
    func refused(_ digest: String) throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            var wrong = note(version, "x")
            wrong.sha256 = digest
            #expect(
                problemCode { () throws(Problem) in
                    try journal.importNotes([note(CanopsisVersion(3, 25, 0), "y"), wrong])
                } == "journal-refused")
            #expect(try journal.latestNotes().isEmpty)
        }
    }

    @Test(
        "are changed by nobody, not even with SQL, nor doubled",
        arguments: [
            "UPDATE notes SET text = ''", "DELETE FROM notes",
            "INSERT INTO notes (version, imported_at, sha256, facts, text) SELECT version, imported_at, sha256, facts, text FROM notes",
            "INSERT INTO notes (version, imported_at, sha256, facts, text) SELECT version, imported_at, replace(sha256, 'a', 'b'), '{', text FROM notes",
        ])
    func final(_ statement: String) throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try journal.importNotes([note(version, text)])
            let other = try DatabaseQueue(path: folder + "/" + Journal.fileName)
            #expect(throws: DatabaseError.self) { try other.write { try $0.execute(sql: statement) } }
            #expect(try journal.latestNotes().count == 1)
        }
    }

    @Test("have their place in a journal of before there were notes, whose runs stay")
    func older() throws {
        try withFolder { folder in
            do { try Sample.begin(try Journal(in: folder)) }
            let path = folder + "/" + Journal.fileName
            do {
                try DatabaseQueue(path: path).write {
                    try $0.execute(sql: "DROP TABLE notes; DELETE FROM grdb_migrations WHERE identifier = '3'")
                }
            }
            let journal = try Journal(in: folder)
            #expect(try journal.events(of: Sample.run).count == 1)
            #expect(try journal.importNotes([note(version, text)]) == [version: .new])
        }
    }

    @Test(
        "whose facts or release cannot be read are a problem, and are left as they are",
        arguments: [
            ("3.26.0", "{}"), ("3.26.x", #"{"procedure":"more","hasHiddenSteps":true,"codeBlocks":2}"#),
        ])
    func damaged(version: String, facts: String) throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            let other = try DatabaseQueue(path: folder + "/" + Journal.fileName)
            try other.write {
                try $0.execute(
                    sql: "INSERT INTO notes (version, imported_at, sha256, facts, text) VALUES (?, 'x', ?, ?, 'x')",
                    arguments: [version, String(repeating: "a", count: 64), facts])
            }
            #expect(problemCode { () throws(Problem) in _ = try journal.latestNotes() } == "journal-damaged")
        }
    }
}
