import FleetCore

/// The entries of one mapping by their keys, each key once and known.
struct CatalogueFields {
    var line: Int
    /// What the mapping is, for a sentence: `The step 3.38.0-shadowpass-rename`.
    var name: String
    var entries: [String: YAMLEntry]

    subscript(key: String) -> YAMLEntry? { entries[key] }
}

/// Reads values out of a document and gathers what is wrong with them, each complaint at its line.
protocol ShapeReader {
    /// The file, as complaints name it.
    var path: String { get }
    /// What is wrong so far.
    var problems: [Problem] { get set }
}

extension ShapeReader {
    /// The entries of a mapping; a key that is not allowed is a problem, and so is anything but a mapping.
    mutating func fields(_ value: YAMLValue, called name: String, allowed: [String], write: String) -> CatalogueFields? {
        guard case .mapping(let entries, let line) = value else {
            problems.append(.wrongShape(name, wants: "a mapping", not: value, in: path, write: write))
            return nil
        }
        var fields = CatalogueFields(line: line, name: name, entries: [:])
        for entry in entries {
            if !allowed.contains(entry.key) {
                problems.append(.unknownKey(entry, allowed: allowed, in: path))
            } else if let first = fields[entry.key] {
                problems.append(.duplicateKey(entry, first: first.line, in: path))
            } else {
                fields.entries[entry.key] = entry
            }
        }
        return fields
    }

    /// The values of a list that may be left out.
    mutating func list(_ entry: YAMLEntry?, write: String) -> [YAMLValue] {
        switch entry?.value {
        case nil: return []
        case .list(let values, _): return values
        case .some(let value):
            problems.append(.wrongShape("`\(entry?.key ?? "")`", wants: "a list", not: value, in: path, write: write))
            return []
        }
    }

    /// The text of a key that must be there.
    mutating func required(_ key: String, of fields: CatalogueFields) -> (text: String, line: Int)? {
        guard let entry = fields[key] else {
            problems.append(.missingKey(key, of: fields.name, at: fields.line, in: path))
            return nil
        }
        return text(of: entry)
    }

    /// The text of a key that may be left out.
    mutating func optional(_ key: String, of fields: CatalogueFields) -> (text: String, line: Int)? {
        fields[key].flatMap { text(of: $0) }
    }

    /// A text without control characters other than line breaks and tabs.
    mutating func text(of entry: YAMLEntry) -> (text: String, line: Int)? {
        switch entry.value {
        case .text(let text, let line) where text.contains(where: { !$0.isWhitespace }):
            if text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f || $0 == "\n" || $0 == "\t" }) { return (text, line) }
            problems.append(.badEntry(text, of: entry.key, at: line, in: path, remedy: "Leave out control characters."))
        case .text, .nothing: problems.append(.missingValue(entry.key, at: entry.line, in: path))
        case .list, .mapping:
            problems.append(
                .wrongShape("`\(entry.key)`", wants: "a single value", not: entry.value, in: path, write: "`\(entry.key): VALUE`"))
        }
        return nil
    }

    /// A text on one line that fits into a table.
    mutating func line(_ found: (text: String, line: Int)?, of key: String) -> String? {
        guard let found else { return nil }
        let text = found.text.last == "\n" ? String(found.text.dropLast()) : found.text
        if text.count <= 200, !text.contains(where: \.isNewline), text.escapedForTerminal() == text { return text }
        problems.append(
            .badEntry(found.text, of: key, at: found.line, in: path, remedy: "Write at most 200 characters on one line."))
        return nil
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ found: (text: String, line: Int)?, of key: String) -> Choice?
    where Choice.RawValue == String {
        guard let found else { return nil }
        if let choice = Choice(rawValue: found.text) { return choice }
        problems.append(.badChoice(found.text, of: key, allowed: Choice.allCases.map(\.rawValue), at: found.line, in: path))
        return nil
    }

    mutating func version(_ found: (text: String, line: Int)?, of key: String) -> CanopsisVersion? {
        guard let found else { return nil }
        if let version = CanopsisVersion(found.text) { return version }
        problems.append(.badEntry(found.text, of: key, at: found.line, in: path, remedy: "Write a version such as 3.38.0."))
        return nil
    }

    /// `true` or `false`; false if it is left out.
    mutating func flag(_ key: String, of fields: CatalogueFields) -> Bool {
        guard let found = optional(key, of: fields) else { return false }
        switch found.text {
        case "true": return true
        case "false": return false
        default:
            problems.append(.badChoice(found.text, of: key, allowed: ["true", "false"], at: found.line, in: path))
            return false
        }
    }
}

extension Problem {
    static func missingKey(_ key: String, of name: String, at line: Int, in path: String) -> Problem {
        Problem(code: "missing-key", what: "\(name) has no `\(key)`.", place: .file(path, line: line), remedy: "Add `\(key):`.")
    }

    static func badEntry(_ value: String, of key: String, at line: Int, in path: String, remedy: String) -> Problem {
        Problem(
            code: "bad-\(key.replacing("_", with: "-"))", what: "`\(value.shortened)` cannot be the value of `\(key)`.",
            place: .file(path, line: line), remedy: remedy)
    }

    static func contradiction(_ what: String, at line: Int, in path: String, remedy: String) -> Problem {
        Problem(code: "contradiction", what: what, place: .file(path, line: line), remedy: remedy)
    }
}
