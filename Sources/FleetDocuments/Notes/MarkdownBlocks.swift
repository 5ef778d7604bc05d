/// A Markdown text as blocks with their lines: as much of it as the rules on notes look at.
///
/// It follows CommonMark, and Python-Markdown where the vendor's site needs it (`!!!` notices, `===` tabs, headings without a blank
/// after the `#`). Any text is read, in a time that grows with its length.
struct MarkdownBlocks {
    /// A block.
    struct Block: Hashable {
        /// Its first line, counted from 1.
        var line: Int
        var kind: Kind
        /// Its Markdown, or the lines of code; empty for a mark that only opens something.
        var text: String
        /// The notice it is in; nil outside of all.
        var notice: Int?
        /// Whether it is in a list, or the mark of one of its entries.
        var isInList = false
    }

    /// What a block is.
    enum Kind: Hashable {
        /// A heading of the text itself, not within a list or a notice.
        case heading(level: Int)
        case paragraph
        /// The mark of a list's entry; what it says follows as blocks of their own.
        case listItem
        /// Fenced with this word behind the fence, or indented; whether its end was found.
        case code(language: String, isClosed: Bool)
        /// The mark of a notice: its number in ``MarkdownBlocks/notices``.
        case notice(Int)
        /// The mark of a tab; its text is the title.
        case tab
        case table
        case html
    }

    /// A text set apart: `!!! attention`, `> [!WARNING]`, or a plain quotation.
    struct Notice: Hashable {
        /// Its kind, folded; empty for a plain quotation.
        var kind: String
        var title: String
        var line: Int
    }

    /// The blocks in their order.
    private(set) var blocks: [Block] = []
    /// The notices.
    private(set) var notices: [Notice] = []
    /// Where the named links lead; names folded to small letters.
    private(set) var definitions: [String: String] = [:]
    /// `key: value` of the lines between `---` at the beginning of the text.
    private(set) var frontMatter: [(key: String, value: String, line: Int)] = []

    /// Reads a text that ``PlainText/normalised(_:)`` has been through.
    init(_ text: String) {
        var lines = Self.lines(of: text)
        if let end = Self.endOfFrontMatter(lines) {
            for line in lines[1..<end] {
                let words = String(decoding: line.content, as: UTF8.self).split(separator: ":", maxSplits: 1)
                if words.count == 2 { frontMatter.append((PlainText.words(String(words[0])).joined(), String(words[1]), line.number)) }
            }
            lines.removeFirst(end + 1)
        }
        read(lines, within: nil, depth: 0)
    }

    /// A line without the blanks around it.
    private struct Line {
        var number: Int
        /// The column of its first character; a tab goes to the next multiple of four.
        var indent: Int
        var content: ArraySlice<UInt8>

        init(number: Int, bytes: ArraySlice<UInt8>, from column: Int = 0) {
            self.number = number
            var (column, index) = (column, bytes.startIndex)
            while index < bytes.endIndex, bytes[index] == 0x20 || bytes[index] == 0x09 {
                column += bytes[index] == 0x20 ? 1 : 4 - column % 4
                index += 1
            }
            indent = column
            var end = bytes.endIndex
            while end > index, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
            content = bytes[index..<end]
        }

        var text: String { String(decoding: content, as: UTF8.self) }
        func starts(with text: StaticString) -> Bool {
            text.withUTF8Buffer { content.starts(with: $0) }
        }
    }

    private static func lines(of text: String) -> [Line] {
        Array(text.utf8).split(separator: 0x0a, omittingEmptySubsequences: false).enumerated()
            .map { Line(number: $0.offset + 1, bytes: $0.element) }
    }

    private static func endOfFrontMatter(_ lines: [Line]) -> Int? {
        guard let first = lines.first, first.text == "---" else { return nil }
        return lines.prefix(100).indices.dropFirst().first { lines[$0].text == "---" || lines[$0].text == "..." }
    }

