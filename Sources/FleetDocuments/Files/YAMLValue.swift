/// One value of a YAML document and the line it begins on, merge keys carried out.
indirect enum YAMLValue {
    /// Nothing is written there, or `null`, or `~`.
    case nothing(line: Int)
    /// One word or text, as written: Fleet decides what is a number.
    case text(String, line: Int)
    /// A list.
    case list([YAMLValue], line: Int)
    /// A mapping, in the order of the file; a key may occur twice.
    case mapping([YAMLEntry], line: Int)

    /// The line it begins on, counted from 1.
    var line: Int {
        switch self {
        case .nothing(let line), .text(_, let line), .list(_, let line), .mapping(_, let line): line
        }
    }

    /// What it is, for a sentence.
    var kind: String {
        switch self {
        case .nothing: "nothing"
        case .text: "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A key of a mapping with its value.
struct YAMLEntry {
    var key: String
    var line: Int
    var value: YAMLValue
}
