/// What a run did.
public enum RunKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Carried out a plan.
    case upgrade
    /// Ran one command on many hosts.
    case exec
}

/// A run read back: the fold of its events, complete or as far as they go.
///
/// Nothing is assumed. Outcomes and the exit status are computed from what the events say of the hosts; a start without
/// an end is `running` only while the coordinator lives. Live progress applies each event as it is written and reads the same values.
public struct RunRecord: Hashable, Sendable {
    /// The run's id.
    public let id: RunID
    /// Whether a coordinator carries the run out at this moment.
    public var isAlive: Bool
    /// What the run does; nil before its first event.
    public private(set) var kind: RunKind?
    /// The version every host shall have; nil for a command.
    public private(set) var target: CanopsisVersion?
    /// SHA-256 of the plan file, hexadecimal.
    public private(set) var planDigest: String?
    /// Who started it.
    public private(set) var person: String?
    /// The machine it was started on.
    public private(set) var machine: String?
    /// What it is for, in the words of who started it; nil if nothing was said.
    public private(set) var purpose: String?
    /// Who has read the notes of the releases on the way, oldest release first.
    public private(set) var notes: [Acknowledgement] = []
    /// When it began, RFC 3339.
    public private(set) var started: String?
    /// When it ended, RFC 3339; nil if no event says so.
    public private(set) var ended: String?
    /// The wave opened last, counted from 1.
    public private(set) var wave: Int?
    /// The pause that is under way; nil if none is.
    public private(set) var pause: Pause?
    /// The wave that an approval was asked for and that was not begun since; nil if there is none.
    public private(set) var awaitedWave: Int?
    /// Who approved which wave.
    public private(set) var approvals: [Int: String] = [:]
    /// The hooks that were called, in order.
    public private(set) var hooks: [HookRecord] = []
    /// Why the rollout was stopped, if it was.
    public private(set) var stop: String?
    /// The signal that interrupted the run, if one did: `INT` or `TERM`.
    public private(set) var signal: String?
    /// The command of `fleet exec` and its endings.
    public private(set) var command: CommandRun?
    /// How often the run was taken up again; nil if it never was.
    public private(set) var resumed: Int?
    /// When the last event was written, RFC 3339.
    public private(set) var lastEvent: String?

    /// The exit status written at the end, where it tells what no host can: 1, 2 or 8.
    private var ownFailure: ExitStatus?
    private var standings: [HostRecord] = []
    private var places: [HostName: Int] = [:]

    /// Creates the record of a run from its events in the order of the journal.
    public init(id: RunID, events: some Sequence<StampedEvent> = [], isAlive: Bool) {
        self.id = id
        self.isAlive = isAlive
        for event in events { apply(event) }
    }

