/// Completes what dpkg left half done when it was cut off: packages that were unpacked and not configured.
///
/// Fleet never does so silently: it is a step of its own. A broken yum transaction is left to a person.
public struct RepairPackages: Hashable, Sendable {
    /// Creates the action.
    public init() {}

    /// The step as a plan holds it.
    public var step: PlannedStep {
        PlannedStep(
            id: .repair, title: "complete half-configured packages", script: script.shellText, limit: .seconds(3600), kind: .job)
    }

    /// What runs on the host: edited configuration files are kept, as they are when packages are upgraded.
    public var script: RemoteScript {
        RemoteScript(
            environment: [("LC_ALL", "C"), ("DEBIAN_FRONTEND", "noninteractive")], preparation: UpgradePackages.waiting(for: .apt),
            commands: UpgradePackages.inTurn([RemoteCommand("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")]))
    }
}
