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
    ///   - further: what releases ask for, each at its moment.
    ///   - hasDatabaseClient: whether the host has a client for its database; nil if nobody knows, and then it is taken to have one.
    public static func standard3(
        for host: Host, packageManager: PackageManager, packages: [Package], target: CanopsisVersion,
        further: ReleaseSteps = ReleaseSteps(), hasDatabaseClient: Bool? = nil
    ) -> Procedure {
        let check = CheckDatabase(edition: host.edition, stack: host.stack)
        let guardian = GuardAccounts(target: target, check: check)
        let isGuarded = host.accounts != .keepReset
        let looking: [PlannedStep]
        let saving: [PlannedStep]
        let restoring: [PlannedStep]
        if hasDatabaseClient ?? true {
            looking = [check.step]
            (saving, restoring) = isGuarded ? ([guardian.saving], [guardian.restoring]) : ([], [])
        } else {
            (looking, saving) = ([], [])
            restoring = isGuarded ? [GuardAccounts.byHand(target: target)] : []
        }
        var actions = (looking + further[.beforePackages]).map(Action.planned)
        actions.append(.upgradePackages(UpgradePackages(manager: packageManager, packages: packages, scope: host.packages)))
        actions += (further[.afterPackages] + saving).map(Action.planned)
        actions.append(.runCanopsinit(RunCanopsinit(edition: host.edition, stack: host.stack, target: target)))
        actions += (restoring + further[.afterInit]).map(Action.planned)
        actions += [.reloadSystemd(ReloadSystemd()), .restartUnits(RestartUnits())]
        actions += further[.afterRestart].map(Action.planned)
        actions.append(.verifyInstance(VerifyInstance(target: target, settle: host.settle)))
        return Procedure(actions: actions)
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
    /// Does what the guard of the database or a release asks for.
    case planned(PlannedStep)

    /// The step as a plan holds it.
    public var step: PlannedStep {
        switch self {
        case .repairPackages(let action): action.step
        case .upgradePackages(let action): action.step
        case .runCanopsinit(let action): action.step
        case .reloadSystemd(let action): action.step
        case .restartUnits(let action): action.step
        case .verifyInstance(let action): action.step
        case .planned(let step): step
        }
    }
}