    /// Takes the next event in.
    public mutating func apply(_ stamped: StampedEvent) {
        let at = stamped.at
        lastEvent = at
        switch stamped.event {
        case .runStarted(let start): begin(start, at: at)
        case .runResumed(let resume):
            reopen()
            resumed = (resumed ?? 0) + 1
            (person, machine) = (resume.person, resume.machine)
            pause = nil
            // A host that failed may end well this time, and give its places back.
            if resume.retriesFailed { for place in standings.indices { standings[place].forgetWhoHoldsItsPlace() } }
        case .waveStarted(let number):
            reopen()
            wave = number
            pause = nil
            if let awaitedWave, number >= awaitedWave {
                self.awaitedWave = nil
                for place in standings.indices { standings[place].forgetApproval() }
            }
        case .pauseStarted(let number, let length):
            reopen()
            pause = Pause(wave: number, since: at, length: Duration(length) ?? .zero)
        case .approvalNeeded(let number):
            awaitedWave = number
            for place in standings.indices { standings[place].awaitApproval(of: number) }
        case .approved(let number, let person):
            approvals[number] = person
            for place in standings.indices { standings[place].takeNote(ofApprovalBy: person, of: number) }
        case .hostHeldBack(let name, let reason): change(name) { $0.reason = reason }
        case .hostStarted(let name):
            reopen()
            change(name) { $0.begin(at: at) }
        case .baselineTaken(let name, let units, let service):
            change(name) {
                $0.baseline = units
                $0.serviceBaseline = service
            }
        case .stateSaved(let name, let state): change(name) { $0.saved = state }
        case .linkLost(let name, _): change(name) { $0.lostSince = at }
        case .linkRestored(let name): change(name) { $0.lostSince = nil }
        case .stepIntended(let name, let step, let title, let logOffset):
            reopen()
            change(name) { $0.intend(step, title: title, logOffset: logOffset, at: at) }
        case .stepRepeated(let name, let step, _, let logOffset):
            reopen()
            change(name) { $0.again(step, logOffset: logOffset, at: at) }
        case .stepStarted(let name, let step):
            change(name) { $0.confirmStart(of: step, at: at) }
        case .stepProgress(let name, let step, let offset):
            change(name) { $0.progress(in: step, to: offset) }
        case .stepEnded(let name, let step, let outcome, let exit, let reason, let verified):
            change(name) { $0.end(step, outcome: outcome, exit: exit, reason: reason, verified: verified, at: at) }
        case .stepAwaited(let name, let step, let title, let instruction):
            reopen()
            change(name) { $0.wait(for: step, title: title, instruction: instruction, at: at) }
        case .stepAnswered(let name, let step, let answer): change(name) { $0.take(answer, to: step, at: at) }
        case .hostEnded(let name, let outcome, let reason, let version):
            change(name) { $0.end(outcome: outcome, reason: reason, version: version, at: at) }
        case .rolloutStopped(let reason):
            stop = reason
            pause = nil
        case .hookIntended(let moment):
            reopen()
            hooks.append(HookRecord(moment: moment))
        case .hookEnded(let moment, let ending):
            if let place = hooks.lastIndex(where: { $0.moment == moment && $0.ending == nil }) { hooks[place].ending = ending }
        case .interrupted(let name): signal = String((name.hasPrefix("SIG") ? name.dropFirst(3) : name[...]).prefix(12))
        case .runEnded(_, let status):
            ended = at
            ownFailure = ExitStatus(rawValue: Int32(clamping: status)).flatMap { Self.notOfHosts.contains($0) ? $0 : nil }
        case .commandRun(let run):
            kind = .exec
            command = run
            person = run.person
            started = run.started
            ended = at
            ownFailure = ExitStatus(rawValue: Int32(clamping: run.exitStatus)).flatMap {
                Self.notOfHosts.contains($0) || $0 == .interrupted || $0 == .terminated ? $0 : nil
            }
        }
    }

    /// The wave that waits for a person's approval at this moment; nil if none does.
    public var waveToApprove: Int? {
        guard !isOpen, let awaitedWave, approvals[awaitedWave] == nil else { return nil }
        return standings.contains { $0.outcome == .waiting && $0.reason?.code == .approvalNeeded } ? awaitedWave : nil
    }

    /// Every selected host in the order of the inventory, each with the outcome it has now.
    public var hosts: [HostRecord] { standings.map(settled) }

    /// One host; nil if it was not selected.
    public subscript(name: HostName) -> HostRecord? {
        places[name].map { settled(standings[$0]) }
    }

    /// How many hosts have each outcome; outcomes nobody has are absent.
    public var counts: [HostOutcome: Int] {
        hosts.reduce(into: [:]) { $0[$1.outcome, default: 0] += 1 }
    }

    /// Whether the run is still being carried out.
    public var isOpen: Bool { ended == nil && isAlive }

    /// What a run that stands so exits with; nil while it is open.
    public var exitStatus: ExitStatus? {
        guard !isOpen else { return nil }
        var candidates: [ExitStatus] = ownFailure.map { [$0] } ?? []
        if let signal { candidates.append(signal == "TERM" ? .terminated : .interrupted) }
        if stop != nil { candidates.append(.stopped) }
        if let command { candidates += command.endings.values.map { ExitStatus(ExecEnding(word: $0)) } }
        let hosts = hosts
        candidates += hosts.map { ExitStatus($0.outcome) }
        // A run that leaves hosts behind is not done, whether or not an event says why.
        if ended == nil || kind == nil {
            candidates.append(.unreachable)
        } else if hosts.contains(where: { $0.outcome == .notStarted }) {
            candidates.append(.stopped)
        }
        return ExitStatus.first(of: candidates)
    }

    /// How the run as a whole ended, or that it has not.
    public var outcome: RunOutcome {
        switch exitStatus {
        case nil: .running
        case .done: .succeeded
        case .internalError, .usage, .planOutOfDate, .failed: .failed
        case .unreachable: .incomplete
        case .stopped: .stopped
        case .waiting: .waiting
        case .deferred: .deferred
        case .interrupted, .terminated: .interrupted
        }
    }

