/// Many host names in few words.
public enum HostSet {
    /// Names folded into ranges, sorted, separated by commas: `db,web[01-03,07]`.
    ///
    /// Every name appears once, nothing else is named, and leading zeros are kept: `web[08-10]` is web08, web09, web10.
    /// Where a name has several numbers, the one that folds most names varies.
    public static func folded(_ names: some Sequence<HostName>) -> String {
        var unplaced = Set(names)
        var families: [Family: [Member]] = [:]
        for name in unplaced {
            for (family, member) in Family.candidates(for: name) { families[family, default: []].append(member) }
        }
        // The largest families first; among equals a fixed order, so that the same set always folds the same way.
        let order = families.sorted { left, right in
            left.value.count != right.value.count ? left.value.count > right.value.count : left.key < right.key
        }
        var words: [(first: HostName, text: String)] = []
        for (family, members) in order where members.count > 1 {
            let mine = members.filter { unplaced.contains($0.name) }.sorted()
            guard mine.count > 1, let first = mine.first else { continue }
            unplaced.subtract(mine.map(\.name))
            words.append((first.name, family.prefix + "[" + ranges(mine) + "]" + family.suffix))
        }
        words += unplaced.map { ($0, $0.text) }
        return words.sorted { $0.first < $1.first }.map(\.text).joined(separator: ",")
    }

    /// The names that a folded text stands for, in its order; nil if it is none. What ``folded(_:)`` writes, this reads.
    public static func names(in folded: String) -> [HostName]? {
        let words = HostSelection.split(folded)
        let names = words.flatMap { word -> [HostName?] in
            guard let open = word.firstIndex(of: "["), let close = word[open...].firstIndex(of: "]") else { return [HostName(word)] }
            let (prefix, suffix) = (word[..<open], word[word.index(after: close)...])
            return word[word.index(after: open)..<close].split(separator: ",", omittingEmptySubsequences: false).flatMap { range in
                numbers(in: range).map { $0.map { HostName("\(prefix)\($0)\(suffix)") } } ?? [nil]
            }
        }
        return words.isEmpty || names.contains(nil) ? nil : names.compactMap { $0 }
    }

    /// `08` to `10` for `08-10`, at most ``NameRange/most`` of them; nil for anything else.
    private static func numbers(in range: Substring) -> [String]? {
        let ends = range.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.allSatisfy({ (1...9).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        guard ends.count == 2 else { return ends.count == 1 ? [String(ends[0])] : nil }
        guard let first = Int(ends[0]), let last = Int(ends[1]), first <= last, last - first < NameRange.most else { return nil }
        return (first...last).map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, ends[0].utf8.count - digits.utf8.count)) + digits
        }
    }

    /// `01-03,07` for sorted members.
    private static func ranges(_ members: [Member]) -> String {
        var ranges: [(first: Member, last: Member)] = []
        for member in members {
            if let range = ranges.last, member.digits == range.last.following(paddedLike: range.first) {
                ranges[ranges.count - 1].last = member
            } else {
                ranges.append((member, member))
            }
        }
        return ranges.map { $0.first == $0.last ? $0.first.digits : "\($0.first.digits)-\($0.last.digits)" }.joined(separator: ",")
    }

    /// Names that differ in one number only.
    private struct Family: Hashable, Comparable {
        /// How many numbers come before the one that varies.
        var position: Int
        var prefix: String
        var suffix: String

        /// Each family the name could be in, by the number that would vary.
        static func candidates(for name: HostName) -> [(Family, Member)] {
            var found: [(Family, Member)] = []
            var index = name.text.startIndex
            while index < name.text.endIndex {
                guard name.text[index].isNumber else {
                    index = name.text.index(after: index)
                    continue
                }
                let digits = name.text[index...].prefix { $0.isNumber }
                if digits.utf8.count <= 18, let number = Int(digits) {
                    let family = Family(
                        position: found.count, prefix: String(name.text[..<index]), suffix: String(name.text[digits.endIndex...]))
                    found.append((family, Member(number: number, digits: String(digits), name: name)))
                }
                index = digits.endIndex
            }
            return found
        }

        /// Later numbers first, then by text.
        static func < (left: Family, right: Family) -> Bool {
            if left.position != right.position { return left.position > right.position }
            return (left.prefix, left.suffix) < (right.prefix, right.suffix)
        }
    }

    /// One name of a family.
    private struct Member: Hashable, Comparable {
        var number: Int
        var digits: String
        var name: HostName

        /// The next number as a range that begins with `first` would spell it.
        func following(paddedLike first: Member) -> String {
            let next = String(number + 1)
            let width = first.digits.hasPrefix("0") ? first.digits.count : 0
            return String(repeating: "0", count: max(0, width - next.count)) + next
        }

        static func < (left: Member, right: Member) -> Bool {
            (left.number, left.digits.count) < (right.number, right.digits.count)
        }
    }
}
