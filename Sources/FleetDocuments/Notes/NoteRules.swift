import FleetCore

/// Looks at the blocks of a note, one after the other, and gathers the lines that speak for a fact.
struct NoteRules {
    /// The lines found, in the order of finding.
    private(set) var reasons: [NoteReason] = []
    /// How many blocks of code the procedure has.
    private(set) var codeBlocks = 0
    /// Whether nothing was seen in the section on the procedure.
    private(set) var isProcedureEmpty = true
    /// The line before the first section that takes the release back; nil if none does.
    private(set) var withdrawnLine: Int?

    /// Whether the procedure asks for more than the standard one.
    var asksForMore: Bool { reasons.contains { $0.fact == .procedure } }

    private let definitions: [String: String]
    private let notices: [MarkdownBlocks.Notice]
    /// What stands directly in each notice.
    private let bodies: [Int: [MarkdownBlocks.Block]]
    /// Whether the block before was in a list of the procedure, so that a list is told once.
    private var isInList = false

    init(_ markdown: MarkdownBlocks) {
        definitions = markdown.definitions
        notices = markdown.notices
        var bodies: [Int: [MarkdownBlocks.Block]] = [:]
        for block in markdown.blocks {
            if let notice = block.notice { bodies[notice, default: []].append(block) }
        }
        self.bodies = bodies
    }

    /// Looks at one block.
    mutating func look(at block: MarkdownBlocks.Block, in section: NoteSections.Section) {
        if section == .procedure { lookAtProcedure(block) } else { lookElsewhere(block, in: section) }
    }

    // MARK: In the section on the procedure

    private mutating func lookAtProcedure(_ block: MarkdownBlocks.Block) {
        let wasInList = isInList
        isInList = block.isInList
        func more(_ rule: NoteReason.Rule, _ excerpt: String) {
            isProcedureEmpty = false
            add(.procedure, block.line, rule, excerpt)
        }
        if case .code = block.kind {
            codeBlocks += 1
            return more(.codeBlock, Self.firstLine(block.text))
        }
        // The notice or the list was told; what is in it adds nothing.
        guard block.notice == nil else { return }
        if block.isInList {
            if !wasInList { more(.list, "") }
            return
        }
        switch block.kind {
        case .heading, .tab: more(.heading, block.text)
        case .notice(let number): more(notices[number].kind.isEmpty ? .quote : .notice, excerpt(ofNotice: number))
        case .table: more(.table, Self.firstLine(block.text))
        case .html:
            let inline = InlineMarkdown(block.text)
            if inline.hasImage || !PlainText.words(inline.text).isEmpty { more(.html, inline.text) }
        case .paragraph: judge(block)
        case .listItem, .code: break
        }
    }

    private mutating func judge(_ block: MarkdownBlocks.Block) {
        let inline = InlineMarkdown(block.text)
        if inline.hasImage {
            isProcedureEmpty = false
            add(.procedure, block.line, .image, inline.text)
        }
        let leads = inline.links.compactMap { link -> String? in
            switch link {
            case .target(let target): target
            case .named(let name): definitions[name.lowercased()]
            }
        }
        for sentence in Self.sentences(of: inline.text, fromLine: block.line) {
            isProcedureEmpty = false
            if NoteWording.understand(sentence.folded, leads: leads) == .more,
                !sentence.clauses.allSatisfy({ NoteWording.understand($0, leads: leads) != .more })
            {
                // Where the words alone would do, it is the target that does not.
                let elsewhere =
                    NoteWording.understand(sentence.folded, leads: []) == .more ? nil : leads.first { !NoteWording.isStandard($0) }
                add(.procedure, sentence.line, .sentence, sentence.text + (elsewhere.map { " → \($0)" } ?? ""))
            }
        }
    }

    // MARK: Elsewhere

    private mutating func lookElsewhere(_ block: MarkdownBlocks.Block, in section: NoteSections.Section) {
        let isAboutRelease = section == .preamble || section == .state || section == .date
        switch block.kind {
        case .code(let language, _):
            if (section != .installation || block.notice != nil), Self.mayBeAStep(language, block.text) {
                add(.hidden, block.line, .codeBlock, Self.firstLine(block.text))
            }
        case .notice(let number): lookAtNotice(number)
        case .paragraph, .table, .html, .heading:
            // What is in a notice was looked at with it.
            guard block.notice == nil else { return }
            let sentences = Self.sentences(of: InlineMarkdown(block.text).text, fromLine: block.line)
            if section == .preamble, let line = sentences.first(where: { NoteWording.withdrawals.isIn($0.folded) })?.line {
                withdrawnLine = withdrawnLine ?? line
            }
            note(sentences, isAboutRelease: isAboutRelease)
        case .listItem, .tab: break
        }
    }

