import FleetCore
import FleetRollout
import Synchronization
import Testing

@Suite("Reading the facts of hosts")
struct FactReaderTests {
    /// A host that says its clock and nothing else that matters here.
    private struct Clockwork: HostConnector, HostConnection {
        var clock: Int64
        let hostKey = "SHA256:x"

        func connect(to host: Host) async throws(ConnectFailure) -> any HostConnection { self }
        func observe(_ script: String, within limit: Duration) async throws -> Observation { throw LinkLost("not asked for") }
        func follow(
            _ script: String, silence: Duration, onOutput: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
        ) async throws { throw LinkLost("not asked for") }
        func get(_ path: String, of web: WebAccess, within limit: Duration) async -> WebAnswer { .none("not asked for") }
        func login(to web: WebAccess, within limit: Duration) async -> LoginReading { .notTried("not asked for") }
        func close() async {}

        func facts(offer: Bool, probes: [FileProbe]) async -> FactReading {
            .facts(
                HostFacts(
                    identity: HostIdentity(machineID: "0", hostKey: hostKey),
                    system: OperatingSystem(id: "debian", version: "9", name: "d"),
                    architecture: "x86_64", packageManager: .apt, systemdVersion: 232, isRoot: true, installed: [], offer: .packages([]),
                    versionFile: nil, units: [], freeBytes: [:], selinux: .disabled, packageLockHolder: nil, brokenPackages: [],
                    clock: clock,
                    planning: PlanningFacts(clockAtEnd: clock + 2, clockOffset: nil, database: .couldNotTell("not asked for"))))
        }
    }

    @Test(
        "a host's clock is compared with the coordinator's, before and after the question",
        arguments: [(1_000_000, 0), (999_400, -599), (1_000_600, 589), (1_000_010, 0)] as [(Int64, Int64)])
    func clocks(host: Int64, offset: Int64) async throws {
        let asked = Mutex(0)
        // Twelve seconds pass between the two looks at the coordinator's clock; the host needed two.
        let reader = FactReader(Clockwork(clock: host)) {
            asked.withLock { asked in
                defer { asked += 1 }
                return Timestamp(milliseconds: asked == 0 ? 1_000_000_000 : 1_000_012_000)
            }
        }
        let readings = await reader.read([Host(name: try #require(HostName("a")), address: "a")], offer: true)
        guard case .facts(let facts) = readings.values.first else {
            Issue.record("no facts")
            return
        }
        // At least so much: nobody knows when in the twelve seconds the host was asked.
        #expect(facts.planning?.clockOffset == offset)
    }

    @Test("where no clock is given nothing is compared")
    func noClock() async throws {
        let readings = await FactReader(Clockwork(clock: 5)).read([Host(name: try #require(HostName("a")), address: "a")], offer: true)
        guard case .facts(let facts) = readings.values.first else {
            Issue.record("no facts")
            return
        }
        #expect(facts.planning?.clockOffset == nil)
    }
}
