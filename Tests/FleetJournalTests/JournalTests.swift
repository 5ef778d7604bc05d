import FleetCore
import Foundation
import GRDB
import Synchronization
import Testing

@testable import FleetJournal

/// A folder of its own for a test, gone with the closure.
func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.path + "/fleet-journal-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

enum Sample {
    static let run = valid(RunID("20261123-142501-x7k2"))
    static let host = valid(HostName("acme-1"))
    static let plan = Data(#"{"schema": 1,  "note": "spaces and é stay"}"#.utf8)
    static let start = RunEvent.runStarted(
        RunStart(
            target: CanopsisVersion(3, 26, 0), planDigest: "abc", person: "ana", machine: "ops",
            hosts: [HostStart(name: host, address: "192.0.2.1", wave: 1, from: nil, outcome: .notStarted, reason: nil)]))
    static let intent = RunEvent.stepIntended(host: host, step: .packages, title: "upgrade the packages")

    /// A name that the test spells right.
    private static func valid<Name>(_ name: Name?) -> Name {
        guard let name else { preconditionFailure("the sample is not valid") }
        return name
    }

    static let hook = HookMoment(.afterHost, wave: 1, host: host, policy: .stop)

    static func command(_ name: String = "true") -> RunEvent {
        .commandRun(CommandRun(command: name, person: "ana", started: "2026-11-23T14:25:01.000Z", endings: ["a": "0"], exitStatus: 0))
    }

    /// One of every kind, in an order a run could have.
    static let events: [RunEvent] = [
        .waveStarted(wave: 1), .hostStarted(host: host), intent, .stepStarted(host: host, step: .packages),
        .stepProgress(host: host, step: .packages, offset: 4096),
        .stepEnded(host: host, step: .packages, outcome: .failed, exit: 100, reason: Reason(.jobExited, ["words": "l'\u{1b}[2J\"é\n"])),
        .hostEnded(host: host, outcome: .failed, reason: nil, version: CanopsisVersion(3, 25, 0)), .rolloutStopped(reason: "1 failure"),
        .pauseStarted(wave: 2, length: "10m"), .hostHeldBack(host: host, reason: Reason(.noPlaceLeft, ["value": "é"])),
        .stepAwaited(host: host, step: .restoreAccounts, title: "restore", instruction: "Set them.\n1. é"),
        .stepAnswered(host: host, step: .restoreAccounts, answer: StepAnswer(.skipped, by: "ana", note: "l'\u{1b}")),
        .hookIntended(moment: hook), .hookEnded(moment: hook, ending: HookEnding(.failed, seconds: 2, words: "é\u{1b}")),
        .hookIntended(moment: HookMoment(.afterWave, wave: 2, policy: .warn)), .approvalNeeded(wave: 2),
        .baselineTaken(host: host, units: [], service: ServiceBaseline(silence: "é", login: .refused("a redirect"))),
        .stepIntended(host: host, step: .verify, title: "look"),
        .stepEnded(
            host: host, step: .verify, outcome: .succeeded, exit: nil, reason: nil,
            verified: VerifiedInstance(warnings: [Reason(.loginNotTried)], servedAfterMilliseconds: 1500)),
        .interrupted(signal: "INT"),
        .runEnded(outcome: .interrupted, exitStatus: 130),
    ]

    @discardableResult
    static func begin(_ journal: Journal) throws -> StampedEvent {
        try journal.begin(run, kind: .upgrade, plan: plan, firstEvent: start)
    }
}

/// Counts the calls.
private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}

/// The code of the problem a call throws; nil if it throws none.
func problemCode(_ body: () throws(Problem) -> Void) -> String? {
    do throws(Problem) { try body() } catch { return error.code }
    return nil
}

