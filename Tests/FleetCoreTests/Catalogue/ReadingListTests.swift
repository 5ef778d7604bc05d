import FleetCore
import Testing

@Suite("What has to be read before hosts are upgraded")
struct ReadingListTests {
    private static let now = Timestamp(milliseconds: 1_795_443_901_000)
    private let target = CanopsisVersion(3, 27, 0)

    private func host(_ text: String) throws -> HostName { try #require(HostName(text)) }

    private func reading(_ version: CanopsisVersion, _ digit: Character = "a") -> ReleaseReading {
        ReleaseReading(
            version: version, release: Release(version: version), note: nil, sha256: String(repeating: digit, count: 64))
    }

    private func word(_ digit: Character, _ version: CanopsisVersion = CanopsisVersion(3, 26, 0), until: String? = nil) -> Acknowledgement {
        Acknowledgement(
            version: version, sha256: String(repeating: digit, count: 64), person: "ana", at: "2026-11-20T10:00:00.000Z", until: until)
    }

    private func list(
        _ acknowledgements: [Acknowledgement], to target: CanopsisVersion? = nil, at now: Timestamp = Self.now
    ) throws -> ReadingList {
        ReadingList(
            [(try host("a"), CanopsisVersion(3, 25, 0)), (try host("b"), CanopsisVersion(3, 26, 0))], to: target ?? self.target,
            readings: [
                reading(CanopsisVersion(3, 28, 0)), reading(CanopsisVersion(3, 27, 0)), reading(CanopsisVersion(3, 26, 0)),
                reading(CanopsisVersion(3, 25, 0)),
            ],
            acknowledgements: acknowledgements, now: now)
    }

    @Test("is each release that some host passes, the target's too, once and with the hosts that pass it")
    func passed() throws {
        let list = try list([])
        #expect(list.entries.map(\.reading.version) == [CanopsisVersion(3, 26, 0), target])
        #expect(list.entries.map { $0.hosts.map(\.text) } == [["a"], ["a", "b"]])
        #expect(list.unread == list.entries)
        #expect(list.acknowledgements.isEmpty)
    }

    @Test("is nothing for hosts that are there already")
    func nothing() throws { #expect(try list([], to: CanopsisVersion(3, 25, 0)).entries.isEmpty) }

    @Test("is for a candidate what it is for its release")
    func candidate() throws {
        let candidate = try #require(CanopsisVersion("3.27.0-rc1") ?? CanopsisVersion("3.26.9903"))
        #expect(try list([], to: candidate).entries.map(\.reading.version).last == candidate.release)
    }

    @Test("is read once somebody has read just this text, and not when it was another")
    func read() throws {
        let read = try list([word("a")])
        #expect(read.unread.map(\.reading.version) == [target])
        #expect(read.acknowledgements == [word("a")])
        let changed = try list([word("b")])
        #expect(changed.unread.count == 2)
        #expect(changed.entries.first?.standing == .changed(word("b")))
        #expect(changed.acknowledgements.isEmpty)
    }

    @Test("of another release does not count, though the text be the same")
    func otherRelease() throws { #expect(try list([word("a", CanopsisVersion(3, 25, 0))]).unread.count == 2) }

    @Test("counts as long as was said, to the moment, and not at all until a time that is none")
    func until() throws {
        let end = Self.now.description
        #expect(try list([word("a", until: end)]).entries.first?.standing == .expired(word("a", until: end)))
        let before = Timestamp(milliseconds: Self.now.milliseconds - 1)
        #expect(try list([word("a", until: end)], at: before).unread.count == 1)
        #expect(try list([word("a", until: "soon")], at: before).unread.count == 2)
    }

    @Test("one word that counts is enough, whatever was said before or after")
    func several() throws {
        let over = word("a", until: "2026-11-20T10:00:00.001Z")
        for words in [[over, word("a")], [word("a"), over], [word("b"), word("a"), word("c")]] {
            #expect(try list(words).acknowledgements == [word("a")])
        }
        #expect(try list([word("b"), over]).entries.first?.standing == .expired(over))
        #expect(try list([over, word("b")]).entries.first?.standing == .changed(word("b")))
    }
}
