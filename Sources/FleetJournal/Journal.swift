import FleetCore
import Foundation
import GRDB

/// The events of every run, and the release notes that were imported, in one SQLite file.
///
/// An event is on the disk when the call that appends it returns (WAL, `synchronous=FULL`); only
/// ``RunEvent/stepProgress(host:step:offset:)`` may be lost to a power cut. Any number of tasks and processes may
/// read and append at the same time. Everything that fails is thrown as a ``Problem``.
public final class Journal: Sendable {
    /// The journal's name in the folder of the runs.
    public static let fileName = "journal.sqlite"

    /// The folder of the runs: the journal, and a folder per run.
    public let folder: String

    private let file: JournalFile
    private let queue: DatabaseQueue
    private let clock: @Sendable () -> Timestamp

    /// What a row that is written now is stamped with.
    var now: Timestamp { clock() }

    /// Opens the journal in a folder, bringing an older one up to date.
    ///
    /// - Parameters:
    ///   - folder: The folder of the runs.
    ///   - creating: Whether a missing folder (mode 0700) and journal (mode 0600) are made.
    ///   - patience: How long to wait for another process that is writing; 0 s and more.
    ///   - clock: What stamps the events.
    /// - Throws: `journal-missing`, `journal-unreadable`, `journal-unwritable`, `journal-invalid`, `journal-newer`, `journal-locked`.
    public init(
        in folder: String, creating: Bool = true, patience: Duration = .seconds(10),
        clock: @escaping @Sendable () -> Timestamp = { .now() }
    ) throws(Problem) {
        self.folder = folder
        self.clock = clock
        let file = JournalFile(path: folder + "/" + Self.fileName)
        self.file = file
        if creating { try file.create(in: folder) }
        try file.check()

        var configuration = Configuration()
        configuration.label = "fleet.journal"
        configuration.busyMode = .timeout(patience.inSeconds)
        configuration.maximumReaderCount = 1
        // Two processes that make the same journal would see each other's half-made tables, so one opens at a time.
        let turn = try file.takeTurn(in: folder, patience: patience)
        defer { close(turn) }
        do { queue = try Self.open(file, configuration) } catch { throw file.problem(error, doing: "be opened") }
        file.keepPrivate()
    }

    private static func open(_ file: JournalFile, _ configuration: Configuration) throws -> DatabaseQueue {
        let queue = try DatabaseQueue(path: file.path, configuration: configuration)
        try queue.writeWithoutTransaction { try prepare($0, file: file) }
        if try queue.read({ try !JournalSchema.migrator.hasCompletedMigrations($0) }) { try JournalSchema.migrator.migrate(queue) }
        return queue
    }

    /// Looks before anything is written: whose file it is, and of which version.
    private static func prepare(_ database: Database, file: JournalFile) throws {
        try database.inTransaction(.deferred) {
            let id = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
            let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            guard id == JournalSchema.applicationID || tables == 0 else {
                throw file.notAJournal("it is the database of another program")
            }
            if tables > 0, try JournalSchema.migrator.hasBeenSuperseded(database) {
                throw Problem(
                    code: "journal-newer", what: "This journal was written by a newer version of Fleet. It was left as it is.",
                    place: .file(file.path, line: nil),
                    remedy: "Use that version, or choose another folder with `--logs DIR`.")
            }
            return .commit
        }
        if try String.fetchOne(database, sql: "PRAGMA journal_mode") != "wal" {
            try database.execute(sql: "PRAGMA journal_mode = WAL")
        }
        syncEveryCommit(database)
        if try Int64.fetchOne(database, sql: "PRAGMA application_id") == 0 {
            try database.execute(sql: "PRAGMA application_id = \(JournalSchema.applicationID)")
        }
    }

    /// Setting this pragma outside a transaction cannot fail: it changes a value in memory.
    private static func syncEveryCommit(_ database: Database) {
        do { try database.execute(sql: "PRAGMA synchronous = FULL") } catch { preconditionFailure("synchronous=FULL refused: \(error)") }
    }

    // MARK: Writing

    /// Begins a run with its first event: ``RunEvent/runStarted(_:)`` with the bytes of the plan file, or
    /// ``RunEvent/commandRun(_:)`` without a plan. The run and the event are written together or not at all.
    @discardableResult
    public func begin(_ run: RunID, kind: RunKind, plan: Data?, firstEvent: RunEvent) throws(Problem) -> StampedEvent {
        var text: String?
        if let plan {
            guard let valid = String(validating: plan, as: UTF8.self) else {
                throw Problem(code: "plan-invalid", what: "The plan is not UTF-8 text.", remedy: "Make the plan again with `fleet plan`.")
            }
            text = valid
        }
        var digest: String?
        if case .runStarted(let start) = firstEvent { digest = start.planDigest }
        let at = clock()
        let first = try row(of: firstEvent)
        return try attempt("write the beginning of a run") { database in
            try database.inTransaction(.immediate) {
                try database.execute(
                    sql: "INSERT INTO runs (id, kind, started, plan, plan_digest) VALUES (?, ?, ?, ?, ?)",
                    arguments: [run.text, kind.rawValue, at.description, text, digest])
                try Self.insert(first, of: run, at: at, into: database)
                return .commit
            }
            return StampedEvent(sequence: database.lastInsertedRowID, at: at.description, event: firstEvent)
        }
    }