@Suite("The journal")
struct JournalTests {
    @Test("a step ends once per try: a second end is refused, unless the step was begun once more in between")
    func endOfEachTry() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try Sample.begin(journal)
            let end = RunEvent.stepEnded(host: Sample.host, step: .packages, outcome: .succeeded, exit: 0, reason: nil)
            for event in [Sample.intent, end] { try journal.append(event, to: Sample.run) }
            #expect(problemCode { () throws(Problem) in try journal.append(end, to: Sample.run) } == "journal-refused")
            try journal.append(.stepRepeated(host: Sample.host, step: .packages, because: Reason(.foundUndone)), to: Sample.run)
            try journal.append(end, to: Sample.run)
            #expect(problemCode { () throws(Problem) in try journal.append(end, to: Sample.run) } == "journal-refused")
            #expect(try journal.events(of: Sample.run).count == 5)
        }
    }

    @Test("whose last write was torn by a power cut holds all before it, and takes what comes after", arguments: [1, 100, 3000, 4200])
    func tornWrite(bytes: Int) throws {
        try withFolder { folder in
            var journal: Journal? = try Journal(in: folder)
            if let journal {
                try Sample.begin(journal)
                for wave in 1...20 { try journal.append(.waveStarted(wave: wave), to: Sample.run) }
            }
            // What a power cut leaves: the write-ahead log without the end of its last frame. A copy, for closing the journal would empty it.
            let copy = folder + "/copy"
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
            for name in ["journal.sqlite", "journal.sqlite-wal"] {
                try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: "\(copy)/\(name)")
            }
            journal = nil
            let torn = try FileHandle(forUpdating: URL(fileURLWithPath: copy + "/journal.sqlite-wal"))
            let size = try torn.seekToEnd()
            try torn.truncate(atOffset: size - UInt64(bytes))
            try torn.close()

            let after = try Journal(in: copy, creating: false)
            let events = try after.events(of: Sample.run).map(\.event)
            #expect(events.count >= 18 && events.count < 21, "\(events.count)")
            #expect(events == [Sample.start] + (1..<events.count).map { .waveStarted(wave: $0) })
            try after.append(.waveStarted(wave: 99), to: Sample.run)
            #expect(try after.events(of: Sample.run).count == events.count + 1)
        }
    }

    @Test("keeps the order of writing when the machine's clock is set back, and the record makes sense")
    func clockSetBack() throws {
        try withFolder { folder in
            let times = Counter()
            // Each event is an hour before the one before it.
            let journal = try Journal(in: folder, clock: { Timestamp(milliseconds: 1_795_443_901_000 - Int64(times.next()) * 3_600_000) })
            try Sample.begin(journal)
            let events = Array(Sample.events.prefix(7)) + [.runEnded(outcome: .failed, exitStatus: 3)]
            for event in events { try journal.append(event, to: Sample.run) }
            let read = try journal.events(of: Sample.run)
            #expect(read.map(\.event) == [Sample.start] + events)
            #expect(read.map(\.at) == read.map(\.at).sorted(by: >))
            let record = try journal.record(of: Sample.run)
            #expect(record.outcome == .failed)
            #expect(record[Sample.host]?.outcome == .failed)
        }
    }

    @Test("gives back every kind of event and the plan, byte for byte, after it was opened again")
    func reopened() throws {
        try withFolder { folder in
            var written: [StampedEvent] = []
            do {
                let journal = try Journal(in: folder)
                written.append(try Sample.begin(journal))
                for event in Sample.events { written.append(try journal.append(event, to: Sample.run)) }
            }
            let journal = try Journal(in: folder, creating: false)
            #expect(try journal.events(of: Sample.run) == written)
            #expect(try journal.events(of: Sample.run, after: written[3].sequence) == Array(written.dropFirst(4)))
            #expect(written.map(\.sequence) == written.map(\.sequence).sorted())
            #expect(try journal.plan(of: Sample.run) == Sample.plan)
            #expect(try journal.record(of: Sample.run).exitStatus == .interrupted)
        }
    }

    @Test("is its owner's alone: folder 0700, files 0600, whatever the umask allows")
    func modes() throws {
        try withFolder { folder in
            let before = umask(0)
            defer { umask(before) }
            let journal = try Journal(in: folder + "/deeper")
            try Sample.begin(journal)
            #expect(try mode(folder + "/deeper") == 0o700)
            for name in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"] {
                #expect(try mode("\(folder)/deeper/\(name)") == 0o600, "\(name)")
            }
        }
    }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("takes other people's rights away from a journal that has them")
    func tightened() throws {
        try withFolder { folder in
            do { try Sample.begin(try Journal(in: folder)) }
            #expect(chmod(folder + "/journal.sqlite", 0o644) == 0)
            withExtendedLifetime(try Journal(in: folder)) {}
            #expect(try mode(folder + "/journal.sqlite") == 0o600)
        }
    }

    @Test("opening it once more in the same process does not let go of the locks of the first")
    func locksKept() throws {
        try withFolder { folder in
            let first = try Journal(in: folder)
            try Sample.begin(first)
            let before = try locks(on: folder + "/journal.sqlite")
            #expect(before > 0)
            do { withExtendedLifetime(try Journal(in: folder)) {} }
            #expect(try locks(on: folder + "/journal.sqlite") == before)
        }
    }

    /// How many locks the kernel has on file for this file.
    private func locks(on path: String) throws -> Int {
        let inode = try #require(FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int)
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").count { $0.contains(":\(inode) ") }
    }

    @Test("refuses what must not be, and keeps what it had")
    func invariants() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            let run = Sample.run
            #expect(problemCode { () throws(Problem) in try journal.append(.waveStarted(wave: 1), to: run) } == "journal-refused")
            try Sample.begin(journal)
            #expect(
                problemCode { () throws(Problem) in
                    try journal.begin(run, kind: .upgrade, plan: Sample.plan, firstEvent: Sample.start)
                } == "journal-refused")
            #expect(problemCode { () throws(Problem) in try journal.append(Sample.start, to: run) } == "journal-refused")
            #expect(
                problemCode { () throws(Problem) in
                    try journal.append(.stepStarted(host: Sample.host, step: .packages), to: run)
                } == "journal-refused", "a step that was never intended")
            try journal.append(Sample.intent, to: run)
            #expect(problemCode { () throws(Problem) in try journal.append(Sample.intent, to: run) } == "journal-refused")
            try journal.append(.runEnded(outcome: .incomplete, exitStatus: 4), to: run)
            #expect(problemCode { () throws(Problem) in try journal.append(.waveStarted(wave: 2), to: run) } == "journal-refused")
            #expect(try journal.events(of: run).count == 3)

            // An approval is the one thing that comes after the end, and only where it was asked for.
            let approval = RunEvent.approved(wave: 2, by: "ana")
            #expect(problemCode { () throws(Problem) in try journal.append(approval, to: run) } == "journal-refused")

            #expect(try journal.resume(run) == 2)
            try journal.append(Sample.intent, to: run)
            try journal.append(.runEnded(outcome: .succeeded, exitStatus: 0), to: run)
            #expect(try journal.events(of: run).count == 5)
        }
    }

    @Test("takes an approval after the end of a run that asked for it, and for that wave alone")
    func approval() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try Sample.begin(journal)
            try journal.append(.approvalNeeded(wave: 2), to: Sample.run)
            try journal.append(.runEnded(outcome: .waiting, exitStatus: 6), to: Sample.run)
            #expect(
                problemCode { () throws(Problem) in try journal.append(.approved(wave: 3, by: "ana"), to: Sample.run) } == "journal-refused"
            )
            try journal.append(.approved(wave: 2, by: "ana"), to: Sample.run)
            #expect(try journal.record(of: Sample.run).approvals == [2: "ana"])
            #expect(try journal.runs().map(\.isEnded) == [true])
        }
    }

    @Test("takes a person's answer for a step, also after the end of the run, where a host came to it")
    func answer() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            let first = try Sample.begin(journal)
            let answer = RunEvent.stepAnswered(host: Sample.host, step: .restoreAccounts, answer: StepAnswer(.done, by: "ana", note: nil))
            #expect(problemCode { () throws(Problem) in try journal.append(answer, to: Sample.run) } == "journal-refused")
            try journal.append(
                .stepAwaited(host: Sample.host, step: .restoreAccounts, title: "restore", instruction: "Set them."), to: Sample.run)
            try journal.append(.runEnded(outcome: .waiting, exitStatus: 6), to: Sample.run)
            #expect(try journal.answers(in: Sample.run, after: first.sequence).isEmpty)
            let written = try journal.append(answer, to: Sample.run)
            #expect(try journal.answers(in: Sample.run, after: first.sequence) == [written])
            #expect(try journal.answers(in: Sample.run, after: written.sequence).isEmpty)
            #expect(try journal.record(of: Sample.run)[Sample.host]?.steps.last?.outcome == .succeeded)
        }
    }

    @Test(
        "a journal of before there were answers, or hooks, keeps its events, their numbers and its rules, and takes both",
        arguments: ["3", "4"])
    func withoutAnswers(last: String) throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let path = folder + "/" + Journal.fileName
            let bodies = try [Sample.start, Sample.intent].map { try EventRow($0) }
            do {
                let older = try DatabaseQueue(path: path)
                try JournalSchema.migrator.migrate(older, upTo: last)
                try older.write { database in
                    try database.execute(sql: "PRAGMA application_id = \(JournalSchema.applicationID)")
                    try database.execute(
                        sql:
                            "INSERT INTO runs (id, kind, started, plan, plan_digest) VALUES (?, 'upgrade', '2026-11-23T14:25:01.000Z', '{}', 'abc')",
                        arguments: [Sample.run.text])
                    for row in bodies {
                        try database.execute(
                            sql:
                                "INSERT INTO events (sequence, run, attempt, at, kind, host, step, body) VALUES (?, ?, 1, '2026-11-23T14:25:01.000Z', ?, ?, ?, ?)",
                            arguments: [row.kind == "run-started" ? 7 : 9, Sample.run.text, row.kind, row.host, row.step, row.body])
                    }
                }
            }
            let journal = try Journal(in: folder)
            #expect(try journal.events(of: Sample.run).map(\.sequence) == [7, 9])
            #expect(try journal.events(of: Sample.run).map(\.event) == [Sample.start, Sample.intent])
            #expect(problemCode { () throws(Problem) in try journal.append(Sample.intent, to: Sample.run) } == "journal-refused")
            let awaited = RunEvent.stepAwaited(host: Sample.host, step: .restoreAccounts, title: "t", instruction: "i")
            #expect(try journal.append(awaited, to: Sample.run).sequence == 10)
            #expect(try journal.append(.hookIntended(moment: Sample.hook), to: Sample.run).sequence == 11)
            let other = try DatabaseQueue(path: path)
            for statement in ["UPDATE events SET at = 'x'", "DELETE FROM events"] {
                #expect(throws: DatabaseError.self) { try other.write { try $0.execute(sql: statement) } }
            }
        }
    }

    @Test("a hook's end is refused without its intent in the same attempt, be it for another moment or for another attempt")
    func hookIntent() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try Sample.begin(journal)
            let end = RunEvent.hookEnded(moment: Sample.hook, ending: HookEnding(.ok, exit: 0, seconds: 1))
            try journal.append(.hookIntended(moment: HookMoment(.afterHost, wave: 2, host: Sample.host, policy: .stop)), to: Sample.run)
            #expect(problemCode { () throws(Problem) in try journal.append(end, to: Sample.run) } == "journal-refused")
            try journal.append(.hookIntended(moment: Sample.hook), to: Sample.run)
            try journal.append(end, to: Sample.run)
            try journal.append(.runEnded(outcome: .stopped, exitStatus: 5), to: Sample.run)
            try journal.resume(Sample.run)
            #expect(problemCode { () throws(Problem) in try journal.append(end, to: Sample.run) } == "journal-refused")
            let record = try journal.record(of: Sample.run)
            #expect(record.hooks.map(\.moment.wave) == [2, 1])
            #expect(record.hooks.map(\.ending?.outcome) == [nil, .ok])
        }
    }

    @Test("an upgrade without its plan is refused as a whole, the run is not begun")
    func planNeeded() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            for plan in [nil, Data("not JSON".utf8)] {
                #expect(
                    problemCode { () throws(Problem) in
                        try journal.begin(Sample.run, kind: .upgrade, plan: plan, firstEvent: Sample.start)
                    } == "journal-refused")
            }
            #expect(try journal.runs().isEmpty)
        }
    }

    @Test(
        "nobody changes or deletes what was written, not even with SQL",
        arguments: ["UPDATE events SET at = ''", "DELETE FROM events", "DELETE FROM runs"])
    func final(_ statement: String) throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            try Sample.begin(journal)
            let other = try DatabaseQueue(path: folder + "/" + Journal.fileName)
            #expect(throws: DatabaseError.self) { try other.write { try $0.execute(sql: statement) } }
            #expect(try journal.events(of: Sample.run).count == 1)
        }
    }

    @Test("tells how long a host was down in its last run before, over runs that did not measure it")
    func downtimes() throws {
        try withFolder { folder in
            let journal = try Journal(in: folder)
            for (id, served) in [("20261123-142501-aaaa", 5000), ("20261123-142502-bbbb", nil), ("20261123-142503-cccc", 9000)]
                as [(
                    String, Int64?
                )]
            {
                let run = try #require(RunID(id))
                try journal.begin(run, kind: .upgrade, plan: Sample.plan, firstEvent: Sample.start)
                for event in [
                    RunEvent.stepIntended(host: Sample.host, step: .restart, title: ""), .stepStarted(host: Sample.host, step: .restart),
                    .stepIntended(host: Sample.host, step: .verify, title: ""),
                    .stepEnded(
                        host: Sample.host, step: .verify, outcome: .succeeded, exit: nil, reason: nil,
                        verified: VerifiedInstance(servedAfterMilliseconds: served)),
                ] { try journal.append(event, to: run) }
            }
            let last = try journal.record(of: try #require(RunID("20261123-142503-cccc")))
            let earlier = try #require(try journal.downtimes(before: last)[Sample.host])
            #expect(earlier >= .seconds(5) && earlier < .seconds(8))
            #expect(try journal.downtimes(before: journal.record(of: try #require(RunID("20261123-142501-aaaa")))).isEmpty)
        }
    }

    @Test("reads what a Fleet wrote that looked at units alone")
    func olderEvents() throws {
        let baseline = #"{"baselineTaken": {"host": "acme-1", "units": []}}"#
        #expect(
            try JSONDecoder().decode(RunEvent.self, from: Data(baseline.utf8))
                == .baselineTaken(host: Sample.host, units: [], service: nil))
        let end = #"{"stepEnded": {"host": "acme-1", "step": "verify", "outcome": "succeeded"}}"#
        #expect(
            try JSONDecoder().decode(RunEvent.self, from: Data(end.utf8))
                == .stepEnded(host: Sample.host, step: .verify, outcome: .succeeded, exit: nil, reason: nil, verified: nil))
    }

    @Test("lists runs with the newest first and finds one by the beginning or the end of its id")
    func finding() throws {
        try withFolder { folder in
            let moments = Moments()
            let journal = try Journal(in: folder, clock: { moments.next() })
            #expect(try journal.latestRun() == nil)
            try Sample.begin(journal)
            let later = ["20261123-150000-aaaa", "20261124-150000-bbbb"].compactMap { RunID($0) }
            for run in later { try journal.begin(run, kind: .exec, plan: nil, firstEvent: Sample.command()) }

            #expect(try journal.runs().map(\.id) == [later[1], later[0], Sample.run])
            #expect(try journal.runs(limit: 1).map(\.id) == [later[1]])
            #expect(try journal.runs().map(\.isEnded) == [true, true, false])
            #expect(try journal.latestRun() == later[1])
            #expect(try journal.latestRun(.upgrade) == Sample.run)
            #expect(try journal.run(named: "x7k2") == Sample.run)
            #expect(try journal.run(named: "20261124") == later[1])
            #expect(try journal.run(named: later[0].text) == later[0])
            #expect(problemCode { () throws(Problem) in _ = try journal.run(named: "20261123") } == "run-ambiguous")
            #expect(problemCode { () throws(Problem) in _ = try journal.run(named: "zzzz") } == "run-unknown")
            #expect(problemCode { () throws(Problem) in _ = try journal.run(named: "") } == "run-unknown")
            #expect(problemCode { () throws(Problem) in _ = try journal.run(named: "%") } == "run-unknown")
        }
    }

    @Test("syncs every commit, also after progress that need not be synced")
    func synced() throws {
        #expect(Sample.events.filter { !EventRow.mustBeSynced($0) }.count == 1)
        try withFolder { folder in
            let journal = try Journal(in: folder)
            #expect(try journal.synchronousLevel() == 2)
            try Sample.begin(journal)
            try journal.append(Sample.intent, to: Sample.run)
            try journal.append(.stepProgress(host: Sample.host, step: .packages, offset: 1), to: Sample.run)
            #expect(try journal.synchronousLevel() == 2)
        }
    }

    @Test("takes events from many tasks and two connections at once and loses none")
    func concurrent() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fleet-journal-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let journals = [try Journal(in: folder), try Journal(in: folder)]
        try Sample.begin(journals[0])
        let written = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 1...100 {
                group.addTask { try journals[number % 2].append(.waveStarted(wave: number), to: Sample.run).sequence }
            }
            return try await group.reduce(into: [Int64]()) { $0.append($1) }
        }
        #expect(Set(written).count == 100)
        let waves = try journals[0].events(of: Sample.run).compactMap { stamped in
            if case .waveStarted(let wave) = stamped.event { wave } else { nil }
        }
        #expect(Set(waves) == Set(1...100))
    }

    @Test("two that make the same new journal at once both succeed", arguments: 0..<20)
    func bornTwice(_: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fleet-journal-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for suffix in ["aaaa", "bbbb", "cccc"] {
                group.addTask {
                    let run = try #require(RunID("20261123-142501-\(suffix)"))
                    try Journal(in: folder).begin(run, kind: .exec, plan: nil, firstEvent: Sample.command())
                }
            }
            try await group.waitForAll()
        }
        #expect(try Journal(in: folder).runs().count == 3)
    }
}

/// A clock that goes on by a second whenever it is asked.
final class Moments: Sendable {
    private let lock = NSLock()
    private nonisolated(unsafe) var milliseconds: Int64 = 1_795_443_901_000

    func next() -> Timestamp {
        lock.withLock {
            milliseconds += 1000
            return Timestamp(milliseconds: milliseconds)
        }
    }
}
