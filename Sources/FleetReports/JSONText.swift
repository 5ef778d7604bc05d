import FleetCore
import FoundationEssentials

/// Fleet's published JSON: keys sorted, two spaces of indent, one line feed at the end.
enum JSONText {
    /// The text of a value. Characters a terminal may act on appear as `\uNNNN` also where JSON allows them bare.
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        var safe = ""
        safe.reserveCapacity(text.utf8.count + 1)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x7f..<0xa0, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                safe += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe + "\n"
    }
}

/// A value that is written as `null` where it is missing, so that every key is always there.
@propertyWrapper
struct OrNull<Value: Encodable>: Encodable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

/// A reason as every report publishes it.
struct ReasonJSON: Encodable {
    var code: String
    var text: String

    init(_ reason: Reason) {
        code = reason.code.rawValue
        text = reason.text
    }
}

/// What a gate found, as every report publishes it.
struct FindingJSON: Encodable {
    var gate: String
    var verdict: String
    var text: String
    var remedy: String
    @OrNull var overridden: String?

    init(_ finding: GateFinding) {
        gate = finding.gate
        verdict = finding.verdict.rawValue
        text = finding.text.escapedForTerminal()
        remedy = finding.remedy.escapedForTerminal()
        overridden = finding.overridden?.escapedForTerminal()
    }
}
