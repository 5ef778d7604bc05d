/// What stands in one of the vendor's release notes, as far as a program can tell.
///
/// The catalogue holds what stood there when an entry was written; a note that is read later is compared with it, since notes are
/// changed after they were published.
public struct NoteFacts: Hashable, Sendable, Codable {
    /// When the release was published, `2019-08-19`; nil if the note does not say.
    public var published: String?
    /// What its section on the upgrade procedure asks for.
    public var procedure: NoteProcedure
    /// Whether a step that has to be done stands outside that section: in a banner above it, or in the list of changes.
    public var hasHiddenSteps: Bool
    /// How many blocks of code the section on the upgrade procedure has; 0 and more.
    public var codeBlocks: Int

    /// Creates the facts of a note.
    public init(published: String?, procedure: NoteProcedure, hasHiddenSteps: Bool, codeBlocks: Int) {
        self.published = published
        self.procedure = procedure
        self.hasHiddenSteps = hasHiddenSteps
        self.codeBlocks = codeBlocks
    }
}

/// What the section on the upgrade procedure of a release note asks for, in the spelling of reports.
public enum NoteProcedure: String, Hashable, Sendable, Codable, CaseIterable {
    /// To follow the standard procedure, and nothing else.
    case standard
    /// Anything beyond that, a mere notice too.
    case more
    /// There is no such section.
    case missing
}
