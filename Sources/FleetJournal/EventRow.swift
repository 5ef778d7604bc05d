import FleetCore
import Foundation
import GRDB

/// One event as a row: the columns the schema's rules look at, and the whole event as JSON.
struct EventRow {
    var kind: String
    var host: String?
    var step: String?
    var body: String

    init(_ event: RunEvent) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        body = String(decoding: try encoder.encode(event), as: UTF8.self)
        switch event {
        case .runStarted: kind = "run-started"
        case .waveStarted: kind = "wave-started"
        case .pauseStarted: kind = "pause-started"
        case .approvalNeeded: kind = "approval-needed"
        case .approved: kind = "approved"
        case .hostHeldBack(let name, _): (kind, host) = ("host-held-back", name.text)
        case .hostStarted(let name): (kind, host) = ("host-started", name.text)
        case .runResumed: kind = "run-resumed"
        case .baselineTaken(let name, _, _): (kind, host) = ("baseline-taken", name.text)
        case .stateSaved(let name, _): (kind, host) = ("state-saved", name.text)
        case .linkLost(let name, _): (kind, host) = ("link-lost", name.text)
        case .linkRestored(let name): (kind, host) = ("link-restored", name.text)
        case .stepRepeated(let name, let id, _, _): (kind, host, step) = ("step-repeated", name.text, id.rawValue)
        case .stepIntended(let name, let id, _, _): (kind, host, step) = ("step-intended", name.text, id.rawValue)
        case .stepStarted(let name, let id): (kind, host, step) = ("step-started", name.text, id.rawValue)
        case .stepProgress(let name, let id, _): (kind, host, step) = ("step-progress", name.text, id.rawValue)
        case .stepEnded(let name, let id, _, _, _, _): (kind, host, step) = ("step-ended", name.text, id.rawValue)
        case .stepAwaited(let name, let id, _, _): (kind, host, step) = ("step-awaited", name.text, id.rawValue)
        case .stepAnswered(let name, let id, _): (kind, host, step) = ("step-answered", name.text, id.rawValue)
        case .hostEnded(let name, _, _, _): (kind, host) = ("host-ended", name.text)
        case .rolloutStopped: kind = "rollout-stopped"
        case .interrupted: kind = "interrupted"
        case .hookIntended(let moment): (kind, host) = ("hook-intended", moment.host?.text)
        case .hookEnded(let moment, _): (kind, host) = ("hook-ended", moment.host?.text)
        case .runEnded: kind = "run-ended"
        case .commandRun: kind = "command-run"
        }
    }

    /// Whether the event must be on the disk before anything is done because of it.
    ///
    /// Everything but progress must: a lost offset means that bytes are read from the host again, nothing more.
    static func mustBeSynced(_ event: RunEvent) -> Bool {
        if case .stepProgress = event { false } else { true }
    }

    /// Reads an event back from its row.
    static func event(of row: Row) throws -> StampedEvent {
        let body: String = row["body"]
        return StampedEvent(
            sequence: row["sequence"], at: row["at"], event: try JSONDecoder().decode(RunEvent.self, from: Data(body.utf8)))
    }
}
