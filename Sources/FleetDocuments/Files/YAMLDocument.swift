import FleetCore
import Yams

/// A YAML file read into ``YAMLValue``; the only place that knows Yams.
struct YAMLDocument {
    /// The value of the whole document.
    let root: YAMLValue
    /// What is wrong with the document apart from its meaning.
    private(set) var problems: [Problem] = []

    /// Reads one document; throws if the text is not YAML.
    init(_ text: String, path: String) throws(Problem) {
        let (node, isEmpty) = try Self.compose(text, path: path)
        var reader = Reader(path: path)
        root = isEmpty ? .nothing(line: 1) : node.map { reader.value(of: $0) } ?? .nothing(line: 1)
        problems = reader.problems
    }

    /// Yams gives up at the first mapping that has a key twice. So that one reading finds all mistakes, the first of the two is marked
    /// in the text, which makes it another key, and the text is read again; ``Reader`` takes the mark off.
    private static func compose(_ text: String, path: String) throws(Problem) -> (Node?, isEmpty: Bool) {
        var marked = text
        for number in 0... {
            do {
                // The basic resolver leaves every scalar a text: no guessing of numbers and booleans, and no regular expressions.
                let node = try Parser(yaml: marked, resolver: .basic).singleRoot()
                return (node, node == nil)
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                guard number < mostDuplicates, let again = marking(keys, at: context.mark, in: marked, number: number) else {
                    throw Problem(
                        code: "duplicate-key", what: "The key `\(keys.first ?? "")` is given twice in one mapping.",
                        place: .file(path, line: context.mark.line), remedy: "Keep one of the two.")
                }
                marked = again
            } catch {
                throw notYAML(error, path: path, text: marked)
            }
        }
        return (nil, true)
    }

    /// How many keys that are given twice are found in one reading.
    private static let mostDuplicates = 50
    /// Stands around the number of a marked key; a character for private use, so no key of a person has it.
    private static let mark: Character = "\u{E0F1}"

    private static func marking(_ keys: [String], at place: Mark, in text: String, number: Int) -> String? {
        // A carriage return and a newline are one Character and two scalars, so lines are cut by scalars.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        guard lines.indices.contains(place.line - 1) else { return nil }
        var line = lines[place.line - 1].unicodeScalars
        guard var at = line.index(line.startIndex, offsetBy: place.column - 1, limitedBy: line.endIndex), at < line.endIndex else {
            return nil
        }
        if line[at] == "\"" || line[at] == "'" { at = line.index(after: at) }
        guard keys.contains(where: { line[at...].starts(with: $0.unicodeScalars) }) else { return nil }
        line.insert(contentsOf: "\(mark)\(number)\(mark)".unicodeScalars, at: at)
        lines[place.line - 1] = String(line)
        return lines.joined(separator: "\n")
    }

    private static func unmarked(_ key: String) -> String {
        guard key.first == mark, let end = key.dropFirst().firstIndex(of: mark) else { return key }
        return String(key[key.index(after: end)...])
    }

    private static func notYAML(_ error: any Error, path: String, text: String) -> Problem {
        var (line, cause): (Int?, String?) = (nil, nil)
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            line = mark.line
            cause = context.map { "\($0.text), \(problem)" } ?? problem
        case YamlError.reader(let problem, let offset, _, _):
            line = offset.map { text.prefix($0).count { $0.isNewline } + 1 }
            cause = problem
        default:
            cause = "\(error)"
        }
        return Problem(
            code: "not-yaml", what: "This is not YAML.", place: .file(path, line: line),
            remedy: "Look at this line and the one before: indent with spaces, never tabs, and put a space after each `:`.", cause: cause)
    }

    /// Turns nodes into values and carries out merge keys.
    private struct Reader {
        let path: String
        var problems: [Problem] = []

        mutating func value(of node: Node) -> YAMLValue {
            let line = node.mark?.line ?? 1
            switch node {
            case .scalar(let scalar):
                let isNothing = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
                return isNothing ? .nothing(line: line) : .text(scalar.string, line: line)
            case .sequence(let sequence):
                return .list(sequence.map { value(of: $0) }, line: line)
            case .mapping(let mapping):
                return .mapping(entries(of: mapping), line: line)
            case .alias:
                return .nothing(line: line)  // Yams puts the value in an alias's place when it reads
            }
        }

        private mutating func entries(of mapping: Node.Mapping) -> [YAMLEntry] {
            var (own, merged): ([YAMLEntry], [YAMLEntry]) = ([], [])
            for (key, node) in mapping {
                let line = key.mark?.line ?? 1
                guard case .scalar(let scalar) = key else {
                    problems.append(
                        Problem(
                            code: "wrong-shape", what: "A key must be a single word, this one is a list or a mapping.",
                            place: .file(path, line: line),
                            remedy: "If it is a range, put it in quotes: `\"[01:03].example.net\"`."))
                    continue
                }
                let name = YAMLDocument.unmarked(scalar.string)
                if name == "<<", scalar.style == .plain {
                    merged += mergedEntries(value(of: node))
                } else {
                    own.append(YAMLEntry(key: name, line: line, value: value(of: node)))
                }
            }
            var known = Set(own.map(\.key))
            return own + merged.filter { known.insert($0.key).inserted }
        }

        private mutating func mergedEntries(_ value: YAMLValue) -> [YAMLEntry] {
            switch value {
            case .mapping(let entries, _): return entries
            case .list(let values, _): return values.flatMap { mergedEntries($0) }
            case .nothing(let line), .text(_, let line):
                problems.append(
                    Problem(
                        code: "wrong-shape", what: "`<<` takes the keys of a mapping, this is \(value.kind).",
                        place: .file(path, line: line),
                        remedy: "Name an anchor that stands before a mapping: `<<: *name`."))
                return []
            }
        }
    }
}
