/// A fact of a note that is compared with the catalogue, in the spelling of reports.
public enum NoteFact: String, Hashable, Sendable, CaseIterable {
    /// The date of publication.
    case date
    /// What the section on the procedure asks for.
    case procedure = "procedure_section"
    /// Whether steps stand outside of it.
    case hiddenSteps = "hidden_steps"
    /// How many blocks of code the section has.
    case codeBlocks = "code_blocks"
}

/// A fact that is not what the catalogue recorded.
public struct NoteDifference: Hashable, Sendable {
    /// Which one.
    public var fact: NoteFact
    /// What the catalogue has; nil for a date that it does not have.
    public var catalogue: String?
    /// What the note has; nil for a date that it does not have.
    public var note: String?

    /// Creates a difference.
    public init(fact: NoteFact, catalogue: String?, note: String?) {
        self.fact = fact
        self.catalogue = catalogue
        self.note = note
    }
}

/// How a note stands to its entry in the catalogue.
public enum NoteStanding: Hashable, Sendable {
    /// Each of these facts is what the catalogue recorded. None if the entry records nothing of its note.
    case same(compared: [NoteFact])
    /// These are not; each of `compared` was looked at.
    case changed([NoteDifference], compared: [NoteFact])
    /// There is no entry.
    case missing

    /// The word of reports: `same`, `changed`, `missing`.
    public var word: String {
        switch self {
        case .same: "same"
        case .changed: "changed"
        case .missing: "missing"
        }
    }

    /// How a note with these facts stands to an entry.
    public init(of facts: NoteFacts, to entry: Release?) {
        guard let entry else {
            self = .missing
            return
        }
        var (compared, differences): ([NoteFact], [NoteDifference]) = ([], [])
        func compare(_ fact: NoteFact, _ catalogue: String?, _ note: String?) {
            compared.append(fact)
            if catalogue != note { differences.append(NoteDifference(fact: fact, catalogue: catalogue, note: note)) }
        }
        if entry.published != nil || entry.note != nil { compare(.date, entry.published, facts.published) }
        if let known = entry.note {
            compare(.procedure, known.procedure.rawValue, facts.procedure.rawValue)
            compare(.hiddenSteps, "\(known.hasHiddenSteps)", "\(facts.hasHiddenSteps)")
            compare(.codeBlocks, "\(known.codeBlocks)", "\(facts.codeBlocks)")
        }
        self = differences.isEmpty ? .same(compared: compared) : .changed(differences, compared: compared)
    }
}

/// The notes of an import beside the catalogue: notes changed since, notes without an entry, entries without a note.
public struct NoteComparison: Hashable, Sendable {
    /// An entry of the catalogue that the import has no note of.
    public struct Lone: Hashable, Sendable {
        /// The release.
        public var version: CanopsisVersion
        /// Whether it lies between the first and the last release of the import, so that its note should be there.
        public var isWithinSpan: Bool
    }

    /// How each note stands.
    public let standings: [CanopsisVersion: NoteStanding]
    /// Entries without a note, in the order of their versions.
    public let withoutNote: [Lone]

    /// Compares.
    ///
    /// - Parameters:
    ///   - notes: What stands in each note that was read.
    ///   - unread: Releases whose note is there and could not be read: nothing is said of it, nor that it is not there.
    ///   - catalogue: What the notes looked like when its entries were written.
    public init(_ notes: [CanopsisVersion: NoteFacts], unread: Set<CanopsisVersion> = [], catalogue: Catalogue) {
        standings = Dictionary(uniqueKeysWithValues: notes.map { ($0, NoteStanding(of: $1, to: catalogue.release($0))) })
        let present = unread.union(notes.keys)
        let (first, last) = (present.min(), present.max())
        withoutNote = catalogue.releases.map(\.version).filter { !present.contains($0) }.map { version in
            Lone(version: version, isWithinSpan: first.map { $0 < version } ?? false && last.map { version < $0 } ?? false)
        }
    }
}
