import ArgumentParser
import FleetCore
import FleetJournal
import FleetReports
import Foundation

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show how a run stands.")

    @OptionGroup var shown: ShownRun

    func run() async throws {
        try shown.show { record, context, _ in
            StatusReport(record, now: Timestamp.now().description, context: context).text(Console.style)
        }
    }
}

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Report a run: the outcome of every host, and what to do next.")

    @OptionGroup var shown: ShownRun

    func run() async throws {
        try shown.show { TextReport($0, context: $1, style: Console.style, earlier: $2).text }
    }
}

/// Which run is shown, and how.
struct ShownRun: ParsableArguments {
    @Argument(help: "The run's id, or a part of it that no other run has; the latest upgrade if not given.")
    var run: String?

    @OptionGroup var logs: LogsOption

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    /// Writes the run to stdout; `text` makes the text of a record, where it comes from and how long its hosts were down before.
    func show(_ text: (RunRecord, ReportContext, [HostName: Duration]) -> String) throws {
        let record = try RecordedRun(run, in: logs.folder).record
        let earlier = try Journal(in: logs.folder, creating: false).downtimes(before: record)
        switch output {
        case .text: Console.data(text(record, logs.context(), earlier))
        case .json: Console.data(try JSONReport(record, earlier: earlier).text())
        }
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what the steps of one host wrote. Control characters are escaped; --raw leaves them.")

    @Argument(help: "The run's id, or a part of it that no other run has.")
    var run: String

    @Argument(help: "The host.")
    var host: String

    @OptionGroup var logs: LogsOption

    @Flag(help: "Byte for byte, as the host sent it.")
    var raw = false

    func run() async throws {
        let recorded = try RecordedRun(run, in: logs.folder)
        guard let name = HostName(host), recorded.record.hosts.contains(where: { $0.name == name }) else {
            throw Problem(
                code: "unknown-host", what: "Run \(recorded.record.id) has no host \(host).", place: .argument("HOST"),
                remedy: "Its hosts: \(HostSet.folded(recorded.record.hosts.map(\.name))).")
        }
        let path = RunFolder(of: recorded.record.id, in: logs.folder).path + "/\(name).log"
        guard let file = FileHandle(forReadingAtPath: path) else {
            Console.say("\(name) has written nothing in this run.")
            return
        }
        // A line at a time would let one endless line fill the memory; a piece at a time is enough to escape.
        while let piece = try file.read(upToCount: 1 << 16), !piece.isEmpty {
            let shown = raw ? piece : Data(String(decoding: piece, as: UTF8.self).escapedForTerminal(keepingNewlines: true).utf8)
            try Console.bytes(shown)
        }
    }
}

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "List the runs, the newest first.")

    @OptionGroup var logs: LogsOption

    @Option(help: "How many runs at most.")
    var most: Int = 20

    @Option(help: "How they are shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let journal = try Journal(in: logs.folder, creating: false)
        let records = try journal.runs(limit: max(1, most)).map { try journal.record(of: $0.id) }
        switch output {
        case .text: Console.data(HistoryReport(records).text(Console.style))
        case .json: Console.data(try HistoryReport(records).json())
        }
    }
}

/// A run read back from the journal.
struct RecordedRun {
    /// The run's record.
    let record: RunRecord

    /// Reads the run a person means; without a name, the upgrade that began last.
    init(_ name: String?, in folder: String) throws {
        let journal = try Journal(in: folder, creating: false)
        if let name {
            record = try journal.record(of: journal.run(named: name))
        } else if let latest = try journal.latestRun(.upgrade) {
            record = try journal.record(of: latest)
        } else {
            throw Problem(
                code: "no-run", what: "The journal holds no upgrade yet.", place: .file(folder, line: nil),
                remedy: "Start one with `fleet upgrade`, or name another folder with --logs DIR.")
        }
    }
}
