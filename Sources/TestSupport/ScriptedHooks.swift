import FleetCore
import FleetRollout

/// Hooks that do nothing but write down that they were called, and end as they are told to.
public actor ScriptedHooks: HookRunner {
    /// What was called, in order: `before_host h1`, `after_wave 2`.
    public private(set) var calls: [String] = []
    /// What each call was told.
    public private(set) var told: [HookCall] = []
    private let endings: [String: HookEnding]
    private let meanwhile: @Sendable (String) async -> Void

    /// Creates hooks of which some, named like ``calls``, do not end well; `meanwhile` runs during each call.
    public init(_ endings: [String: HookEnding] = [:], meanwhile: @escaping @Sendable (String) async -> Void = { _ in }) {
        self.endings = endings
        self.meanwhile = meanwhile
    }

    /// Writes the call down.
    public func run(_ hook: Hook, _ call: HookCall) async -> HookEnding {
        let what = call.host.map { " \($0)" } ?? call.wave.map { " \($0)" } ?? ""
        let name = call.event.rawValue + what
        calls.append(name)
        told.append(call)
        await meanwhile(name)
        return endings[name] ?? HookEnding(.ok, exit: 0, seconds: 0)
    }
}

/// No hooks: a plan that has some fails loudly.
public struct NoHooks: HookRunner {
    /// Creates the absence of hooks.
    public init() {}

    /// Never comes about in a plan without hooks.
    public func run(_ hook: Hook, _ call: HookCall) async -> HookEnding {
        fatalError("the plan has a hook \(call.event.rawValue), and the test has none")
    }
}
