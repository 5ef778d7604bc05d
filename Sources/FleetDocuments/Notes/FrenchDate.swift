/// A date in a French text: `19 août 2019`, `1er mars 2020`, `7 févr. 2020`, `19/08/2019`, `2019-08-19`.
struct FrenchDate: Hashable {
    /// `2019-08-19`; nil if the calendar has no such day.
    var iso: String?
    /// Where in the words it begins.
    var index: Int

    /// The dates in folded words, in their order. Years are 2000 ... 2099.
    static func all(in words: [String]) -> [FrenchDate] {
        var dates: [FrenchDate] = []
        for index in words.indices {
            if let date = written(in: words, at: index) ?? numeric(words[index]) {
                dates.append(FrenchDate(iso: iso(date), index: index))
            }
        }
        return dates
    }

    private typealias Parts = (year: Int, month: Int, day: Int)

    /// `19 aout 2019`; the `er` of the first day may be a word of its own, and the year in two parts.
    private static func written(in words: [String], at index: Int) -> Parts? {
        var rest = words[index...].prefix(6)
        guard let first = rest.popFirst() else { return nil }
        let digits = first.hasSuffix("er") ? String(first.dropLast(2)) : first
        guard digits.utf8.count <= 2, let day = number(digits) else { return nil }
        if rest.first == "er" { rest.removeFirst() }
        guard let month = rest.popFirst().flatMap({ months[$0] }) else { return nil }
        guard var year = rest.popFirst() else { return nil }
        if year.utf8.count == 1, let more = rest.first, more.utf8.count == 3 { year += more }
        return year.utf8.count == 4 ? number(year).flatMap { isYear($0) ? ($0, month, day) : nil } : nil
    }

    /// `19/08/2019`, `19.08.2019`, `19-08-2019`, `2019-08-19`.
    private static func numeric(_ word: String) -> Parts? {
        guard (8...10).contains(word.utf8.count), let separator = word.first(where: { !$0.isNumber }) else { return nil }
        let parts = word.split(separator: separator, omittingEmptySubsequences: false).map { ($0.utf8.count, number(String($0))) }
        guard parts.count == 3, let first = parts[0].1, let second = parts[1].1, let third = parts[2].1, parts[1].0 <= 2 else { return nil }
        if parts[0].0 == 4, parts[2].0 <= 2, isYear(first) { return (first, second, third) }
        if parts[2].0 == 4, parts[0].0 <= 2, isYear(third) { return (third, second, first) }
        return nil
    }

    private static func number(_ text: String) -> Int? {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func isYear(_ number: Int) -> Bool { (2000...2099).contains(number) }

    /// The date in the spelling of reports; nil if the calendar has no such day.
    private static func iso(_ date: Parts) -> String? {
        let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(date.month), (1...lengths[date.month - 1]).contains(date.day) else { return nil }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
    }

    /// The months and their abbreviations, folded.
    private static let months: [String: Int] = [
        "janvier": 1, "janv": 1, "jan": 1, "fevrier": 2, "fevr": 2, "fev": 2, "mars": 3, "avril": 4, "avr": 4, "mai": 5, "juin": 6,
        "juillet": 7, "juil": 7, "aout": 8, "septembre": 9, "sept": 9, "sep": 9, "octobre": 10, "oct": 10, "novembre": 11, "nov": 11,
        "decembre": 12, "dec": 12,
    ]
}
