/// Text as the rules on notes want it: one kind of space, apostrophe and line's end.
enum PlainText {
    /// The text with ordinary spaces in the place of those that do not break, nothing in the place of those without width,
    /// straight apostrophes, line feeds, and no byte order mark. Lines keep their numbers.
    static func normalised(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var afterReturn = false
        for scalar in text.unicodeScalars {
            defer { afterReturn = scalar == "\r" }
            switch scalar.value {
            case 0x0d: result.append("\n")
            case 0x0a: if !afterReturn { result.append("\n") }
            case 0x00a0, 0x1680, 0x2000...0x200a, 0x202f, 0x205f, 0x3000: result.append(" ")
            case 0x00ad, 0x200b...0x200d, 0x2060, 0xfeff: continue
            case 0x02bc, 0x2018, 0x2019, 0x201b, 0x2032, 0xff07: result.append("'")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// The words of a text, folded: no capitals, no accents, letters and digits only. Numbers keep the `.`, `-` and `/` within.
    static func words(_ text: String) -> [String] { words(in: text[...], fromLine: 0).map(\.text) }

    /// The words of a text that begins on this line, each with its line.
    static func words(in text: Substring, fromLine first: Int) -> [Word] {
        var words: [Word] = []
        var (word, line, start) = ("", first, text.startIndex)
        /// A mark after a digit, which belongs to the word if a digit follows.
        var mark: Character?
        func isNumber(_ character: Character?) -> Bool { character.map { $0.isASCII && $0.isNumber } ?? false }
        func end() {
            if !word.isEmpty { words.append(Word(text: word, line: line, start: start)) }
            (word, mark) = ("", nil)
        }
        for index in text.indices {
            let character = text[index]
            if let folded = fold(character) {
                if let joint = mark {
                    if isNumber(character) { word.append(joint) } else { end() }
                    mark = nil
                }
                if word.isEmpty { start = index }
                word += folded
            } else if mark == nil, isNumber(word.last), character == "." || character == "-" || character == "/" {
                mark = character
            } else {
                end()
                if character == "\n" { line += 1 }
            }
        }
        end()
        return words
    }

    /// A folded word of a text.
    struct Word: Hashable {
        var text: String
        var line: Int
        /// Where it begins.
        var start: String.Index
    }

    /// A letter or a digit folded; nil for everything else.
    private static func fold(_ character: Character) -> String? {
        if character.isASCII { return character.isLetter || character.isNumber ? character.lowercased() : nil }
        guard character.isLetter || character.isNumber else { return nil }
        // A character with its accent apart equals the one that has it within.
        let small = character.lowercased()
        return small.count == 1 ? small.first.flatMap { accented[$0] } ?? small : small
    }

    /// What French has beside `a` ... `z`.
    private static let accented: [Character: String] = [
        "à": "a", "â": "a", "ä": "a", "á": "a", "æ": "ae", "ç": "c", "é": "e", "è": "e", "ê": "e", "ë": "e", "î": "i", "ï": "i", "í": "i",
        "ô": "o", "ö": "o", "ó": "o", "œ": "oe", "ù": "u", "û": "u", "ü": "u", "ú": "u", "ÿ": "y", "ᵉ": "e", "ʳ": "r",
    ]
}
