import FleetCore

/// Starts one job on a host and follows it to its end.
struct JobRunner: Sendable {
    let host: HostName
    let job: Job
    /// How long the job may take before it is reported overdue. It is never killed.
    let limit: Duration
    /// How many bytes of its output are in the log already.
    var offset: Int64 = 0
    let link: HostLink
    let journal: any RunJournal
    let log: any StepLog
    let now: @Sendable () -> Duration

    /// How a job ended, as far as its host said.
    enum Ending: Sendable {
        /// With this status, and the last lines of its output.
        case exited(UInt8, lastWords: String)
        /// It was not started; the host said why.
        case refused(String)
        /// It began, left no status, and nothing of it runs any more: a power cut, a reboot, somebody's `kill -9`.
        case vanished(lastWords: String)
        /// Nobody knows.
        case unknown(Reason)
    }

    /// How long a follower may be silent: it speaks every five seconds.
    static let silence = Duration.seconds(30)

    /// Runs the job. What a host does is the result; only Fleet's own failures are thrown.
    func run() async throws -> Ending {
        do {
            let nonce = Nonce.make()
            let answer = try await link.observe(job.startScript(nonce: nonce), within: .seconds(60))
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

    /// Follows the job to its end, over as many connections as it takes: each goes on at the byte the last one came to.
    private func follow() async throws -> Ending {
        let reader = FrameReader(host: host, step: job.step, offset: offset, deadline: now() + limit, journal: journal, log: log, now: now)
        let deadline = now() + limit
        var setbacks = 0
        while true {
            let nonce = Nonce.make()
            let begin = await reader.begin(nonce: nonce)
            let heard = await reader.heard
            do {
                try await link.follow(job.followScript(offset: begin, nonce: nonce), silence: Self.silence) { bytes in
                    try await reader.take(bytes)
                }
                switch await reader.last {
                case .exited(let status): return .exited(status, lastWords: await reader.lastWords)
                case .vanished: return .vanished(lastWords: await reader.lastWords)
                default: throw LinkLost("the follower ended before the step did")
                }
            } catch is FrameReader.Overdue {
                return .unknown(Reason(.jobOverdue, ["limit": limit.text, "words": await reader.lastWords]))
            } catch let lost as LinkLost {
                // The end may have been heard before the connection broke.
                if case .exited(let status) = await reader.last { return .exited(status, lastWords: await reader.lastWords) }
                if now() > deadline { return .unknown(Reason(.jobOverdue, ["limit": limit.text, "words": await reader.lastWords])) }
                // A host that lets us in and says nothing of use is not asked again at once, and not for ever.
                setbacks = await reader.heard > heard ? 0 : setbacks + 1
                try await link.restore(after: lost, until: await reader.heard + link.patience, setbacks: setbacks)
            }
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
    private var parser = JobFrameParser(nonce: "")
    private var offset: Int64
    private var recorded: Int64
    private var recordedAt: Duration
    private var tail: [UInt8] = []
    private(set) var last: JobFrame?
    /// When the host was last heard.
    private(set) var heard: Duration

    /// The job runs longer than it may.
    struct Overdue: Error {}

    init(
        host: HostName, step: StepID, offset: Int64, deadline: Duration, journal: any RunJournal, log: any StepLog,
        now: @escaping @Sendable () -> Duration
    ) {
        self.host = host
        self.offset = offset
        recorded = offset
        heard = now()
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

    /// Begins with another follower; answers from which byte of the output on it shall tell.
    func begin(nonce: String) -> Int64 {
        parser = JobFrameParser(nonce: nonce)
        return offset
    }

    func take(_ bytes: ArraySlice<UInt8>) async throws {
        let frames: [JobFrame]
        do { frames = try parser.take(bytes) } catch {
            throw LinkLost("the host sent what no follower says: \(error.line.escapedForTerminal())")
        }
        if !frames.isEmpty { heard = now() }
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
        // Progress is written at most once a second: each entry is a synced write.
        if offset > recorded, last != nil || now() - recordedAt > .seconds(1) {
            recorded = offset
            recordedAt = now()
            try await log.secure(host)
            try await journal.append(.stepProgress(host: host, step: step, offset: offset))
        }
        // A step that writes all the time is overdue as much as a silent one.
        if last == nil, now() > deadline { throw Overdue() }
    }
}
