import FleetCore
import FleetReports
import Foundation

/// Where a command speaks: data on stdout, talk on stderr.
enum Console {
    /// Writes data, a line's end after it.
    static func data(_ text: String) { write(text, to: stdout) }

    /// Writes a long text for a person: through `$PAGER`, or `less`, where stdout is a terminal.
    static func page(_ text: String) {
        let pager = ProcessInfo.processInfo.environment["PAGER"].flatMap { $0.isEmpty ? nil : $0 } ?? "less -FRX"
        guard isatty(STDOUT_FILENO) == 1, let stream = popen("command -v \(pager.prefix { $0 != " " }) >/dev/null && \(pager) || cat", "w")
        else { return data(text) }
        // A person who has read enough closes it early, which is no failure.
        signal(SIGPIPE, SIG_IGN)
        // Ctrl-C is for the pager, which stays.
        let before = signal(SIGINT, SIG_IGN)
        fputs(text, stream)
        pclose(stream)
        signal(SIGINT, before)
    }

    /// Writes talk, a line's end after it.
    static func say(_ text: String, ending: String = "\n") { write(text, to: stderr, ending: ending) }

    /// Says what is wrong and what to do; as JSON on stdout too where JSON was asked for.
    static func explain(_ problems: [Problem], as format: OutputFormat) {
        for problem in problems { say("fleet: \(problem)") }
        data(problems, as: format)
    }

    /// Writes problems as data where JSON was asked for.
    static func data(_ problems: [Problem], as format: OutputFormat) {
        guard format == .json else { return }
        let errors = problems.map { problem in
            ErrorDocument.Entry(
                code: problem.code, what: problem.what, place: problem.place.map { "\($0)" }, remedy: problem.remedy, cause: problem.cause)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(ErrorDocument(schema: 1, errors: errors)) else { return }
        data(String(decoding: bytes, as: UTF8.self))
    }

    /// Asks on the terminal; the answer is no unless it is y or yes.
    static func confirm(_ question: String) -> Bool {
        write(question + " [y/N] ", to: stderr, ending: "")
        guard let answer = readLine()?.lowercased() else { return false }
        return answer == "y" || answer == "yes"
    }

    /// Whether data may be coloured: stdout is a terminal and `NO_COLOR` is not set.
    static var style: Style {
        let environment = ProcessInfo.processInfo.environment
        let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
        return isatty(STDOUT_FILENO) == 1 && !refused ? .ansi : .plain
    }

    /// Writes bytes as they are, without a line's end.
    static func bytes(_ bytes: Data) throws { try stdout.write(contentsOf: bytes) }

    /// Whether a person can be asked.
    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// A reader that has gone away is no reason to fail: what was to be told is in the journal too.
    private static func write(_ text: String, to stream: FileHandle, ending: String = "\n") {
        let whole = text.hasSuffix("\n") && ending == "\n" ? text : text + ending
        try? stream.write(contentsOf: Data(whole.utf8))
    }

    private static var stdout: FileHandle { .standardOutput }
    private static var stderr: FileHandle { .standardError }
}

/// Errors as a program reads them.
private struct ErrorDocument: Encodable {
    var schema: Int
    var errors: [Entry]

    struct Entry: Encodable {
        var code: String
        var what: String
        var place: String?
        var remedy: String
        var cause: String?
    }
}
