import FleetCore

/// A run as JSON, complete or as far as it has come. `docs/json.md` describes every field.
public struct JSONReport {
    /// The form this version of Fleet writes.
    public static let schema = 1

    private let record: RunRecord
    private let earlier: [HostName: Duration]

    /// Reports on a run.
    ///
    /// - Parameter earlier: how long the service of each host was down in its run before.
    public init(_ record: RunRecord, earlier: [HostName: Duration] = [:]) {
        self.record = record
        self.earlier = earlier
    }

    /// The JSON text, with a line feed at the end.
    public func text() throws -> String {
        if let command = record.command { return try JSONText.of(CommandJSON(record, command)) }
        return try JSONText.of(RunJSON(record, earlier))
    }
}

private struct RunJSON: Encodable {
    var schema = JSONReport.schema
    var run: String
    @OrNull var target: String?
    @OrNull var purpose: String?
    @OrNull var started: String?
    @OrNull var ended: String?
    var outcome: String
    @OrNull var exit_status: Int32?
    var counts: [String: Int]
    @OrNull var downtime: DowntimeJSON?
    var notes: [AcknowledgementJSON]
    var hooks: [HookRecordJSON]
    var hosts: [HostJSON]

    init(_ record: RunRecord, _ earlier: [HostName: Duration]) {
        downtime = record.downtime.map(DowntimeJSON.init)
        notes = record.notes.map(AcknowledgementJSON.init)
        run = record.id.text
        target = record.target?.description
        purpose = record.purpose
        started = record.started
        ended = record.ended
        outcome = record.outcome.rawValue
        exit_status = record.exitStatus?.rawValue
        counts = Dictionary(uniqueKeysWithValues: record.counts.map { ($0.key.rawValue, $0.value) })
        hooks = record.hooks.map(HookRecordJSON.init)
        hosts = record.hosts.map { HostJSON($0, earlier[$0.name]) }
    }
}

private struct DowntimeJSON: Encodable {
    var median_seconds: Double
    var max_seconds: Double

    init(_ downtime: Downtime) {
        median_seconds = downtime.median.inTenths
        max_seconds = downtime.most.inTenths
    }
}

/// Who has read the text of a release.
private struct AcknowledgementJSON: Encodable {
    var version: String
    var sha256: String
    var by: String
    var at: String
    @OrNull var until: String?

    init(_ acknowledgement: Acknowledgement) {
        version = acknowledgement.version.description
        sha256 = acknowledgement.sha256
        by = acknowledgement.person.escapedForTerminal()
        at = acknowledgement.at
        until = acknowledgement.until
    }
}

private struct HostJSON: Encodable {
    var name: String
    var address: String
    @OrNull var wave: Int?
    var outcome: String
    @OrNull var reason: ReasonJSON?
    @OrNull var from: String?
    @OrNull var to: String?
    @OrNull var started: String?
    @OrNull var ended: String?
    @OrNull var reconnecting_since: String?
    @OrNull var downtime_seconds: Double?
    @OrNull var earlier_downtime_seconds: Double?
    var warnings: [ReasonJSON]
    @OrNull var saved: SavedJSON?
    var steps: [StepJSON]

    init(_ host: HostRecord, _ earlier: Duration?) {
        downtime_seconds = host.downtime?.inTenths
        earlier_downtime_seconds = earlier?.inTenths
        warnings = host.warnings.map(ReasonJSON.init)
        name = host.name.text
        address = host.address
        wave = host.wave
        outcome = host.outcome.rawValue
        reason = host.reason.map(ReasonJSON.init)
        from = host.from?.description
        to = host.to?.description
        started = host.started
        ended = host.ended
        reconnecting_since = host.lostSince
        saved = host.saved.map { SavedJSON(folder: $0.folder, bytes: $0.bytes, way_back: $0.wayBack) }
        steps = host.steps.map(StepJSON.init)
    }
}

private struct SavedJSON: Encodable {
    var folder: String
    var bytes: Int64
    var way_back: [String]
}

private struct StepJSON: Encodable {
    var id: String
    var tries: Int
    var title: String
    @OrNull var outcome: String?
    @OrNull var exit: Int?
    @OrNull var reason: ReasonJSON?
    @OrNull var started: String?
    @OrNull var ended: String?
    @OrNull var instruction: String?

    init(_ step: StepRecord) {
        instruction = step.instruction
        id = step.id.rawValue
        tries = step.tries
        title = step.title
        outcome = step.outcome?.rawValue
        exit = step.exit
        reason = step.reason.map(ReasonJSON.init)
        started = step.started
        ended = step.ended
    }
}

/// A run of `fleet exec` read back: how it ended everywhere; its output is not kept.
private struct CommandJSON: Encodable {
    var schema = JSONReport.schema
    var run: String
    var command: String
    var started: String
    @OrNull var ended: String?
    var outcome: String
    @OrNull var exit_status: Int32?
    var hosts: [ExecHostJSON]

    init(_ record: RunRecord, _ run: CommandRun) {
        self.run = record.id.text
        command = run.command
        started = run.started
        ended = record.ended
        outcome = record.outcome.rawValue
        exit_status = record.exitStatus?.rawValue
        hosts = run.sortedEndings.map { ExecHostJSON(name: $0.name.text, ending: $0.ending) }
    }
}

extension CommandRun {
    /// The endings by host, in the order of the names.
    var sortedEndings: [(name: HostName, ending: ExecEnding)] {
        endings.compactMap { name, word in HostName(name).map { ($0, ExecEnding(word: word)) } }.sorted { $0.name < $1.name }
    }
}

extension Duration {
    /// This duration in seconds, to a tenth.
    var inTenths: Double { (inSeconds * 10).rounded() / 10 }
}
