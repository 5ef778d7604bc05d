import FleetCore

/// What stands in the vendor's release notes, and where the catalogue says otherwise: what `fleet notes import` prints.
public struct NotesReport: Sendable {
    private let notes: [ReadNote]
    private let unread: [UnreadNote]
    private let ignored: Int
    private let comparison: NoteComparison
    private let arrivals: [CanopsisVersion: NoteArrival]

    /// Reports on an import.
    ///
    /// - Parameters:
    ///   - notes: The notes that were read, in the order of their versions.
    ///   - unread: Files named like notes that are none.
    ///   - ignored: How many other files lay beside them.
    ///   - comparison: How they stand to the catalogue.
    ///   - arrivals: What the journal had of each before.
    public init(
        notes: [ReadNote], unread: [UnreadNote], ignored: Int, comparison: NoteComparison, arrivals: [CanopsisVersion: NoteArrival]
    ) {
        self.notes = notes
        self.unread = unread
        self.ignored = ignored
        self.comparison = comparison
        self.arrivals = arrivals
    }

    /// 0 if every file could be read as a note, 3 if one could not.
    public var exitStatus: ExitStatus {
        unread.isEmpty && notes.allSatisfy { !$0.isFailed } ? .done : .failed
    }

    // MARK: Text

    /// How many lines of a note are told for each fact; the JSON has them all.
    private static let mostReasons = 3

    /// The table for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        var lines: [String] = []
        if !notes.isEmpty {
            var table = Table(header: ["VERSION", "DATE", "PROCEDURE", "HIDDEN", "CODE", "CATALOGUE"])
            table.rows = notes.map(row)
            lines += table.lines(style)
        }
        if !unread.isEmpty {
            if !lines.isEmpty { lines.append("") }
            lines.append("Not read as notes:")
            for file in unread {
                lines += "\(file.path): \(file.flaws.map(\.sentence).joined(separator: "; "))".escapedForTerminal()
                    .wrapped(indent: 2, hanging: 4)
            }
        }
        let lone = comparison.withoutNote
        for (group, words) in [(lone.filter(\.isWithinSpan), "among these"), (lone.filter { !$0.isWithinSpan }, "before or after these")]
        where !group.isEmpty {
            lines += ["", "In the catalogue without a note, \(words):"]
            lines += group.map(\.version.description).joined(separator: ", ").wrapped(indent: 2)
        }
        return lines.joined(separator: "\n") + "\n\n\(summary)\n"
    }

    private func row(_ note: ReadNote) -> Table.Row {
        let facts = note.facts
        let standing = comparison.standings[note.version] ?? .missing
        var row = Table.Row(
            cells: [
                note.version.description, facts.published ?? "-", facts.procedure.rawValue, facts.hasHiddenSteps ? "yes" : "no",
                "\(facts.codeBlocks)", standing.word,
            ],
            roles: [
                2: facts.procedure == .standard ? .good : .uncertain, 3: facts.hasHiddenSteps ? .bad : .quiet,
                5: standing.word == "changed" ? .bad : standing.word == "missing" ? .uncertain : .quiet,
            ])
        row.notes += note.flaws.map(\.sentence)
        if case .changed(let since)? = arrivals[note.version] { row.notes.append("changed since the import of \(shown(since))") }
        switch standing {
        case .changed(let differences, _): row.notes += differences.map { "catalogue: \($0.sentence)" }
        case .same(let compared) where compared.isEmpty: row.notes.append("catalogue: its entry records nothing to compare with")
        case .same, .missing: break
        }
        for fact in NoteReason.Fact.allCases {
            let reasons = note.reasons.filter { $0.fact == fact }
            row.notes += reasons.prefix(Self.mostReasons).map(\.sentence)
            if reasons.count > Self.mostReasons { row.notes.append("\(fact.words): and \(reasons.count - Self.mostReasons) more") }
        }
        row.notes = row.notes.map { $0.escapedForTerminal() }
        return row
    }

    /// `20 notes: 12 standard, 6 more, 2 missing; 7 with hidden steps`.
    public var summary: String {
        var text = counted(notes.count, "note")
        let counts = NoteProcedure.allCases.compactMap { procedure -> String? in
            let number = notes.count { $0.facts.procedure == procedure }
            return number == 0 ? nil : "\(number) \(procedure.rawValue)"
        }
        if !counts.isEmpty { text += ": \(counts.joined(separator: ", "))" }
        let hidden = notes.count { $0.facts.hasHiddenSteps }
        if hidden > 0 { text += "; \(hidden) with hidden steps" }
        let news = arrivals.values.count { if case .unchanged = $0 { false } else { true } }
        text += "\n\(news == 0 ? "Nothing" : counted(news, "text")) new or changed since the last import."
        if ignored > 0 { text += " \(counted(ignored, "other file")) left aside." }
        return text
    }

    // MARK: JSON

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String {
        try JSONText.of(
            NotesJSON(
                exit_status: exitStatus.rawValue, ignored_files: ignored,
                notes: notes.map { NotesJSON.Note($0, comparison.standings[$0.version] ?? .missing, arrivals[$0.version]) },
                unread: unread.map(NotesJSON.Unread.init),
                without_note: comparison.withoutNote.map { NotesJSON.Lone(version: $0.version.description, in_span: $0.isWithinSpan) }))
    }
}

