/// A question to a host: does one of the lines of this file have this text?
public struct FileProbe: Hashable, Sendable, Codable, Comparable {
    /// The file, absolute.
    public let path: String
    /// What to look for, as it stands there: not a pattern.
    public let text: String

    /// Creates a question; nil unless the path is absolute and both are one line of 1 to 512 bytes without control characters.
    public init?(path: String, text: String) {
        guard path.hasPrefix("/"), path.isPlainLine, text.isPlainLine else { return nil }
        self.path = path
        self.text = text
    }

    /// Reads a question that was written as its two texts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let (path, text) = (try container.decode(String.self, forKey: .path), try container.decode(String.self, forKey: .text))
        guard let probe = FileProbe(path: path, text: text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a path and a line"))
        }
        self = probe
    }

    /// Orders by path, then by text.
    public static func < (left: Self, right: Self) -> Bool { (left.path, left.text) < (right.path, right.text) }
}

extension String {
    /// Whether it is one line of 1 to 512 bytes without control characters. A line break would make it two texts to `grep` and two
    /// settings in a file.
    var isPlainLine: Bool { (1...512).contains(utf8.count) && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }
}

/// What a host answers to a ``FileProbe``.
public enum ProbeAnswer: String, Hashable, Sendable, Codable {
    /// One of the lines has the text.
    case present
    /// The file is there, and no line has it.
    case absent
    /// There is no such file, or it is no regular one.
    case noFile = "no-file"
}

extension FactsScript {
    /// Looks for texts in files; one line for each question, by its number. Nothing is said of a file that could not be read.
    ///
    /// Only regular files are read, links followed. Without root a file that is not seen may be behind a closed folder.
    static func probing(_ probes: [FileProbe]) -> String {
        guard !probes.isEmpty else { return "" }
        let questions = probes.enumerated().map { number, probe in
            "probe \(number) \(shellQuoted(probe.path)) \(shellQuoted(probe.text))\n"
        }
        return #"""
            probe() {
                if [ -f "$2" ]; then
                    limit 10 grep -F -q -e "$3" -- "$2"
                    case $? in 0) answer=present ;; 1) answer=absent ;; *) answer=unknown ;; esac
                elif [ -e "$2" ] || [ "$me" = 0 ]; then answer=no-file
                else answer=unknown
                fi
                echo "$1 $answer"
            }
            section probes

            """# + questions.joined()
    }
}

/// The answers to questions that were asked in this order; a question the host could not answer is left out.
func parseProbes(_ output: FactsOutput, of probes: [FileProbe]) throws(FactsError) -> [FileProbe: ProbeAnswer] {
    guard !probes.isEmpty else { return [:] }
    let lines = try output.lines("probes")
    guard lines.count == probes.count else { throw FactsError(section: "probes", problem: lines.isEmpty ? .empty : .malformed) }
    var answers: [FileProbe: ProbeAnswer] = [:]
    for (number, (line, probe)) in zip(lines, probes).enumerated() {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, words[0] == "\(number)" else { throw FactsError(section: "probes", problem: .malformed) }
        if words[1] == "unknown" { continue }
        guard let answer = ProbeAnswer(rawValue: String(words[1])) else { throw FactsError(section: "probes", problem: .malformed) }
        answers[probe] = answer
    }
    return answers
}
