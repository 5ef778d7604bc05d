/// Which hosts of an inventory a command is about: the patterns of `-l`.
///
/// A pattern is a host's name, a name with `*`, `?` or `[abc]` in it, a group, or a range `web[01:20]`; with `!` before it, it takes
/// hosts away. Without a pattern that adds hosts, all hosts are taken. The order of patterns means nothing.
public struct HostSelection: Hashable, Sendable {
    /// The patterns, none of them empty.
    public var patterns: [Pattern]

    /// One pattern and where it was given.
    public struct Pattern: Hashable, Sendable {
        /// The pattern without its `!`.
        public var text: String
        /// Whether it takes hosts away.
        public var excludes: Bool
        /// Where it was given.
        public var place: Problem.Place

        /// Reads one pattern; a `!` before it makes it an exclusion.
        public init(_ text: some StringProtocol, at place: Problem.Place) {
            excludes = text.hasPrefix("!")
            self.text = excludes ? String(text.dropFirst()) : String(text)
            self.place = place
        }
    }

    /// Every host.
    public static let all = HostSelection(patterns: [])

    /// Creates a selection from patterns.
    public init(patterns: [Pattern]) { self.patterns = patterns }

    /// Reads the values of `-l`: each holds one pattern or several with commas between them.
    public init(_ arguments: [String]) {
        patterns = arguments.flatMap { argument in
            Self.split(argument).map { Pattern($0, at: .argument("-l \(argument)")) }
        }
    }

    /// The patterns in one value of `-l`: a comma inside brackets separates nothing; spaces and empty patterns are left out.
    public static func split(_ argument: String) -> [String] {
        var patterns = [""]
        var isInBrackets = false
        for character in argument {
            switch character {
            case "[": isInBrackets = true
            case "]": isInBrackets = false
            default: break
            }
            if character == ",", !isInBrackets {
                patterns.append("")
            } else if character != " " {
                patterns[patterns.count - 1].append(character)
            }
        }
        return patterns.filter { !$0.isEmpty }
    }
}

extension Inventory {
    /// The hosts a selection takes, in the order of the inventory; a pattern that matches nothing is a problem.
    public func selected(by selection: HostSelection) throws(Problems) -> Inventory {
        var (taken, dropped): (Set<HostName>, Set<HostName>) = ([], [])
        var problems: [Problem] = []
        let namesByWord = selection.patterns.isEmpty ? [:] : self.namesByWord
        for pattern in selection.patterns {
            do throws(Problem) {
                let names = try self.names(matching: pattern, byWord: namesByWord)
                if pattern.excludes { dropped.formUnion(names) } else { taken.formUnion(names) }
            } catch {
                problems.append(error)
            }
        }
        guard problems.isEmpty else { throw Problems(problems) }
        let takesAll = selection.patterns.allSatisfy(\.excludes)
        let left = hosts.filter { (takesAll || taken.contains($0.name)) && !dropped.contains($0.name) }
        guard !left.isEmpty else { throw Problems([.nothingSelected(selection)]) }
        return Inventory(hosts: left, addOns: addOns, hooks: hooks)
    }

    /// The hosts one pattern stands for, whether it adds or takes away.
    private func names(matching pattern: HostSelection.Pattern, byWord: [String: [HostName]]) throws(Problem) -> [HostName] {
        let texts: [String]
        do throws(NameRange.Mistake) {
            texts = try NameRange(pattern.text).texts
        } catch .notTwoNumbers {
            texts = [pattern.text]  // brackets of a glob, such as `web[abc]`
        } catch {
            throw Problem(code: "bad-range", what: error.sentence(about: pattern.text), place: pattern.place, remedy: error.remedy)
        }
        var names: [HostName] = []
        for text in texts {
            let found = Glob(text).map { glob in hosts.map(\.name).filter { glob.matches($0.text) } } ?? byWord[text] ?? []
            guard !found.isEmpty else { throw .nothingMatches(text, of: pattern, in: self) }
            names += found
        }
        return names
    }