    /// Appends one event to a run that has begun, and waits for the disk.
    ///
    /// It does not suspend: an actor that appends and then applies the event does both in the order of the journal, and a
    /// cancelled task still writes what happened.
    ///
    /// - Throws: `journal-refused` for an event the schema does not allow, such as a second intent of one step.
    @discardableResult
    public func append(_ event: RunEvent, to run: RunID) throws(Problem) -> StampedEvent {
        let row = try row(of: event)
        return try attempt("write an event") { try Self.append(event, as: row, to: run, at: clock(), in: $0) }
    }

    private static func append(
        _ event: RunEvent, as row: EventRow, to run: RunID, at: Timestamp, in database: Database
    ) throws -> StampedEvent {
        // Without the sync the order stays: the next synced event takes the ones before it to the disk.
        let isSynced = EventRow.mustBeSynced(event)
        if !isSynced { try database.execute(sql: "PRAGMA synchronous = NORMAL") }
        defer { if !isSynced { syncEveryCommit(database) } }
        try database.inTransaction(.immediate) {
            try insert(row, of: run, at: at, into: database)
            return .commit
        }
        return StampedEvent(sequence: database.lastInsertedRowID, at: at.description, event: event)
    }

    /// Lets a run that was left unfinished go on: from now on its steps may be intended once more.
    ///
    /// - Returns: The number of the attempt that begins, 2 or more.
    @discardableResult
    public func resume(_ run: RunID) throws(Problem) -> Int {
        try attempt("write the resuming of a run") { database in
            var attempt = 0
            try database.inTransaction(.immediate) {
                try database.execute(
                    sql: "UPDATE runs SET attempt = attempt + 1 WHERE id = ? AND kind = 'upgrade'", arguments: [run.text])
                guard let raised = try Int.fetchOne(database, sql: "SELECT attempt FROM runs WHERE id = ?", arguments: [run.text])
                else {
                    throw Self.unknownRun(run.text)
                }
                attempt = raised
                return .commit
            }
            return attempt
        }
    }

    private static func insert(_ row: EventRow, of run: RunID, at: Timestamp, into database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO events (run, attempt, at, kind, host, step, body)
                VALUES (?, coalesce((SELECT attempt FROM runs WHERE id = ?), 1), ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [run.text, run.text, at.description, row.kind, row.host, row.step, row.body])
    }

    private func row(of event: RunEvent) throws(Problem) -> EventRow {
        do { return try EventRow(event) } catch { throw file.problem(error, doing: "write an event") }
    }

    /// SQLite's own word on how this connection commits: 2 is `FULL`.
    func synchronousLevel() throws -> Int? {
        try queue.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    }

    // MARK: Reading

    /// Every event of a run, in the order of writing; none if the run is not known.
    public func events(of run: RunID) throws(Problem) -> [StampedEvent] {
        try attempt("be read") {
            try Row.fetchAll($0, sql: "SELECT sequence, at, body FROM events WHERE run = ? ORDER BY sequence", arguments: [run.text])
                .map(EventRow.event)
        }
    }

    /// The events of a run after one that was read before: what a follower needs.
    public func events(of run: RunID, after sequence: Int64) throws(Problem) -> [StampedEvent] {
        try attempt("be read") {
            try Row.fetchAll(
                $0, sql: "SELECT sequence, at, body FROM events WHERE run = ? AND sequence > ? ORDER BY sequence",
                arguments: [run.text, sequence]
            ).map(EventRow.event)
        }
    }

    /// What people have said of steps of a run, after an event that was read before.
    public func answers(in run: RunID, after sequence: Int64) throws(Problem) -> [StampedEvent] {
        try attempt("be read") {
            try Row.fetchAll(
                $0,
                sql: "SELECT sequence, at, body FROM events WHERE run = ? AND sequence > ? AND kind = 'step-answered' ORDER BY sequence",
                arguments: [run.text, sequence]
            ).map(EventRow.event)
        }
    }

    /// The plan file a run carries out, byte for byte; nil for a command, or if the run is not known.
    public func plan(of run: RunID) throws(Problem) -> Data? {
        try attempt("be read") {
            try String.fetchOne($0, sql: "SELECT plan FROM runs WHERE id = ?", arguments: [run.text]).map { Data($0.utf8) }
        }
    }

