import FleetCore
import Foundation
import GRDB

/// A release note as it was imported.
public struct ImportedNote: Hashable, Sendable {
    /// The release it is about.
    public var version: CanopsisVersion
    /// When it was imported, RFC 3339.
    public var importedAt: String
    /// SHA-256 of the file's bytes, 64 hexadecimal digits.
    public var sha256: String
    /// What was read out of it then.
    public var facts: NoteFacts
    /// The whole text.
    public var text: String
}

extension Journal {
    /// Keeps the texts of notes: one that differs from the last import of its release is added, nothing is ever replaced.
    ///
    /// All of them are kept or none.
    ///
    /// - Returns: What became of each.
    @discardableResult
    public func importNotes(_ notes: [ReadNote]) throws(Problem) -> [CanopsisVersion: NoteArrival] {
        let at = now.description
        return try attempt("keep the notes") { database in
            var arrivals: [CanopsisVersion: NoteArrival] = [:]
            try database.inTransaction(.immediate) {
                for note in notes { arrivals[note.version] = try Self.keep(note, at: at, in: database) }
                return .commit
            }
            return arrivals
        }
    }

    private static func keep(_ note: ReadNote, at: String, in database: Database) throws -> NoteArrival {
        let last = try Row.fetchOne(
            database, sql: "SELECT imported_at, sha256 FROM notes WHERE version = ? ORDER BY sequence DESC LIMIT 1",
            arguments: [note.version.description])
        if let last, last["sha256"] == note.sha256 { return .unchanged(since: last["imported_at"]) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try database.execute(
            sql: "INSERT INTO notes (version, imported_at, sha256, facts, text) VALUES (?, ?, ?, ?, ?)",
            arguments: [
                note.version.description, at, note.sha256, String(decoding: try encoder.encode(note.facts), as: UTF8.self), note.text,
            ])
        return last.map { .changed(since: $0["imported_at"]) } ?? .new
    }

    /// The last import of each release's note, in the order of the versions.
    public func latestNotes() throws(Problem) -> [ImportedNote] {
        let notes = try attempt("be read") { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT version, imported_at, sha256, facts, text FROM notes
                    WHERE sequence IN (SELECT max(sequence) FROM notes GROUP BY version)
                    """
            ).map { row in
                let (text, facts): (String, String) = (row["version"], row["facts"])
                guard let version = CanopsisVersion(text) else {
                    throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(text) is not a version"))
                }
                return ImportedNote(
                    version: version, importedAt: row["imported_at"], sha256: row["sha256"],
                    facts: try JSONDecoder().decode(NoteFacts.self, from: Data(facts.utf8)), text: row["text"])
            }
        }
        return notes.sorted { $0.version < $1.version }
    }
}
