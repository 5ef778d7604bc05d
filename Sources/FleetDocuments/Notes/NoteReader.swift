import FleetCore

/// What stands in the text of a release note, and the lines that say so.
///
/// A pure function of the text, and of any text. Where it has to decide, it takes what would have a person look: a sentence that is not
/// understood is `more`, a block of code in a list of changes is a hidden step. The wordings are in ``NoteWording``.
///
/// | what | counts for |
/// | --- | --- |
/// | a sentence to follow the standard procedure, one that there is nothing else | `standard`, if nothing else is in the section |
/// | any other sentence, heading, notice, list, table, image, code, quotation, HTML in the section | `more` |
/// | a notice that warns, outside the section | a hidden step, unless it only announces what a later release will bring |
/// | a sentence that warns or demands, in other notices, before the first section, under known problems | a hidden step |
/// | a sentence that demands, elsewhere | a hidden step |
/// | code outside the section that is not labelled as something to look at | a hidden step; not under new installations |
public struct NoteReading: Hashable, Sendable {
    /// The release its title names; nil if it has none.
    public var version: CanopsisVersion?
    /// What stands in it.
    public var facts: NoteFacts
    /// The lines behind the facts, in their order.
    public var reasons: [NoteReason]
    /// What is missing, and what could not be told.
    public var flaws: [NoteFlaw]

    /// Reads the text of a note.
    public init(of text: String) {
        let markdown = MarkdownBlocks(PlainText.normalised(text))
        let sections = NoteSections(markdown)
        let date = PublicationDate(markdown, sections)
        var rules = NoteRules(markdown)
        for (block, section) in sections.blocks { rules.look(at: block, in: section) }

        version = sections.version
        facts = NoteFacts(
            published: date.iso,
            procedure: sections.procedureLine == nil || rules.isProcedureEmpty ? .missing : rules.asksForMore ? .more : .standard,
            hasHiddenSteps: rules.reasons.contains { $0.fact == .hidden }, codeBlocks: rules.codeBlocks)
        reasons = rules.reasons.sorted { $0.line < $1.line }
        flaws = Self.flaws(sections, date, rules)
        for block in markdown.blocks {
            guard case .code(_, isClosed: false) = block.kind else { continue }
            flaws.append(
                NoteFlaw(code: .openCodeBlock, line: block.line, text: "this block of code is never closed: all that follows is in it"))
        }
    }

    private static func flaws(_ sections: NoteSections, _ date: PublicationDate, _ rules: NoteRules) -> [NoteFlaw] {
        var flaws: [NoteFlaw] = []
        if sections.version == nil {
            flaws.append(NoteFlaw(code: .noTitle, text: "no title names a release, such as `# Notes de version Canopsis 3.26.0`"))
        }
        if let line = rules.withdrawnLine, sections.procedureLine == nil, date.iso == nil {
            flaws.append(NoteFlaw(code: .withdrawn, line: line, text: "it takes its release back, so it has no procedure"))
            return flaws
        }
        if let flaw = date.flaw { flaws.append(flaw) }
        if let line = sections.procedureLine {
            if rules.isProcedureEmpty {
                flaws.append(NoteFlaw(code: .emptyProcedure, line: line, text: "its section on the upgrade procedure is empty"))
            }
        } else {
            flaws.append(NoteFlaw(code: .noProcedure, text: "it has no section on the upgrade procedure"))
        }
        return flaws
    }
}

/// When a note says that its release was published.
private struct PublicationDate {
    /// `2019-08-19`; nil if that cannot be told.
    var iso: String?
    /// Why it cannot.
    var flaw: NoteFlaw?

    private struct Found {
        var date: FrenchDate
        var line: Int
        var rank: Int
    }

    /// Looks before the first section and in one on the publication. What `publié` stands before counts first, then what it stands
    /// behind, then any date.
    init(_ markdown: MarkdownBlocks, _ sections: NoteSections) {
        var found: [Found] = []
        for entry in markdown.frontMatter where entry.key == "date" || entry.key.hasPrefix("publi") {
            found += FrenchDate.all(in: PlainText.words(entry.value)).map { Found(date: $0, line: entry.line, rank: 0) }
        }
        for (block, section) in sections.blocks where section == .preamble || section == .date {
            switch block.kind {
            case .paragraph, .table,
                .html where block.notice == nil:
                found += Self.dates(in: block, section)
            default: continue
            }
        }
        if found.isEmpty {
            found = FrenchDate.all(in: PlainText.words(sections.title)).map { Found(date: $0, line: 1, rank: 2) }
        }
        guard let best = found.map(\.rank).min() else {
            flaw = NoteFlaw(code: .noDate, text: "it has no date of publication")
            return
        }
        let candidates = found.filter { $0.rank == best }
        if let impossible = candidates.first(where: { $0.date.iso == nil }) {
            flaw = NoteFlaw(code: .impossibleDate, line: impossible.line, text: "its date of publication is not in the calendar")
            return
        }
        let dates = Set(candidates.compactMap(\.date.iso))
        if dates.count == 1 {
            iso = dates.first
        } else {
            let line = candidates.last?.line
            flaw = NoteFlaw(
                code: .severalDates, line: line, text: "it has several dates of publication: \(dates.sorted().joined(separator: ", "))")
        }
    }

    private static func dates(in block: MarkdownBlocks.Block, _ section: NoteSections.Section) -> [Found] {
        let all = PlainText.words(in: InlineMarkdown(block.text).text[...], fromLine: block.line)
        let words = all.map(\.text)
        let dates = FrenchDate.all(in: words)
        func speaksOfIt(_ range: Range<Int>) -> Bool {
            words[range].contains { word in NoteWording.publications.contains { word.hasPrefix($0) } }
        }
        return dates.enumerated().map { number, date in
            let before = max(number > 0 ? dates[number - 1].index : 0, date.index - 12)..<date.index
            let after = date.index..<min(number + 1 < dates.count ? dates[number + 1].index : words.count, date.index + 12)
            let rank = section == .date || speaksOfIt(before) ? 0 : speaksOfIt(after) ? 1 : 2
            return Found(date: date, line: all[date.index].line, rank: rank)
        }
    }
}
