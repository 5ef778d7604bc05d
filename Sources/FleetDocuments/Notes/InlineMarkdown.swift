/// What a reader sees of a piece of Markdown text, and what it points to.
struct InlineMarkdown {
    /// The text without marks; line feeds stay where they were.
    private(set) var text = ""
    /// Where its links lead, in their order; what stands for a definition elsewhere is a name.
    private(set) var links: [Link] = []
    /// Whether there is an image in it.
    private(set) var hasImage = false

    /// Where a link leads.
    enum Link: Hashable {
        /// To this target.
        case target(String)
        /// To where the definition with this name says.
        case named(String)
    }

    /// Reads a text in one pass over it, whatever it holds.
    init(_ markdown: String) {
        let bytes = Array(markdown.utf8)
        let brackets = Self.pairs(in: bytes, "[", "]")
        let parentheses = Self.pairs(in: bytes, "(", ")")
        let spans = Self.codeSpans(in: bytes)
        /// Where a link's text ends, and what comes after its target.
        var ends: [Int: Int] = [:]
        var visible: [UInt8] = []
        visible.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if let next = ends[index] {
                index = next
                continue
            }
            switch bytes[index] {
            case UInt8(ascii: "\\") where index + 1 < bytes.count && Self.isMark(bytes[index + 1]):
                visible.append(bytes[index + 1])
                index += 2
            case UInt8(ascii: "!") where index + 1 < bytes.count && brackets[index + 1] != nil:
                // Without a target behind it this is an exclamation.
                let close = brackets[index + 1] ?? index
                let follower = close + 1 < bytes.count ? bytes[close + 1] : 0
                if follower == UInt8(ascii: "(") || follower == UInt8(ascii: "[") { hasImage = true } else { visible.append(bytes[index]) }
                index += 1
            case UInt8(ascii: "["):
                if let close = brackets[index] {
                    let name = String(decoding: bytes[(index + 1)..<close], as: UTF8.self)
                    if close + 1 < bytes.count, bytes[close + 1] == UInt8(ascii: "("), let end = parentheses[close + 1] {
                        links.append(.target(Self.target(bytes[(close + 2)..<end])))
                        ends[close] = end + 1
                    } else if close + 1 < bytes.count, bytes[close + 1] == UInt8(ascii: "["), let end = brackets[close + 1] {
                        let label = String(decoding: bytes[(close + 2)..<end], as: UTF8.self)
                        links.append(.named(label.isEmpty ? name : label))
                        ends[close] = end + 1
                    } else {
                        links.append(.named(name))
                        ends[close] = close + 1
                    }
                }
                index += 1
            case UInt8(ascii: "*"): index += 1
            case UInt8(ascii: "`"):
                // Marks within code stand for themselves.
                if let (inside, end) = spans[index] {
                    visible += bytes[inside]
                    index = end
                } else {
                    index += 1
                }
            case UInt8(ascii: "<"):
                if let end = Self.endOfTag(in: bytes, at: index) {
                    if bytes[(index + 1)...].starts(with: "img".utf8) { hasImage = true }
                    index = end
                } else {
                    visible.append(bytes[index])
                    index += 1
                }
            case UInt8(ascii: "&"):
                if let (character, end) = Self.entity(in: bytes, at: index) {
                    visible += Array(character.utf8)
                    index = end
                } else {
                    visible.append(bytes[index])
                    index += 1
                }
            default:
                visible.append(bytes[index])
                index += 1
            }
        }
        text = String(decoding: visible, as: UTF8.self)
    }

    /// Each opening mark's closing one.
    private static func pairs(in bytes: [UInt8], _ opening: Unicode.Scalar, _ closing: Unicode.Scalar) -> [Int: Int] {
        var (pairs, open): ([Int: Int], [Int]) = ([:], [])
        var isEscaped = false
        for (index, byte) in bytes.enumerated() {
            defer { isEscaped = byte == UInt8(ascii: "\\") && !isEscaped }
            if isEscaped { continue }
            if byte == UInt8(ascii: opening) { open.append(index) }
            if byte == UInt8(ascii: closing), let start = open.popLast() { pairs[start] = index }
        }
        return pairs
    }

    /// Where each run of backticks has its equal, and what stands in between.
    private static func codeSpans(in bytes: [UInt8]) -> [Int: (inside: Range<Int>, end: Int)] {
        var spans: [Int: (Range<Int>, Int)] = [:]
        /// The nearest run of each length behind the place one is at.
        var next: [Int: Int] = [:]
        var end = bytes.count
        while end > 0 {
            guard bytes[end - 1] == UInt8(ascii: "`") else {
                end -= 1
                continue
            }
            var start = end
            while start > 0, bytes[start - 1] == UInt8(ascii: "`") { start -= 1 }
            let length = end - start
            if let other = next.updateValue(start, forKey: length) { spans[start] = (end..<other, other + length) }
            end = start
        }
        return spans
    }

    /// The target in `(target "title")`.
    private static func target(_ bytes: ArraySlice<UInt8>) -> String {
        let words = bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") }
        let first = words.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        return first.hasPrefix("<") && first.hasSuffix(">") ? String(first.dropFirst().dropLast()) : first
    }

    /// Where a tag such as `<br/>` or `</b>` ends; nil if this is none. A tag is at most this many bytes long.
    private static func endOfTag(in bytes: [UInt8], at start: Int, most: Int = 200) -> Int? {
        var index = start + 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "/") { index += 1 }
        guard index < bytes.count, isLetter(bytes[index]) else { return nil }
        while index < bytes.count, isLetter(bytes[index]) || (0x30...0x39).contains(bytes[index]) { index += 1 }
        guard index < bytes.count, bytes[index] != UInt8(ascii: ":"), bytes[index] != UInt8(ascii: "@"), bytes[index] != UInt8(ascii: ".")
        else { return nil }
        while index < bytes.count, index < start + most {
            if bytes[index] == UInt8(ascii: ">") { return index + 1 }
            if bytes[index] == UInt8(ascii: "<") { return nil }
            index += 1
        }
        return nil
    }

    /// The character behind a few entities that French pages are written with.
    private static func entity(in bytes: [UInt8], at start: Int) -> (String, Int)? {
        let name = bytes[(start + 1)...].prefix(8).prefix { $0 != UInt8(ascii: ";") }
        let end = start + 1 + name.count
        guard end < bytes.count, bytes[end] == UInt8(ascii: ";") else { return nil }
        return entities[String(decoding: name, as: UTF8.self)].map { ($0, end + 1) }
    }

    private static let entities = [
        "nbsp": " ", "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "rsquo": "'", "#39": "'", "#160": " ", "eacute": "é",
        "egrave": "è", "ecirc": "ê", "agrave": "à", "acirc": "â", "ccedil": "ç", "ucirc": "û", "Eacute": "É", "Agrave": "À",
    ]

    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte & 0xdf) }

    /// Whether a backslash before it stands for itself.
    private static func isMark(_ byte: UInt8) -> Bool {
        (0x21...0x2f).contains(byte) || (0x3a...0x40).contains(byte) || (0x5b...0x60).contains(byte) || (0x7b...0x7e).contains(byte)
    }
}
