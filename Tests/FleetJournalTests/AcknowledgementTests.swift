import FleetCore
import GRDB
import Testing

@testable import FleetJournal

@Suite("Who has read the notes")
struct AcknowledgementTests {
    private func reading(_ minor: Int, _ digit: Character = "a") -> ReleaseReading {
        ReleaseReading(
            version: CanopsisVersion(3, minor, 0), release: nil, note: "text", sha256: String(repeating: digit, count: 64))
    }

    @Test("is kept with the digest of the text, the time and until when it counts, and read back in order")
    func kept() throws {
        try withFolder { folder in
            let start = Timestamp(milliseconds: 1_795_443_901_000)
            do {
                let journal = try Journal(in: folder, clock: { start })
                #expect(try journal.acknowledgements().isEmpty)
                try journal.acknowledge([reading(26), reading(27)], by: "ana", for: nil)
                try journal.acknowledge([reading(26, "b")], by: "zoé", for: .seconds(90))
            }
            let said = try Journal(in: folder, creating: false).acknowledgements()
            #expect(said.map(\.version.description) == ["3.26.0", "3.27.0", "3.26.0"])
            #expect(said.map(\.person) == ["ana", "ana", "zoé"])
            #expect(said.map(\.sha256) == [reading(26), reading(27), reading(26, "b")].map(\.sha256))
            #expect(said.map(\.at) == Array(repeating: start.description, count: 3))
            #expect(said.map(\.until) == [nil, nil, Timestamp(milliseconds: start.milliseconds + 90_000).description])
        }
    }

    @Test("is kept for all of the releases or for none")
    func together() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            #expect(throws: Problem.self) { try journal.acknowledge([reading(26), reading(27, "x")], by: "ana", for: nil) }
            #expect(throws: Problem.self) { try journal.acknowledge([reading(26)], by: "", for: nil) }
            #expect(try journal.acknowledgements().isEmpty)
        }
    }

    @Test("is never changed nor taken back", arguments: ["UPDATE acknowledgements SET person = 'zoe'", "DELETE FROM acknowledgements"])
    func final(_ statement: String) throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try journal.acknowledge([reading(26)], by: "ana", for: nil)
            #expect(throws: DatabaseError.self) {
                try DatabaseQueue(path: folder + "/" + Journal.fileName).write { try $0.execute(sql: statement) }
            }
            #expect(try journal.acknowledgements().map(\.person) == ["ana"])
        }
    }
}
