import FleetCore

/// A note as the sections that the rules tell apart.
struct NoteSections {
    /// What a block of a note belongs to.
    enum Section: Hashable {
        /// What stands before the first section: the date, and banners.
        case preamble
        /// The upgrade procedure.
        case procedure
        /// New installations.
        case installation
        /// The state of the release, such as known problems.
        case state
        /// When it was published.
        case date
        /// Everything else: the lists of changes.
        case changes
    }

    /// Each block that says something, with its section. The title and the headings of sections are left out.
    let blocks: [(block: MarkdownBlocks.Block, section: Section)]
    /// The title's release; nil without a title that names one.
    let version: CanopsisVersion?
    /// The words of the title; empty without one.
    let title: String
    /// The line of the first heading of the procedure; nil without that section.
    let procedureLine: Int?

    /// Sorts the blocks of a note.
    init(_ markdown: MarkdownBlocks) {
        let titleIndex = Self.titleIndex(markdown.blocks)
        var walk = Walk()
        var blocks: [(MarkdownBlocks.Block, Section)] = []
        for (index, block) in markdown.blocks.enumerated() where index != titleIndex {
            if case .heading(let level) = block.kind {
                if walk.enter(Self.words(ofHeading: block.text), level: level) {
                    blocks.append((block, walk.section))
                } else if walk.section == .procedure {
                    walk.procedureLine = walk.procedureLine ?? block.line
                }
            } else {
                blocks.append((block, walk.section))
            }
        }
        self.blocks = blocks
        procedureLine = walk.procedureLine
        let written = markdown.frontMatter.first { $0.key == "title" || $0.key == "titre" }?.value
        title = titleIndex.map { markdown.blocks[$0].text } ?? written ?? ""
        version = Self.version(in: title)
    }

    /// Where one is while going through the headings.
    private struct Walk {
        var section = Section.preamble
        var procedureLine: Int?
        /// The level of the heading of the procedure one is in; nil outside.
        private var procedureLevel: Int?
        /// The level of the heading that gave the section, if deeper headings stay in it.
        private var level = 0

        /// Goes on below a heading. Whether the heading is itself a part of the section it stands in.
        mutating func enter(_ words: [String], level: Int) -> Bool {
            if let above = procedureLevel, level > above {
                // Within the procedure. From 22.10 on the lists of changes stand here too.
                if section != .procedure, level > self.level { return true }
                if NoteWording.isProcedureHeading(words) {
                    (section, self.level) = (.procedure, level)
                    return false
                }
                let isChanges = NoteWording.isChangesHeading(words)
                (section, self.level) = (isChanges ? (NoteWording.isStateHeading(words) ? .state : .changes) : .procedure, level)
                return !isChanges
            }
            procedureLevel = nil
            if NoteWording.isProcedureHeading(words) {
                (section, procedureLevel, self.level) = (.procedure, level, level)
                return false
            }
            if section == .installation || section == .state, level > self.level { return true }
            self.level = level
            if NoteWording.isInstallationHeading(words) {
                section = .installation
            } else if NoteWording.isStateHeading(words) {
                section = .state
            } else if words.contains("publication") || words == ["date"] {
                section = .date
            } else {
                section = .changes
            }
            return section == .changes
        }
    }

    /// The words of a heading, its attributes `{#anchor}` left out.
    private static func words(ofHeading text: String) -> [String] {
        var text = text
        if let end = text.lastIndex(of: "}"), let start = text.lastIndex(of: "{"), start < end,
            text[text.index(after: end)...].allSatisfy(\.isWhitespace)
        {
            text = String(text[..<start])
        }
        return PlainText.words(InlineMarkdown(text).text)
    }

    /// The first heading of level 1 that names a release, else the first of any level that says `notes de version` and names one.
    private static func titleIndex(_ blocks: [MarkdownBlocks.Block]) -> Int? {
        func isTitle(_ block: MarkdownBlocks.Block, _ isLevel: (Int) -> Bool, _ words: [String]) -> Bool {
            guard case .heading(let level) = block.kind, isLevel(level), version(in: block.text) != nil else { return false }
            return self.words(ofHeading: block.text).contains { words.contains($0) }
        }
        return blocks.firstIndex { isTitle($0, { $0 == 1 }, ["note", "notes", "version", "canopsis"]) }
            ?? blocks.firstIndex { isTitle($0, { $0 > 1 }, ["note", "notes"]) }
    }

    /// The first version that a title names; blanks around its dots, which were ones that do not break, are no matter.
    private static func version(in title: String) -> CanopsisVersion? {
        var tight = ""
        var blanks = ""
        for character in InlineMarkdown(title).text {
            if character == " " {
                if tight.last != "." { blanks.append(character) }
                continue
            }
            if character != "." { tight += blanks }
            blanks = ""
            tight.append(character)
        }
        return PlainText.words(tight).lazy.compactMap { CanopsisVersion($0.drop { $0 == "v" }) }.first
    }
}
