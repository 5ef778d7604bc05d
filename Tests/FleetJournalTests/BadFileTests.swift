import FleetCore
import FleetJournal
import Foundation
import GRDB
import Testing

@Suite("A journal that can't be used")
struct BadFileTests {
    private func write(_ bytes: Data, in folder: String) throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/" + Journal.fileName
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    private func opening(_ folder: String, creating: Bool = true, patience: Duration = .seconds(10)) -> Problem? {
        do throws(Problem) { _ = try Journal(in: folder, creating: creating, patience: patience) } catch { return error }
        return nil
    }

    @Test(
        "a file that is no database is refused and left as it is",
        arguments: ["garbage\n", "SQLite format 3", String(repeating: "x", count: 9000)])
    func garbage(_ text: String) throws {
        try withFolder { folder in
            let path = try write(Data(text.utf8), in: folder)
            let problem = try #require(opening(folder))
            #expect(problem.code == "journal-invalid")
            #expect(problem.place == .file(path, line: nil))
            #expect(!problem.remedy.isEmpty)
            #expect(FileManager.default.contents(atPath: path) == Data(text.utf8))
        }
    }

    @Test("a damaged database is refused and left as it is")
    func damaged() throws {
        try withFolder { folder in
            do { try Sample.begin(try Journal(in: folder)) }
            let path = folder + "/" + Journal.fileName
            var bytes = try #require(FileManager.default.contents(atPath: path))
            bytes.replaceSubrange(100..<4000, with: Data(repeating: 0xee, count: 3900))
            _ = try write(bytes, in: folder)
            #expect(opening(folder)?.code == "journal-invalid")
            #expect(FileManager.default.contents(atPath: path) == bytes)
        }
    }

    @Test("the database of another program is refused and left as it is")
    func foreign() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let path = folder + "/" + Journal.fileName
            do { try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE notes (text)") } }
            let bytes = FileManager.default.contents(atPath: path)
            #expect(opening(folder)?.code == "journal-invalid")
            #expect(FileManager.default.contents(atPath: path) == bytes)
        }
    }

    @Test("a journal of a newer version is refused with a sentence, and its runs stay")
    func newer() throws {
        try withFolder { folder in
            do { try Sample.begin(try Journal(in: folder)) }
            let path = folder + "/" + Journal.fileName
            do {
                try DatabaseQueue(path: path).write {
                    try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('of-a-later-version')")
                }
            }
            let problem = try #require(opening(folder))
            #expect(problem.code == "journal-newer")
            #expect(problem.description.contains("newer version of Fleet"))
            let events = try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM events") }
            #expect(events == 1)
        }
    }

    @Test("a missing journal is not made by a look")
    func missing() throws {
        try withFolder { folder in
            #expect(opening(folder, creating: false)?.code == "journal-missing")
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }

    @Test("a folder where nothing can be written gives a problem and no file")
    func unwritable() throws {
        // Root may write anywhere but here; everybody else may not either.
        let problem = try #require(opening("/proc/self/fleet"))
        #expect(problem.code == "journal-unwritable")
        #expect(!problem.remedy.isEmpty)
    }

    @Test("a folder in place of the journal is refused")
    func folderInPlace() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/" + Journal.fileName, withIntermediateDirectories: true)
            #expect(opening(folder)?.code == "journal-invalid")
        }
    }

    @Test("a journal that somebody else keeps locked is given up after the patience, and nothing is lost")
    func locked() throws {
        try withFolder { folder in
            do { try Sample.begin(try Journal(in: folder)) }
            let journal = try Journal(in: folder, patience: .milliseconds(50))
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(path: folder + "/" + Journal.fileName, configuration: configuration)
            try other.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
            #expect(problemCode { () throws(Problem) in try journal.append(.waveStarted(wave: 1), to: Sample.run) } == "journal-locked")
            try other.inDatabase { try $0.execute(sql: "ROLLBACK") }
            try journal.append(.waveStarted(wave: 1), to: Sample.run)
            #expect(try journal.events(of: Sample.run).count == 2)
        }
    }

    @Test("an event cut in the middle by a crash is gone, all before it are there, and it goes on", arguments: [1, 24, 100, 3000, 4100])
    func tornWrite(_ missing: Int) throws {
        try withFolder { folder in
            let copy = folder + "/copy"
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
            let journal = try Journal(in: folder)
            try Sample.begin(journal)
            for wave in 1...5 { try journal.append(.waveStarted(wave: wave), to: Sample.run) }
            let path = folder + "/" + Journal.fileName
            // As a crash would leave it: the database as it is, the last write to the log cut short.
            for ending in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + ending, toPath: "\(copy)/\(Journal.fileName)\(ending)")
            }
            let log = "\(copy)/\(Journal.fileName)-wal"
            let size = try #require(FileManager.default.attributesOfItem(atPath: log)[.size] as? Int)
            #expect(truncate(log, size - missing) == 0)

            let torn = try Journal(in: copy)
            let left = try torn.events(of: Sample.run)
            #expect(left == Array(try journal.events(of: Sample.run).prefix(left.count)))
            #expect((4...5).contains(left.count), "begin and four waves, perhaps one less: \(left.count)")
            try torn.append(.waveStarted(wave: 9), to: Sample.run)
            #expect(try torn.events(of: Sample.run).count == left.count + 1)
        }
    }
}

@Suite("Who carries a run out")
struct RunLockTests {
    @Test("one process holds a run; looking does not take it; it is free once the holder lets go")
    func held() throws {
        try withFolder { folder in
            #expect(!RunLock.isHeld(Sample.run, in: folder))
            do {
                let lock = try RunLock.acquire(Sample.run, in: folder)
                #expect(RunLock.isHeld(Sample.run, in: folder))
                #expect(RunLock.isHeld(Sample.run, in: folder))
                #expect(RunLock.holder(of: Sample.run, in: folder)?.pid == getpid())
                #expect(problemCode { () throws(Problem) in _ = try RunLock.acquire(Sample.run, in: folder) } == "run-held")
                withExtendedLifetime(lock) {}
            }
            #expect(!RunLock.isHeld(Sample.run, in: folder))
            #expect(throws: Never.self) { try RunLock.acquire(Sample.run, in: folder) }
        }
    }

    @Test("the record of a run whose coordinator lives is running, without one it is not")
    func alive() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try Sample.begin(journal)
            do {
                let lock = try RunLock.acquire(Sample.run, in: folder)
                #expect(try journal.record(of: Sample.run).outcome == .running)
                withExtendedLifetime(lock) {}
            }
            #expect(try journal.record(of: Sample.run).outcome == .incomplete)
        }
    }
}
