import FleetCore

/// A plan as it stands in a file, where `atOnce` is written `at_once`. The names here are the file's: they stay when a value in
/// FleetCore is renamed.
struct PlanDocument: Hashable, Codable {
    var schema: Int
    var fleet: String
    var created: String
    var target: CanopsisVersion
    var policy: Policy
    // Not in forms 1 to 3; left out where there are none.
    var hooks: [String: HookEntry]?
    var hosts: [PlannedHostEntry]
    var waves: [WaveEntry]

    struct Policy: Hashable, Codable {
        var waves: [Share]
        var atOnce: Int
        var maxFailures: Share
        var maxFailuresPerWave: Share?
        var barrier: Bool
        // Not in form 1; left out where the rule was not given.
        var pause: DurationText?
        var approve: Bool?
        var spread: RolloutPolicy.Spread?
        var limits: [String: Int]?
        // Not in forms 1 and 2; left out where places are freed.
        var parkedPlace: RolloutPolicy.ParkedPlace?
        var stepByStep: [CanopsisVersion]?
    }

    struct PlannedHostEntry: Hashable, Codable {
        var host: HostEntry
        var identity: IdentityEntry?
        var facts: FactsEntry?
        var upgradeClass: UpgradeClass?
        var disposition: DispositionEntry
        var findings: [FindingEntry]
        var steps: [StepEntry]
    }

    struct HostEntry: Hashable, Codable {
        var name: HostName
        var address: String
        var port: UInt16
        var user: String
        var identity: String?
        var knownHosts: String?
        var become: Become
        var edition: Edition
        var stack: Stack
        var packages: PackageScope
        var customer: String?
        var labels: [String: String]?
        var addons: AddonsEntry?
        // Not in forms 1 and 2; left out where they are restored.
        var accounts: AccountPolicy?
        // Left out where all services are on the host, and where nothing is overridden.
        var services: ServicePlace?
        var overrides: [String: String]?
        var settle: DurationText
        // Not in forms 1 to 4; left out where nothing is said of it.
        var web: WebEntry?
        var groups: [String]
    }

    struct WebEntry: Hashable, Codable {
        var url: WebAddress
        var user: String?
        var passwordFile: String?
        var tls: TLSPolicy
    }

    struct IdentityEntry: Hashable, Codable {
        var machineId: String
        var hostKey: String
    }

    struct FactsEntry: Hashable, Codable {
        var version: CanopsisVersion
        var system: SystemEntry
        var packageManager: PackageManager
        var installed: [PackageEntry]
    }

    struct SystemEntry: Hashable, Codable {
        var id: String
        var version: String
        var name: String
    }

    struct PackageEntry: Hashable, Codable {
        var name: String
        var version: String
    }

    /// `upgrade` has a wave, the others have a reason.
    struct DispositionEntry: Hashable, Codable {
        var action: Action
        var wave: Int?
        var reason: ReasonEntry?

        enum Action: String, Codable { case upgrade, skip, block, `defer`, unreachable }
    }

    struct ReasonEntry: Hashable, Codable {
        var code: Reason.Code
        var parameters: [String: String]
    }

    struct FindingEntry: Hashable, Codable {
        var gate: String
        var verdict: GateFinding.Verdict
        var text: String
        var remedy: String
        // Left out where nothing is overridden.
        var overridden: String?
    }

    struct StepEntry: Hashable, Codable {
        var id: StepID
        var title: String
        var script: String
        var limit: DurationText
        var kind: PlannedStep.Kind
        // Not in forms 1 and 2; left out where there is nothing to say.
        var instruction: String?
        var repeatable: Bool?
        var origin: String?
        var because: [String]?
    }

    struct HookEntry: Hashable, Codable {
        var command: [String]
        var limit: DurationText
        var onFailure: HookPolicy
    }

    struct WaveEntry: Hashable, Codable {
        var number: Int
        var hosts: [HostName]
    }
}

/// What is said of a host's add-ons: `"none"`, or a list of their names, which forms 1 to 3 do not have.
struct AddonsEntry: Hashable, Codable {
    var names: [String]

    init(_ names: [String]) { self.names = names }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let word = try? container.decode(String.self) {
            guard word == "none" else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "neither none nor a list of names"))
            }
            names = []
        } else {
            names = try container.decode([String].self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if names.isEmpty { try container.encode("none") } else { try container.encode(names) }
    }
}

/// A duration written `30s`, `5m` or `1500ms`; `0s` is one, too.
struct DurationText: Hashable, Codable {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let duration = text == "0s" ? .zero : Duration(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a duration such as 30s"))
        }
        self.duration = duration
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(duration.text)
    }
}
