import ArgumentParser
import FleetCore
import FleetJournal
import Foundation

struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Allow the wave that a run waits with; `fleet resume` goes on with it then.",
        discussion: """
            A run with --approve ends before each wave but the first. Look at what became of the hosts so far (`fleet report RUN`)
            before you approve the next. An approval is written to the journal with the name of who gave it.
            """)

    @Argument(help: "The run's id, or a part of it that no other run has.")
    var run: String

    @Option(help: "Who approves. (default: the account that calls Fleet)")
    var by: String?

    @OptionGroup var logs: LogsOption

    func run() async throws {
        let person = try Person.named(by)
        let id = try RecordedRun(run, in: logs.folder).record.id
        let journal = try Journal(in: logs.folder, creating: false)
        // Held before anything is read that another process could still change.
        let lock = try RunLock.acquire(id, in: journal.folder)
        defer { withExtendedLifetime(lock) {} }
        var record = try journal.record(of: id)
        record.isAlive = false
        guard let wave = record.waveToApprove else { throw Self.nothingToApprove(in: record) }
        try RunRecorder.append(.approved(wave: wave, by: person), to: id, in: journal)
        Console.say("Wave \(wave) of run \(id) is approved by \(person.escapedForTerminal()). Go on with it: fleet resume \(id)")
    }

    private static func nothingToApprove(in record: RunRecord) -> Problem {
        guard let wave = record.awaitedWave, let person = record.approvals[wave] else {
            return Problem(
                code: "nothing-to-approve", what: "No wave of run \(record.id) waits for an approval.", place: .argument("RUN"),
                remedy: "`fleet status \(record.id)` says how it stands.")
        }
        return Problem(
            code: "nothing-to-approve", what: "Wave \(wave) of run \(record.id) is approved already, by \(person).",
            place: .argument("RUN"), remedy: "Go on with it: fleet resume \(record.id)")
    }
}
