/// One of the vendor's release notes as it was read: what stands in it, and the lines that say so.
public struct ReadNote: Hashable, Sendable {
    /// The release it is about.
    public var version: CanopsisVersion
    /// Its file.
    public var path: String
    /// SHA-256 of the file's bytes, 64 hexadecimal digits.
    public var sha256: String
    /// What stands in it.
    public var facts: NoteFacts
    /// The lines behind the facts, in their order.
    public var reasons: [NoteReason]
    /// What it lacks, and what could not be told; empty if it is a note like the others.
    public var flaws: [NoteFlaw]
    /// The whole text.
    public var text: String

    /// Creates a note that was read.
    public init(
        version: CanopsisVersion, path: String, sha256: String, facts: NoteFacts, reasons: [NoteReason], flaws: [NoteFlaw],
        text: String
    ) {
        self.version = version
        self.path = path
        self.sha256 = sha256
        self.facts = facts
        self.reasons = reasons
        self.flaws = flaws
        self.text = text
    }
}

/// A line of a note that speaks for a fact: `line 31: code block`.
public struct NoteReason: Hashable, Sendable {
    /// Which fact.
    public var fact: Fact
    /// The line, counted from 1.
    public var line: Int
    /// What was seen there, in a stable word such as `code-block`.
    public var rule: Rule
    /// The words of the note, cut where they are long; empty where there are none.
    public var excerpt: String

    /// A fact that lines speak for.
    public enum Fact: String, Hashable, Sendable, CaseIterable {
        /// The section on the procedure asks for more than the standard one.
        case procedure
        /// A required step stands outside that section.
        case hidden = "hidden_steps"
    }

    /// What was seen.
    public enum Rule: String, Hashable, Sendable, CaseIterable {
        /// A block of code: fenced, indented or `<pre>`.
        case codeBlock = "code-block"
        /// A notice set apart, such as `!!! attention`.
        case notice
        /// A list.
        case list
        /// A table.
        case table
        /// A quotation.
        case quote
        /// An image.
        case image
        /// HTML.
        case html
        /// A heading below that of the section, or a tab.
        case heading
        /// A sentence that neither points to the standard procedure nor says that there is nothing else.
        case sentence
        /// Words that ask for something, or warn of the release.
        case wording
    }

    /// Creates a reason.
    public init(fact: Fact, line: Int, rule: Rule, excerpt: String) {
        self.fact = fact
        self.line = line
        self.rule = rule
        self.excerpt = excerpt
    }
}

/// What a file lacks to be a note like the others, or what in it could not be told.
public struct NoteFlaw: Hashable, Sendable {
    /// What is wrong.
    public var code: Code
    /// The line, counted from 1; nil where it is about the whole file.
    public var line: Int?
    /// A sentence about it.
    public var text: String

    /// What can be wrong, in stable words.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The file cannot be read, or is no regular file.
        case unreadable
        /// It is larger than a note may be.
        case tooLarge = "too-large"
        /// It is a link to something outside the folder.
        case outside
        /// Its bytes are not text in UTF-8.
        case notText = "not-text"
        /// No title names a release.
        case noTitle = "no-title"
        /// The title names another release than the file.
        case otherTitle = "other-title"
        /// Another file is about the same release.
        case duplicate
        /// There is no date of publication.
        case noDate = "no-date"
        /// The date of publication is not one of the calendar.
        case impossibleDate = "impossible-date"
        /// There are several dates of publication.
        case severalDates = "several-dates"
        /// There is no section on the upgrade procedure.
        case noProcedure = "no-procedure"
        /// The section on the upgrade procedure is empty.
        case emptyProcedure = "empty-procedure"
        /// A block of code is never closed, so all that follows was taken for code.
        case openCodeBlock = "open-code-block"
        /// The note takes its release back, so it has neither date nor procedure.
        case withdrawn

        /// Whether a file with this flaw does not count as read. The others are worth knowing and no more.
        public var isFailure: Bool {
            switch self {
            case .openCodeBlock, .withdrawn: false
            default: true
            }
        }
    }

    /// Creates a flaw.
    public init(code: Code, line: Int? = nil, text: String) {
        self.code = code
        self.line = line
        self.text = text
    }
}

/// A file with the name of a note that could not be read as one at all.
public struct UnreadNote: Hashable, Sendable {
    /// The release its name says.
    public var version: CanopsisVersion
    /// The file.
    public var path: String
    /// Why.
    public var flaws: [NoteFlaw]

    /// Creates the record of such a file.
    public init(version: CanopsisVersion, path: String, flaws: [NoteFlaw]) {
        self.version = version
        self.path = path
        self.flaws = flaws
    }
}

/// What became of a note that was handed to the journal.
public enum NoteArrival: Hashable, Sendable {
    /// It is the first note of its release.
    case new
    /// The same text was imported before, at this time (RFC 3339).
    case unchanged(since: String)
    /// Another text was imported before, the last at this time (RFC 3339).
    case changed(since: String)
}