    /// Statuses that say what became of Fleet itself, not of a host.
    private static let notOfHosts: Set<ExitStatus> = [.internalError, .usage, .planOutOfDate]

    private mutating func begin(_ start: RunStart, at: String) {
        kind = .upgrade
        target = start.target
        planDigest = start.planDigest
        person = start.person
        machine = start.machine
        purpose = start.purpose
        notes = start.notes ?? []
        started = at
        for host in start.hosts where places[host.name] == nil {
            places[host.name] = standings.count
            standings.append(HostRecord(host))
        }
    }

    /// Work after an end is a resumed run: what ended it before does not count any more.
    private mutating func reopen() {
        guard ended != nil, kind == .upgrade else { return }
        (ended, stop, signal, ownFailure) = (nil, nil, nil, nil)
    }

    /// Changes one host; one that the run's start did not name is added, for no report may lose it.
    private mutating func change(_ name: HostName, _ body: (inout HostRecord) -> Void) {
        let place = places[name] ?? standings.count
        if place == standings.count {
            places[name] = place
            standings.append(
                HostRecord(HostStart(name: name, address: "", wave: nil, from: nil, outcome: .notStarted, reason: nil)))
        }
        body(&standings[place])
    }

    /// The host as it stands now that the run is, or is not, open.
    private func settled(_ host: HostRecord) -> HostRecord {
        var host = host
        if !isOpen, host.outcome == .running {
            host.outcome = host.steps.isEmpty ? .notStarted : .unknown
            host.reason = host.steps.isEmpty ? nil : Reason(.runEndedEarly)
        }
        if host.outcome == .notStarted, host.reason == nil { host.reason = whyNotStarted }
        if host.outcome != .running {
            host.leaveOpenStepsUnknown()
            host.lostSince = nil
        }
        return host
    }

    private var whyNotStarted: Reason? {
        if signal != nil { return Reason(.interrupted) }
        if let stop { return Reason(.rolloutStopped, ["words": stop]) }
        return isOpen || ended != nil ? nil : Reason(.runEndedEarly)
    }
}

/// One call of a hook in a run read back.
public struct HookRecord: Hashable, Sendable {
    /// Which moment it was for.
    public var moment: HookMoment
    /// How it ended; nil while it is under way, and if the coordinator ended before it.
    public internal(set) var ending: HookEnding?
}

/// A pause between two waves.
public struct Pause: Hashable, Sendable {
    /// The wave that follows.
    public var wave: Int
    /// When it began, RFC 3339.
    public var since: String
    /// How long it lasts.
    public var length: Duration

    /// Creates a pause.
    public init(wave: Int, since: String, length: Duration) {
        self.wave = wave
        self.since = since
        self.length = length
    }
}

/// One host in a run read back.
public struct HostRecord: Hashable, Sendable {
    /// The host.
    public var name: HostName
    /// Its address.
    public var address: String
    /// Its wave, counted from 1; nil if the plan has no work for it.
    public var wave: Int?
    /// How it stands.
    public internal(set) var outcome: HostOutcome
    /// Why it stands so, where there is something to say.
    public internal(set) var reason: Reason?
    /// The version before.
    public var from: CanopsisVersion?
    /// The gates that would have kept it out, by name, with the reason why they were overridden.
    public var overrides: [String: String]
    /// The version read back from the host at the end; nil if it was not read.
    public internal(set) var to: CanopsisVersion?
    /// When work on it began, RFC 3339.
    public internal(set) var started: String?
    /// When work on it ended, RFC 3339.
    public internal(set) var ended: String?
    /// Its units before the first step; nil before they were looked at.
    public internal(set) var baseline: [UnitState]?
    /// Its web interface before the first step; nil before it was looked at.
    public internal(set) var serviceBaseline: ServiceBaseline?
    /// What the last look at the instance found worth knowing.
    public internal(set) var warnings: [Reason] = []
    /// How long its service was down so far, from the first unit stopped to the first good login after it, over every restart; nil if it
    /// was never measured.
    public internal(set) var downtime: Duration?
    /// Since when it is down, RFC 3339: its units were stopped and no look was good since; nil while it is not.
    public internal(set) var downSince: String?
    /// What it was before its first step, saved on it; nil if nothing is.
    public internal(set) var saved: SavedState?
    /// Since when its connection is being made anew, RFC 3339; nil while there is one or none is needed.
    public internal(set) var lostSince: String?
    /// The steps that were intended, in order.
    public internal(set) var steps: [StepRecord] = []

