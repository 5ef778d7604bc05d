import FleetCore

extension HostSelection {
    /// Reads the values of `-l`; `@FILE` among the patterns stands for the patterns in that file.
    ///
    /// The file has one pattern per line; what follows a `#`, and empty lines, are left out.
    public static func reading(_ arguments: [String]) throws(Problems) -> HostSelection {
        var (patterns, problems): ([Pattern], [Problem]) = ([], [])
        for pattern in HostSelection(arguments).patterns {
            guard pattern.text.hasPrefix("@") else {
                patterns.append(pattern)
                continue
            }
            do throws(Problem) {
                patterns += try self.patterns(inFileOf: pattern)
            } catch {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return HostSelection(patterns: patterns)
    }

    private static func patterns(inFileOf reference: Pattern) throws(Problem) -> [Pattern] {
        let path = String(reference.text.dropFirst())
        let text = try TextFile(path: path, role: "list of hosts").read()
        var patterns: [Pattern] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            guard !words.isEmpty else { continue }
            var pattern = Pattern(words, at: .file(path, line: index + 1))
            guard !pattern.text.hasPrefix("@") else {
                throw Problem(
                    code: "nested-list", what: "A list of hosts cannot name another list.", place: pattern.place,
                    remedy: "Give both lists on the command line: `-l @A -l @B`.")
            }
            guard !(pattern.excludes && reference.excludes) else {
                throw Problem(
                    code: "excluded-twice", what: "`\(words)` is taken away in a list that is itself taken away.", place: pattern.place,
                    remedy: "Remove one `!`.")
            }
            pattern.excludes = pattern.excludes || reference.excludes
            patterns.append(pattern)
        }
        guard !patterns.isEmpty else {
            throw Problem(
                code: "empty-list", what: "There is no pattern in this file.", place: .file(path, line: nil),
                remedy: "Write one host, group or pattern per line.")
        }
        return patterns
    }
}