    // MARK: Reading

    /// Something whose contents are indented.
    private struct Container {
        /// The column from which on a line belongs to it.
        var indent: Int
        /// The notice its contents are in.
        var notice: Int?
        var isList: Bool
    }

    /// The block whose lines are being gathered.
    private struct Open {
        enum Kind: Hashable {
            case paragraph, table, html, preformatted
            case quote
            case fence(mark: UInt8, length: Int)
            /// Indented by at least this many columns.
            case indented(Int)
        }
        var kind: Kind
        var line: Int
        var lines: [String] = []
        var quoted: [Line] = []
        var language = ""
        var notice: Int?
        var isInList = false
    }

    private static let mostContainers = 32
    private static let deepestQuote = 8

    private mutating func read(_ lines: [Line], within notice: Int?, depth: Int) {
        var containers: [Container] = []
        var open: Open?
        var comment = Comment(lines.map(\.content))

        func current() -> Int? { containers.last.map(\.notice) ?? notice }
        func isInList() -> Bool { containers.contains(where: \.isList) }
        func close(_ isClosed: Bool = true) {
            guard let closing = open else { return }
            open = nil
            emit(closing, isClosed: isClosed, depth: depth)
        }
        func start(_ kind: Open.Kind, _ line: Line) { open = Open(kind: kind, line: line.number, notice: current(), isInList: isInList()) }

        for (index, written) in lines.enumerated() {
            // What is fenced goes on whatever it holds.
            if case .fence(let mark, let length) = open?.kind {
                if Self.closesFence(written, mark, length) { close() } else { open?.lines.append(written.text) }
                continue
            }
            if open?.kind == .preformatted {
                open?.lines.append(written.text)
                if written.text.lowercased().contains("</pre>") { close() }
                continue
            }
            let visible = comment.visible(written.content, at: index)
            var line = Line(number: written.number, bytes: visible, from: written.indent)
            if line.content.isEmpty {
                // Blank lines within indented code belong to it.
                if case .indented = open?.kind { continue }
                close()
                continue
            }
            if case .indented(let least) = open?.kind {
                if line.indent >= least {
                    open?.lines.append(line.text)
                    continue
                }
                close()
            }
            if open?.kind == .quote {
                if line.starts(with: ">") {
                    open?.quoted.append(Self.unquoted(line))
                    continue
                }
                close()
            }

            // The text goes on without its indent, if nothing new begins.
            if let last = containers.last, line.indent < last.indent {
                if open?.kind == .paragraph, !Self.interrupts(line) {
                    open?.lines.append(line.text)
                    continue
                }
                close()
                while let last = containers.last, line.indent < last.indent { containers.removeLast() }
            }

            /// A list's entry may begin with another block on the same line.
            var isDone = false
            while !isDone {
                isDone = true
                let base = containers.last?.indent ?? 0
                if let fence = Self.fence(line) {
                    close()
                    start(.fence(mark: fence.mark, length: fence.length), line)
                    open?.language = fence.language
                } else if open?.kind == .table || open?.kind == .html {
                    if open?.kind == .table, !line.content.contains(UInt8(ascii: "|")) {
                        close()
                        isDone = false
                    } else {
                        open?.lines.append(line.text)
                    }
                } else if open == nil, line.indent >= base + 4, !(Self.listMark(line) != nil && containers.last?.isList == true) {
                    start(.indented(base + 4), line)
                    open?.lines.append(line.text)
                } else if let (kind, title) = Self.noticeMark(line), containers.count < Self.mostContainers {
                    close()
                    notices.append(Notice(kind: kind, title: title, line: line.number))
                    blocks.append(
                        Block(line: line.number, kind: .notice(notices.count - 1), text: title, notice: current(), isInList: isInList()))
                    containers.append(Container(indent: line.indent + 4, notice: notices.count - 1, isList: false))
                } else if let title = Self.tabMark(line), containers.count < Self.mostContainers {
                    close()
                    blocks.append(Block(line: line.number, kind: .tab, text: title, notice: current(), isInList: isInList()))
                    containers.append(Container(indent: line.indent + 4, notice: current(), isList: false))
                } else if containers.isEmpty, depth == 0, line.indent < 4, let (level, text) = Self.heading(line) {
                    close()
                    blocks.append(Block(line: line.number, kind: .heading(level: level), text: text, notice: nil))
                } else if containers.isEmpty, depth == 0, open?.kind == .paragraph, line.indent < 4, let level = Self.underline(line),
                    let above = open
                {
                    open = nil
                    let text = above.lines.joined(separator: "\n")
                    blocks.append(Block(line: above.line, kind: .heading(level: level), text: text, notice: nil))
                } else if Self.isRule(line) {
                    close()
                } else if line.starts(with: ">"), depth < Self.deepestQuote {
                    close()
                    start(.quote, line)
                    open?.quoted.append(Self.unquoted(line))
                } else if let mark = Self.listMark(line), containers.count < Self.mostContainers,
                    open == nil || mark.interrupts || containers.last?.isList == true
                {
                    close()
                    blocks.append(Block(line: line.number, kind: .listItem, text: "", notice: current(), isInList: true))
                    containers.append(Container(indent: mark.contentColumn, notice: current(), isList: true))
                    line = Line(number: line.number, bytes: line.content.dropFirst(mark.length), from: line.indent + mark.length)
                    line.indent = min(line.indent, mark.contentColumn)
                    isDone = line.content.isEmpty
                } else if open == nil, let (name, target) = Self.definition(line) {
                    definitions[name] = target
                } else if Self.isInvisible(line) {
                    close()
                } else if open == nil, line.starts(with: "|") {
                    start(.table, line)
                    open?.lines.append(line.text)
                } else if open == nil, let tag = Self.htmlTag(line) {
                    start(tag == "pre" ? .preformatted : .html, line)
                    open?.lines.append(line.text)
                    if tag == "pre", line.text.lowercased().contains("</pre>") { close() }
                } else {
                    if open == nil { start(.paragraph, line) }
                    open?.lines.append(line.text)
                }
            }
        }
        // Only what has a closing mark can lack it.
        switch open?.kind {
        case .fence, .preformatted: close(false)
        default: close()
        }
    }

