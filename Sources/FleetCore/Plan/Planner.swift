/// Puts inventory, facts, procedure and policy together into a plan. Pure: it reads nothing and asks nobody.
public struct Planner: Sendable {
    /// The version every host shall have.
    public var target: CanopsisVersion
    /// The rules of the rollout.
    public var policy: RolloutPolicy
    /// What is known of the vendor's releases.
    public var catalogue: Catalogue
    /// What the add-ons that hosts name ask for.
    public var addOns: [AddOn] = []
    /// What is called on the coordinator at moments of the run.
    public var hooks: [HookEvent: Hook] = [:]
    /// The version of Fleet that plans.
    public var fleet: String
    /// When it plans, RFC 3339 in UTC.
    public var created: String

    /// Creates a planner.
    public init(target: CanopsisVersion, policy: RolloutPolicy, catalogue: Catalogue, fleet: String, created: String) {
        self.target = target
        self.policy = policy
        self.catalogue = catalogue
        self.fleet = fleet
        self.created = created
    }

    /// Plans the upgrade of the selected hosts.
    ///
    /// - Throws: ``Problems`` when two entries are one machine, or nobody knows the target.
    public func plan(_ hosts: [Host], given readings: [HostName: FactReading]) throws(Problems) -> Plan {
        let problems = sameMachine(hosts, readings) + unknownTarget(readings) + wrongStops
        guard problems.isEmpty else { throw Problems(problems) }

        var planned = hosts.map { plan($0, given: readings[$0.name] ?? .failure(Reason(.connectFailed))) }
        let working = planned.filter { $0.disposition == .upgrade(wave: 0) }.map(\.host.name)
        let waves = Wave.divide(working, selected: hosts.count, sizes: policy.waves)
        let number = Dictionary(waves.flatMap { wave in wave.hosts.map { ($0, wave.number) } }, uniquingKeysWith: { first, _ in first })
        for index in planned.indices {
            if let wave = number[planned[index].host.name] { planned[index].disposition = .upgrade(wave: wave) }
        }
        return Plan(fleet: fleet, created: created, target: target, policy: policy, hooks: hooks, hosts: planned, waves: waves)
    }

    private func plan(_ host: Host, given reading: FactReading) -> PlannedHost {
        let facts: HostFacts
        switch reading {
        case .failure(let reason):
            return PlannedHost(
                host: host, identity: nil, facts: nil, upgradeClass: nil,
                disposition: reason.isObjection ? .block(reason) : .unreachable(reason), findings: [], steps: [])
        case .facts(let read): facts = read
        }
        let paths = facts.installedVersion.map { self.paths(from: $0, facts, host) } ?? []
        let findings =
            Preflight.findings(facts, host: host, target: target).filter { $0.verdict != .pass }
            + PathFindings.unknownNote(of: target, in: catalogue)
            + paths.reduce(into: [GateFinding]()) { found, path in
                found += PathFindings.findings(on: path, host: host, facts: facts).filter { !found.contains($0) }
            }
            + stopsNotOffered(paths, facts)
        let upgradeClass = facts.installedVersion.map { UpgradeClass(from: $0, to: target) }
        let relied = facts.installedVersion.flatMap { version in
            facts.packageManager.map { manager in
                ReliedFacts(version: version, system: facts.system, packageManager: manager, installed: facts.installed)
            }
        }
        func planned(_ disposition: Disposition, steps: [PlannedStep] = []) -> PlannedHost {
            PlannedHost(
                host: host, identity: facts.identity, facts: relied, upgradeClass: upgradeClass, disposition: disposition,
                findings: findings, steps: steps)
        }
        // What was begun there is that run's to finish: its packages may be new and its database old.
        if let holder = facts.lockHolder, holder.isUnfinished { return planned(.defer(holder.reason)) }
        let versions = ["from": facts.installedVersion.map(String.init(describing:)) ?? "?", "to": "\(target)"]
        switch upgradeClass {
        // A host that another run is at work on may have the packages and not the rest.
        case .some(.none) where facts.lockHolder?.isInUse ?? false:
            return planned(.defer(facts.lockHolder?.reason ?? Reason(.hostLocked)))
        case .some(.none) where facts.brokenPackages?.isEmpty ?? false:
            return planned(.skip(Reason(.alreadyAtTarget, ["version": "\(target)"])))
        case .downgrade: return planned(.block(Reason(.downgrade, versions)))
        case .major:
            let constraint = facts.installedVersion.flatMap { MigrationGuide.constraint(from: $0, to: target) }
            return planned(.block(Reason(.majorUpgrade, versions.merging(constraint.map { ["constraint": $0] } ?? [:]) { _, new in new })))
        default: break
        }
        if let finding = findings.first(where: { $0.verdict == .block }) {
            return planned(.block(Reason(.gateBlocked, ["gate": finding.gate, "words": finding.text, "remedy": finding.remedy])))
        }
        guard let relied, let last = paths.last, let packages = Preflight.packages(to: target, facts) else {
            return planned(.block(Reason(.gateBlocked, ["gate": "target-offered", "words": "the packages of \(target) are not known"])))
        }
        var steps: [PlannedStep] = []
        var firstStop = 1
        let addOnSteps = stepsOfAddOns(for: host, from: relied.version, facts)
        for path in paths {
            // Each step of an add-on is done once: before the first packages are replaced, or on the way to the target.
            let own = addOnSteps.filter { ($0.step.work.phase == .beforePackages) ? path == paths.first : path == last }
            let further = ReleaseSteps(path, addOns: own, hasDatabaseClient: facts.hasDatabaseClient ?? true, firstStop: firstStop)
            firstStop = further.nextStop
            let procedure = Procedure.standard3(
                for: host, packageManager: relied.packageManager,
                packages: path == last ? packages : Preflight.packages(to: path.target, facts) ?? [], target: path.target,
                further: further, hasDatabaseClient: facts.hasDatabaseClient)
            steps += path == last ? procedure.steps : procedure.steps.map { $0.onTheWay(to: path.target) }
        }
        if facts.canBeRepaired { steps.insert(RepairPackages().step, at: 0) }
        // The wave is not known yet; ``plan(_:given:)`` fills it in.
        return planned(.upgrade(wave: 0), steps: steps)
    }

