/// A text with ranges in it, `web[01:20]`, that stands for several texts.
///
/// The numbers count up by one and keep the leading zeros of the first one. Several ranges in one text give every
/// combination, the last range counting fastest.
public struct NameRange: Hashable, Sendable {
    /// The text as written.
    public let text: String
    /// How many texts it stands for, 1 ... ``most``.
    public let count: Int
    private let pieces: [Piece]

    /// The most texts one range may stand for.
    public static let most = 10_000

    private enum Piece: Hashable {
        case fixed(String)
        case numbers(ClosedRange<Int>, width: Int)
    }

    /// What is wrong with a text that has a `[` or a `]` and no proper range.
    public enum Mistake: Error, Hashable, Sendable {
        /// The brackets do not hold two whole numbers with a `:` between them.
        case notTwoNumbers(String)
        /// The first number is larger than the last.
        case counting(from: Int, downTo: Int)
        /// One number has leading zeros and the two are not equally long.
        case unequalDigits(String)
        /// It stands for more than ``NameRange/most`` texts.
        case tooMany
    }

    /// Reads a text; one without brackets stands for itself.
    public init(_ text: String) throws(Mistake) {
        var pieces: [Piece] = []
        var count = 1
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "[" || $0 == "]" }) {
            guard rest[open] == "[", let close = rest[open...].firstIndex(of: "]") else { throw .notTwoNumbers(String(rest[open...])) }
            let numbers = try Self.numbers(in: rest[open...close])
            if open > rest.startIndex { pieces.append(.fixed(String(rest[..<open]))) }
            pieces.append(numbers.piece)
            count *= numbers.count
            guard count <= Self.most else { throw .tooMany }
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.fixed(String(rest))) }
        self.text = text
        self.count = count
        self.pieces = pieces
    }

    /// The texts it stands for, in order.
    public var texts: [String] {
        pieces.reduce(into: [""]) { texts, piece in
            switch piece {
            case .fixed(let part): texts = texts.map { $0 + part }
            case .numbers(let range, let width):
                texts = texts.flatMap { text in range.map { text + Self.padded($0, to: width) } }
            }
        }
    }

    private static func numbers(in brackets: Substring) throws(Mistake) -> (piece: Piece, count: Int) {
        let parts = brackets.dropFirst().dropLast().split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            (1...9).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        guard parts.count == 2, numbers.count == 2 else { throw .notTwoNumbers(String(brackets)) }
        let isPadded = parts.contains { $0.utf8.count > 1 && $0.hasPrefix("0") }
        guard !isPadded || parts[0].utf8.count == parts[1].utf8.count else { throw .unequalDigits(String(brackets)) }
        guard numbers[0] <= numbers[1] else { throw .counting(from: numbers[0], downTo: numbers[1]) }
        let range = numbers[0]...numbers[1]
        guard range.count <= most else { throw .tooMany }
        return (.numbers(range, width: isPadded ? parts[0].utf8.count : 0), range.count)
    }

    private static func padded(_ number: Int, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

extension NameRange.Mistake {
    /// The mistake as a sentence about `text`.
    public func sentence(about text: String) -> String {
        switch self {
        case .notTwoNumbers(let brackets): "The range `\(brackets)` in `\(text)` is not two whole numbers with a `:` between them."
        case .counting(let from, let to): "The range in `\(text)` counts down, from \(from) to \(to)."
        case .unequalDigits(let brackets): "The range `\(brackets)` in `\(text)` has leading zeros and numbers of different length."
        case .tooMany: "The range in `\(text)` stands for more than \(NameRange.most) names."
        }
    }

    /// What to do about it.
    public var remedy: String {
        switch self {
        case .notTwoNumbers: "Write a range like `web[01:20]`."
        case .counting: "Write the smaller number first."
        case .unequalDigits: "Write both numbers with the same number of digits, like `[001:100]`."
        case .tooMany: "Check the last number, or split the range."
        }
    }
}
