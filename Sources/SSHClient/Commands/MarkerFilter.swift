import Glibc

/// Takes the markers out of a stream, and what stands before the first one.
struct MarkerFilter {
    private let begin: [UInt8]
    private let end: [UInt8]?
    private var hasBegun = false
    private var held: [UInt8] = []
    /// Login scripts print little; what is more than this is dropped, so that it can't fill the memory.
    private static let mostNoise = 64 * 1024

    /// Whether the end marker came by.
    private(set) var hasEnded = false

    init(begin: String, end: String?) {
        self.begin = Array(begin.utf8)
        self.end = end.map { Array($0.utf8) }
    }

    /// What of these bytes, and of those held back before, belongs to the command.
    mutating func pass(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if !hasBegun {
            held += bytes
            guard let place = Self.find(begin, in: held) else {
                if held.count > Self.mostNoise + begin.count { held.removeFirst(held.count - Self.mostNoise) }
                return []
            }
            hasBegun = true
            bytes = Array(held[(place + begin.count)...])
            held = []
        }
        guard let end, !hasEnded else { return bytes }
        if !held.isEmpty {
            bytes = held + bytes
            held = []
        }
        if let place = Self.find(end, in: bytes) {
            hasEnded = true
            bytes.removeSubrange(place..<(place + end.count))
            return bytes
        }
        // The marker may come in two pieces: hold back what may be its beginning.
        for count in stride(from: min(end.count - 1, bytes.count), to: 0, by: -1) where bytes.suffix(count) == end.prefix(count) {
            held = Array(bytes.suffix(count))
            bytes.removeLast(count)
            break
        }
        return bytes
    }

    /// What was held back, once no more can come.
    ///
    /// If the command never began, that is what the host said instead.
    mutating func finish() -> [UInt8] {
        defer { held = [] }
        return held
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBytes { hay in
            needle.withUnsafeBytes { needle in
                guard let start = hay.baseAddress, let words = needle.baseAddress else { return nil }
                var place = 0
                while place + needle.count <= hay.count,
                    let found = memchr(start + place, Int32(needle[0]), hay.count - place - needle.count + 1)
                {
                    place = UnsafeRawPointer(found) - start
                    if memcmp(found, words, needle.count) == 0 { return place }
                    place += 1
                }
                return nil
            }
        }
    }
}