    private mutating func lookAtNotice(_ number: Int) {
        let notice = notices[number]
        var sentences = Self.sentences(of: notice.title, fromLine: notice.line)
        for block in bodies[number] ?? [] {
            switch block.kind {
            case .paragraph, .table, .html: sentences += Self.sentences(of: InlineMarkdown(block.text).text, fromLine: block.line)
            default: continue
            }
        }
        guard notice.kind.split(separator: " ").contains(where: { NoteWording.warnings.contains(String($0)) }) else {
            return note(sentences, isAboutRelease: true)
        }
        let isAnnouncement = Self.marked(sentences).allSatisfy {
            $0.isAnnouncement && !NoteWording.demands.isIn($0.sentence.folded) || $0.isPreparation
        }
        if sentences.isEmpty || !isAnnouncement { add(.hidden, notice.line, .notice, excerpt(ofNotice: number)) }
    }

    /// Notes the sentences that demand something, or, where the release is spoken of, warn.
    private mutating func note(_ sentences: [Sentence], isAboutRelease: Bool) {
        for (sentence, isAnnouncement, isPreparation) in Self.marked(sentences) where !isPreparation {
            let found =
                NoteWording.demands.first(in: sentence.folded)
                ?? (isAboutRelease && !isAnnouncement ? NoteWording.cautions.first(in: sentence.folded) : nil)
            if let found { add(.hidden, sentence.words[found.index].line, .wording, sentence.excerpt(around: found.index)) }
        }
    }

    /// Tells the sentences that announce a later release, and those that go on with one.
    private static func marked(_ sentences: [Sentence]) -> [(sentence: Sentence, isAnnouncement: Bool, isPreparation: Bool)] {
        var follows = false
        return sentences.map { sentence in
            let isAnnouncement = NoteWording.announcements.isIn(sentence.folded)
            let isPreparation = follows && !sentence.folded.isEmpty && NoteWording.preparations.phrase(at: 0, of: sentence.folded) != nil
            follows = isAnnouncement || isPreparation
            return (sentence, isAnnouncement, isPreparation)
        }
    }

    private static func mayBeAStep(_ language: String, _ code: String) -> Bool {
        guard NoteWording.shown.contains(language) else { return true }
        return code.split(separator: "\n").contains { line in
            let words = line.drop { $0 == "$" || $0 == "#" || $0 == ">" || $0 == " " }.prefix(80).split(separator: " ", maxSplits: 1)
            return words.first.map { NoteWording.commands.contains($0.lowercased()) } ?? false
        }
    }

    // MARK: Sentences

    /// A sentence with its words.
    struct Sentence {
        var text: Substring
        var words: [PlainText.Word]
        /// The words, folded.
        var folded: [String]
        /// The words between commas, semicolons and colons.
        var clauses: [[String]]

        var line: Int { words.first?.line ?? 0 }

        /// The text from its beginning, or from a little before this word where that is far in.
        func excerpt(around index: Int) -> String {
            let start = words[index].start
            guard text[..<start].count > 40 else { return String(text) }
            let first = words[...index].last { text[$0.start..<start].count >= 20 }?.start ?? start
            return "…" + text[first...]
        }
    }

    /// The sentences of a text that have words. A full stop ends one if a blank follows.
    static func sentences(of text: String, fromLine first: Int) -> [Sentence] {
        var sentences: [Sentence] = []
        var (start, line) = (text.startIndex, first)
        func end(at end: String.Index) {
            let piece = text[start..<end]
            let words = PlainText.words(in: piece, fromLine: line)
            if !words.isEmpty {
                let clauses = piece.split { $0 == "," || $0 == ";" || $0 == ":" }.map { PlainText.words(String($0)) }
                sentences.append(
                    Sentence(text: piece, words: words, folded: words.map(\.text), clauses: clauses.filter { !$0.isEmpty }))
            }
            line += piece.count(where: { $0 == "\n" })
            start = end
        }
        var wasStop = false
        for index in text.indices {
            let character = text[index]
            if wasStop, character.isWhitespace { end(at: index) }
            wasStop = character == "." || character == "!" || character == "?" || character == "…"
        }
        end(at: text.endIndex)
        return sentences
    }

    // MARK: Reasons

    private mutating func add(_ fact: NoteReason.Fact, _ line: Int, _ rule: NoteReason.Rule, _ excerpt: String) {
        reasons.append(NoteReason(fact: fact, line: line, rule: rule, excerpt: Self.cut(excerpt)))
    }

    private func excerpt(ofNotice number: Int) -> String {
        let first = bodies[number]?.first { !$0.text.isEmpty }?.text ?? ""
        let notice = notices[number]
        let said = notice.title.isEmpty ? InlineMarkdown(first).text : notice.title
        return notice.kind.isEmpty ? said : "\(notice.kind): \(said)"
    }

    private static func firstLine(_ code: String) -> String {
        code.split(separator: "\n").first { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
    }

    /// On one line, and no longer than a line.
    private static func cut(_ text: String, most: Int = 100) -> String {
        let line = text.prefix(most * 4).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count <= most ? line : line.prefix(most - 1) + "…"
    }
}
