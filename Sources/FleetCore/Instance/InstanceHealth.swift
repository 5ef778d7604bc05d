/// What one look at an instance, or at a part of it, comes to.
public enum Health: String, Hashable, Sendable, CaseIterable {
    /// As it should be.
    case healthy
    /// Not as it should be: the host said so.
    case unhealthy
    /// The host did not say, or could not be asked.
    case couldNotTell = "could_not_tell"
}

/// What was found of one part of an instance.
public struct HealthCheck: Hashable, Sendable {
    /// Which part, in one stable word.
    public var subject: Subject
    /// How it is.
    public var health: Health
    /// One sentence with the fact, without a full stop. Text of a host is as it came.
    public var text: String

    /// The parts that are looked at, in their order.
    public enum Subject: String, Hashable, Sendable, CaseIterable {
        /// The units.
        case units
        /// The version of the packages.
        case packages
        /// The version on disk, `VERSION.txt`.
        case file
        /// The web interface and what it says of itself.
        case web
        /// A login.
        case login
        /// What the database says that it is.
        case database
    }

    /// Creates a finding.
    public init(_ subject: Subject, _ health: Health, _ text: String) {
        self.subject = subject
        self.health = health
        self.text = text
    }
}

/// How an instance is at this moment: what `fleet verify` says of one host.
public struct InstanceHealth: Hashable, Sendable {
    /// What was found, in the order of the parts; empty if the host could not be asked.
    public var checks: [HealthCheck]
    /// Why it could not be asked; nil if it could.
    public var reason: Reason?
    /// The version installed; nil if it is not known or the packages disagree.
    public var version: CanopsisVersion?

    /// A host that could not be asked.
    public init(unasked reason: Reason) {
        checks = []
        self.reason = reason
    }

    /// Judges what was read.
    ///
    /// - Parameters:
    ///   - host: what the inventory declares.
    ///   - before: the units a moment before the facts, for a crash loop looks active in each look.
    ///   - wanted: the version it shall have; nil if all places shall agree with the packages.
    public init(
        of host: Host, before: [UnitState], facts: HostFacts, web: WebReading, login: LoginReading, database: DatabaseReading,
        wanted: CanopsisVersion?
    ) {
        version = facts.installedVersion
        let expected = (wanted ?? version).map { ExpectedInstance(version: $0, edition: host.edition, stack: host.stack) }
        checks = [
            Self.units(before, facts.units), Self.packages(facts, wanted: wanted), Self.file(facts.versionFile, expected),
            Self.web(web, expected), Self.login(login), Self.database(database, expected),
        ]
    }

    /// How it is as a whole. A database that could not be asked and a login that nobody can try decide nothing: they are told.
    public var health: Health {
        if reason != nil { return .couldNotTell }
        if checks.contains(where: { $0.health == .unhealthy }) { return .unhealthy }
        let decisive = checks.filter { $0.subject != .database && $0.subject != .login }
        return decisive.allSatisfy { $0.health == .healthy } ? .healthy : .couldNotTell
    }

    private static func units(_ before: [UnitState], _ units: [UnitState]) -> HealthCheck {
        let earlier = Dictionary(before.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var complaints: [String] = []
        for unit in units.sorted(by: { $0.name < $1.name }) {
            if unit.active == "failed" || unit.sub == "auto-restart" {
                complaints.append("\(unit.name) does not run (\(unit.active), \(unit.sub), \(unit.result))")
            } else if unit.isRunning, let was = earlier[unit.name], was.isRunning, was.startedMicroseconds != unit.startedMicroseconds {
                complaints.append("\(unit.name) does not stay up: it was started anew between two looks")
            }
        }
        guard complaints.isEmpty else { return HealthCheck(.units, .unhealthy, complaints.joined(separator: "; ")) }
        let running = units.count(where: \.isRunning)
        if running == 0 { return HealthCheck(.units, .unhealthy, "none of the \(units.count) units runs") }
        let idle = units.filter { !$0.isRunning && $0.isEnabled }.map(\.name).sorted()
        let more = idle.isEmpty ? "" : "; enabled and stopped: \(idle.joined(separator: ", "))"
        return HealthCheck(.units, .healthy, "\(running) run, none has failed\(more)")
    }

    private static func packages(_ facts: HostFacts, wanted: CanopsisVersion?) -> HealthCheck {
        guard let target = wanted ?? facts.installedVersion else {
            let texts = facts.installed.map { "\($0.name) \($0.version)" }
            return HealthCheck(
                .packages, facts.installed.isEmpty ? .couldNotTell : .unhealthy,
                texts.isEmpty ? "no package of Canopsis is known" : "the packages are not of one version: \(texts.joined(separator: ", "))")
        }
        if let reason = facts.reasonNotAt(target) {
            return HealthCheck(.packages, facts.brokenPackages == nil ? .couldNotTell : .unhealthy, reason.text)
        }
        return HealthCheck(.packages, .healthy, "\(target)")
    }

    private static func file(_ found: CanopsisVersion?, _ expected: ExpectedInstance?) -> HealthCheck {
        guard let found else { return HealthCheck(.file, .couldNotTell, "VERSION.txt could not be read") }
        let differences = expected?.differences(ofFile: found) ?? []
        return HealthCheck(.file, differences.isEmpty ? .healthy : .unhealthy, differences.first ?? "VERSION.txt says \(found)")
    }

    private static func web(_ web: WebReading, _ expected: ExpectedInstance?) -> HealthCheck {
        switch web {
        case .silent(let words): return HealthCheck(.web, .unhealthy, "the web interface does not answer: \(words)")
        case .says(let declared):
            let differences = expected?.differences(of: "the web interface", declared) ?? []
            guard differences.isEmpty else { return HealthCheck(.web, .unhealthy, differences.joined(separator: "; ")) }
            return HealthCheck(.web, .healthy, declared.version.map { "it answers and says \($0)" } ?? "it answers")
        }
    }

    private static func login(_ login: LoginReading) -> HealthCheck {
        switch login {
        case .accepted: HealthCheck(.login, .healthy, "the account of the inventory is let in")
        case .refused(let words): HealthCheck(.login, .unhealthy, "the login does not work: \(words)")
        case .noAnswer(let words): HealthCheck(.login, .unhealthy, "the login has no answer: \(words)")
        case .notTried(let words): HealthCheck(.login, .couldNotTell, "nobody logged in: \(words)")
        }
    }

    private static func database(_ database: DatabaseReading, _ expected: ExpectedInstance?) -> HealthCheck {
        switch database {
        case .couldNotTell(let words): return HealthCheck(.database, .couldNotTell, "the database was not asked: \(words)")
        case .says(let declared):
            let differences = expected?.differences(of: "the database", declared) ?? []
            guard differences.isEmpty else { return HealthCheck(.database, .unhealthy, differences.joined(separator: "; ")) }
            let words = [declared.version?.description, declared.edition, declared.stack].compactMap { $0 }
            return HealthCheck(.database, .healthy, "it says \(words.joined(separator: ", "))")
        }
    }
}