    /// Turns gathered lines into blocks.
    private mutating func emit(_ open: Open, isClosed: Bool, depth: Int) {
        func add(_ kind: Kind) {
            let text = open.lines.joined(separator: "\n")
            blocks.append(Block(line: open.line, kind: kind, text: text, notice: open.notice, isInList: open.isInList))
        }
        switch open.kind {
        case .paragraph: add(.paragraph)
        case .table: add(.table)
        case .html: add(.html)
        case .preformatted, .fence, .indented: add(.code(language: open.language, isClosed: isClosed))
        case .quote:
            var (quoted, kind) = (open.quoted, "")
            // GitHub's spelling of a notice.
            if let first = quoted.first, first.starts(with: "[!"), first.content.last == UInt8(ascii: "]") {
                kind = PlainText.words(first.text).joined(separator: " ")
                quoted.removeFirst()
            }
            notices.append(Notice(kind: kind, title: "", line: open.line))
            let number = notices.count - 1
            blocks.append(Block(line: open.line, kind: .notice(number), text: "", notice: open.notice, isInList: open.isInList))
            read(quoted, within: number, depth: depth + 1)
        }
    }

    // MARK: Marks at the beginning of a line

    /// Whether a line begins a block also where a paragraph could go on.
    private static func interrupts(_ line: Line) -> Bool {
        fence(line) != nil || noticeMark(line) != nil || tabMark(line) != nil || (line.indent < 4 && heading(line) != nil) || isRule(line)
            || line.starts(with: ">") || (listMark(line)?.interrupts ?? false)
    }