    /// The host as the plan left it. Only what a plan can decide counts as an outcome here.
    init(_ start: HostStart) {
        name = start.name
        address = start.address
        wave = start.wave
        from = start.from
        overrides = start.overrides ?? [:]
        switch start.outcome {
        case .skipped, .blocked, .deferred, .unreachable, .aborted: outcome = start.outcome
        case .notStarted, .running, .waiting, .upgraded, .failed, .unknown: outcome = .notStarted
        }
        reason = start.reason
    }

    /// Whether a run that is taken up again goes on with this host.
    ///
    /// - Parameter retryingFailed: whether hosts that failed are tried again.
    public func isToBeTakenUp(retryingFailed: Bool) -> Bool {
        switch outcome {
        case .notStarted, .running, .unknown, .unreachable, .deferred, .waiting: true
        case .failed: retryingFailed
        case .skipped, .blocked, .upgraded, .aborted: false
        }
    }

    /// The step that is under way, or the one that failed or that nobody knows the end of.
    public var decisiveStep: StepRecord? {
        steps.last { $0.outcome == nil || $0.outcome == .failed || $0.outcome == .unknown || $0.outcome == .waiting }
    }

    /// The step that a person has to answer for before the host goes on; nil if it waits for none.
    public var awaitedStep: StepRecord? { outcome == .waiting ? steps.last { $0.outcome == .waiting } : nil }

    /// Whether a person may say what became of a step: it is waited for, or it failed and a release asks for it.
    public func mayBeAnswered(_ step: StepID) -> Bool {
        guard let record = steps.last(where: { $0.id == step }) else { return false }
        return record.outcome == .waiting || (record.outcome == .failed && outcome == .failed && step.isOfRelease)
    }

    /// The run ends before this host's wave, which has to be approved; a host that is kept out for another reason keeps it.
    mutating func awaitApproval(of number: Int) {
        guard let wave, wave >= number, outcome == .notStarted, reason == nil else { return }
        (outcome, reason) = (.waiting, Reason(.approvalNeeded, ["wave": "\(number)"]))
    }

    /// What the host waits for is there; it is begun when the run is taken up again.
    mutating func takeNote(ofApprovalBy person: String, of number: Int) {
        guard outcome == .waiting, reason == Reason(.approvalNeeded, ["wave": "\(number)"]) else { return }
        reason = Reason(.approved, ["wave": "\(number)", "person": person])
    }

    /// The wave that was approved has begun: the host has its turn, or waits for that.
    mutating func forgetApproval() {
        guard outcome == .waiting, reason?.code == .approvalNeeded || reason?.code == .approved else { return }
        (outcome, reason) = (.notStarted, nil)
    }

    /// Whether there is a place for the host is open again.
    mutating func forgetWhoHoldsItsPlace() {
        if outcome == .notStarted, reason?.code == .noPlaceLeft { reason = nil }
    }

    mutating func begin(at: String) {
        outcome = .running
        (reason, ended, lostSince) = (nil, nil, nil)
        // A step that nobody knew the end of is looked at again.
        for place in steps.indices where steps[place].outcome == .unknown {
            (steps[place].outcome, steps[place].reason, steps[place].ended) = (nil, nil, nil)
        }
        started = started ?? at
    }

    mutating func intend(_ step: StepID, title: String, logOffset: Int64 = 0, at: String) {
        if outcome != .running { begin(at: at) }
        // A step intended again is that of a resumed run: the older intent is answered by the newer one.
        steps.removeAll { $0.id == step }
        var record = StepRecord(id: step, title: title, started: at)
        record.logOffset = logOffset
        steps.append(record)
    }

    mutating func again(_ step: StepID, logOffset: Int64, at: String) {
        if outcome != .running { begin(at: at) }
        guard let place = steps.lastIndex(where: { $0.id == step }) else {
            return intend(step, title: step.rawValue, logOffset: logOffset, at: at)
        }
        var record = StepRecord(id: step, title: steps[place].title, started: at)
        record.tries = steps[place].tries + 1
        record.logOffset = logOffset
        steps[place] = record
    }

