import FleetCore

/// What one host answered to the command of `fleet exec`.
public struct HostOutput: Hashable, Sendable {
    /// The host.
    public var name: HostName
    /// How the command ended there.
    public var ending: ExecEnding
    /// Why nothing ran, or why nobody knows how it ended.
    public var reason: Reason?
    /// The bytes of its output.
    public var stdout: [UInt8]
    /// The bytes of its error output.
    public var stderr: [UInt8]
    /// Whether it wrote more than was kept.
    public var isTruncated: Bool

    /// Creates the answer of a host.
    public init(
        name: HostName, ending: ExecEnding, reason: Reason? = nil, stdout: [UInt8] = [], stderr: [UInt8] = [], isTruncated: Bool = false
    ) {
        self.name = name
        self.ending = ending
        self.reason = reason
        self.stdout = stdout
        self.stderr = stderr
        self.isTruncated = isTruncated
    }
}

/// The answers of many hosts to one command: those with the same output and the same ending are shown once.
public struct ExecReport: Sendable {
    private let command: String
    private let outputs: [HostOutput]
    /// The signal's status if one interrupted the command, else nil.
    private let interruption: ExitStatus?

    /// Reports on a command; `outputs` has every selected host once, in the order of the inventory.
    public init(command: String, outputs: [HostOutput], interruption: ExitStatus? = nil) {
        self.command = command
        self.outputs = outputs
        self.interruption = interruption
    }

    /// What `fleet exec` exits with: 0 only if every host reported 0.
    public var exitStatus: ExitStatus {
        ExitStatus.first(of: outputs.map { ExitStatus($0.ending) } + (interruption.map { [$0] } ?? []))
    }

    /// How the command ended by host, as the journal keeps it.
    public var endings: [String: String] {
        Dictionary(outputs.map { ($0.name.text, $0.ending.word) }) { first, _ in first }
    }

    /// Each different answer once, under the hosts that gave it, in the order of the inventory.
    ///
    /// Output is indented by four columns, error output by `  ! `.
    public func text(_ style: Style) -> String {
        var lines: [String] = []
        for group in groups {
            let first = group[0]
            let many = group.count > 1 ? " (\(group.count) hosts)" : ""
            let title = "\(HostSet.folded(group.map(\.name)))\(many): \(first.ending.sentence)"
            lines += title.wrapped(indent: 0, hanging: 4).map { style.paint($0, first.ending.role) }
            if let reason = first.reason { lines += reason.text.wrapped(indent: 4) }
            lines += Self.lines(first.stdout).map { $0.isEmpty ? "" : "    \($0)" }
            lines += Self.lines(first.stderr).map { "  ! \($0)" }
            if first.isTruncated { lines.append("    (the output was longer; the rest was dropped)") }
        }
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }

    /// One line with how many hosts ended how, for people.
    public var summary: String {
        var counts: [(ending: ExecEnding, number: Int)] = []
        for output in outputs {
            if let place = counts.firstIndex(where: { $0.ending == output.ending }) {
                counts[place].number += 1
            } else {
                counts.append((output.ending, 1))
            }
        }
        return "\(counted(outputs.count, "host")): " + counts.map { "\($0.number) \($0.ending.sentence)" }.joined(separator: ", ")
    }

    /// The JSON text, with a line feed at the end. Bytes that are not UTF-8 appear as U+FFFD.
    public func json() throws -> String {
        try JSONText.of(
            ExecJSON(
                command: command, exit_status: exitStatus.rawValue,
                groups: groups.map { group in
                    .init(
                        hosts: HostSet.folded(group.map(\.name)), count: group.count, ending: group[0].ending.kind,
                        exit: group[0].ending.status)
                },
                hosts: outputs.map { output in
                    .init(
                        name: output.name.text, ending: output.ending, reason: output.reason.map(ReasonJSON.init),
                        stdout: String(decoding: output.stdout, as: UTF8.self),
                        stderr: String(decoding: output.stderr, as: UTF8.self), truncated: output.isTruncated)
                }))
    }

    /// Hosts with equal output, ending and reason; a group stands where its first host stands.
    private var groups: [[HostOutput]] {
        struct Answer: Hashable {
            var ending: ExecEnding
            var reason: Reason?
            var stdout: [UInt8]
            var stderr: [UInt8]
            var isTruncated: Bool
        }
        var places: [Answer: Int] = [:]
        var groups: [[HostOutput]] = []
        for output in outputs {
            let answer = Answer(
                ending: output.ending, reason: output.reason, stdout: output.stdout, stderr: output.stderr,
                isTruncated: output.isTruncated)
            if let place = places[answer] {
                groups[place].append(output)
            } else {
                places[answer] = groups.count
                groups.append([output])
            }
        }
        return groups
    }

    /// Bytes as escaped lines; the carriage return before a line feed belongs to the line's end.
    private static func lines(_ bytes: [UInt8]) -> [String] {
        guard !bytes.isEmpty else { return [] }
        let body = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        return body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            return String(decoding: line, as: UTF8.self).escapedForTerminal()
        }
    }
}

extension ExecEnding {
    /// The kind of ending in one stable word.
    var kind: String {
        switch self {
        case .exited: "exited"
        case .killed: "killed"
        case .unreported: "unreported"
        case .unreachable: "unreachable"
        }
    }

    /// The status the command reported.
    var status: UInt8? {
        if case .exited(let status) = self { status } else { nil }
    }

    /// The signal that ended it, escaped: the name comes from the host.
    var signal: String? {
        if case .killed(let signal) = self { signal.escapedForTerminal() } else { nil }
    }

    /// The ending in words.
    var sentence: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .killed(let signal): "killed by signal \(signal.escapedForTerminal())"
        case .unreported: "ending not reported"
        case .unreachable: "unreachable"
        }
    }

    var role: Style.Role? {
        switch self {
        case .exited(0): .good
        case .exited, .killed: .bad
        case .unreported, .unreachable: .uncertain
        }
    }
}

private struct ExecJSON: Encodable {
    struct Group: Encodable {
        var hosts: String
        var count: Int
        var ending: String
        @OrNull var exit: UInt8?
    }
    struct Answer: Encodable {
        var name: String
        var ending: String
        @OrNull var exit: UInt8?
        @OrNull var signal: String?
        @OrNull var reason: ReasonJSON?
        var stdout: String
        var stderr: String
        var truncated: Bool

        init(name: String, ending: ExecEnding, reason: ReasonJSON?, stdout: String, stderr: String, truncated: Bool) {
            self.name = name
            self.ending = ending.kind
            exit = ending.status
            signal = ending.signal
            self.reason = reason
            self.stdout = stdout
            self.stderr = stderr
            self.truncated = truncated
        }
    }

    var schema = JSONReport.schema
    var command: String
    var exit_status: Int32
    var groups: [Group]
    var hosts: [Answer]
}

/// One host of a command in the report of a run.
struct ExecHostJSON: Encodable {
    var name: String
    var ending: String
    @OrNull var exit: UInt8?
    @OrNull var signal: String?

    init(name: String, ending: ExecEnding) {
        self.name = name
        self.ending = ending.kind
        exit = ending.status
        signal = ending.signal
    }
}
