/// What `fleet` exits with.
public enum ExitStatus: Int32, Hashable, Sendable, CaseIterable {
    /// All done.
    case done = 0
    /// Fleet itself failed.
    case internalError = 1
    /// Wrong usage, or an invalid file.
    case usage = 2
    /// Some hosts failed or are blocked.
    case failed = 3
    /// Some hosts are unreachable or unknown.
    case unreachable = 4
    /// A budget or an operator's abort stopped the run.
    case stopped = 5
    /// Something waits for a person or a window.
    case waiting = 6
    /// Hosts were put off because of somebody's lock.
    case deferred = 7
    /// The plan is out of date.
    case planOutOfDate = 8
    /// Ended by SIGINT.
    case interrupted = 130
    /// Ended by SIGTERM.
    case terminated = 143

    /// The one to exit with when several apply: the first of signal, 1, 2, 8, 5, 3, 4, 7, 6, 0.
    public static func first(of candidates: some Sequence<ExitStatus>) -> ExitStatus {
        let order: [ExitStatus] = [
            .interrupted, .terminated, .internalError, .usage, .planOutOfDate, .stopped, .failed, .unreachable, .deferred, .waiting, .done,
        ]
        let present = Set(candidates)
        return order.first(where: present.contains) ?? .done
    }

    /// What a host's outcome asks for.
    public init(_ outcome: HostOutcome) {
        self =
            switch outcome {
            case .upgraded, .skipped, .notStarted: .done
            case .failed, .blocked: .failed
            case .unreachable, .unknown, .running: .unreachable
            case .aborted: .stopped
            case .deferred: .deferred
            case .waiting: .waiting
            }
    }
}
