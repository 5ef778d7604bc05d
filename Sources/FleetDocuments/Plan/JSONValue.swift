/// Any JSON value made of texts and whole numbers, which is all a plan has.
enum JSONValue: Hashable, Codable {
    case nothing
    case boolean(Bool)
    case number(Int)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(String.self) {  // first, because most values are
            self = .text(value)
        } else if let value = try? container.decode([String: JSONValue].self) {
            self = .object(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else if let value = try? container.decode(Int.self) {
            self = .number(value)
        } else if container.decodeNil() {
            self = .nothing
        } else {
            self = .boolean(try container.decode(Bool.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .nothing: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSONValue {
    /// The one spelling a digest is made of: keys sorted, no spaces, only escapes that must be.
    ///
    /// - Source: RFC 8785, whose rules for numbers other than whole ones are not needed here.
    var canonicalText: String {
        var text = ""
        write(to: &text, indent: nil)
        return text
    }

    /// The same for people: a line per value.
    var prettyText: String {
        var text = ""
        write(to: &text, indent: 0)
        return text + "\n"
    }

    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .nothing: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .number(let value): text += "\(value)"
        case .text(let value): Self.write(value, to: &text)
        case .list(let values):
            Self.write(values, between: ("[", "]"), to: &text, indent: indent) { $0.write(to: &$1, indent: $2) }
        case .object(let members):
            let sorted = members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
            Self.write(sorted, between: ("{", "}"), to: &text, indent: indent) { member, text, indent in
                Self.write(member.key, to: &text)
                text += indent == nil ? ":" : ": "
                member.value.write(to: &text, indent: indent)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], between brackets: (String, String), to text: inout String, indent: Int?,
        each: (Element, inout String, Int?) -> Void
    ) {
        text += brackets.0
        let deeper = indent.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let deeper { text += "\n" + String(repeating: "  ", count: deeper) }
            each(element, &text, deeper)
        }
        if let indent, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
        text += brackets.1
    }

    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{8}": text += "\\b"
            case "\u{c}": text += "\\f"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
