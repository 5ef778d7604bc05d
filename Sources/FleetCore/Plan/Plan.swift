/// Inventory, procedure and policy put together, fixed before anything runs.
///
/// Self-contained and free of secrets: a run carries out exactly what stands here, also from another machine.
public struct Plan: Hashable, Sendable, Codable {
    /// The version of this form.
    public var schema: Int
    /// The version of Fleet that made it.
    public var fleet: String
    /// When it was made, RFC 3339 in UTC.
    public var created: String
    /// The version every host shall have.
    public var target: CanopsisVersion
    /// The rules of the rollout, as given.
    public var policy: RolloutPolicy
    /// What is called on the coordinator at moments of the run.
    public var hooks: [HookEvent: Hook]
    /// Every selected host, in the order of the inventory.
    public var hosts: [PlannedHost]
    /// The hosts with work to do, in order.
    public var waves: [Wave]

    /// The form this version of Fleet writes; 2 has pauses, approvals, limits and labels, 3 the steps of releases and those for a person,
    /// 4 the way through versions before the target, names of add-ons, and hooks, 5 where web interfaces are and who logs in.
    public static let currentSchema = 5
    /// The forms this version of Fleet reads. What an older form lacks was not given.
    public static let readableSchemas = 1...currentSchema

    /// Creates a plan.
    public init(
        schema: Int = Plan.currentSchema, fleet: String, created: String, target: CanopsisVersion, policy: RolloutPolicy,
        hooks: [HookEvent: Hook] = [:], hosts: [PlannedHost], waves: [Wave]
    ) {
        self.schema = schema
        self.fleet = fleet
        self.created = created
        self.target = target
        self.policy = policy
        self.hooks = hooks
        self.hosts = hosts
        self.waves = waves
    }
}

/// One selected host in a plan.
public struct PlannedHost: Hashable, Sendable, Codable {
    /// The host with its settings.
    public var host: Host
    /// Who it was when the plan was made; nil if it could not be asked.
    public var identity: HostIdentity?
    /// What the steps rely on; nil if it could not be read.
    public var facts: ReliedFacts?
    /// How far the upgrade goes; nil if the installed version is not known.
    public var upgradeClass: UpgradeClass?
    /// What will be done with it.
    public var disposition: Disposition
    /// What preflight found worth saying, blocking or not.
    public var findings: [GateFinding]
    /// The steps with their exact commands; empty unless the host is to be upgraded.
    public var steps: [PlannedStep]

    /// Creates a planned host.
    public init(
        host: Host, identity: HostIdentity?, facts: ReliedFacts?, upgradeClass: UpgradeClass?, disposition: Disposition,
        findings: [GateFinding], steps: [PlannedStep]
    ) {
        self.host = host
        self.identity = identity
        self.facts = facts
        self.upgradeClass = upgradeClass
        self.disposition = disposition
        self.findings = findings
        self.steps = steps
    }
}

/// The facts a plan relies on: if one of them has changed, the plan is out of date. Nothing volatile is among them.
public struct ReliedFacts: Hashable, Sendable, Codable {
    /// The installed version.
    public var version: CanopsisVersion
    /// The operating system.
    public var system: OperatingSystem
    /// The package manager the commands are written for.
    public var packageManager: PackageManager
    /// The Canopsis packages installed, sorted.
    public var installed: [Package]

    /// Creates the facts relied on.
    public init(version: CanopsisVersion, system: OperatingSystem, packageManager: PackageManager, installed: [Package]) {
        self.version = version
        self.system = system
        self.packageManager = packageManager
        self.installed = installed.sorted()
    }
}

/// What a plan does with a host.
public enum Disposition: Hashable, Sendable, Codable {
    /// Upgrade it in this wave, counted from 1.
    case upgrade(wave: Int)
    /// Nothing to do.
    case skip(Reason)
    /// It must not be upgraded.
    case block(Reason)
    /// Another run has it, or left it unfinished.
    case `defer`(Reason)
    /// It could not be reached while planning.
    case unreachable(Reason)
}

/// The hosts between two gates.
public struct Wave: Hashable, Sendable, Codable {
    /// Counted from 1.
    public var number: Int
    /// The hosts, in the order they are started.
    public var hosts: [HostName]

    /// Creates a wave.
    public init(number: Int, hosts: [HostName]) {
        self.number = number
        self.hosts = hosts
    }
}

/// What one preflight gate says of one host.
public struct GateFinding: Hashable, Sendable, Codable {
    /// The gate's stable name, such as `disk-space`.
    public var gate: String
    /// What it means for the host.
    public var verdict: Verdict
    /// One sentence with the fact.
    public var text: String
    /// What to do about it; empty for a pass.
    public var remedy: String
    /// Why the gate does not keep the host out although it would block, in the inventory's words; nil if it is not overridden.
    public var overridden: String?

    /// What a finding means for the host.
    public enum Verdict: String, Hashable, Sendable, Codable {
        /// As it should be.
        case pass
        /// Worth knowing; the host may be upgraded.
        case warn
        /// The host must not be upgraded.
        case block
    }

    /// Creates a finding.
    public init(gate: String, verdict: Verdict, text: String, remedy: String, overridden: String? = nil) {
        self.gate = gate
        self.verdict = verdict
        self.text = text
        self.remedy = remedy
        self.overridden = overridden
    }

    /// The finding on one line, with the reason why it does not count where there is one.
    public var note: String { "\(gate): \(text)" + (overridden.map { "; overridden: \($0)" } ?? "") }

    /// The finding where a person has said why it shall not keep the host out.
    func overridden(because reason: String?) -> GateFinding {
        guard let reason, verdict == .block else { return self }
        return GateFinding(gate: gate, verdict: .warn, text: text, remedy: remedy, overridden: reason)
    }
}
