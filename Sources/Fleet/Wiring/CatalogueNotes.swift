import FleetCore

/// What the catalogue knows of the vendor's notes: the one place where `fleet notes` gets it from.
struct CatalogueNotes: Sendable {
    /// What is known of each release's note.
    var known: @Sendable () throws -> [CanopsisVersion: CatalogueNote]

    /// The built-in catalogue. It has no entries yet.
    static let builtIn = CatalogueNotes { [:] }
}
