import FleetCore
import FleetJournal
import FleetRollout
import Foundation

/// Where a run's events go: the journal first, then the record in memory, `events.jsonl` and the display.
actor RunRecorder: RunJournal {
    private let journal: Journal
    private let run: RunID
    private let display: ProgressDisplay?
    private let lines: FileHandle
    /// The run so far.
    private(set) var record: RunRecord
    /// The last event that was looked through for answers of people.
    private var answered: Int64

    /// Begins a run: its first event is in the journal when this returns.
    init(beginning run: RunID, start: RunStart, plan: Data, in journal: Journal, display: ProgressDisplay?) throws {
        self.journal = journal
        self.run = run
        self.display = display
        lines = try RunFolder(of: run, in: journal.folder).appending(Self.fileName)
        let first = try journal.begin(run, kind: .upgrade, plan: plan, firstEvent: .runStarted(start))
        record = RunRecord(id: run, events: [first], isAlive: true)
        answered = first.sequence
        try lines.write(contentsOf: Self.line(first))
    }

    /// Takes a run up again that was left unfinished.
    init(resuming run: RunID, note: RunResume, in journal: Journal, display: ProgressDisplay?) throws {
        self.journal = journal
        self.run = run
        self.display = display
        try journal.resume(run)
        try journal.append(.runResumed(note), to: run)
        let events = try journal.events(of: run)
        record = RunRecord(id: run, events: events, isAlive: true)
        answered = events.last?.sequence ?? 0
        try Self.rewrite(events, of: run, in: journal)
        lines = try RunFolder(of: run, in: journal.folder).appending(Self.fileName)
    }

    private static let fileName = "events.jsonl"

    /// Writes the events anew as the journal has them: a coordinator that was killed left the file behind it, or its last line torn.
    private static func rewrite(_ events: [StampedEvent], of run: RunID, in journal: Journal) throws {
        try RunFolder(of: run, in: journal.folder).replace(fileName, with: events.reduce(into: Data()) { $0 += try line($1) })
    }

    /// Writes an event of a run that nobody carries out; whoever calls holds the run.
    static func append(_ event: RunEvent, to run: RunID, in journal: Journal) throws {
        try journal.append(event, to: run)
        try rewrite(try journal.events(of: run), of: run, in: journal)
    }

    func append(_ event: RunEvent) async throws {
        let stamped = try journal.append(event, to: run)
        record.apply(stamped)
        try lines.write(contentsOf: Self.line(stamped))
        #if DEBUG
            dieIfAsked(after: event)
        #endif
        await display?.show(event, record: record, at: stamped.at)
    }

    func standing(of host: HostName) async throws -> HostRecord? {
        for stamped in try journal.answers(in: run, after: answered) {
            answered = stamped.sequence
            record.apply(stamped)
            try lines.write(contentsOf: Self.line(stamped))
            await display?.show(stamped.event, record: record, at: stamped.at)
        }
        return record[host]
    }

    #if DEBUG
        /// For tests of what is left behind, in debug builds: the variable `FLEET_DIE_AFTER_EVENTS` kills the process once so many
        /// events are on disk.
        private func dieIfAsked(after event: RunEvent) {
            guard let most = Self.mostEvents else { return }
            if case .stepProgress = event { return }
            written += 1
            if written >= most { kill(getpid(), SIGKILL) }
        }

        private var written = 0
        private static let mostEvents = ProcessInfo.processInfo.environment["FLEET_DIE_AFTER_EVENTS"].flatMap(Int.init)
    #endif

    /// The run as it would stand if it ended now.
    private var closed: RunRecord {
        var closed = record
        closed.isAlive = false
        // A run without an end counts as left behind; this one is about to get its end.
        closed.apply(StampedEvent(sequence: 0, at: Timestamp.now().description, event: .runEnded(outcome: .running, exitStatus: 0)))
        return closed
    }

    func outcome() -> RunOutcome { closed.outcome }

    /// Writes how the run ended, computed from what the journal holds.
    func end() async throws {
        let closed = closed
        try await append(.runEnded(outcome: closed.outcome, exitStatus: Int(closed.exitStatus?.rawValue ?? 1)))
    }

    private struct Line: Encodable {
        var sequence: Int64
        var at: String
        var event: RunEvent
    }

    private static func line(_ stamped: StampedEvent) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Line(sequence: stamped.sequence, at: stamped.at, event: stamped.event)) + Data("\n".utf8)
    }
}

/// The folder of one run's files, 0700, its files 0600.
struct RunFolder {
    /// Its path.
    let path: String

    /// Names the folder of a run; nothing is made yet.
    init(of run: RunID, in folder: String) { path = folder + "/" + run.text }

    /// Opens one of its files for appending, making folder and file where they are missing.
    func appending(_ name: String) throws -> FileHandle {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw unwritable(path) }
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(path + "/" + name) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Puts a file with these contents in the place of one of its files: whoever reads sees the old one or the new one, whole.
    func replace(_ name: String, with contents: Data) throws {
        let aside = ".\(name).new"
        let file = try appending(aside)
        do {
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: contents)
            try file.synchronize()
        } catch { throw unwritable(path + "/" + name, cause: error.localizedDescription) }
        guard rename(path + "/" + aside, path + "/" + name) == 0 else { throw unwritable(path + "/" + name) }
    }

    /// Nothing can be written to one of its files; says why from `errno` unless told.
    func unwritable(_ path: String, cause: String = String(cString: strerror(errno))) -> Problem {
        Problem(
            code: "logs-unwritable", what: "Nothing can be written to \(path).", place: .file(path, line: nil),
            remedy: "Make room or mend the permissions, or choose another folder with --logs DIR.", cause: cause)
    }
}

/// The log of each host in a run's folder: what its steps wrote, byte for byte.
actor HostLogs: StepLog {
    private let folder: RunFolder
    private var files: [HostName: FileHandle] = [:]

    /// Creates logs in the folder of a run.
    init(in folder: RunFolder) { self.folder = folder }

    func append(_ bytes: ArraySlice<UInt8>, of host: HostName) throws {
        let file = try file(of: host)
        try attempt(host) { try file.write(contentsOf: Data(bytes)) }
    }

    func secure(_ host: HostName) throws {
        let file = try file(of: host)
        try attempt(host) { try file.synchronize() }
    }

    func length(of host: HostName) throws -> Int64 {
        let file = try file(of: host)
        return try attempt(host) { Int64(try file.seekToEnd()) }
    }

    func cut(_ host: HostName, to length: Int64) throws {
        let file = try file(of: host)
        try attempt(host) {
            try file.truncate(atOffset: UInt64(max(0, length)))
            try file.synchronize()
        }
    }

    private func file(of host: HostName) throws -> FileHandle {
        if let open = files[host] { return open }
        let file = try folder.appending("\(host).log")
        files[host] = file
        return file
    }

    private func attempt<Value>(_ host: HostName, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch {
            throw folder.unwritable("\(folder.path)/\(host).log", cause: error.localizedDescription)
        }
    }
}
