/// Lets systemd read the unit files the packages brought; the packages don't do so themselves.
public struct ReloadSystemd: Hashable, Sendable {
    /// Creates the action.
    public init() {}

    /// The step as a plan holds it.
    public var step: PlannedStep {
        let script = RemoteScript(commands: [RemoteCommand("systemctl", "daemon-reload")])
        return PlannedStep(id: .daemonReload, title: "reload systemd", script: script.shellText, limit: .seconds(120), kind: .job)
    }
}

/// Restarts every Canopsis unit.
///
/// `canoctl restart` answers with the status of the last unit only, so its success says nothing: ``VerifyInstance`` does.
public struct RestartUnits: Hashable, Sendable {
    /// Creates the action.
    public init() {}

    /// The step as a plan holds it.
    public var step: PlannedStep {
        let script = RemoteScript(
            environment: [("LC_ALL", "C"), ("SYSTEMD_PAGER", "cat")], commands: [RemoteCommand("canoctl", "restart")])
        return PlannedStep(id: .restart, title: "restart every unit", script: script.shellText, limit: .seconds(1800), kind: .job)
    }
}

/// Compares the host with what it was: versions, units, web interface.
public struct VerifyInstance: Hashable, Sendable {
    /// The version the host shall have.
    public var target: CanopsisVersion
    /// How long every unit must stay up with the same process.
    public var settle: Duration

    /// Creates the action.
    public init(target: CanopsisVersion, settle: Duration) {
        self.target = target
        self.settle = settle
    }

    /// The step as a plan holds it.
    public var step: PlannedStep {
        PlannedStep(
            id: .verify, title: "every unit restarted and stable for \(settle.text), web interface at \(target)", script: "",
            limit: settle + settle + .seconds(90), kind: .look)
    }
}
