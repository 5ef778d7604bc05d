import FleetCore

/// Looks how many instances are at this moment, a bounded number at a time. Changes nothing on them; a login leaves its session in the
/// web server.
public struct HealthReader: Sendable {
    private let connector: any HostConnector
    private let clock: RolloutClock
    private let atOnce: Int

    /// Creates a reader that looks at up to `atOnce` hosts at the same moment.
    public init(_ connector: any HostConnector, clock: RolloutClock = .continuous, atOnce: Int = 30) {
        self.connector = connector
        self.clock = clock
        self.atOnce = max(1, atOnce)
    }

    /// How long lies between the two looks at the units: longer than a unit of a quick crash loop lives.
    public static let watch = Duration.seconds(6)

    /// Looks at every host.
    ///
    /// - Parameter wanted: the version all shall have; nil if it is enough that all places of a host agree.
    public func look(_ hosts: [Host], wanted: CanopsisVersion?) async -> [HostName: InstanceHealth] {
        await withTaskGroup(of: (HostName, InstanceHealth).self) { group in
            var found: [HostName: InstanceHealth] = [:]
            var waiting = hosts[...]
            func startNext() {
                guard let host = waiting.popFirst() else { return }
                group.addTask { (host.name, await look(host, wanted: wanted)) }
            }
            for _ in 0..<atOnce { startNext() }
            while let (name, health) = await group.next() {
                found[name] = health
                startNext()
            }
            return found
        }
    }

    private func look(_ host: Host, wanted: CanopsisVersion?) async -> InstanceHealth {
        let connection: any HostConnection
        do { connection = try await connector.connect(to: host) } catch { return InstanceHealth(unasked: error.reason) }
        let health = await look(host, wanted: wanted, over: connection)
        await connection.close()
        return health
    }

    private func look(_ host: Host, wanted: CanopsisVersion?, over connection: any HostConnection) async -> InstanceHealth {
        let first: HostFacts
        switch await connection.facts(offer: false) {
        case .failure(let reason): return InstanceHealth(unasked: reason)
        case .facts(let facts): first = facts
        }
        let version = wanted ?? first.installedVersion ?? CanopsisVersion(3, 15, 0)
        let web = await connection.webReading(of: host, at: version)
        var login = LoginReading.notTried("the web interface does not answer")
        if case .says = web { login = await connection.loginReading(of: host) }
        let database = await connection.databaseReading(given: first)
        await clock.sleep(Self.watch)
        switch await connection.facts(offer: false) {
        case .failure(let reason): return InstanceHealth(unasked: reason)
        case .facts(let facts):
            return InstanceHealth(
                of: host, before: first.units, facts: facts, web: web, login: login, database: database, wanted: wanted)
        }
    }
}
