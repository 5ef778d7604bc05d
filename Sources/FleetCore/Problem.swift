/// What a person must know and do: what is wrong, where, and the remedy.
///
/// Thrown for what Fleet itself cannot do or must not start. What a host does is a value (``HostOutcome``, ``StepOutcome``), not a problem.
public struct Problem: Error, Hashable, Sendable {
    /// A stable word for programs, such as `unknown-key`.
    public var code: String
    /// One sentence: what is wrong.
    public var what: String
    /// Where it is wrong.
    public var place: Place?
    /// What to do about it, as a sentence.
    public var remedy: String
    /// The layer below in its own words, if it said anything.
    public var cause: String?

    /// Where a problem lies.
    public enum Place: Hashable, Sendable {
        /// A file, with a line counted from 1 where one is known.
        case file(String, line: Int?)
        /// A host, and the step it was in.
        case host(HostName, step: String?)
        /// An argument of the command line.
        case argument(String)
    }

    /// Creates a problem; `remedy` says what to do about it.
    public init(code: String, what: String, place: Place? = nil, remedy: String, cause: String? = nil) {
        self.code = code
        self.what = what
        self.place = place
        self.remedy = remedy
        self.cause = cause
    }
}

extension Problem: CustomStringConvertible {
    /// `place: what` and the remedy on a line of its own, ready for a terminal (control characters escaped).
    public var description: String {
        var text = place.map { "\($0): " } ?? ""
        text += what
        if let cause, !cause.isEmpty { text += " (\(cause))" }
        if !remedy.isEmpty { text += "\n    \(remedy)" }
        return text.escapedForTerminal(keepingNewlines: true)
    }
}

extension Problem.Place: CustomStringConvertible {
    /// `file:line`, `host, step` or the argument.
    public var description: String {
        switch self {
        case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
        case .host(let name, let step): step.map { "\(name), \($0)" } ?? "\(name)"
        case .argument(let name): name
        }
    }
}

/// Several problems found in one go, so that one reading of a file names every mistake.
public struct Problems: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problems in the order of their places.
    public var all: [Problem]

    /// Gathers problems.
    public init(_ all: [Problem]) { self.all = all }

    /// Each problem as a paragraph of its own.
    public var description: String { all.map(\.description).joined(separator: "\n") }
}
