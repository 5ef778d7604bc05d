/// One thing a follower says about a job.
public enum JobFrame: Hashable, Sendable {
    /// More of the job's output.
    case output(ArraySlice<UInt8>)
    /// The job goes on.
    case alive
    /// The job ended with this status.
    case exited(UInt8)
    /// The job left no status and nothing of it runs.
    case vanished
}

/// Takes a follower's bytes apart into frames: strict, and bounded whatever the host sends.
public struct JobFrameParser: Sendable {
    private let nonce: [UInt8]
    private var line: [UInt8] = []
    private var outstanding = 0
    private var begun = false
    private var ended = false

    /// Creates a parser for a follower started with this nonce.
    public init(nonce: String) { self.nonce = Array(nonce.utf8) }

    /// What a host sent is not what a follower says.
    public struct Garbled: Error, Hashable, Sendable {
        /// The line in question, cut to 200 bytes.
        public var line: String
    }

    /// Takes the next bytes and returns the frames they complete, in order. What follows the job's end is left unread.
    ///
    /// - Throws: ``Garbled`` for anything a follower doesn't say; the connection is of no more use then.
    public mutating func take(_ bytes: ArraySlice<UInt8>) throws(Garbled) -> [JobFrame] {
        var frames: [JobFrame] = []
        var rest = bytes
        while !rest.isEmpty, !ended {
            if outstanding > 0 {
                let part = rest.prefix(outstanding)
                frames.append(.output(part))
                outstanding -= part.count
                rest = rest.dropFirst(part.count)
                continue
            }
            guard let end = rest.firstIndex(of: 0x0a) else {
                line += rest
                // Before the first frame a login may print anything, without a line's end too.
                if line.count > 4096 {
                    if begun { throw garbled() }
                    line.removeFirst(line.count - 256)
                }
                break
            }
            line += rest[..<end]
            rest = rest[(end + 1)...]
            if let frame = try header() { frames.append(frame) }
            line = []
        }
        return frames
    }

    private mutating func header() throws(Garbled) -> JobFrame? {
        guard line.starts(with: nonce), line.count > nonce.count, line[nonce.count] == 0x20 else {
            if begun { throw garbled() }
            return nil
        }
        let words = String(decoding: line[(nonce.count + 1)...], as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("follow", 1):
            begun = true
            return nil
        case ("alive", 1) where begun: return .alive
        case ("vanished", 1) where begun:
            ended = true
            return .vanished
        case ("bytes", 2) where begun:
            guard let count = Self.number(words[1]), (1...262_144).contains(count) else { throw garbled() }
            outstanding = count
            return nil
        case ("exited", 2) where begun:
            guard let status = Self.number(words[1]).flatMap(UInt8.init(exactly:)) else { throw garbled() }
            ended = true
            return .exited(status)
        default: throw garbled()
        }
    }

    /// Digits alone; Swift's own reading takes signs too.
    private static func number(_ word: Substring) -> Int? {
        word.utf8.count <= 6 && word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(word) : nil
    }

    private func garbled() -> Garbled { Garbled(line: String(decoding: line.prefix(200), as: UTF8.self)) }
}
