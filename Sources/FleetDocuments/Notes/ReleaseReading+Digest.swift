import FleetCore

extension ReleaseReading {
    /// All there is to read of one release, with its digest.
    ///
    /// - Parameters:
    ///   - release: what the catalogue has of it.
    ///   - note: the text of the vendor's note.
    public init(version: CanopsisVersion, release: Release?, note: String?) {
        // A checkout may end its lines either way, and the text is the same.
        let lines = note.map { String($0.map { $0 == "\r\n" ? "\n" : $0 }) }
        // The lengths keep a text that moves from the one to the other from looking the same.
        let parts = [release?.textToRead, lines].map { part in part.map { "\($0.utf8.count)\n\($0)" } ?? "none\n" }
        self.init(version: version, release: release, note: note, sha256: FleetDocuments.sha256(of: Array(parts.joined().utf8)))
    }

    /// All there is to read of any release that the catalogue or a note is about, oldest first.
    public static func all(in catalogue: Catalogue, notes: [CanopsisVersion: String]) -> [ReleaseReading] {
        Set(catalogue.releases.map(\.version)).union(notes.keys).sorted().map { version in
            ReleaseReading(version: version, release: catalogue.release(version), note: notes[version])
        }
    }
}