    /// The hosts by their own name and by the names of their groups.
    private var namesByWord: [String: [HostName]] {
        hosts.reduce(into: [:]) { names, host in
            for word in [host.name.text] + host.groups { names[word, default: []].append(host.name) }
        }
    }
}

extension Problem {
    fileprivate static func nothingMatches(_ text: String, of pattern: HostSelection.Pattern, in inventory: Inventory) -> Problem {
        let part = text == pattern.text ? "" : ", which `\(pattern.text)` stands for"
        let guess = nearest(to: text, among: inventory.hosts.map(\.name.text) + inventory.groups)
        return Problem(
            code: "nothing-matches", what: "No host and no group matches `\(text)`\(part).", place: pattern.place,
            remedy: guess.map { "Did you mean `\($0)`?" } ?? "`fleet hosts list` shows the hosts and their groups.")
    }

    fileprivate static func nothingSelected(_ selection: HostSelection) -> Problem {
        Problem(
            code: "nothing-selected", what: "No host is left: the patterns take away every host they add.",
            place: selection.patterns.first?.place, remedy: "Leave out one of the patterns with `!`.")
    }
}

/// A pattern with `*`, `?` and `[abc]`, as shells know them, for one name.
struct Glob: Hashable, Sendable {
    private enum Piece: Hashable {
        case one(Character)
        case any
        case anyRun
        case oneOf([ClosedRange<Character>], negated: Bool)
    }
    private let pieces: [Piece]

    /// Nil if the text has nothing of a glob in it.
    init?(_ text: String) {
        guard text.contains(where: { "*?[".contains($0) }) else { return nil }
        var pieces: [Piece] = []
        var rest = text[...]
        while let first = rest.popFirst() {
            switch first {
            case "*": pieces.append(.anyRun)
            case "?": pieces.append(.any)
            case "[":
                if let (piece, after) = Self.characters(in: rest) {
                    pieces.append(piece)
                    rest = after
                } else {
                    pieces.append(.one("["))
                }
            default: pieces.append(.one(first))
            }
        }
        self.pieces = pieces
    }

    /// Whether the whole name matches.
    func matches(_ name: String) -> Bool {
        let name = Array(name)
        // Where to go on if a piece does not match: the last `*` takes one more character.
        var (at, piece) = (0, 0)
        var lastRun: (piece: Int, at: Int)?
        while at < name.count {
            if piece < pieces.count, pieces[piece] == .anyRun {
                lastRun = (piece, at)
                piece += 1
            } else if piece < pieces.count, Self.matches(pieces[piece], name[at]) {
                (at, piece) = (at + 1, piece + 1)
            } else if let run = lastRun {
                lastRun = (run.piece, run.at + 1)
                (at, piece) = (run.at + 1, run.piece + 1)
            } else {
                return false
            }
        }
        return pieces[piece...].allSatisfy { $0 == .anyRun }
    }

    private static func matches(_ piece: Piece, _ character: Character) -> Bool {
        switch piece {
        case .one(let wanted): character == wanted
        case .any, .anyRun: true
        case .oneOf(let ranges, let negated): ranges.contains { $0.contains(character) } != negated
        }
    }

    /// Reads `abc]`, `a-z]` or `!abc]`; nil without a closing bracket or with nothing inside.
    private static func characters(in text: Substring) -> (Piece, after: Substring)? {
        guard let close = text.firstIndex(of: "]") else { return nil }
        var inside = text[..<close]
        let negated = inside.first == "!" || inside.first == "^"
        if negated { inside = inside.dropFirst() }
        guard !inside.isEmpty else { return nil }
        var ranges: [ClosedRange<Character>] = []
        while let low = inside.popFirst() {
            if inside.first == "-", let high = inside.dropFirst().first, low <= high {
                ranges.append(low...high)
                inside = inside.dropFirst(2)
            } else {
                ranges.append(low...low)
            }
        }
        return (.oneOf(ranges, negated: negated), text[text.index(after: close)...])
    }
}
