/// The name of a host in the inventory: what reports, logs and `-l` call it.
///
/// 1 ... 64 characters out of letters, digits, `.`, `_` and `-`, the first one a letter or a digit. So a name is always
/// one path component that cannot leave `logs/`, one word for a shell, and nothing a terminal acts on.
public struct HostName: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    /// The name as written.
    public let text: String

    /// Nil if `text` is not a valid name.
    public init?(_ text: String) {
        guard let first = text.utf8.first, text.utf8.count <= 64,
            Self.isLetterOrDigit(first),
            text.utf8.allSatisfy({ Self.isLetterOrDigit($0) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains($0) })
        else { return nil }
        self.text = text
    }

    /// Reads a name from a single string and refuses one that is not valid.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let name = HostName(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a host name"))
        }
        self = name
    }

    /// Writes the name as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// The name as written.
    public var description: String { text }

    /// Orders names as people count: `web2` before `web10`.
    public static func < (left: HostName, right: HostName) -> Bool {
        let (a, b) = (left.pieces, right.pieces)
        for (x, y) in zip(a, b) where x != y {
            if x.first?.isNumber == true, y.first?.isNumber == true {
                // By value without reading it, because 64 digits fit no integer.
                let (m, n) = (x.drop { $0 == "0" }, y.drop { $0 == "0" })
                if m != n { return m.count == n.count ? m < n : m.count < n.count }
            }
            return x < y
        }
        return a.count == b.count ? left.text < right.text : a.count < b.count
    }

    /// Runs of digits and runs of everything else, in turn.
    private var pieces: [Substring] {
        var pieces: [Substring] = []
        var rest = Substring(text)
        while let first = rest.first {
            let piece = rest.prefix { $0.isNumber == first.isNumber }
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
