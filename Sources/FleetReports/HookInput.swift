import FleetCore

/// What a hook reads on its standard input, as JSON. `docs/json.md` describes every field.
public struct HookInput {
    private let call: HookCall

    /// Tells of a call.
    public init(_ call: HookCall) { self.call = call }

    /// The JSON text, with a line feed at the end.
    public func text() throws -> String { try JSONText.of(HookJSON(call)) }
}

private struct HookJSON: Encodable {
    var schema = JSONReport.schema
    var event: String
    var run: String
    var target: String
    @OrNull var wave: Int?
    var hosts: [String]
    @OrNull var host: String?
    @OrNull var outcome: String?
    @OrNull var reason: ReasonJSON?

    init(_ call: HookCall) {
        event = call.event.rawValue
        run = call.run.text
        target = call.target.description
        wave = call.wave
        hosts = call.hosts.map(\.text)
        host = call.host?.text
        outcome = call.outcome
        reason = call.reason.map(ReasonJSON.init)
    }
}

/// One call of a hook as the report of a run publishes it.
struct HookRecordJSON: Encodable {
    var event: String
    @OrNull var wave: Int?
    @OrNull var host: String?
    @OrNull var outcome: String?
    @OrNull var exit: Int?
    var policy: String
    @OrNull var seconds: Int?

    init(_ hook: HookRecord) {
        event = hook.moment.event.rawValue
        wave = hook.moment.wave
        host = hook.moment.host?.text
        outcome = hook.ending?.outcome.rawValue
        exit = hook.ending?.exit
        policy = hook.moment.policy.rawValue
        seconds = hook.ending?.seconds
    }
}
