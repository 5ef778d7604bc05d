import FleetCore
import FleetJournal
import Foundation
import Testing

@Suite("A writer that is killed")
struct CrashTests {
    @Test("loses no event it was told is on disk, and lets go of its run", arguments: 0..<5)
    func killed(round: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fleet-journal-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, round = round as Int] in
            let journal = try Journal(in: folder)
            let lock = try RunLock.acquire(Sample.run, in: folder)
            try Sample.begin(journal)
            let told = open(folder + "/told", O_WRONLY | O_CREAT, 0o600)
            // The kill comes from another thread, so it may fall between any two instructions of a write.
            let killer = Thread {
                usleep(UInt32(20_000 + round * 7919))
                kill(getpid(), SIGKILL)
            }
            killer.start()
            var last: Int64 = 0
            while true {
                last = try journal.append(.waveStarted(wave: 1), to: Sample.run).sequence
                pwrite(told, &last, 8, 0)
            }
            withExtendedLifetime(lock) {}
        }
        var told: Int64 = 0
        let bytes = FileManager.default.contents(atPath: folder + "/told") ?? Data()
        withUnsafeMutableBytes(of: &told) { _ = bytes.copyBytes(to: $0) }
        let journal = try Journal(in: folder, creating: false)
        let events = try journal.events(of: Sample.run)
        #expect(events.map(\.sequence) == Array(1...Int64(events.count)))
        #expect(Int64(events.count) >= told, "told \(told) events are on disk")
        #expect(try journal.record(of: Sample.run).outcome == .incomplete)
        try journal.append(.waveStarted(wave: 2), to: Sample.run)
    }
}
