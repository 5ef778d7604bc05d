import FleetCore

/// Reads the facts of many hosts, a bounded number at a time. Changes nothing on them.
public struct FactReader: Sendable {
    private let connector: any HostConnector
    private let atOnce: Int
    private let probes: [FileProbe]
    private let now: (@Sendable () -> Timestamp)?

    /// Creates a reader that asks up to `atOnce` hosts at the same moment, also for texts in files; their clocks are compared with
    /// `now`, if that is given.
    public init(
        _ connector: any HostConnector, probes: [FileProbe] = [], atOnce: Int = 30, now: (@Sendable () -> Timestamp)? = nil
    ) {
        self.connector = connector
        self.now = now
        self.probes = probes
        self.atOnce = max(1, atOnce)
    }

    /// How long the facts of one host may take: the package index has to come from the repositories.
    public static let limit = Duration.seconds(180)

    /// Reads the facts of every host.
    ///
    /// - Parameter offer: whether to ask what the repositories offer; takes seconds rather than a moment.
    public func read(_ hosts: [Host], offer: Bool) async -> [HostName: FactReading] {
        await withTaskGroup(of: (HostName, FactReading).self) { group in
            var readings: [HostName: FactReading] = [:]
            var waiting = hosts[...]
            func startNext() {
                guard let host = waiting.popFirst() else { return }
                group.addTask { (host.name, await read(host, offer: offer)) }
            }
            for _ in 0..<atOnce { startNext() }
            while let (name, reading) = await group.next() {
                readings[name] = reading
                startNext()
            }
            return readings
        }
    }

    private func read(_ host: Host, offer: Bool) async -> FactReading {
        let connection: any HostConnection
        do { connection = try await connector.connect(to: host) } catch { return .failure(error.reason) }
        let sent = now?()
        let reading = await connection.facts(offer: offer, probes: probes)
        let received = now?()
        await connection.close()
        guard case .facts(var facts) = reading, let sent, let received else { return reading }
        facts.compareClocks(sent: sent.milliseconds / 1000, received: received.milliseconds / 1000)
        return .facts(facts)
    }
}

extension HostConnection {
    /// Reads the host's facts, without looking into files.
    public func facts(offer: Bool) async -> FactReading { await facts(offer: offer, probes: []) }

    /// Reads the host's facts in one go.
    public func facts(offer: Bool, probes: [FileProbe]) async -> FactReading {
        let nonce = Nonce.make()
        let seen: Observation
        do { seen = try await observe(FactsScript.text(offer: offer, nonce: nonce, probes: probes), within: FactReader.limit) } catch {
            return .failure(Reason(.connectFailed, ["words": (error as? LinkLost)?.words ?? "\(error)"]))
        }
        do { return .facts(try HostFacts.parse(seen.output, nonce: nonce, hostKey: hostKey, probes: probes)) } catch {
            // What the shell said tells more than what is missing from its output.
            func lastLine(_ bytes: [UInt8]) -> String? {
                String(decoding: bytes.suffix(300), as: UTF8.self).split(whereSeparator: \.isNewline).last.map(String.init)
            }
            switch seen.ending {
            case .exited(0), .unreported: return .failure(Reason(.factsUnreadable, ["words": error.text]))
            // An account without a shell says so in its output.
            case .exited, .killed: return .failure(Reason(.noRoot, ["words": lastLine(seen.errors) ?? lastLine(seen.output) ?? error.text]))
            }
        }
    }
}

/// A word that a host can't guess, so that nothing it prints on its own passes for an answer.
enum Nonce {
    /// 16 random hexadecimal digits after `fleet`.
    static func make() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return "fleet" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
