/// The official upgrade of one single-node Canopsis 3.x installed from packages, as ordered steps.
///
/// The order is the vendor's: packages, `canopsinit`, `systemctl daemon-reload`, `canoctl restart`, then a look at what runs.
public struct Procedure: Hashable, Sendable {
    /// What an upgrade does, in order.
    public var actions: [Action]

    /// The standard procedure for a host.
    ///
    /// - Parameters:
    ///   - host: the host's edition, stack and package scope.
    ///   - packageManager: whose commands to write.
    ///   - packages: the exact packages that make up the target on this host.
    ///   - target: the version the host shall have.
    public static func standard3(
        for host: Host, packageManager: PackageManager, packages: [Package], target: CanopsisVersion
    ) -> Procedure {
        Procedure(actions: [
            .upgradePackages(UpgradePackages(manager: packageManager, packages: packages, scope: host.packages)),
            .runCanopsinit(RunCanopsinit(edition: host.edition, stack: host.stack, target: target)),
            .reloadSystemd(ReloadSystemd()),
            .restartUnits(RestartUnits()),
            .verifyInstance(VerifyInstance(target: target, settle: host.settle)),
        ])
    }

    /// The steps as a plan holds them.
    public var steps: [PlannedStep] { actions.map(\.step) }
}

/// What one step does: a closed list, so that the compiler names every place that has to handle a new kind.
public enum Action: Hashable, Sendable {
    /// Completes what a package manager left half done.
    case repairPackages(RepairPackages)
    /// Brings the packages to the target.
    case upgradePackages(UpgradePackages)
    /// Brings the database to the target.
    case runCanopsinit(RunCanopsinit)
    /// Lets systemd read new unit files.
    case reloadSystemd(ReloadSystemd)
    /// Restarts every unit.
    case restartUnits(RestartUnits)
    /// Looks whether the instance works.
    case verifyInstance(VerifyInstance)

    /// The step as a plan holds it.
    public var step: PlannedStep {
        switch self {
        case .repairPackages(let action): action.step
        case .upgradePackages(let action): action.step
        case .runCanopsinit(let action): action.step
        case .reloadSystemd(let action): action.step
        case .restartUnits(let action): action.step
        case .verifyInstance(let action): action.step
        }
    }
}
