import ArgumentParser
import FleetCore
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

struct AbortCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "Give a run up, or one host of it: what is not finished will not be.",
        discussion: """
            A run under way on this machine is told to start nothing new; hosts at work finish. In a run that nobody carries out,
            the hosts that are not finished become `aborted`, and `fleet resume` leaves them alone. Nothing is done on a host: a
            step that still runs there goes on, and a host that was touched keeps its lock until `fleet lock break`.
            """)

    @Argument(help: "The run's id, or a part of it that no other run has.")
    var run: String

    @Argument(help: "One host of it; all that are not finished if not given.")
    var host: String?

    @OptionGroup var logs: LogsOption

    @Flag(name: [.short, .long], help: "Do not ask. Without a terminal this is needed.")
    var yes = false

    func run() async throws {
        let recorded = try RecordedRun(run, in: logs.folder).record
        let journal = try Journal(in: logs.folder, creating: false)
        if recorded.isAlive { return try stopLive(recorded) }
        let lock = try RunLock.acquire(recorded.id, in: journal.folder)
        defer { withExtendedLifetime(lock) {} }
        var record = try journal.record(of: recorded.id)
        record.isAlive = false
        let open = record.hosts.filter { $0.wave != nil && ($0.isToBeTakenUp(retryingFailed: true)) }
        let chosen = try open.filter { try host == nil || $0.name == named(in: record) }.map(\.name)
        guard !chosen.isEmpty else {
            Console.say("Nothing of this is unfinished in run \(record.id).")
            return
        }
        try confirm("give up \(HostSet.folded(chosen)) in run \(record.id)")
        let note = RunResume(person: Person.name, machine: Person.machine, retriesFailed: false)
        let recorder = try RunRecorder(resuming: record.id, note: note, in: journal, display: nil)
        for name in chosen {
            let version = record[name]?.to
            try await recorder.append(
                .hostEnded(host: name, outcome: .aborted, reason: Reason(.givenUp, ["person": note.person]), version: version))
        }
        try await recorder.end()
        Console.say("Given up: \(HostSet.folded(chosen)).")
        let touched = chosen.filter { !(record[$0]?.steps.isEmpty ?? true) }
        if !touched.isEmpty {
            Console.say("Still locked, for they were touched: \(HostSet.folded(touched)). Free them with `fleet lock break`.")
        }
    }

    private func named(in record: RunRecord) throws -> HostName {
        guard let text = host, let name = HostName(text), record[name] != nil else {
            throw Problem(
                code: "unknown-host", what: "Run \(record.id) has no host \(host ?? "").", place: .argument("HOST"),
                remedy: "Its hosts: \(HostSet.folded(record.hosts.map(\.name))).")
        }
        return name
    }

    /// Asks the process that carries the run out to start nothing new.
    private func stopLive(_ record: RunRecord) throws {
        guard host == nil else {
            throw Problem(
                code: "run-held", what: "Run \(record.id) is under way: one of its hosts cannot be given up meanwhile.",
                place: .argument("HOST"),
                remedy: "Stop the run first: `fleet abort \(record.id)`; hosts at work finish.")
        }
        guard let holder = RunLock.holder(of: record.id, in: logs.folder), holder.isOfThisBoot else {
            throw Problem(
                code: "run-held", what: "Run \(record.id) is carried out by a process on another machine.", place: .argument("RUN"),
                remedy: "Abort it there.")
        }
        try confirm("stop run \(record.id) after the hosts at work")
        guard kill(holder.pid, StopSignals.abort) == 0 else {
            throw Problem(
                code: "run-held", what: "The process \(holder.pid) that carries the run out cannot be signalled.", place: .argument("RUN"),
                remedy: "Do it as the user who started it.", cause: String(cString: strerror(errno)))
        }
        Console.say("Run \(record.id) begins no further host. Watch it with: fleet status \(record.id)")
    }

    private func confirm(_ what: String) throws {
        guard !yes else { return }
        guard Console.isInteractive else {
            throw Problem(
                code: "not-confirmed", what: "Nobody can be asked whether to \(what).",
                remedy: "There is no terminal. If it is right, say --yes.")
        }
        guard Console.confirm("Really \(what)?") else {
            Console.say("Nothing was done.")
            throw ExitStatus.stopped
        }
    }
}
