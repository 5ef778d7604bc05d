import FleetCore
import TestSupport

/// Draws plans with everything a plan can have in them; the same seed draws the same plan.
struct GeneratedPlan {
    private var generator: SeededGenerator

    init(seed: Int) { generator = SeededGenerator(seed: seed) }

    mutating func plan() -> Plan {
        let hosts = (0..<below(6)).map { plannedHost(number: $0) }
        return Plan(
            fleet: text(), created: "2026-11-23T14:25:01Z", target: version(), policy: policy(), hooks: hooks(), hosts: hosts,
            waves: hosts.isEmpty ? [] : [Wave(number: 1, hosts: hosts.map(\.host.name))])
    }

    private mutating func plannedHost(number: Int) -> PlannedHost {
        let dispositions: [Disposition] = [.upgrade(wave: 1 + below(9)), .skip(reason()), .block(reason()), .unreachable(reason())]
        return PlannedHost(
            host: host(number: number),
            identity: maybe(HostIdentity(machineID: text(), hostKey: text())),
            facts: maybe(facts()),
            upgradeClass: maybe(one(of: UpgradeClass.allCases)),
            disposition: one(of: dispositions),
            findings: (0..<below(3)).map { _ in
                GateFinding(
                    gate: text(), verdict: one(of: [.pass, .warn, .block]), text: text(), remedy: text(), overridden: maybe(text()))
            },
            steps: StepID.standardProcedure.prefix(below(6)).map {
                PlannedStep(id: $0, title: text(), script: text(), limit: duration(), kind: one(of: [.job, .look]))
            })
    }

    private mutating func host(number: Int) -> Host {
        guard let name = HostName("host-\(number)") else { preconditionFailure("a valid name") }
        return Host(
            name: name, address: text(), port: UInt16(1 + below(65535)), user: text(), identity: maybe(text()), knownHosts: maybe(text()),
            become: one(of: Become.allCases), edition: one(of: Edition.allCases), stack: one(of: Stack.allCases),
            packages: one(of: PackageScope.allCases), customer: maybe(text()), labels: labels(), addons: maybe(names()),
            services: one(of: ServicePlace.allCases), overrides: labels(), settle: duration(),
            web: WebAccess(user: maybe(text()), passwordFile: maybe(text()), tls: one(of: TLSPolicy.allCases)),
            groups: (0..<below(3)).map { _ in text() })
    }

    private mutating func facts() -> ReliedFacts {
        ReliedFacts(
            version: version(), system: OperatingSystem(id: text(), version: text(), name: text()),
            packageManager: one(of: [.apt, .yum]), installed: (0..<below(4)).map { _ in Package(name: text(), version: text()) })
    }

    private mutating func policy() -> RolloutPolicy {
        RolloutPolicy(
            waves: (0...below(3)).map { _ in share() }, atOnce: 1 + below(50), maxFailures: share(), maxFailuresPerWave: maybe(share()),
            barrier: below(2) == 0, pause: duration(), approve: below(2) == 0, spread: maybe(.customer),
            limits: labels().mapValues { _ in 1 + below(9) })
    }

    private mutating func names() -> [String] { (0..<below(3)).map { _ in text() } }

    private mutating func hooks() -> [HookEvent: Hook] {
        Dictionary(
            (0..<below(4)).map { _ in
                (
                    one(of: HookEvent.allCases),
                    Hook(command: (0...below(2)).map { _ in text() }, limit: duration(), onFailure: one(of: HookPolicy.allCases))
                )
            }
        ) { first, _ in first }
    }

    private mutating func labels() -> [String: String] {
        Dictionary((0..<below(3)).map { _ in (one(of: ["site", "camelCase", "snake_case", text()]), text()) }) { first, _ in first }
    }

    private mutating func share() -> Share { one(of: [.hosts(below(1000)), .percent(below(101))]) }

    private mutating func version() -> CanopsisVersion { CanopsisVersion(below(30), below(40), below(10)) }

    private mutating func duration() -> Duration {
        one(of: [.zero, .milliseconds(1 + below(100_000)), .seconds(1 + below(10_000)), .seconds(3600 * (1 + below(48)))])
    }

    private mutating func reason() -> Reason {
        var parameters: [String: String] = [:]
        for _ in 0..<below(3) { parameters[one(of: ["words", "camelCase", "snake_case", "", text()])] = text() }
        return Reason(one(of: Reason.Code.allCases), parameters)
    }

    private mutating func text() -> String {
        let pieces = [
            "a", "Z", "0", " ", "/", "\\", "\"", "\n", "\r\n", "\t", "\u{0}", "\u{1b}", "\u{7f}", "é", "€", "\u{2028}", "😀", "\u{feff}",
            "{", "digest",
        ]
        return (0..<below(12)).map { _ in one(of: pieces) }.joined()
    }

    private mutating func maybe<Value>(_ value: Value) -> Value? { below(3) == 0 ? nil : value }

    private mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }

    private mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
}