extension ReadNote {
    fileprivate var isFailed: Bool { flaws.contains { $0.code.isFailure } }
}

extension NoteFlaw {
    /// `line 3: its date of publication is not in the calendar`
    fileprivate var sentence: String { (line.map { "line \($0): " } ?? "") + text }
}

extension NoteReason {
    /// `procedure: line 31: code block: systemctl stop bassin`
    fileprivate var sentence: String {
        let kind =
            switch rule {
            case .codeBlock: "code block"
            case .sentence, .wording: ""
            case .notice, .list, .table, .quote, .image, .html, .heading: rule.rawValue
            }
        let said = rule == .sentence || rule == .wording ? "“\(excerpt)”" : excerpt
        return ["\(fact.words): line \(line)", kind, said].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

extension NoteReason.Fact {
    fileprivate var words: String {
        switch self {
        case .procedure: "procedure"
        case .hidden: "hidden"
        }
    }
}

extension NoteDifference {
    /// `procedure was standard there, is more here`
    fileprivate var sentence: String {
        func value(_ text: String?) -> String {
            switch (fact, text) {
            case (.hiddenSteps, "true"?): "yes"
            case (.hiddenSteps, "false"?): "no"
            default: text ?? "not known"
            }
        }
        return "\(fact.rawValue.split(separator: "_").joined(separator: " ")): \(value(catalogue)) there, \(value(note)) here"
    }
}

private struct NotesJSON: Encodable {
    struct Note: Encodable {
        var version: String
        var path: String
        var sha256: String
        @OrNull var date: String?
        var procedure_section: String
        var hidden_steps: Bool
        var code_blocks: Int
        var catalogue: String
        var compared: [String]
        var differences: [Difference]
        var arrival: String
        @OrNull var imported_before: String?
        var reasons: [Reason]
        var flaws: [Flaw]

        init(_ note: ReadNote, _ standing: NoteStanding, _ arrival: NoteArrival?) {
            version = note.version.description
            path = note.path.escapedForTerminal()
            sha256 = note.sha256
            date = note.facts.published
            procedure_section = note.facts.procedure.rawValue
            hidden_steps = note.facts.hasHiddenSteps
            code_blocks = note.facts.codeBlocks
            catalogue = standing.word
            switch standing {
            case .same(let facts): (compared, differences) = (facts.map(\.rawValue), [])
            case .changed(let changes, let facts): (compared, differences) = (facts.map(\.rawValue), changes.map(Difference.init))
            case .missing: (compared, differences) = ([], [])
            }
            switch arrival {
            case .new, nil: self.arrival = "new"
            case .unchanged(let since): (self.arrival, imported_before) = ("unchanged", since)
            case .changed(let since): (self.arrival, imported_before) = ("changed", since)
            }
            reasons = note.reasons.map(Reason.init)
            flaws = note.flaws.map(Flaw.init)
        }
    }

    struct Difference: Encodable {
        var fact: String
        @OrNull var in_catalogue: String?
        @OrNull var in_note: String?

        init(_ difference: NoteDifference) {
            fact = difference.fact.rawValue
            in_catalogue = difference.catalogue
            in_note = difference.note
        }
    }

    struct Reason: Encodable {
        var fact: String
        var line: Int
        var rule: String
        var excerpt: String

        init(_ reason: NoteReason) {
            fact = reason.fact.rawValue
            line = reason.line
            rule = reason.rule.rawValue
            excerpt = reason.excerpt.escapedForTerminal()
        }
    }

    struct Flaw: Encodable {
        var code: String
        @OrNull var line: Int?
        var text: String

        init(_ flaw: NoteFlaw) {
            code = flaw.code.rawValue
            line = flaw.line
            text = flaw.text.escapedForTerminal()
        }
    }

    struct Unread: Encodable {
        var version: String
        var path: String
        var flaws: [Flaw]

        init(_ file: UnreadNote) {
            version = file.version.description
            path = file.path.escapedForTerminal()
            flaws = file.flaws.map(Flaw.init)
        }
    }

    struct Lone: Encodable {
        var version: String
        var in_span: Bool
    }

    var schema = JSONReport.schema
    var exit_status: Int32
    var ignored_files: Int
    var notes: [Note]
    var unread: [Unread]
    var without_note: [Lone]
}
