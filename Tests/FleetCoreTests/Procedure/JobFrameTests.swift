import FleetCore
import TestSupport
import Testing

@Suite("What a follower says, taken apart")
struct JobFrameTests {
    private static let nonce = "fleet0123456789abcdef"

    /// Frames as a follower writes them: bytes, and what they mean with neighbouring output joined.
    private struct Said {
        var bytes: [UInt8] = []
        var output: [UInt8] = []
        var marks: [Mark] = []

        /// A frame that is no output, and how much output came before it.
        struct Mark: Equatable {
            var offset: Int
            var frame: JobFrame
        }

        init() {}

        init(random: inout SeededGenerator) {
            bytes = Array(random.pick("", "Bienvenue", "Bienvenue\r\n", "\n\n", "\(nonce)x\n", "no \(nonce) follow\n", "\u{1b}[31m").utf8)
            bytes += Array("\n\(nonce) follow\n".utf8)
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                if random.chance(30) {
                    bytes += Array("\(nonce) alive\n".utf8)
                    marks.append(Mark(offset: output.count, frame: .alive))
                } else {
                    let lookalike = Array("\n\(nonce) exited 0\n\(nonce) bytes 7\n".utf8)
                    let count = Int.random(in: 1...300, using: &random)
                    var part = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                    if random.chance(30) { part += lookalike }
                    bytes += Array("\(nonce) bytes \(part.count)\n".utf8) + part
                    output += part
                }
            }
            let status = UInt8.random(in: 0...255, using: &random)
            bytes += Array("\(nonce) \(random.chance(80) ? "exited \(status)" : "vanished")\n".utf8)
            marks.append(Mark(offset: output.count, frame: bytes.suffix(9) == Array("vanished\n".utf8)[...] ? .vanished : .exited(status)))
        }

        mutating func add(_ frames: [JobFrame]) {
            for frame in frames {
                if case .output(let part) = frame { output += part } else { marks.append(Mark(offset: output.count, frame: frame)) }
            }
        }
    }

    @Test("the same frames come out, however the bytes were cut", arguments: 0..<500)
    func cuts(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let said = Said(random: &random)
        for longest in [1, 2, 7, 100, 10_000] {
            var parser = JobFrameParser(nonce: Self.nonce)
            var heard = Said()
            var rest = said.bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...longest, using: &random)
                heard.add(try parser.take(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(heard.output == said.output)
            #expect(heard.marks == said.marks)
        }
    }

    @Test("noise gives no frame before the first line of a follower, and an error after it", arguments: 0..<300)
    func noise(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let noise = (0..<Int.random(in: 1...20_000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        var parser = JobFrameParser(nonce: Self.nonce)
        #expect(try parser.take(noise[...]) == [])
        #expect(try parser.take(Array("\n\(Self.nonce) follow\n".utf8)[...]) == [])
        #expect(throws: JobFrameParser.Garbled.self) { try parser.take((noise + [0x0a])[...]) }
    }

    @Test("a changed, a missing and an added byte never give another ending than the one that was sent", arguments: 0..<300)
    func damage(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var bytes = Array("\n\(Self.nonce) follow\n\(Self.nonce) bytes 3\nabc\(Self.nonce) alive\n\(Self.nonce) exited 17\n".utf8)
        let place = Int.random(in: 0..<bytes.count - 4, using: &random)
        switch random.pick(0, 1, 2) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        }
        var parser = JobFrameParser(nonce: Self.nonce)
        guard let frames = try? parser.take(bytes[...]) else { return }
        for frame in frames where frame != .alive && frame != .exited(17) {
            if case .output = frame { continue }
            Issue.record("\(frame)")
        }
    }

    static let refused = [
        "bytes 0", "bytes -1", "bytes 262145", "bytes 99999999999999999999", "bytes", "bytes 1 2", "bytes +5", "bytes 0x5", "bytes 5 ",
        "bytes  5", "exited", "exited 256", "exited -1", "exited +0", "exited 0 0", "exited 0\r", "exited ٣", "vanished 1", "alive 1",
        "follow 1", "", " alive", "Alive", "killed 9",
    ]

    @Test("is strict about what a follower may say", arguments: refused)
    func strict(words: String) throws {
        var parser = JobFrameParser(nonce: Self.nonce)
        _ = try parser.take(Array("\(Self.nonce) follow\n".utf8)[...])
        #expect(throws: JobFrameParser.Garbled.self) { try parser.take(Array("\(Self.nonce) \(words)\n".utf8)[...]) }
    }

    @Test(
        "a line of another follower is not taken for one of this",
        arguments: ["\(nonce)0 alive", "fleet0 alive", "alive", "\(nonce)\talive"])
    func otherNonce(line: String) throws {
        var parser = JobFrameParser(nonce: Self.nonce)
        #expect(try parser.take(Array("\(line)\n".utf8)[...]) == [])
        _ = try parser.take(Array("\(Self.nonce) follow\n".utf8)[...])
        #expect(throws: JobFrameParser.Garbled.self) { try parser.take(Array("\(line)\n".utf8)[...]) }
    }

    @Test("the first ending counts, whatever comes after it")
    func afterTheEnd() throws {
        var parser = JobFrameParser(nonce: Self.nonce)
        let text = "\(Self.nonce) follow\n\(Self.nonce) exited 1\n\(Self.nonce) exited 0\nlogout\n"
        #expect(try parser.take(Array(text.utf8)[...]) == [.exited(1)])
        #expect(try parser.take(Array("\(Self.nonce) exited 0\n".utf8)[...]) == [])
    }

    @Test("a line that never ends is given up, and what is told of it is short")
    func endlessLine() throws {
        var parser = JobFrameParser(nonce: Self.nonce)
        _ = try parser.take(Array("\(Self.nonce) follow\n".utf8)[...])
        var told: JobFrameParser.Garbled?
        var taken = 0
        while told == nil, taken < 10_000 {
            taken += 1000
            do throws(JobFrameParser.Garbled) {
                _ = try parser.take(Array(repeating: 0x78, count: 1000)[...])
            } catch { told = error }
        }
        #expect(taken == 5000)
        #expect(told?.line.utf8.count == 200)
    }
}
