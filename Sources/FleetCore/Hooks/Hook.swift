/// A program of the operator's that a run calls on the coordinator.
public struct Hook: Hashable, Sendable, Codable {
    /// The program and its arguments; no shell reads them. The first is an absolute path, or a name to be looked up in `PATH`.
    public var command: [String]
    /// How long it may take; it is ended then.
    public var limit: Duration
    /// What its failure means for the run.
    public var onFailure: HookPolicy

    /// How long a hook may take that does not say.
    public static let usualLimit = Duration.seconds(60)

    /// Creates a hook; `command` has one word at least.
    public init(command: [String], limit: Duration = Hook.usualLimit, onFailure: HookPolicy) {
        self.command = command
        self.limit = limit
        self.onFailure = onFailure
    }
}

/// The moments of a run at which a hook may be called, in the spelling of files and reports.
public enum HookEvent: String, Hashable, Sendable, Codable, CaseIterable {
    /// Before the first host of an attempt is begun.
    case beforeRun = "before_run"
    /// At the end of an attempt, however it ended.
    case afterRun = "after_run"
    /// Before a wave is opened.
    case beforeWave = "before_wave"
    /// Once no host of an open wave is at work, and none will be begun.
    case afterWave = "after_wave"
    /// Before a host is connected to for the first time.
    case beforeHost = "before_host"
    /// Once the work on a host has ended, however it ended.
    case afterHost = "after_host"

    /// What a failure means where the inventory does not say.
    public var usualPolicy: HookPolicy {
        switch self {
        case .beforeRun, .beforeWave, .beforeHost: .stop
        case .afterRun, .afterWave, .afterHost: .warn
        }
    }
}

/// What the failure of a hook means for the run.
public enum HookPolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing more is begun; before a host: that host is not begun.
    case stop
    /// It is written down, and the run goes on.
    case warn
}

/// What a hook is told: which moment it is, and of what.
public struct HookCall: Hashable, Sendable {
    /// The moment.
    public var event: HookEvent
    /// The run.
    public var run: RunID
    /// The version every host shall have.
    public var target: CanopsisVersion
    /// The wave, counted from 1; nil for a hook of the run.
    public var wave: Int?
    /// The hosts it is about: those the plan has work for in the run or the wave, or the one host.
    public var hosts: [HostName]
    /// The host; nil for a hook of the run or of a wave.
    public var host: HostName?
    /// How the run or the host ended, in the spelling of reports; nil before that, and for a wave.
    public var outcome: String?
    /// Why the host ended so; nil where there is nothing to say.
    public var reason: Reason?

    /// Creates a call.
    public init(
        _ event: HookEvent, run: RunID, target: CanopsisVersion, wave: Int? = nil, hosts: [HostName], host: HostName? = nil,
        outcome: String? = nil, reason: Reason? = nil
    ) {
        self.event = event
        self.run = run
        self.target = target
        self.wave = wave
        self.hosts = hosts
        self.host = host
        self.outcome = outcome
        self.reason = reason
    }
}

/// How a hook ended.
public struct HookEnding: Hashable, Sendable, Codable {
    /// How it ended.
    public var outcome: HookOutcome
    /// Its exit status; nil if a signal ended it, or it was not started.
    public var exit: Int?
    /// How long it took, in seconds.
    public var seconds: Int
    /// Why it failed where no status says so, as a sentence without a full stop; nil otherwise.
    public var words: String?

    /// Creates an ending.
    public init(_ outcome: HookOutcome, exit: Int? = nil, seconds: Int, words: String? = nil) {
        self.outcome = outcome
        self.exit = exit
        self.seconds = seconds
        self.words = words
    }
}

/// How a hook ended, in the spelling of reports.
public enum HookOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// With status 0.
    case ok
    /// With another status or by a signal, or it could not be started.
    case failed
    /// It was ended when its time was over.
    case timedOut = "timed-out"
}

/// One call of a hook as the journal names it.
public struct HookMoment: Hashable, Sendable, Codable {
    /// The moment.
    public var event: HookEvent
    /// The wave; nil for a hook of the run.
    public var wave: Int?
    /// The host; nil for a hook of the run or of a wave.
    public var host: HostName?
    /// What its failure means.
    public var policy: HookPolicy

    /// Creates a moment.
    public init(_ event: HookEvent, wave: Int? = nil, host: HostName? = nil, policy: HookPolicy) {
        self.event = event
        self.wave = wave
        self.host = host
        self.policy = policy
    }

    /// The call for a sentence: `hook before_host of acme-1`.
    public var text: String {
        let what = host.map { " of \($0)" } ?? wave.map { " of wave \($0)" } ?? ""
        return "hook \(event.rawValue)\(what)"
    }
}

extension HookEnding {
    /// The ending for a sentence without a full stop: `failed (exit status 3)`.
    public var text: String {
        switch outcome {
        case .ok: "ended well"
        case .timedOut: "took longer than it may, and was ended"
        case .failed: "failed (\(exit.map { "exit status \($0)" } ?? words ?? "it was killed"))".escapedForTerminal()
        }
    }
}