    private static func unquoted(_ line: Line) -> Line {
        var rest = line.content.dropFirst()
        if rest.first == 0x20 { rest = rest.dropFirst() }
        return Line(number: line.number, bytes: rest)
    }

    private static func fence(_ line: Line) -> (mark: UInt8, length: Int, language: String)? {
        guard let mark = line.content.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~") else { return nil }
        let length = line.content.prefix { $0 == mark }.count
        let rest = line.content.dropFirst(length)
        // "```word```" is code within a text.
        guard length >= 3, mark == UInt8(ascii: "~") || !rest.contains(mark) else { return nil }
        let words = PlainText.words(String(decoding: rest.prefix(80), as: UTF8.self))
        return (mark, length, words.first ?? "")
    }

    private static func closesFence(_ line: Line, _ mark: UInt8, _ length: Int) -> Bool {
        line.content.count >= length && line.content.allSatisfy { $0 == mark }
    }

    /// `!!! kind "title"`, and `???` for one that is folded away.
    private static func noticeMark(_ line: Line) -> (kind: String, title: String)? {
        guard line.starts(with: "!!!") || line.starts(with: "???") else { return nil }
        var rest = line.content.dropFirst(3)
        if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        rest = rest.drop { $0 == 0x20 }
        let name = rest.prefix { $0 != 0x20 && $0 != UInt8(ascii: "\"") }
        guard let kind = PlainText.words(String(decoding: name, as: UTF8.self)).first else { return nil }
        let title = String(decoding: rest.dropFirst(name.count).filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
        return (kind, title)
    }

    /// `=== "title"`
    private static func tabMark(_ line: Line) -> String? {
        guard line.starts(with: "===") else { return nil }
        var rest = line.content.dropFirst(3)
        if rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        rest = rest.drop { $0 == 0x20 }
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        return String(decoding: rest.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }

    private static func heading(_ line: Line) -> (level: Int, text: String)? {
        let level = line.content.prefix { $0 == UInt8(ascii: "#") }.count
        guard (1...6).contains(level) else { return nil }
        var text = line.content.dropFirst(level)
        // The vendor's site takes "##Title" too; "#1234" is the number of a ticket.
        if let next = text.first, (0x30...0x39).contains(next) { return nil }
        while text.last == UInt8(ascii: "#") { text = text.dropLast() }
        return (level, String(decoding: text, as: UTF8.self))
    }

    /// The line under a heading of the other form.
    private static func underline(_ line: Line) -> Int? {
        guard let mark = line.content.first, line.content.allSatisfy({ $0 == mark }) else { return nil }
        if mark == UInt8(ascii: "=") { return 1 }
        return mark == UInt8(ascii: "-") && line.content.count > 1 ? 2 : nil
    }

    private static func isRule(_ line: Line) -> Bool {
        guard let mark = line.content.first, mark == UInt8(ascii: "-") || mark == UInt8(ascii: "*") || mark == UInt8(ascii: "_") else {
            return false
        }
        var count = 0
        for byte in line.content {
            if byte == mark { count += 1 } else if byte != 0x20 && byte != 0x09 { return false }
        }
        return count >= 3
    }

    private static func listMark(_ line: Line) -> (length: Int, contentColumn: Int, interrupts: Bool)? {
        guard let first = line.content.first else { return nil }
        var (length, interrupts) = (1, true)
        if (0x30...0x39).contains(first) {
            let digits = line.content.prefix(10).prefix { (0x30...0x39).contains($0) }
            let mark = line.content.dropFirst(digits.count).first
            guard digits.count <= 9, mark == UInt8(ascii: ".") || mark == UInt8(ascii: ")") else { return nil }
            // Else a year at the beginning of a line would make a list.
            (length, interrupts) = (digits.count + 1, digits.elementsEqual([UInt8(ascii: "1")]))
        } else if first != UInt8(ascii: "-") && first != UInt8(ascii: "*") && first != UInt8(ascii: "+") {
            return nil
        }
        let rest = line.content.dropFirst(length)
        guard let next = rest.first else { return (length, line.indent + length + 1, false) }
        guard next == 0x20 || next == 0x09 else { return nil }
        let blanks = next == 0x09 ? 1 : rest.prefix(5).prefix { $0 == 0x20 }.count
        return (length, line.indent + length + (blanks > 4 ? 1 : blanks), interrupts)
    }

    /// `[name]: target`
    private static func definition(_ line: Line) -> (name: String, target: String)? {
        guard line.content.first == UInt8(ascii: "["), line.content.dropFirst().first != UInt8(ascii: "^"),
            let end = line.content.firstIndex(of: UInt8(ascii: "]")), line.content[end...].dropFirst().first == UInt8(ascii: ":")
        else { return nil }
        let target = line.content[end...].dropFirst(2).drop { $0 == 0x20 }.prefix { $0 != 0x20 }
        let name = String(decoding: line.content[..<end].dropFirst(), as: UTF8.self)
        return target.isEmpty ? nil : (name.lowercased(), String(decoding: target, as: UTF8.self))
    }

    /// Lines that tell the site's generator something and the reader nothing: `[TOC]`, `{: .class}`.
    private static func isInvisible(_ line: Line) -> Bool {
        line.text == "[TOC]" || (line.starts(with: "{:") && line.content.last == UInt8(ascii: "}"))
    }

    private static func htmlTag(_ line: Line) -> String? {
        guard line.content.first == UInt8(ascii: "<") else { return nil }
        var rest = line.content.dropFirst()
        if rest.first == UInt8(ascii: "/") { rest = rest.dropFirst() }
        let name = rest.prefix(20).prefix { (0x41...0x5a).contains($0 & 0xdf) || (0x30...0x39).contains($0) }
        guard !name.isEmpty else { return nil }
        switch rest.dropFirst(name.count).first {
        case nil, 0x20, 0x09, UInt8(ascii: ">"), UInt8(ascii: "/"): return String(decoding: name, as: UTF8.self).lowercased()
        default: return nil
        }
    }
}

/// Leaves out what stands between `<!--` and `-->`, over any number of lines; one that is never closed is text.
private struct Comment {
    private var isInside = false
    /// The last line that closes one.
    private let lastEnd: Int

    init(_ lines: [ArraySlice<UInt8>]) {
        lastEnd = lines.lastIndex { Self.index(of: "-->", in: $0) != nil } ?? -1
    }

    mutating func visible(_ line: ArraySlice<UInt8>, at index: Int) -> ArraySlice<UInt8> {
        guard isInside || line.contains(UInt8(ascii: "<")) else { return line }
        var (rest, seen): (ArraySlice<UInt8>, [UInt8]) = (line, [])
        while true {
            if isInside {
                guard let end = Self.index(of: "-->", in: rest) else { return seen[...] }
                isInside = false
                rest = rest[(end + 3)...]
            }
            guard let start = Self.index(of: "<!--", in: rest), Self.isClosed(rest[(start + 4)...]) || index < lastEnd,
                rest[..<start].count(where: { $0 == UInt8(ascii: "`") }) % 2 == 0
            else { return seen.isEmpty ? rest : (seen + rest)[...] }
            seen += rest[..<start]
            rest = rest[(start + 4)...]
            isInside = true
        }
    }

    private static func isClosed(_ rest: ArraySlice<UInt8>) -> Bool { index(of: "-->", in: rest) != nil }

    private static func index(of mark: StaticString, in line: ArraySlice<UInt8>) -> Int? {
        mark.withUTF8Buffer { mark in
            guard let first = mark.first else { return nil }
            var from = line.startIndex
            while let index = line[from...].firstIndex(of: first) {
                if line[index...].starts(with: mark) { return index }
                from = index + 1
            }
            return nil
        }
    }
}
