/// How the command of `fleet exec` ended on one host.
public enum ExecEnding: Hashable, Sendable {
    /// It ran to its end and reported this status.
    case exited(UInt8)
    /// A signal ended it; the name has no `SIG` prefix.
    case killed(signal: String)
    /// It was started, and nothing was heard of its end: a lost link, or the time limit passed.
    case unreported
    /// The host could not be reached, so nothing ran.
    case unreachable

    /// The journal's word for it: `0`, `killed TERM`, `unreported`, `unreachable`.
    public var word: String {
        switch self {
        case .exited(let status): "\(status)"
        case .killed(let signal): "killed \(signal)"
        case .unreported: "unreported"
        case .unreachable: "unreachable"
        }
    }

    /// Reads the journal's word back; a word nobody knows counts as ``unreported``.
    public init(word: String) {
        if let status = UInt8(word) {
            self = .exited(status)
        } else if word.hasPrefix("killed ") {
            self = .killed(signal: String(word.dropFirst(7)))
        } else {
            self = word == "unreachable" ? .unreachable : .unreported
        }
    }

    /// What a command's own ending means here.
    public init(_ ending: CommandEnding) {
        self =
            switch ending {
            case .exited(let status): .exited(status)
            case .killed(let signal): .killed(signal: signal)
            case .unreported: .unreported
            }
    }
}

extension ExitStatus {
    /// What the ending of a command on one host asks for.
    public init(_ ending: ExecEnding) {
        self =
            switch ending {
            case .exited(0): .done
            case .exited, .killed: .failed
            case .unreported, .unreachable: .unreachable
            }
    }
}