    /// The ways of a host: to each version it is brought to before the target, then to the target.
    private func paths(from installed: CanopsisVersion, _ facts: HostFacts, _ host: Host) -> [ReleasePath] {
        var from = installed
        return (policy.stepByStep.filter { installed < $0 && $0 < target } + [target]).map { version in
            defer { from = version }
            return ReleasePath(through: catalogue, from: from, to: version, facts: facts, host: host)
        }
    }

    /// A version before the target that the host's repository does not have keeps it out.
    private func stopsNotOffered(_ paths: [ReleasePath], _ facts: HostFacts) -> [GateFinding] {
        paths.dropLast().filter { Preflight.packages(to: $0.target, facts) == nil }.map { path in
            GateFinding(
                gate: "step-offered", verdict: .block, text: "its repository does not offer \(path.target), which --step-by-step names",
                remedy: "publish \(path.target) there, or leave it out of --step-by-step")
        }
    }

    /// A version to be brought to that does not lie before the target is a slip of the finger.
    private var wrongStops: [Problem] {
        policy.stepByStep.filter { $0 >= target || $0 != $0.release }.map { version in
            Problem(
                code: "invalid-argument",
                what: version < target ? "\(version) is no release." : "\(version) does not come before \(target).",
                place: .argument("--step-by-step"), remedy: "Give the releases on the way to the target, without the target itself.")
        }
    }

    /// What the add-ons of a host ask for, in the order the inventory names them.
    private func stepsOfAddOns(for host: Host, from installed: CanopsisVersion, _ facts: HostFacts) -> [ResolvedAddOnStep] {
        (host.addons ?? []).flatMap { name in
            addOns.first { $0.name == name }?.resolved(facts: facts, host: host, installed: installed) ?? []
        }
    }

    /// Two entries for one machine would upgrade it twice at the same moment.
    private func sameMachine(_ hosts: [Host], _ readings: [HostName: FactReading]) -> [Problem] {
        var seen: [String: HostName] = [:]
        var problems: [Problem] = []
        for host in hosts {
            guard case .facts(let facts) = readings[host.name] else { continue }
            if let other = seen[facts.identity.machineID] {
                problems.append(
                    Problem(
                        code: "same-machine", what: "\(host.name) and \(other) are the same machine (they share one machine id).",
                        place: .host(host.name, step: nil),
                        remedy: "Keep one of the two in the inventory, or leave one out with -l '!\(host.name)'. "
                            + "If a machine was cloned, give the copy a machine id of its own."))
            } else {
                seen[facts.identity.machineID] = host.name
            }
        }
        return problems
    }

    /// A target that the vendor never announced and no repository offers is a slip of the finger.
    private func unknownTarget(_ readings: [HostName: FactReading]) -> [Problem] {
        guard catalogue.release(target) == nil else { return [] }
        var offered: Set<CanopsisVersion> = []
        var asked = false
        for case .facts(let facts) in readings.values {
            if facts.installedVersion == target { return [] }
            guard case .packages(let packages) = facts.offer else { return [] }
            asked = true
            offered.formUnion(packages.compactMap { CanopsisVersion(packageVersion: $0.version) })
        }
        guard asked, !offered.contains(target) else { return [] }
        let list = offered.sorted().map(\.description).joined(separator: ", ")
        return [
            Problem(
                code: "unknown-version", what: "\(target) is no release that is known, and no host's repository offers it.",
                place: .argument("--to"), remedy: offered.isEmpty ? "Check the number." : "On offer: \(list).")
        ]
    }
}