    mutating func confirmStart(of step: StepID, at: String) {
        if step.stopsUnits { downSince = downSince ?? at }
        guard let place = steps.lastIndex(where: { $0.id == step }) else { return intend(step, title: step.rawValue, at: at) }
        steps[place].started = at
    }

    mutating func progress(in step: StepID, to offset: Int64) {
        guard let place = steps.lastIndex(where: { $0.id == step }) else { return }
        steps[place].offset = max(steps[place].offset, offset)
    }

    mutating func wait(for step: StepID, title: String, instruction: String, at: String) {
        if outcome != .running { begin(at: at) }
        var record = StepRecord(id: step, title: title, started: at)
        record.outcome = .waiting
        record.instruction = instruction
        if let place = steps.lastIndex(where: { $0.id == step }) {
            (record.tries, record.logOffset, record.offset) = (steps[place].tries, steps[place].logOffset, steps[place].offset)
            steps[place] = record
        } else {
            steps.append(record)
        }
    }

    /// A person has said what became of a step; the host goes on when the run does.
    mutating func take(_ answer: StepAnswer, to step: StepID, at: String) {
        guard let place = steps.lastIndex(where: { $0.id == step }) else { return }
        var parameters = ["person": answer.person, "step": step.rawValue]
        parameters["note"] = answer.note
        let reason = Reason(answer.verdict == .done ? .stepConfirmed : .stepSkipped, parameters)
        steps[place].outcome = answer.verdict == .done ? .succeeded : .skipped
        (steps[place].reason, steps[place].ended) = (reason, at)
        if outcome != .running { (outcome, self.reason) = (.waiting, reason) }
    }

    mutating func end(
        _ step: StepID, outcome: StepOutcome, exit: Int?, reason: Reason?, verified: VerifiedInstance? = nil, at: String
    ) {
        if let verified { take(verified, of: step) }
        if !steps.contains(where: { $0.id == step }) {
            steps.append(StepRecord(id: step, title: step.rawValue, started: nil))
        }
        guard let place = steps.lastIndex(where: { $0.id == step }) else { return }
        steps[place].outcome = outcome
        steps[place].exit = exit
        steps[place].reason = reason
        steps[place].ended = at
        // The host may not have said when it began.
        if step.stopsUnits, exit != nil { downSince = downSince ?? steps[place].started }
    }

    /// Takes in what a look at the instance found; a service that was good for a moment is not down any more.
    private mutating func take(_ verified: VerifiedInstance, of step: StepID) {
        warnings = verified.warnings
        guard let served = verified.servedAfterMilliseconds, let since = downSince.flatMap({ Timestamp($0) }),
            let began = steps.last(where: { $0.id == step })?.started.flatMap({ Timestamp($0) })
        else { return }
        downtime = (downtime ?? .zero) + max(.zero, began.duration(since: since) + .milliseconds(served))
        downSince = nil
    }

    mutating func end(outcome: HostOutcome, reason: Reason?, version: CanopsisVersion?, at: String) {
        self.outcome = outcome
        self.reason = reason
        to = version
        ended = at
        lostSince = nil
    }

    mutating func leaveOpenStepsUnknown() {
        for place in steps.indices where steps[place].outcome == nil {
            steps[place].outcome = .unknown
            steps[place].reason = steps[place].reason ?? reason
        }
    }
}

/// One step of a host in a run read back.
public struct StepRecord: Hashable, Sendable {
    /// The step.
    public var id: StepID
    /// What it does, in a few words.
    public var title: String
    /// How it ended; nil while it is under way.
    public internal(set) var outcome: StepOutcome?
    /// The exit status of its job, if it had one.
    public internal(set) var exit: Int?
    /// Why it ended so.
    public internal(set) var reason: Reason?
    /// When the host said that it runs, or before that when it was intended; RFC 3339.
    public internal(set) var started: String?
    /// When it ended, RFC 3339.
    public internal(set) var ended: String?
    /// How many bytes of its output are in the local log.
    public internal(set) var offset: Int64 = 0
    /// Where its heading stands in the local log of its host, in bytes.
    public internal(set) var logOffset: Int64 = 0
    /// How often it was begun, 1 or more.
    public internal(set) var tries = 1
    /// What a person has to do; nil for a step that Fleet does.
    public internal(set) var instruction: String?

    init(id: StepID, title: String, started: String?) {
        self.id = id
        self.title = title
        self.started = started
    }
}
