/// The candidate a person most likely meant by a word that is none of them; nil if none is near.
///
/// Near is one slip in three letters: a wrong, missing, extra or swapped letter each counts as one. Capitals do not count.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased())
    let allowed = max(1, letters.count / 3)
    var best: (word: String, slips: Int)?
    for candidate in candidates {
        let other = Array(candidate.lowercased())
        guard abs(other.count - letters.count) <= allowed else { continue }
        let slips = slips(from: letters, to: other)
        if slips <= allowed, slips < best?.slips ?? .max { best = (candidate, slips) }
    }
    return best?.word
}

/// How many letters to change, add, drop or swap with their neighbour to get from one word to another.
private func slips(from a: [Character], to b: [Character]) -> Int {
    var twoAbove = [Int](repeating: 0, count: b.count + 1)
    var above = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var least = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, twoAbove[j - 1] + 1) }
            row.append(least)
        }
        (twoAbove, above) = (above, row)
    }
    return above[b.count]
}
