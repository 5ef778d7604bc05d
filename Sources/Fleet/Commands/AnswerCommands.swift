import ArgumentParser
import FleetCore
import FleetJournal
import Foundation

struct ConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Say that a step a run waits with is done on a host; `fleet resume` goes on with it then.",
        discussion: """
            Some steps only a person can do. A host that has come to one waits; `fleet report RUN` says what to do. A run that keeps the
            place of such a host (--parked-place keep) goes on by itself, any other with `fleet resume RUN`. A step of a release
            that failed, and that was then done by hand, is confirmed the same way.
            """)

    @OptionGroup var step: AnsweredStep

    @Option(help: "What there is to remember about it.")
    var note: String?

    func run() async throws { try step.answer(.done, note: note) }
}

struct SkipCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skip",
        abstract: "Leave out a step a run waits with, and write down why; `fleet resume` goes on without it then.",
        discussion: "It is the counterpart of `fleet confirm`, for a step that is not done and need not be.")

    @OptionGroup var step: AnsweredStep

    @Option(name: [.customLong("note"), .customLong("reason")], help: "Why the step is left out.")
    var note: String

    func run() async throws {
        guard !note.allSatisfy(\.isWhitespace) else {
            throw Problem(
                code: "invalid-argument", what: "It is not said why the step is left out.", place: .argument("--note"),
                remedy: "Say it in a few words: whoever reads the report has to know.")
        }
        try step.answer(.skipped, note: note)
    }
}

/// A step of hosts that a person answers for.
struct AnsweredStep: ParsableArguments {
    @Argument(help: "The run's id, or a part of it that no other run has.")
    var run: String

    @Argument(help: "The host, or several like h[1-3],x1.")
    var host: String

    @Argument(help: "The step's name, as in the report.")
    var step: String

    @Option(help: "Who says so. (default: the account that calls Fleet)")
    var by: String?

    @OptionGroup var logs: LogsOption

    /// Writes the answer to the journal, for each of the hosts or for none.
    func answer(_ verdict: StepAnswer.Verdict, note: String?) throws {
        let answer = StepAnswer(verdict, by: try Person.named(by), note: try checked(note))
        let id = try RecordedRun(run, in: logs.folder).record.id
        let journal = try Journal(in: logs.folder, creating: false)
        // A run that is under way reads answers from the journal; one that is not must not be taken up meanwhile.
        let lock = RunLock.isHeld(id, in: journal.folder) ? nil : try RunLock.acquire(id, in: journal.folder)
        defer { withExtendedLifetime(lock) {} }
        var record = try journal.record(of: id)
        record.isAlive = lock == nil
        let hosts = try answerable(in: record)
        for name in hosts {
            let event = RunEvent.stepAnswered(host: name, step: hosts.step, answer: answer)
            if lock == nil { try journal.append(event, to: id) } else { try RunRecorder.append(event, to: id, in: journal) }
        }
        let names = HostSet.folded(hosts.names)
        let words = verdict == .done ? "done" : "left out"
        let next = lock == nil ? "The run under way takes note of it." : "Go on: fleet resume \(id)"
        Console.say("\(hosts.step) of \(names) is \(words), says \(answer.person.escapedForTerminal()). \(next)")
    }

    /// The hosts that wait with the step.
    private func answerable(in record: RunRecord) throws -> Hosts {
        guard let names = HostSet.names(in: host) else {
            throw Problem(
                code: "unknown-host", what: "`\(host)` names no host.", place: .argument("HOST"),
                remedy: "Write it as the report does, such as h1 or h[1-3],x1.")
        }
        guard let step = StepID(rawValue: step) else {
            throw Problem(
                code: "nothing-to-answer", what: "`\(self.step)` is no name of a step.", place: .argument("STEP"),
                remedy: "`fleet report \(record.id)` says which step a host waits with.")
        }
        let problems = names.compactMap { name -> Problem? in
            guard let host = record[name] else {
                return Problem(
                    code: "unknown-host", what: "\(name) is not in run \(record.id).", place: .argument("HOST"),
                    remedy: "`fleet report \(record.id)` names its hosts.")
            }
            guard !host.mayBeAnswered(step) else { return nil }
            let waits = host.steps.last { $0.outcome == .waiting }.map { "It waits with \($0.id)." } ?? "It is \(host.outcome.rawValue)."
            return Problem(
                code: "nothing-to-answer", what: "\(name) does not wait with step \(step).", place: .argument("STEP"),
                remedy: "\(waits) `fleet report \(record.id)` says how it stands.")
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return Hosts(names: names, step: step)
    }

    private struct Hosts: Sequence {
        var names: [HostName]
        var step: StepID

        func makeIterator() -> IndexingIterator<[HostName]> { names.makeIterator() }
    }

    private func checked(_ note: String?) throws -> String? {
        guard let note, note.count > 1000 else { return note }
        throw Problem(
            code: "invalid-argument", what: "The note is longer than 1000 characters.", place: .argument("--note"),
            remedy: "Make it shorter.")
    }
}

extension Person {
    /// The name that was given, or that of the account.
    static func named(_ given: String?) throws -> String {
        let person = given ?? name
        guard !person.isEmpty, person.count <= 100 else {
            throw Problem(
                code: "invalid-argument", what: "This cannot be the name of a person.", place: .argument("--by"),
                remedy: "Give 1 to 100 characters.")
        }
        return person
    }
}