    /// A run folded from its events; whether it is alive is asked of its ``RunLock``.
    public func record(of run: RunID) throws(Problem) -> RunRecord {
        let isAlive = RunLock.isHeld(run, in: folder)
        return RunRecord(id: run, events: try events(of: run), isAlive: isAlive)
    }

    /// The runs on file, the newest first.
    public func runs(limit: Int = 20) throws(Problem) -> [RunSummary] {
        try attempt("be read") {
            try Row.fetchAll(
                $0,
                sql: """
                    SELECT id, kind, started, plan_digest,
                        EXISTS (SELECT 1 FROM events WHERE run = runs.id AND
                            (kind = 'command-run' OR (kind = 'run-ended' AND attempt = runs.attempt))) AS is_ended
                    FROM runs ORDER BY started DESC, id DESC LIMIT ?
                    """, arguments: [max(0, limit)]
            ).compactMap { row in
                guard let id = RunID(row["id"]), let kind = RunKind(rawValue: row["kind"]) else { return nil }
                return RunSummary(
                    id: id, kind: kind, started: row["started"], planDigest: row["plan_digest"], isEnded: row["is_ended"])
            }
        }
    }

    /// How long the service of each host of a run was down in its last run before that one, as far as it was measured.
    public func downtimes(before record: RunRecord) throws(Problem) -> [HostName: Duration] {
        var wanted = Set(record.hosts.map(\.name))
        var found: [HostName: Duration] = [:]
        for run in try runs(limit: Self.mostRunsCompared) where run.kind == .upgrade && run.id.text < record.id.text {
            guard !wanted.isEmpty else { break }
            for host in try self.record(of: run.id).hosts where wanted.contains(host.name) {
                guard let downtime = host.downtime else { continue }
                found[host.name] = downtime
                wanted.remove(host.name)
            }
        }
        return found
    }

    /// How many runs are looked through for the last one of a host: each is read as a whole.
    private static let mostRunsCompared = 50

    /// The run that began last; nil if there is none of this kind.
    public func latestRun(_ kind: RunKind? = nil) throws(Problem) -> RunID? {
        try attempt("be read") {
            try String.fetchOne(
                $0, sql: "SELECT id FROM runs WHERE ?1 IS NULL OR kind = ?1 ORDER BY started DESC, id DESC LIMIT 1",
                arguments: [kind?.rawValue]
            ).flatMap(RunID.init)
        }
    }

    /// The run a person means: its id, or a beginning or end of it that no other run has.
    ///
    /// - Throws: `run-unknown`, `run-ambiguous`.
    public func run(named text: String) throws(Problem) -> RunID {
        let matches = try attempt("be read") {
            try String.fetchAll(
                $0,
                sql: """
                    SELECT id FROM runs WHERE length(?1) > 0 AND (substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1)
                    ORDER BY started DESC LIMIT 6
                    """, arguments: [text])
        }
        if let exact = matches.first(where: { $0 == text }).flatMap(RunID.init) { return exact }
        guard let match = matches.first, let id = RunID(match) else { throw Self.unknownRun(text) }
        guard matches.count == 1 else {
            throw Problem(
                code: "run-ambiguous", what: "Several runs begin or end with this.", place: .argument(text),
                remedy: "Give more of the id: \(matches.prefix(5).joined(separator: ", "))\(matches.count > 5 ? " ..." : "").")
        }
        return id
    }

    private static func unknownRun(_ text: String) -> Problem {
        Problem(
            code: "run-unknown", what: "No run has this id.", place: .argument(text),
            remedy: "`fleet history` lists the runs; another folder is read with `--logs DIR`.")
    }

    /// Calls SQLite and says what went wrong in a person's words.
    func attempt<Value>(_ doing: String, _ body: (Database) throws -> Value) throws(Problem) -> Value {
        do { return try queue.writeWithoutTransaction(body) } catch { throw file.problem(error, doing: doing) }
    }
}

/// A run in a list of runs.
public struct RunSummary: Hashable, Sendable {
    /// The run.
    public var id: RunID
    /// What it does.
    public var kind: RunKind
    /// When it began, RFC 3339.
    public var started: String
    /// SHA-256 of the plan file; nil for a command.
    public var planDigest: String?
    /// Whether an event says that it ended.
    public var isEnded: Bool
}

extension Timestamp {
    /// This moment.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

extension RunID {
    /// A new id for a run that begins now.
    public static func new(now: Timestamp = .now()) -> RunID {
        var generator = SystemRandomNumberGenerator()
        return RunID(at: now, using: &generator)
    }
}
