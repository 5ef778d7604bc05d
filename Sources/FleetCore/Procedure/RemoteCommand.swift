/// One line to run on a host: words, and variables set for it alone.
public struct RemoteCommand: Hashable, Sendable {
    /// The program and its arguments.
    public var words: [String]

    /// Creates a command.
    public init(_ words: String...) { self.words = words }

    /// Creates a command from a list of words.
    public init(_ words: [String]) { self.words = words }

    /// The command as a shell reads it, every word quoted.
    public var shellText: String { words.map(shellQuoted).joined(separator: " ") }
}

/// Shell text that runs commands in turn and ends with the status of the first that fails.
public struct RemoteScript: Hashable, Sendable {
    /// Variables exported for every command, in order.
    public var environment: [(name: String, value: String)]
    /// Lines that are no plain commands, put before them as they are.
    public var preparation: String
    /// What to run.
    public var commands: [RemoteCommand]

    /// Creates a script.
    public init(environment: [(name: String, value: String)] = [], preparation: String = "", commands: [RemoteCommand]) {
        self.environment = environment
        self.preparation = preparation
        self.commands = commands
    }

    /// The script as `sh` reads it: stops at the first command that fails, with its status.
    public var shellText: String {
        var lines = ["set -e"]
        lines += environment.map { "export \($0.name)=\(shellQuoted($0.value))" }
        if !preparation.isEmpty { lines.append(preparation) }
        lines += commands.map(\.shellText)
        return lines.joined(separator: "\n") + "\n"
    }

    /// What to send to a shell that reads its commands from stdin, so that it runs all of a script or nothing.
    ///
    /// A shell reads a group of commands whole before it runs the first: one that was cut off on the way is a syntax error.
    public static func whole(_ script: String) -> [UInt8] { Array("{\n\(script)\n}\n".utf8) }

    /// Whether two scripts run the same.
    public static func == (left: RemoteScript, right: RemoteScript) -> Bool { left.shellText == right.shellText }

    /// Hashes what runs.
    public func hash(into hasher: inout Hasher) { hasher.combine(shellText) }
}
