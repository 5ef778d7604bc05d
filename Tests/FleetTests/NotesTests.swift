import Foundation
import TestSupport
import Testing

/// Release notes, read by the built program.
@Suite("release notes", .timeLimit(.minutes(30)))
struct NotesTests {
    /// Notes in the vendor's format with every oddity, beside the tests of their reader.
    private static let notes = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("FleetDocumentsTests/Fixtures/notes").path

    /// A folder with some of them; a name may be given a text of its own.
    private func folder(of person: Operator, _ names: String...) throws -> String {
        let folder = person.folder + "/notes"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in names {
            try FileManager.default.copyItem(atPath: "\(Self.notes)/\(name).md", toPath: "\(folder)/\(name).md")
        }
        return folder
    }

    @Test("every note of a folder has its verdict, those that cannot be read are named, and the status says so")
    func importAll() async throws {
        try await Operator.at { person in
            let result = try await person.fleet("notes", "import", Self.notes, "--output", "json")
            result.ended(3)
            let document = try result.document(NotesDocument.self)
            #expect(document.schema == 1)
            #expect(document.exit_status == 3)
            #expect(document.notes.count == 20)
            #expect(document.unread.map(\.version) == ["3.77.0", "3.78.0", "3.79.0"])
            #expect(document.ignored_files == 2)
            #expect(document["3.61.0"].date == "2019-10-01")
            #expect(document["3.61.0"].procedure_section == "standard")
            #expect(document["3.66.0"].procedure_section == "more")
            #expect(document["3.66.0"].code_blocks == 3)
            #expect(document["3.64.0"].procedure_section == "standard")
            #expect(document["3.64.0"].hidden_steps)
            #expect(document["3.72.0"].procedure_section == "missing")
            #expect(document["3.71.0"].date == nil)
            // The releases of these notes exist nowhere else.
            #expect(document.notes.allSatisfy { $0.catalogue == "missing" && $0.arrival == "new" })

            let text = try await person.fleet("notes", "import", Self.notes)
            text.ended(3)
            // Without the breaks of its lines.
            let words = text.stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("3.65.0 2020-09-11 standard yes 0"))
            #expect(words.contains("Après la mise à jour, vous devez"))
            #expect(words.contains("3.78.0.md: line 3: its bytes are not text in UTF-8"))
            #expect(words.contains("Nothing new or changed since the last import."))
        }
    }

    @Test("each note stands beside the entry of the built-in catalogue, and entries without a note are named")
    func catalogue() async throws {
        try await Operator.at { person in
            let folder = try folder(of: person, "3.60.0")
            func note(_ version: String, _ date: String, _ changes: String) throws {
                let text = """
                    # Notes de version Canopsis \(version)

                    Canopsis \(version) a été publié le \(date).

                    ## Procédure de mise à jour

                    Suivre la [procédure standard de mise à jour de Canopsis](../guide-administration/mise-a-jour/index.md).

                    ## Changements

                    \(changes)
                    """
                try write(text, to: "\(folder)/\(version).md")
            }
            try note("3.26.0", "19 août 2019", "* Un bouton de plus.")
            try note("3.27.0", "3 septembre 2019", "* Un bouton de moins.")
            try note("3.43.1", "10 juillet 2020", "!!! attention\n    Un moteur oublie les nouveaux périmètres.")
            try note("3.44.1", "24 août 2020", "* Rien à signaler.")
            let result = try await person.fleet("notes", "import", folder, "--output", "json")
            result.ended(0)
            let document = try result.document(NotesDocument.self)
            #expect(document["3.26.0"].catalogue == "same")
            #expect(document["3.43.1"].catalogue == "same")
            #expect(document["3.60.0"].catalogue == "missing")
            #expect(document["3.27.0"].catalogue == "changed")
            #expect(document["3.27.0"].differences.map(\.fact) == ["date"])
            #expect(document["3.27.0"].differences.first?.in_catalogue == "2019-09-02")
            #expect(document["3.27.0"].differences.first?.in_note == "2019-09-03")
            #expect(document["3.44.1"].differences.map(\.fact) == ["hidden_steps"])
            let within = document.without_note.filter(\.in_span).map(\.version)
            #expect(within.contains("3.28.0") && !within.contains("3.26.0") && !within.contains("4.0.0"))
            #expect(document.without_note.contains { $0.version == "4.0.0" })
        }
    }

    @Test("a note that was changed after it was imported is said to be, and one that was not is not")
    func changed() async throws {
        try await Operator.at { person in
            let folder = try folder(of: person, "3.60.0", "3.63.0")
            try await person.fleet("notes", "import", folder).ended(0)
            let path = folder + "/3.63.0.md"
            let before = try read(path)
            try write(before + "\nUne ligne de plus.\n", to: path)
            let text = try await person.fleet("notes", "import", folder)
            text.ended(0)
            #expect(text.stdout.contains("changed since the import of 20"))
            #expect(text.stdout.contains("1 text new or changed since the last import."))
            try write(before, to: path)
            let document = try await person.fleet("notes", "import", folder, "--output", "json").document(NotesDocument.self)
            #expect(document["3.63.0"].arrival == "changed")
            #expect(document["3.63.0"].imported_before != nil)
            #expect(document["3.60.0"].arrival == "unchanged")
        }
    }

    @Test("a folder that is not there or has no note is a problem, and no journal is made for it")
    func nothing() async throws {
        try await Operator.at { person in
            try write("x", to: person.folder + "/file")
            let cases = [("nowhere", "folder-missing"), ("file", "not-a-folder"), ("home", "no-notes")]
            for (name, code) in cases {
                let result = try await person.fleet("notes", "import", person.folder + "/" + name, "--output", "json")
                result.ended(2)
                #expect(try result.document(ErrorsDocument.self).codes == [code])
            }
            #expect(!FileManager.default.fileExists(atPath: person.logs))
        }
    }
}
