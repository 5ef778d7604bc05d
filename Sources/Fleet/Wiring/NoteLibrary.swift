import FleetCore
import FleetDocuments
import FleetJournal

/// All there is to read of releases, and who has read it: the catalogue, and what a journal has.
struct NoteLibrary {
    let readings: [ReleaseReading]
    let acknowledgements: [Acknowledgement]

    /// Reads the catalogue and the journal in a folder; where there is no journal, nothing was imported and nothing was read.
    init(catalogue: Catalogue, logs folder: String) throws {
        let journal: Journal?
        do { journal = try Journal(in: folder, creating: false) } catch {
            guard error.code == "journal-missing" else { throw error }
            journal = nil
        }
        try self.init(catalogue: catalogue, journal: journal)
    }

    /// Reads the catalogue and a journal.
    init(catalogue: Catalogue, journal: Journal?) throws {
        let notes = try journal?.latestNotes() ?? []
        readings = ReleaseReading.all(in: catalogue, notes: Dictionary(notes.map { ($0.version, $0.text) }) { _, later in later })
        acknowledgements = try journal?.acknowledgements() ?? []
    }

    /// What has to be read before a plan is carried out.
    func list(for plan: Plan) -> ReadingList {
        ReadingList(of: plan, readings: readings, acknowledgements: acknowledgements, now: .now())
    }

    /// What there is to read of these releases.
    ///
    /// - Throws: ``Problems`` naming each release of which there is nothing.
    func readings(of versions: [CanopsisVersion], asked argument: String) throws -> [ReleaseReading] {
        var problems: [Problem] = []
        let found = versions.compactMap { version -> ReleaseReading? in
            if let reading = readings.first(where: { $0.version == version }) { return reading }
            problems.append(
                Problem(
                    code: "note-unknown",
                    what: "There is nothing to read of \(version): no note was imported, and the catalogue has no entry.",
                    place: .argument(argument), remedy: "Check the number, or import the vendor's notes with `fleet notes import DIR`."))
            return nil
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return found
    }
}
