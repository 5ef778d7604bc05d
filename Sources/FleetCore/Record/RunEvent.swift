/// One thing that happened in a run, as the journal keeps it.
///
/// The intent is on disk before a host is touched: a start without an end means that nobody knows.
public enum RunEvent: Hashable, Sendable, Codable {
    /// A run began with these hosts; what is skipped, blocked or unreachable by the plan says so here.
    case runStarted(RunStart)
    /// A run that was left unfinished goes on.
    case runResumed(RunResume)
    /// A wave was opened.
    case waveStarted(wave: Int)
    /// The pause before this wave began; its length is written like `10m`.
    case pauseStarted(wave: Int, length: String)
    /// This wave needs a person's approval: it and those after it are not begun.
    case approvalNeeded(wave: Int)
    /// A person approved this wave, from another process and after the run had ended.
    case approved(wave: Int, by: String)
    /// A host is not begun, though nothing stopped the rollout.
    case hostHeldBack(host: HostName, reason: Reason)
    /// A host is about to be connected to.
    case hostStarted(host: HostName)
    /// The units and the web interface of a host before its first step: what success is measured by, however often the run is taken up
    /// again. `service` is nil in a run of a Fleet that looked at units alone.
    case baselineTaken(host: HostName, units: [UnitState], service: ServiceBaseline? = nil)
    /// What the host was before its first step is saved on it.
    case stateSaved(host: HostName, state: SavedState)
    /// The connection to a host was lost; it is being made anew.
    case linkLost(host: HostName, words: String)
    /// The connection to a host is there again.
    case linkRestored(host: HostName)
    /// A step is about to be started on a host; its heading stands in the local log from this byte on.
    case stepIntended(host: HostName, step: StepID, title: String, logOffset: Int64 = 0)
    /// A step that began before, and whose end a look at the host or a person decided about, is about to be started once more.
    case stepRepeated(host: HostName, step: StepID, because: Reason, logOffset: Int64 = 0)
    /// The host said that the step's job runs.
    case stepStarted(host: HostName, step: StepID)
    /// The host's log up to this byte offset of the step's output is safe in the local log.
    case stepProgress(host: HostName, step: StepID, offset: Int64)
    /// A step ended; `verified` is what a look at the instance found beside its verdict, nil for every other step.
    case stepEnded(host: HostName, step: StepID, outcome: StepOutcome, exit: Int?, reason: Reason?, verified: VerifiedInstance? = nil)
    /// A host has come to a step that a person does, or must look at; it waits for the answer.
    case stepAwaited(host: HostName, step: StepID, title: String, instruction: String)
    /// A person said what became of a step, from another process.
    case stepAnswered(host: HostName, step: StepID, answer: StepAnswer)
    /// The work on a host ended; `version` is what was read back.
    case hostEnded(host: HostName, outcome: HostOutcome, reason: Reason?, version: CanopsisVersion?)
    /// The rollout stopped: nothing new is started.
    case rolloutStopped(reason: String)
    /// A signal or an operator asked to stop.
    case interrupted(signal: String)
    /// A hook is about to be called on the coordinator.
    case hookIntended(moment: HookMoment)
    /// A hook has ended.
    case hookEnded(moment: HookMoment, ending: HookEnding)
    /// The run ended; computed from the events before.
    case runEnded(outcome: RunOutcome, exitStatus: Int)
    /// `fleet exec` ran a command: the one event of such a run.
    case commandRun(CommandRun)
}

/// What a person said of a step that a run waits with.
public struct StepAnswer: Hashable, Sendable, Codable {
    /// What became of the step.
    public var verdict: Verdict
    /// Who says so.
    public var person: String
    /// What there is to remember about it; nil if nothing was said.
    public var note: String?

    /// What became of a step.
    public enum Verdict: String, Hashable, Sendable, Codable {
        /// It is done.
        case done
        /// It is not, and need not be.
        case skipped
    }

    /// Creates an answer.
    public init(_ verdict: Verdict, by person: String, note: String?) {
        self.verdict = verdict
        self.person = person
        self.note = note
    }
}

/// How a run was taken up again.
public struct RunResume: Hashable, Sendable, Codable {
    /// Who did: the account's name.
    public var person: String
    /// The machine it goes on from.
    public var machine: String
    /// Whether hosts that failed are tried again from the step they failed at.
    public var retriesFailed: Bool

