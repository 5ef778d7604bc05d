import FleetCore

/// Whether a report may use colour. Colour never carries meaning alone: the words are the same without it.
public enum Style: Hashable, Sendable {
    /// Text and nothing else.
    case plain
    /// With ANSI escapes, for a terminal.
    case ansi

    /// What a piece of text is.
    enum Role: String {
        case heading = "1"
        case good = "32"
        case bad = "31"
        case uncertain = "33"
        case quiet = "2"
    }

    /// The text as this style shows it.
    func paint(_ text: String, _ role: Role?) -> String {
        guard self == .ansi, let role, !text.isEmpty else { return text }
        return "\u{1b}[\(role.rawValue)m\(text)\u{1b}[0m"
    }
}

extension HostOutcome {
    var role: Style.Role? {
        switch self {
        case .upgraded: .good
        case .failed, .blocked, .aborted: .bad
        case .unreachable, .unknown, .waiting, .deferred: .uncertain
        case .skipped, .notStarted: .quiet
        case .running: nil
        }
    }

    /// The JSON spelling with spaces.
    var words: String { rawValue.split(separator: "_").joined(separator: " ") }
}

extension RunOutcome {
    var role: Style.Role? {
        switch self {
        case .succeeded: .good
        case .failed, .stopped, .interrupted: .bad
        case .incomplete, .waiting, .deferred: .uncertain
        case .running: nil
        }
    }
}
