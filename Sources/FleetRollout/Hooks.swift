import FleetCore
import Synchronization

/// Calls the operator's programs on the coordinator.
public protocol HookRunner: Sendable {
    /// Calls a hook and waits for its end, which comes at its limit at the latest; a program that is at work when the task is
    /// cancelled is ended.
    func run(_ hook: Hook, _ call: HookCall) async -> HookEnding
}

/// The hooks of one run, each with its intent and its end in the journal.
struct Hooks: Sendable {
    let byEvent: [HookEvent: Hook]
    let run: RunID
    let target: CanopsisVersion
    let runner: any HookRunner
    let journal: any RunJournal

    /// Calls the hook of this moment, if there is one.
    ///
    /// - Returns: what failed and how, as a sentence, if the run has to stop for it; nil otherwise.
    func call(
        _ event: HookEvent, wave: Int? = nil, hosts: [HostName], host: HostName? = nil, outcome: String? = nil, reason: Reason? = nil
    ) async throws -> String? {
        guard let hook = byEvent[event] else { return nil }
        let moment = HookMoment(event, wave: wave, host: host, policy: hook.onFailure)
        try await journal.append(.hookIntended(moment: moment))
        let call = HookCall(event, run: run, target: target, wave: wave, hosts: hosts, host: host, outcome: outcome, reason: reason)
        let ending = await runner.run(hook, call)
        try await journal.append(.hookEnded(moment: moment, ending: ending))
        return ending.outcome == .ok || hook.onFailure == .warn ? nil : "\(moment.text) \(ending.text)"
    }
}

/// Says to tasks that were started before whether anything may still be begun.
final class Latch: Sendable {
    private let value = Atomic(false)

    /// Whether nothing more may be begun.
    var isShut: Bool { value.load(ordering: .acquiring) }

    /// From here on nothing may be begun.
    func shut() { value.store(true, ordering: .releasing) }
}
