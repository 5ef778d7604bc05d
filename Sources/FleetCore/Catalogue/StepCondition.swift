/// A condition on a host that facts decide: a closed list, so that the compiler names every place that has to handle a new kind.
public enum StepCondition: Hashable, Sendable, Codable {
    /// It runs this system (`ID` of os-release) in one of these versions (`7` covers `7.9`); any version if there is none.
    case system(id: String, versions: [String])
    /// It has this edition.
    case edition(Edition)
    /// It has this stack.
    case stack(Stack)
    /// Canopsis was installed this way.
    case install(InstallKind)
    /// systemd has a unit whose name matches the pattern (`*`, `?` and `[abc]`), in this state.
    case unit(pattern: String, UnitCondition)
    /// The file is there and has the text in one of its lines.
    case fileContains(FileProbe)
    /// The file is there and none of its lines has the text.
    case fileLacks(FileProbe)
    /// The installed version is older than this one.
    case comesFrom(before: CanopsisVersion)

    /// What has to be looked for in a file of the host; nil for other conditions.
    public var probe: FileProbe? {
        switch self {
        case .fileContains(let probe), .fileLacks(let probe): probe
        default: nil
        }
    }
}

/// How Canopsis was installed on a host.
public enum InstallKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// From packages.
    case packages
    /// In containers.
    case docker
}

/// What a unit has to be.
public enum UnitCondition: String, Hashable, Sendable, Codable, CaseIterable {
    /// systemd knows it.
    case present
    /// It starts with the host.
    case enabled
    /// It is active now.
    case active
}

/// What facts say of a condition, and which fact it was.
public struct ConditionFinding: Hashable, Sendable, Codable {
    /// Whether it holds.
    public var verdict: Verdict
    /// The fact that decided, or what is not known, as a sentence without a full stop.
    public var fact: String

    /// Whether a condition holds.
    public enum Verdict: String, Hashable, Sendable, Codable {
        /// It does.
        case holds
        /// It does not.
        case fails
        /// The facts do not say.
        case unknown
    }

    /// Creates a finding.
    public init(_ verdict: Verdict, _ fact: String) {
        self.verdict = verdict
        self.fact = fact
    }
}

extension StepCondition {
    /// Decides the condition for a host on which `installed` is installed.
    ///
    /// Edition and stack are what the inventory declares; preflight blocks a host that contradicts it.
    public func finding(facts: HostFacts, host: Host, installed: CanopsisVersion) -> ConditionFinding {
        switch self {
        case .system(let id, let versions): Self.system(facts, id, versions)
        case .edition(let edition):
            ConditionFinding(host.edition == edition ? .holds : .fails, "the edition is \(host.edition.rawValue)")
        case .stack(let stack): ConditionFinding(host.stack == stack ? .holds : .fails, "the stack is \(host.stack.rawValue)")
        case .install(let kind): Self.install(facts, kind)
        case .unit(let pattern, let state): Self.unit(facts, pattern, state)
        case .fileContains(let probe): Self.file(facts, probe, shallContain: true)
        case .fileLacks(let probe): Self.file(facts, probe, shallContain: false)
        case .comesFrom(let version):
            installed < version
                ? ConditionFinding(.holds, "\(installed) is installed, older than \(version)")
                : ConditionFinding(.fails, "\(installed) is installed, not older than \(version)")
        }
    }

    private static func system(_ facts: HostFacts, _ id: String, _ versions: [String]) -> ConditionFinding {
        let system = facts.system
        guard !system.id.isEmpty else { return ConditionFinding(.unknown, "the operating system could not be read") }
        let text = "the host is \(systemText(system.id, system.version))"
        guard system.id == id else { return ConditionFinding(.fails, text) }
        if versions.isEmpty { return ConditionFinding(.holds, text) }
        guard !system.version.isEmpty else { return ConditionFinding(.unknown, "\(text), and its version is not known") }
        let isOne = versions.contains { system.version == $0 || system.version.hasPrefix($0 + ".") }
        return ConditionFinding(isOne ? .holds : .fails, text)
    }

    private static func install(_ facts: HostFacts, _ kind: InstallKind) -> ConditionFinding {
        if let package = facts.installed.first {
            return ConditionFinding(kind == .packages ? .holds : .fails, "the package \(package.name) is installed")
        }
        if facts.unread.contains(where: { $0.section == "packages" }) {
            return ConditionFinding(.unknown, "the installed packages could not be read")
        }
        let text = "no package of Canopsis is installed"
        return kind == .packages ? ConditionFinding(.fails, text) : ConditionFinding(.unknown, text + ", and nobody looked for containers")
    }

    private static func unit(_ facts: HostFacts, _ pattern: String, _ state: UnitCondition) -> ConditionFinding {
        if facts.unread.contains(where: { $0.section == "units" }) { return ConditionFinding(.unknown, "the units could not be read") }
        let glob = Glob(pattern)
        let named = facts.units.filter { (glob?.matches($0.name) ?? ($0.name == pattern)) && $0.load != "not-found" }
        if let unit = named.first(where: { $0.fulfils(state) }) {
            return ConditionFinding(.holds, "\(unit.name) is \(state.rawValue)")
        }
        guard let unit = named.first else { return ConditionFinding(.fails, "there is no unit \(pattern)") }
        return ConditionFinding(.fails, named.count == 1 ? "\(unit.name) is not \(state.rawValue)" : "no \(pattern) is \(state.rawValue)")
    }

    private static func file(_ facts: HostFacts, _ probe: FileProbe, shallContain: Bool) -> ConditionFinding {
        switch facts.probes[probe] {
        case .present: ConditionFinding(shallContain ? .holds : .fails, "\(probe.path) has a line with \(probe.text)")
        case .absent: ConditionFinding(shallContain ? .fails : .holds, "\(probe.path) has no line with \(probe.text)")
        case .noFile: ConditionFinding(.fails, "there is no file \(probe.path)")
        case nil: ConditionFinding(.unknown, "nobody could tell whether \(probe.path) has \(probe.text)")
        }
    }

    private static func systemText(_ id: String, _ version: String) -> String {
        let name =
            switch id {
            case "debian": "Debian"
            case "centos": "CentOS"
            case "rhel": "Red Hat Enterprise Linux"
            case "almalinux": "AlmaLinux"
            default: id
            }
        return version.isEmpty ? name : "\(name) \(version)"
    }

    /// The condition for a person: `CentOS 7`, `edition cat`, `canopsis-engine-go@engine-stat.service active`.
    public var text: String {
        switch self {
        case .system(let id, let versions):
            versions.isEmpty ? Self.systemText(id, "") : Self.systemText(id, versions.joined(separator: " or "))
        case .edition(let edition): "edition \(edition.rawValue)"
        case .stack(let stack): "stack \(stack.rawValue)"
        case .install(let kind): "installed \(kind == .packages ? "from packages" : "in containers")"
        case .unit(let pattern, let state): "\(pattern) \(state.rawValue)"
        case .fileContains(let probe): "\(probe.path) has \(probe.text)"
        case .fileLacks(let probe): "\(probe.path) lacks \(probe.text)"
        case .comesFrom(let version): "coming from before \(version)"
        }
    }
}

extension UnitState {
    fileprivate func fulfils(_ condition: UnitCondition) -> Bool {
        switch condition {
        case .present: true
        case .enabled: isEnabled
        case .active: active == "active"
        }
    }
}