    /// Creates the note.
    public init(person: String, machine: String, retriesFailed: Bool) {
        self.person = person
        self.machine = machine
        self.retriesFailed = retriesFailed
    }
}

/// How a run began.
public struct RunStart: Hashable, Sendable, Codable {
    /// The version every host shall have.
    public var target: CanopsisVersion
    /// SHA-256 of the plan file, hexadecimal.
    public var planDigest: String
    /// Who started it: the account's name.
    public var person: String
    /// The machine it was started on.
    public var machine: String
    /// What it is for, in the words of who started it; nil if nothing was said.
    public var purpose: String?
    /// Who has read the notes of the releases on the way; nil in a run of a Fleet that did not ask.
    public var notes: [Acknowledgement]?
    /// Every selected host, in the order of the inventory.
    public var hosts: [HostStart]

    /// Creates the beginning of a run.
    public init(
        target: CanopsisVersion, planDigest: String, person: String, machine: String, purpose: String? = nil,
        notes: [Acknowledgement]? = nil, hosts: [HostStart]
    ) {
        self.purpose = purpose
        self.notes = notes
        self.target = target
        self.planDigest = planDigest
        self.person = person
        self.machine = machine
        self.hosts = hosts
    }
}

/// How a host stood when a run began.
public struct HostStart: Hashable, Sendable, Codable {
    /// The host.
    public var name: HostName
    /// Its address.
    public var address: String
    /// Its wave, counted from 1; nil if the plan has no work for it.
    public var wave: Int?
    /// The version installed before.
    public var from: CanopsisVersion?
    /// `not_started` for a host with work to do, else what the plan decided.
    public var outcome: HostOutcome
    /// Why, where the plan decided.
    public var reason: Reason?
    /// The gates that would have kept it out, by name, with the reason why the inventory overrides them; nil if there is none.
    public var overrides: [String: String]?

    /// Creates the standing of a host.
    public init(
        name: HostName, address: String, wave: Int?, from: CanopsisVersion?, outcome: HostOutcome, reason: Reason?,
        overrides: [String: String]? = nil
    ) {
        self.overrides = overrides
        self.name = name
        self.address = address
        self.wave = wave
        self.from = from
        self.outcome = outcome
        self.reason = reason
    }
}

/// What `fleet exec` did: the command and how it ended on each host, without its output.
public struct CommandRun: Hashable, Sendable, Codable {
    /// The command as given.
    public var command: String
    /// Who ran it.
    public var person: String
    /// When it began, RFC 3339.
    public var started: String
    /// How it ended, by host: an exit status as a number, else `killed SIGNAL`, `unreported`, `unreachable`.
    public var endings: [String: String]
    /// What `fleet exec` exited with.
    public var exitStatus: Int

    /// Creates the record of a command.
    public init(command: String, person: String, started: String, endings: [String: String], exitStatus: Int) {
        self.command = command
        self.person = person
        self.started = started
        self.endings = endings
        self.exitStatus = exitStatus
    }
}

/// An event with its place in the journal and its time.
public struct StampedEvent: Hashable, Sendable {
    /// Its place in the journal, rising.
    public var sequence: Int64
    /// When it was written, RFC 3339 in UTC with milliseconds.
    public var at: String
    /// What happened.
    public var event: RunEvent

    /// Creates a stamped event.
    public init(sequence: Int64, at: String, event: RunEvent) {
        self.sequence = sequence
        self.at = at
        self.event = event
    }
}

/// The id of a run: `20261123-142501-x7k2`, sorts by time.
public struct RunID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The id as written: digits, lower-case letters and `-`, so it is one path component.
    public let text: String

    /// Nil unless `text` has the form `YYYYMMDD-HHMMSS-xxxx`.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        func isDigits(_ part: Substring, _ count: Int) -> Bool {
            part.utf8.count == count && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard parts.count == 3, isDigits(parts[0], 8), isDigits(parts[1], 6), parts[2].utf8.count == 4,
            parts[2].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) })
        else { return nil }
        self.text = text
    }

    /// For text that has the form by its making.
    init(trusted text: String) { self.text = text }

    /// The id as written.
    public var description: String { text }
}
