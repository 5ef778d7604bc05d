import ArgumentParser
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports

struct NotesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notes", abstract: "Read release notes: what they mean for hosts, and who has read them.",
        subcommands: [NotesImportCommand.self, NotesShowCommand.self, NotesAckCommand.self])
}

struct NotesImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Read the notes in a directory, show what each asks for, and keep their texts.",
        discussion: """
            The directory has files named X.Y.Z.md, or is a checkout with a directory notes-de-version in it. For each release:
              PROCEDURE  standard: follow the standard procedure and nothing else; more: anything beyond that, a notice too;
                         missing: no such section
              HIDDEN     whether something to be done stands outside that section, in a banner or among the changes
              CODE       how many blocks of code that section has
              CATALOGUE  whether that is what the catalogue recorded: same, changed, or missing without an entry
            with the lines that say so. A person reads them; the program only makes sure that none is passed over.

            Exit status: 0 every note was read, 3 some file named like a note could not be read as one, 2 no note at all.
            """)

    @Argument(help: ArgumentHelp("A checkout of the vendor's notes, or the directory of the notes in it.", valueName: "dir"))
    var folder: String

    @OptionGroup var logs: LogsOption

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let contents = try NotesFolder(folder).read()
        let comparison = NoteComparison(
            Dictionary(uniqueKeysWithValues: contents.notes.map { ($0.version, $0.facts) }),
            unread: Set(contents.unread.map(\.version)), catalogue: try BuiltInCatalogue.read())
        let arrivals = try Journal(in: logs.folder).importNotes(contents.notes)
        let report = NotesReport(
            notes: contents.notes, unread: contents.unread, ignored: contents.ignored, comparison: comparison, arrivals: arrivals)
        switch output {
        case .text: Console.data(report.text(Console.style))
        case .json: Console.data(try report.json())
        }
        throw report.exitStatus
    }
}
