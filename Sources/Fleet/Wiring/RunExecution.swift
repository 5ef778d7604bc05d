import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

/// Carries a run out on this machine: signals, display, journal and logs around the rollout.
struct RunExecution {
    let plan: Plan
    let digest: String
    let run: RunID
    let journal: Journal
    let connector: SSHConnector

    /// Begins the run and carries it out to its end.
    ///
    /// - Parameters:
    ///   - purpose: what it is for, in the words of who starts it.
    ///   - notes: who has read the notes of the releases on the way.
    func begin(purpose: String?, notes: [Acknowledgement], patience: Patience) async throws -> RunRecord {
        try refuseUnlessHooksCanBeCalled()
        let start = plan.runStart(digest: digest, person: Person.name, machine: Person.machine, purpose: purpose, notes: notes)
        return try await carryOut(patience: patience, earlier: nil, retriedBy: nil) { display in
            try RunRecorder(beginning: run, start: start, plan: Data(PlanFile.text(of: plan).utf8), in: journal, display: display)
        }
    }

    /// Goes on with a run that was left unfinished.
    ///
    /// - Parameter retryingFailed: whether hosts that failed are tried again from the step they failed at.
    func resume(_ earlier: RunRecord, retryingFailed: Bool, patience: Patience) async throws -> RunRecord {
        try refuseUnlessHooksCanBeCalled()
        let note = RunResume(person: Person.name, machine: Person.machine, retriesFailed: retryingFailed)
        return try await carryOut(patience: patience, earlier: earlier, retriedBy: retryingFailed ? note.person : nil) { display in
            try RunRecorder(resuming: run, note: note, in: journal, display: display)
        }
    }

    private func carryOut(
        patience: Patience, earlier: RunRecord?, retriedBy: String?, recorder make: (ProgressDisplay) throws -> RunRecorder
    ) async throws -> RunRecord {
        let signals = StopSignals()
        let display = ProgressDisplay(waves: plan.waves.count)
        let recorder = try make(display)
        Console.say("run \(run)")
        await display.start()
        let reason = await recorder.record.purpose.map { "upgrade to \(plan.target), \($0)" } ?? "upgrade to \(plan.target)"
        let lock = HostLock(run: run, person: Person.name, machine: Person.machine, planDigest: digest, reason: reason)
        let folder = RunFolder(of: run, in: journal.folder)
        let runner = RolloutRunner(
            plan: plan, lock: lock, connector: connector, journal: recorder, log: HostLogs(in: folder),
            hooks: HookPrograms(logs: journal.folder, folder: folder), patience: patience, earlier: earlier, retriedBy: retriedBy)
        let ending: RolloutRunner.Ending
        do {
            ending = try await runner.carryOut(stops: signals.names)
            try await recorder.end()
        } catch {
            await display.stop()
            throw Problem(
                code: "internal", what: "Fleet had to leave run \(run): its journal or logs could not be written.",
                place: .file(journal.folder, line: nil),
                remedy: "No further host was started. Steps under way on hosts go on there by themselves, and the hosts stay locked. "
                    + "Mend the cause, then go on with `fleet resume \(run)`.",
                cause: (error as? Problem)?.description ?? "\(error)")
        }
        await display.stop()
        if case .detached = ending { Console.say("The steps under way go on on their hosts. Go on with: fleet resume \(run)") }
        withExtendedLifetime(signals) {}
        var record = await recorder.record
        record.isAlive = false
        return record
    }
}

extension RunExecution {
    /// A hook that cannot be called on this machine keeps every host from being touched.
    private func refuseUnlessHooksCanBeCalled() throws {
        let problems = HookEvent.allCases.compactMap { event -> Problem? in
            guard let word = plan.hooks[event]?.command.first, let what = HookProgram(word).whatIsWrong else { return nil }
            return Problem(
                code: "bad-hook-command", what: "The hook \(event.rawValue) of the plan cannot be called: \(what)",
                remedy: "Put the program there, or make a new plan. No host was touched.")
        }
        guard problems.isEmpty else { throw Problems(problems) }
    }
}

/// Writes the report of a run that was carried out, and exits with what the run says.
func show(_ record: RunRecord, in journal: Journal, as output: OutputFormat, context: ReportContext) throws -> Never {
    let earlier = try journal.downtimes(before: record)
    switch output {
    case .text: Console.data(TextReport(record, context: context, style: Console.style, earlier: earlier).text)
    case .json: Console.data(try JSONReport(record, earlier: earlier).text())
    }
    throw record.exitStatus ?? .internalError
}
