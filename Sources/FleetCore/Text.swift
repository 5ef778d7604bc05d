extension String {
    /// This text with control characters written as escapes, so that nothing a host said can move the cursor,
    /// change colours or set the title of an operator's terminal.
    ///
    /// C0 and C1 controls, DEL, line and paragraph separators and the characters that reorder text (bidirectional
    /// marks, overrides and isolates) become `\xNN` or `\u{NNNN}`; a tab becomes `\t`. Everything else stays as it is.
    public func escapedForTerminal(keepingNewlines: Bool = false) -> String {
        guard unicodeScalars.contains(where: { $0.isUnsafeOnTerminal }) else { return self }
        var text = ""
        text.reserveCapacity(utf8.count + 16)
        for scalar in unicodeScalars {
            switch scalar {
            case "\n" where keepingNewlines: text.unicodeScalars.append(scalar)
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case _ where scalar.isUnsafeOnTerminal && scalar.value < 0x100:
                let digits = String(scalar.value, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            case _ where scalar.isUnsafeOnTerminal:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    /// Whether a terminal may act on this scalar instead of showing it.
    fileprivate var isUnsafeOnTerminal: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}

/// Quotes one value for a POSIX shell: the only place where Fleet does so.
///
/// The result is one word for `sh`, `dash` and `bash` whatever the value holds, except NUL, which no argument can carry:
/// it is left out.
public func shellQuoted(_ value: String) -> String {
    let plain = !value.isEmpty && value.utf8.allSatisfy(isPlainInShell)
    if plain { return value }
    // Scalar by scalar: to a shell a quote followed by a combining mark is still a quote, to `Character` it is not.
    var word = "'"
    for scalar in value.unicodeScalars where scalar != "\0" {
        if scalar == "'" { word += #"'\''"# } else { word.unicodeScalars.append(scalar) }
    }
    return word + "'"
}

/// Bytes that mean nothing to a shell anywhere in a word.
private func isPlainInShell(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"),
        UInt8(ascii: "+"), UInt8(ascii: ","):
        true
    default: false
    }
}

extension Duration {
    /// Reads `30s`, `5m`, `2h`, `1d` or `500ms`: a whole number and one unit. Nil for anything else, zero,
    /// numbers below and numbers above a thousand million included.
    public init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count > 0 else { return nil }
        let (factor, unit): (Int64, Duration)
        switch text.dropFirst(digits.count) {
        case "ms": (factor, unit) = (1, .milliseconds(1))
        case "s": (factor, unit) = (1, .seconds(1))
        case "m": (factor, unit) = (60, .seconds(1))
        case "h": (factor, unit) = (3600, .seconds(1))
        case "d": (factor, unit) = (86_400, .seconds(1))
        default: return nil
        }
        guard count <= 1_000_000_000 else { return nil }
        self = unit * Int(count * factor)
    }

    /// This duration as Fleet writes it in files: `90s`, `5m`, `2h`, `1500ms`; cut down to whole milliseconds.
    ///
    /// Reads back with ``init(_:)`` from 1 ms to eleven days.
    public var text: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        if milliseconds != 0 { return "\(seconds * 1000 + milliseconds)ms" }
        if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    /// This duration in seconds, for arithmetic and display.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
