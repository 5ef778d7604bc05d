/// How one host stands in a run, in the spelling of reports.
public enum HostOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// Selected, and never begun.
    case notStarted = "not_started"
    /// At the target already.
    case skipped
    /// A gate or a refused class of upgrade kept it out.
    case blocked
    /// Put off: a lock, a window, a budget.
    case deferred
    /// At work now.
    case running
    /// A person has to do something first.
    case waiting
    /// The host itself said that it is at the target and works.
    case upgraded
    /// A step failed.
    case failed
    /// It could not be reached, and was never touched.
    case unreachable
    /// It was touched, and nobody knows how it stands.
    case unknown
    /// An operator ended it.
    case aborted
}

/// How one step ended, in the spelling of reports.
public enum StepOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// The host said so.
    case succeeded
    /// The host said so.
    case failed
    /// Nobody knows.
    case unknown
    /// There was nothing to do, an earlier step failed, or a person decided so.
    case skipped
    /// A person has to do it, or to look at it.
    case waiting
}

/// How a command or a step's job ended, as far as the host said.
public enum CommandEnding: Hashable, Sendable {
    /// It ran to its end and reported this status.
    case exited(UInt8)
    /// A signal ended it; the name has no `SIG` prefix.
    case killed(signal: String)
    /// Nothing was heard of its end: it may still be running.
    case unreported
}

/// How a run ended as a whole, in the spelling of reports.
public enum RunOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    /// Not ended yet.
    case running
    /// Every host is upgraded or was at the target already.
    case succeeded
    /// Some hosts failed or were blocked.
    case failed
    /// Some hosts are unreachable or unknown, none failed.
    case incomplete
    /// A budget or an operator stopped it.
    case stopped
    /// Some hosts wait for a person.
    case waiting
    /// Some hosts were put off.
    case deferred
    /// A signal ended it.
    case interrupted
}
