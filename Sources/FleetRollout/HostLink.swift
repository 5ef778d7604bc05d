import FleetCore

/// The way to one host for as long as the work there lasts: a connection that is made anew when it is lost.
///
/// What a host is asked may be asked again, so a lost answer is asked for once more. Only when the host stays away for the
/// whole ``patience`` is the loss told, and when it can be reached and is not let in: another host key, a refused login.
actor HostLink: HostConnection {
    nonisolated let hostKey: String

    private let host: Host
    private let connector: any HostConnector
    private let journal: any RunJournal
    private let clock: RolloutClock
    /// How long a lost host is tried again.
    nonisolated let patience: Duration
    private var current: any HostConnection

    /// Takes over a connection that was just made.
    init(
        _ connection: any HostConnection, to host: Host, connector: any HostConnector, journal: any RunJournal, clock: RolloutClock,
        patience: Duration
    ) {
        hostKey = connection.hostKey
        current = connection
        self.host = host
        self.connector = connector
        self.journal = journal
        self.clock = clock
        self.patience = patience
    }

    func observe(_ script: String, within limit: Duration) async throws -> Observation {
        var deadline: Duration?
        while true {
            do { return try await current.observe(script, within: limit) } catch let lost as LinkLost {
                deadline = deadline ?? clock.now() + patience
                try await restore(after: lost, until: deadline ?? .zero)
            }
        }
    }

    func facts(offer: Bool, probes: [FileProbe]) async -> FactReading {
        var deadline: Duration?
        while true {
            let reading = await current.facts(offer: offer, probes: probes)
            guard case .failure(let reason) = reading, reason.code == .connectFailed else { return reading }
            deadline = deadline ?? clock.now() + patience
            do { try await restore(after: LinkLost(reason.parameters["words"] ?? ""), until: deadline ?? .zero) } catch { return reading }
        }
    }

    /// Follows over the connection there is; a loss is the caller's to handle, who knows how far it has come.
    func follow(
        _ script: String, silence: Duration, onOutput: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        try await current.follow(script, silence: silence, onOutput: onOutput)
    }

    func get(_ path: String, of web: WebAccess, within limit: Duration) async -> WebAnswer {
        await current.get(path, of: web, within: limit)
    }

    func login(to web: WebAccess, within limit: Duration) async -> LoginReading { await current.login(to: web, within: limit) }

    func close() async { await current.close() }

    /// Makes the connection anew, trying until a moment of the clock.
    ///
    /// - Parameter setbacks: how often in a row it was made anew and did not help; each doubles the first pause.
    /// - Throws: ``LinkLost`` with what was lost first, if the host does not come back or does not let us in.
    func restore(after lost: LinkLost, until deadline: Duration, setbacks: Int = 0) async throws {
        if Task.isCancelled { throw lost }
        await current.close()
        try await journal.append(.linkLost(host: host.name, words: String(lost.words.prefix(300))))
        var pause = min(Duration.milliseconds(250) * (1 << min(setbacks, 10)), .seconds(15))
        while true {
            // Many hosts may be lost at once: they do not come back at the same moment.
            await clock.sleep(pause * Double.random(in: 0.5...1))
            if Task.isCancelled { throw lost }
            do {
                guard clock.now() < deadline else { throw LinkLost("\(lost.words); it was not heard again within \(patience.text)") }
                let fresh = try await connector.connect(to: host)
                guard fresh.hostKey == hostKey else {
                    await fresh.close()
                    throw LinkLost("\(lost.words); the host came back with another host key")
                }
                current = fresh
                try await journal.append(.linkRestored(host: host.name))
                return
            } catch let failure as ConnectFailure {
                guard failure.reason.code == .connectFailed else { throw LinkLost("\(lost.words); then \(failure.reason.text)") }
                guard clock.now() < deadline else {
                    throw LinkLost("\(lost.words); it did not come back within \(patience.text): \(failure.reason.text)")
                }
            }
            pause = min(pause * 2, .seconds(15))
        }
    }
}
