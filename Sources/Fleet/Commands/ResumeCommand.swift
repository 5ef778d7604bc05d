import ArgumentParser
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on with a run that was left unfinished: find out how each host stands, and finish it.",
        discussion: """
            Reads the journal, looks at every host the run has touched (its jobs, packages, versions, units) and goes on with the
            commands that were planned. What is done is not done again; what runs is followed to its end; what was cut off is
            looked at first. Hosts that failed stay failed: see `fleet retry`.
            Works from any machine that has the logs folder; --identity and --known-hosts name its own files. What the inventory says
            by now makes no difference: a run does what was planned. A host that is another machine by now is blocked.
            """)

    @OptionGroup var taken: TakenUpRun

    func run() async throws { try await taken.goOn(retryingFailed: false) }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Go on with a run, and try hosts that failed again from the step they failed at.",
        discussion: "Mend what made a host fail first. Everything else is as with `fleet resume`.")

    @OptionGroup var taken: TakenUpRun

    func run() async throws { try await taken.goOn(retryingFailed: true) }
}

/// A run that is taken up again.
struct TakenUpRun: ParsableArguments {
    @Argument(help: "The run's id, or a part of it that no other run has; the latest upgrade if not given.")
    var run: String?

    @Option(help: "The private key to log in with, where it is another file than the plan names: on another machine, say.")
    var identity: String?

    @Option(name: .customLong("known-hosts"), help: "The file of trusted host keys, where it is another than the plan names.")
    var knownHosts: String?

    @OptionGroup var waiting: PatienceOptions
    @OptionGroup var logs: LogsOption

    @Flag(name: [.short, .long], help: "Do not ask. Without a terminal this is needed.")
    var yes = false

    @Option(help: "How the report is written: text or json.")
    var output: OutputFormat = .text

    /// Asks, and carries out what is left of the run.
    func goOn(retryingFailed: Bool) async throws {
        let recorded = try RecordedRun(run, in: logs.folder).record
        let journal = try Journal(in: logs.folder, creating: false)
        let id = recorded.id
        // Held before anything is read that another process could still change.
        let lock = try RunLock.acquire(id, in: journal.folder)
        defer { withExtendedLifetime(lock) {} }
        var record = try journal.record(of: id)
        record.isAlive = false
        var plan = try plan(of: record, in: journal)
        for place in plan.hosts.indices {
            if let identity { plan.hosts[place].host.identity = Self.absolute(identity) }
            if let knownHosts { plan.hosts[place].host.knownHosts = Self.absolute(knownHosts) }
        }
        let left = record.hosts.filter { $0.wave != nil && $0.isToBeTakenUp(retryingFailed: retryingFailed) }.map(\.name)
        guard !left.isEmpty else {
            Console.say("Nothing is left to do in run \(id).")
            if record.ended == nil { record = try await end(id, in: journal) }
            try show(record, in: journal, as: output, context: logs.context())
        }
        // Neither an approval nor a place that failed hosts hold comes about by going on.
        if left.allSatisfy({ [.approvalNeeded, .noPlaceLeft].contains(record[$0]?.reason?.code) }) {
            let until = record.waveToApprove.map { "wave \($0) is approved" } ?? "the hosts that failed are mended and retried"
            Console.say("Nothing is left to do in run \(id) until \(until).")
            try show(record, in: journal, as: output, context: logs.context())
        }
        try confirm(left, of: record)
        let connector = try SSHConnector(for: plan.hosts.map(\.host))
        let ended = try await RunExecution(plan: plan, digest: record.planDigest ?? "", run: id, journal: journal, connector: connector)
            .resume(record, retryingFailed: retryingFailed, patience: waiting.patience)
        try show(ended, in: journal, as: output, context: logs.context())
    }

    private static func absolute(_ path: String) -> String {
        let path = NSString(string: path).expandingTildeInPath
        return path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Writes the end of a run whose coordinator was killed when every host had ended.
    private func end(_ run: RunID, in journal: Journal) async throws -> RunRecord {
        let note = RunResume(person: Person.name, machine: Person.machine, retriesFailed: false)
        let recorder = try RunRecorder(resuming: run, note: note, in: journal, display: nil)
        try await recorder.end()
        var record = await recorder.record
        record.isAlive = false
        return record
    }

    /// The plan as the journal keeps it: what a run does was fixed when it began, whatever the inventory says now.
    private func plan(of record: RunRecord, in journal: Journal) throws -> Plan {
        guard record.kind == .upgrade, let bytes = try journal.plan(of: record.id) else {
            throw Problem(
                code: "not-resumable", what: "Run \(record.id) is no upgrade: there is nothing to go on with.", place: .argument("RUN"),
                remedy: "`fleet history` lists the runs.")
        }
        return try PlanFile("\(journal.folder)/\(Journal.fileName)").plan(in: String(decoding: bytes, as: UTF8.self))
    }

    private func confirm(_ left: [HostName], of record: RunRecord) throws {
        guard !yes else { return }
        let what = "The service of \(left.count == 1 ? "1 host" : "\(left.count) hosts") may be interrupted: \(HostSet.folded(left))."
        guard Console.isInteractive else {
            throw Problem(
                code: "not-confirmed", what: "\(what) Nobody can be asked.", remedy: "There is no terminal. If it is right, say --yes.")
        }
        Console.say(what)
        guard Console.confirm("Go on with run \(record.id)?") else {
            Console.say("Nothing was done.")
            throw ExitStatus.stopped
        }
    }
}
