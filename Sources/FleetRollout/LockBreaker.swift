import FleetCore

/// Takes the lock of a run away from a host, for a person who says so.
public struct LockBreaker: Sendable {
    private let connector: any HostConnector
    private let person: String
    private let machine: String

    /// Creates one for the person whose name is written down on the hosts.
    public init(_ connector: any HostConnector, person: String, machine: String) {
        self.connector = connector
        self.person = person
        self.machine = machine
    }

    /// What became of a lock.
    public enum Ending: Hashable, Sendable {
        /// It is gone.
        case broken
        /// There was none.
        case free
        /// It stays, and why.
        case kept(Reason)
        /// The host was not reached, or did not answer.
        case unreachable(Reason)
    }

    /// Breaks the lock of `run` on a host.
    public func breakLock(of run: RunID, on host: Host) async -> Ending {
        let connection: any HostConnection
        do { connection = try await connector.connect(to: host) } catch { return .unreachable(error.reason) }
        let nonce = Nonce.make()
        let script = HostLock.breakScript(nonce: nonce, of: run, person: person, machine: machine)
        let seen: Observation
        do { seen = try await connection.observe(script, within: .seconds(60)) } catch {
            await connection.close()
            return .unreachable(Reason(.linkLost, ["words": (error as? LinkLost)?.words ?? "\(error)"]))
        }
        await connection.close()
        switch HostLock.breakAnswer(in: seen.output, nonce: nonce) {
        case .broken: return .broken
        case .free: return .free
        case .held(let holder): return .kept(Reason(.hostLocked, ["holder": holder.text]))
        case .refused(let words): return .kept(Reason(.lockRefused, ["words": words]))
        case nil: return .unreachable(Reason(.lockRefused, ["words": "the host did not say how it went"]))
        }
    }
}
