/// Why something ended as it did: a code with parameters. The journal stores these; sentences are made when shown.
public struct Reason: Hashable, Sendable, Codable {
    /// The stable word.
    public var code: Code
    /// What the sentence needs, by name. Text of a host is stored as it came, bounded by ``Reason/longestWords``.
    public var parameters: [String: String]

    /// Creates a reason; longer parameters are cut.
    public init(_ code: Code, _ parameters: [String: String] = [:]) {
        self.code = code
        self.parameters = parameters.mapValues { Self.bounded($0) }
    }

    /// How many bytes of a host's own words a reason keeps.
    public static let longestWords = 2000

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > longestWords else { return text }
        return String(decoding: text.utf8.prefix(longestWords), as: UTF8.self) + " ..."
    }
}

extension Reason {
    /// Every reason Fleet knows, in the spelling of the journal and of reports.
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        // Not done, and why.
        case alreadyAtTarget = "already-at-target"
        case majorUpgrade = "major-upgrade"
        case downgrade
        case gateBlocked = "gate-blocked"
        case factsChanged = "facts-changed"
        case identityChanged = "identity-changed"
        case hostLocked = "host-locked"
        case leftUnfinished = "left-unfinished"
        case rolloutStopped = "rollout-stopped"
        case noPlaceLeft = "no-place-left"
        case approvalNeeded = "approval-needed"
        case approved
        case stepAwaited = "step-awaited"
        case stepConfirmed = "step-confirmed"
        case stepSkipped = "step-skipped"
        case interrupted
        case hookFailed = "hook-failed"

        // Not reached.
        case connectFailed = "connect-failed"
        case hostKeyRefused = "host-key-refused"
        case loginRefused = "login-refused"
        case noRoot = "no-root"
        case factsUnreadable = "facts-unreadable"

        // Failed at a step.
        case lockRefused = "lock-refused"
        case stateNotSaved = "state-not-saved"
        case jobExited = "job-exited"
        case jobNotStarted = "job-not-started"
        case jobOverdue = "job-overdue"
        case jobEnded = "job-ended"
        case givenUp = "given-up"
        case versionNotReached = "version-not-reached"
        case unitNotRunning = "unit-not-running"
        case unitNotRestarted = "unit-not-restarted"
        case unitUnstable = "unit-unstable"
        case webNotAnswering = "web-not-answering"
        case webWrongVersion = "web-wrong-version"
        case loginFailed = "login-failed"
        case instanceDiffers = "instance-differs"

        // Worth knowing, and no failure.
        case webSilentBefore = "web-silent-before"
        case loginFailedBefore = "login-failed-before"
        case loginNotTried = "login-not-tried"
        case databaseNotAsked = "database-not-asked"

        // Nobody knows.
        case linkLost = "link-lost"
        case startUnknown = "start-unknown"
        case jobVanished = "job-vanished"
        case stepRetried = "retried"
        case foundUndone = "found-undone"
        case runEndedEarly = "run-ended-early"
    }

    /// The reason as a sentence without a full stop, control characters escaped.
    public var text: String {
        func value(_ name: String) -> String { parameters[name] ?? "?" }
        func words(_ lead: String) -> String {
            let said = (parameters["words"] ?? "").split(whereSeparator: \.isNewline).joined(separator: " | ")
            return said.isEmpty ? "" : lead + said
        }
        let sentence =
            switch code {
            case .alreadyAtTarget: "already at \(value("version"))"
            case .majorUpgrade:
                "\(value("from")) to \(value("to")) is a major upgrade: the standard procedure does not cover it"
                    + (parameters["constraint"].map { "; \($0)" } ?? ", it needs its own migration")
            case .downgrade: "\(value("from")) is newer than \(value("to")): Fleet does not downgrade"
            case .gateBlocked: "\(value("gate")): \(value("words"))"
            case .factsChanged: "the host is not as planned: \(value("words"))"
            case .identityChanged: "this is not the machine the plan was made for: \(value("words"))"
            case .hostLocked: "locked by \(value("holder"))"
            case .leftUnfinished:
                "unfinished: \(value("holder")); go on with `fleet resume \(value("run"))`, or free it with `fleet lock break`"
            case .stateNotSaved: "nothing was changed, for what the host is now could not be saved\(words(": "))"
            case .stepRetried: "tried again by \(value("person"))"
            case .foundUndone: "the step was cut off, and a look at the host says that it may be done again\(words(": "))"
            case .lockRefused: "the host could not be locked\(words(": "))"
            case .rolloutStopped: "not started: \(value("words"))"
            case .noPlaceLeft:
                "not started: \(value("label")) \(value("value")) has no place left at work beside \(value("holders"))"
            case .approvalNeeded: "waits for an approval of wave \(value("wave"))"
            case .approved: "wave \(value("wave")) is approved by \(value("person")); the run is to be taken up again"
            case .stepAwaited: "waits for a person: \(value("title"))"
            case .stepConfirmed: "done, says \(value("person"))\(parameters["note"].map { ": \($0)" } ?? "")"
            case .stepSkipped: "left out by \(value("person"))\(parameters["note"].map { ": \($0)" } ?? "")"
            case .interrupted: "not started: the run was interrupted"
            case .hookFailed: "not started: \(value("words"))"
            case .connectFailed: "no connection\(words(": "))"
            case .hostKeyRefused: "host key refused\(words(": "))"
            case .loginRefused: "login refused\(words(": "))"
            case .noRoot: "no root rights\(words(": "))"
            case .factsUnreadable: "the host's facts could not be read\(words(": "))"
            case .jobExited: "exit status \(value("status"))\(words(": "))"
            case .jobNotStarted: "the step could not be started\(words(": "))"
            case .jobOverdue: "still running after its time limit of \(value("limit")); it was left alone\(words(": "))"
            case .jobEnded: "ended on the host after its time limit of \(value("limit"))\(words(": "))"
            case .givenUp: "given up by \(value("person"))"
            case .versionNotReached:
                "\(value("package")) is \(parameters["found"].map { "at \($0), " } ?? "")not at \(value("target"))\(words(": "))"
            case .unitNotRunning: "\(value("unit")) does not run (\(value("state")))\(words(": "))"
            case .unitNotRestarted: "\(value("unit")) was not restarted: it still runs with its old start time"
            case .unitUnstable: "\(value("unit")) did not stay up for \(value("settle"))\(words(": "))"
            case .webNotAnswering: "the web interface does not answer\(words(": "))"
            case .webWrongVersion: "the web interface reports \(value("found")), not \(value("target"))"
            case .loginFailed: "the login to the web interface does not work, and did before\(words(": "))"
            case .instanceDiffers: "the instance is not what it shall be\(words(": "))"
            case .webSilentBefore: "the web interface does not answer, and did not before the upgrade either\(words(": "))"
            case .loginFailedBefore:
                "the login to the web interface does not work, and did not before the upgrade either\(words(": "))"
            case .loginNotTried: "nobody logged in to the web interface, it was only asked for its version\(words(": "))"
            case .databaseNotAsked: "the database was not asked for its version\(words(": "))"
            case .linkLost: "the connection was lost and the host was not looked at again\(words(": "))"
            case .startUnknown: "nobody knows whether the step was started\(words(": "))"
            case .jobVanished: "the step ended without leaving a status\(words(": "))"
            case .runEndedEarly: "the coordinator ended before this host was done"
            }
        return sentence.escapedForTerminal()
    }
}
