import FleetCore

/// Starts one job on a host and follows it to its end.
struct JobRunner: Sendable {
    let host: HostName
    let job: Job
    /// How long the job may take before it is reported overdue. It is never killed.
    let limit: Duration
    let connection: any HostConnection
    let journal: any RunJournal
    let log: any StepLog
    let now: @Sendable () -> Duration

    /// How a job ended, as far as its host said.
    enum Ending: Sendable {
        /// With this status, and the last lines of its output.
        case exited(UInt8, lastWords: String)
        /// It was not started; the host said why.
        case refused(String)
        /// Nobody knows.
        case unknown(Reason)
    }

    /// How long a follower may be silent: it speaks every five seconds.
    static let silence = Duration.seconds(30)

    /// Runs the job. What a host does is the result; only Fleet's own failures are thrown.
    func run() async throws -> Ending {
        do {
            let nonce = Nonce.make()
            let answer = try await connection.observe(job.startScript(nonce: nonce), within: .seconds(60))
            switch Job.startAnswer(in: answer.output, nonce: nonce) {
            case .refused(let words): return .refused(words)
            case .unsure(let words): return .unknown(Reason(.startUnknown, ["words": words]))
            case nil: return .unknown(Reason(.startUnknown, ["words": "the host did not say"]))
            case .started, .claimed: try await journal.append(.stepStarted(host: host, step: job.step))
            }
            return try await follow()
        } catch let lost as LinkLost {
            return .unknown(Reason(.linkLost, ["words": lost.words]))
        }
    }

    private func follow() async throws -> Ending {
        let nonce = Nonce.make()
        let reader = FrameReader(nonce: nonce, host: host, step: job.step, deadline: now() + limit, journal: journal, log: log, now: now)
        do {
            try await connection.follow(job.followScript(offset: 0, nonce: nonce), silence: Self.silence) { bytes in
                try await reader.take(bytes)
            }
        } catch is FrameReader.Overdue {
            return .unknown(Reason(.jobOverdue, ["limit": limit.text, "words": await reader.lastWords]))
        }
        switch await reader.last {
        case .exited(let status): return .exited(status, lastWords: await reader.lastWords)
        case .vanished: return .unknown(Reason(.jobVanished, ["words": await reader.lastWords]))
        default: return .unknown(Reason(.linkLost, ["words": "the follower ended before the step did"]))
        }
    }
}

/// Takes a follower's frames: the output goes to the log and only then its offset to the journal.
private actor FrameReader {
    private let host: HostName
    private let step: StepID
    private let deadline: Duration
    private let journal: any RunJournal
    private let log: any StepLog
    private let now: @Sendable () -> Duration
    private var parser: JobFrameParser
    private var offset: Int64 = 0
    private var recorded: Int64 = 0
    private var recordedAt: Duration
    private var tail: [UInt8] = []
    private(set) var last: JobFrame?

    /// The job runs longer than it may.
    struct Overdue: Error {}

    init(
        nonce: String, host: HostName, step: StepID, deadline: Duration, journal: any RunJournal, log: any StepLog,
        now: @escaping @Sendable () -> Duration
    ) {
        parser = JobFrameParser(nonce: nonce)
        self.host = host
        self.step = step
        self.deadline = deadline
        self.journal = journal
        self.log = log
        self.now = now
        recordedAt = now()
    }

    /// The last lines of the output, at most 500 bytes, as text.
    var lastWords: String {
        String(decoding: tail.suffix(500), as: UTF8.self).split(whereSeparator: \.isNewline).suffix(4).joined(separator: "\n")
    }

    func take(_ bytes: ArraySlice<UInt8>) async throws {
        let frames: [JobFrame]
        do { frames = try parser.take(bytes) } catch {
            throw LinkLost("the host sent what no follower says: \(error.line.escapedForTerminal())")
        }
        for frame in frames {
            switch frame {
            case .output(let part):
                try await log.append(part, of: host)
                offset += Int64(part.count)
                tail += part.suffix(2048)
                if tail.count > 4096 { tail.removeFirst(tail.count - 2048) }
            case .alive: break
            case .exited, .vanished:
                last = frame
            }
        }
        // A job that never stops talking is never `alive`: the limit holds for it as well.
        if last == nil, now() > deadline { throw Overdue() }
        // Progress is written at most once a second: each entry is a synced write.
        if offset > recorded, last != nil || now() - recordedAt > .seconds(1) {
            recorded = offset
            recordedAt = now()
            try await journal.append(.stepProgress(host: host, step: step, offset: offset))
        }
        // A step that writes all the time is overdue as much as a silent one.
        if last == nil, now() > deadline { throw Overdue() }
    }
}
