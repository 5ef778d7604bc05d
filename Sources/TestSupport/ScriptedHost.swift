import FleetCore
import FleetRollout
import Synchronization

/// A host that behaves as told, behind the protocol the rollout uses. It keeps count of every job, so that a test can say
/// what must not have happened. A script it does not know breaks the connection.
public actor ScriptedHost {
    /// What the host does differently from one where everything works.
    public enum Fault: Hashable, Sendable {
        /// No connection can be made.
        case unreachable
        /// This step's job ends with this status and these words.
        case exits(StepID, UInt8, String)
        /// The package step says that it succeeded and changes nothing.
        case heldBack
        /// The connection is lost while this step's job runs.
        case linkLost(StepID)
        /// The connection is lost once while this step's job runs, after seven bytes of its output.
        case blinks(StepID)
        /// This step's job leaves no status.
        case vanishes(StepID)
        /// The first so many jobs of the package step are cut off and leave a package half configured, until a repair.
        case cutsOffPackages(Int)
        /// The follower of this step's job says what no follower says.
        case garbles(StepID)
        /// There is no room to save what the host is.
        case cannotSave
        /// This step's job cannot be started.
        case refuses(StepID, String)
        /// This unit is down after the restart, while the restart itself ends with 0.
        case unitDies(String)
        /// This unit is up in every look, each time as another process.
        case unitLoops(String)
        /// This unit is not restarted.
        case unitKeepsRunning(String)
        /// The web server still reports this version after the restart.
        case webStays(String)
        /// The machine has another identity.
        case swapped
        /// Somebody else's run has its lock.
        case locked
        /// The connection is lost while this step's job is started, after it was.
        case lostWhileStarting(StepID)
        /// The host does not say whether this step's job was started.
        case unsure(StepID, String)
        /// This step's job goes on until the task that follows it is cancelled.
        case endless(StepID)
        /// This step's job writes and writes until the task that follows it is cancelled.
        case floods(StepID)
        /// Every restart but the first does nothing.
        case restartsOnce
        /// The web server does not answer after the restart.
        case webSilent
        /// The web server never answered.
        case webNeverAnswers
        /// A login is refused after the restart; before, it worked.
        case loginStops
        /// A login never worked.
        case loginNeverWorks
        /// The database still says this version, whatever `canopsinit` ended with.
        case databaseStays(String)
        /// There is no client for the database.
        case databaseMute
        /// Something else is installed.
        case alreadyMoved(String)
    }

    /// The host as the inventory has it.
    public nonisolated let host: Host
    /// The jobs that were started, in order.
    public private(set) var jobs: [String] = []
    /// Whether it is locked, and how the lock was left: nil while it is free.
    public private(set) var lock: String?
    /// How many connections were made and closed.
    public private(set) var connections = (made: 0, closed: 0)

    /// How many logins to its web interface were tried.
    public private(set) var logins = 0

    private let faults: Set<Fault>
    private var mended: Set<Fault> = []
    private let target: String
    private var installed: String
    private var restarts: Int64 = 0
    private var looks = 0
    private var isHalfConfigured = false
    private var packageJobs = 0
    /// The folders of jobs that were started.
    private var claimed: Set<String> = []

    /// Creates a host at `from` that an upgrade brings to `target`.
    public init(_ host: Host, from: String = "3.25.0", target: String = "3.26.0", faults: Set<Fault> = []) {
        self.host = host
        self.faults = faults
        self.target = target
        installed = from
        for case .alreadyMoved(let version) in faults { installed = version }
    }

    /// The units every scripted host runs.
    public static let units = ["canopsis-engine@a.service", "canopsis-engine@b.service", "canopsis-webserver.service"]

    /// The identity it has when a plan is made.
    public nonisolated var plannedIdentity: HostIdentity {
        HostIdentity(machineID: "id of \(host.name)", hostKey: "SHA256:key of \(host.name)")
    }

    /// Its facts at this moment.
    public var facts: HostFacts {
        looks += 1
        var identity = plannedIdentity
        if faults.contains(.swapped) { identity.machineID = "another" }
        var facts = HostFacts.example(identity: identity, version: installed, units: Self.units.enumerated().map(unit))
        if isHalfConfigured { facts.brokenPackages = ["iF  canopsis-core \(target)-1"] }
        return facts
    }

    private func unit(_ number: Int, _ name: String) -> UnitState {
        var started = 1000 + Int64(number) + restarts * 1_000_000
        var process = 100 + number + Int(restarts) * 100
        if restarts > 0, faults.contains(.unitKeepsRunning(name)) { (started, process) = (1000 + Int64(number), 100 + number) }
        if restarts > 0, faults.contains(.unitLoops(name)) {
            started += Int64(looks)
            process += looks
        }
        let isDown = restarts > 0 && faults.contains(.unitDies(name))
        return UnitState(
            name: name, load: "loaded", active: isDown ? "failed" : "active", sub: isDown ? "failed" : "running", file: "enabled",
            result: isDown ? "exit-code" : "success", mainPID: isDown ? 0 : process, startedMicroseconds: started)
    }

    fileprivate func connect() throws(ConnectFailure) {
        if faults.contains(.unreachable) { throw ConnectFailure(Reason(.connectFailed, ["words": "scripted"])) }
        connections.made += 1
    }

    fileprivate func leave() { connections.closed += 1 }

    /// Takes a fault away: somebody mended it.
    public func mend(_ fault: Fault) { mended.insert(fault) }

    /// Answers the two scripts the rollout feeds to a host: a job's start, and the journal of a unit.
    fileprivate func observe(_ script: String) throws -> Observation {
        if script.hasPrefix("# fleet-declared "), let nonce = Self.nonce(in: script) {
            if faults.contains(.databaseMute) { return Self.said("there is no MongoDB client on this host\n") }
            var version = jobs.contains { $0.hasSuffix("canopsinit") } ? installed : "3.25.0"
            for case .databaseStays(let old) in faults { version = old }
            return Self.said("\(nonce) \(version) core python\n")
        }
        if script.contains("journalctl ") {
            return Observation(ending: .exited(0), output: Array("the unit's own words\n".utf8), errors: [])
        }
        if script.hasPrefix("lock=") {
            lock = script.contains("lock/left") ? "left" : nil
            return Self.said("")
        }
        if script.contains("lock=/var/lib/fleet/lock\nrun="), let nonce = Self.nonce(in: script) {
            if faults.contains(.locked) { return Self.said("\(nonce) held 20260101-000000-else 5 no held 02-canopsinit eve@elsewhere\n") }
            lock = "held"
            return Self.said("\(nonce) taken\n")
        }
        if script.contains("home=/var/lib/fleet/saved\n"), let nonce = Self.nonce(in: script) {
            if faults.contains(.cannotSave) { return Self.said("\(nonce) refused 12 bytes are free\n") }
            return Self.said("\(nonce) saved 4096\n")
        }
        guard let (step, nonce) = Self.job(in: script) else { throw LinkLost("the scripted host does not know this script") }
        for case .refuses(step, let words) in faults { return Self.said("\(nonce) refused \(words)\n") }
        for case .unsure(step, let words) in faults { return Self.said("\(nonce) unsure \(words)\n") }
        let folder = script.split(separator: "\n").first { $0.hasPrefix("dir=") }.map(String.init) ?? ""
        guard claimed.insert(folder).inserted else { return Self.said("\(nonce) claimed\n") }
        jobs.append(step.rawValue)
        let fails = faults.subtracting(mended).contains { if case .exits(step, _, _) = $0 { true } else { false } }
        if !fails {
            if step.base == .packages, !faults.contains(.heldBack) { installed = step.stop?.description ?? target }
            if step == .packages { packageJobs += 1 }
            for case .cutsOffPackages(let times) in faults where step == .packages && packageJobs <= times { isHalfConfigured = true }
            if step == .repair { isHalfConfigured = false }
            for case .cutsOffPackages(let times) in faults where packageJobs <= times { installed = "3.25.0" }
            if step.base == .restart, restarts == 0 || !faults.contains(.restartsOnce) { restarts += 1 }
        }
        if faults.contains(.lostWhileStarting(step)) { throw LinkLost("scripted cut") }
        return Self.said("a banner\n\(nonce) started\n")
    }

    /// Whether the job of a follower's script never ends, and how it says so.
    fileprivate nonisolated func endless(_ script: String) -> (floods: Bool, nonce: String)? {
        guard let (step, nonce) = Self.job(in: script) else { return nil }
        if faults.contains(.floods(step)) { return (true, nonce) }
        return faults.contains(.endless(step)) ? (false, nonce) : nil
    }

    fileprivate func follow(_ script: String) throws -> [UInt8] {
        guard let (step, nonce) = Self.job(in: script) else { throw LinkLost("the scripted host does not know this script") }
        var said = "\n\(nonce) follow\n"
        let from = script.split(separator: "\n").first { $0.hasPrefix("offset=") }.flatMap { Int($0.dropFirst("offset=".count)) } ?? 0
        func output(_ text: String) {
            let rest = text.utf8.dropFirst(from)
            if !rest.isEmpty { said += "\(nonce) bytes \(rest.count)\n\(String(decoding: rest, as: UTF8.self))" }
        }
        if faults.contains(.blinks(step)), from == 0 {
            return Array((said + "\(nonce) bytes 7\n\("\(step.rawValue) on \(host.name)".prefix(7))").utf8)
        }
        output("\(step.rawValue) on \(host.name)\n")
        if faults.contains(.linkLost(step)), !mended.contains(.linkLost(step)) { throw LinkLost("scripted cut") }
        for case .cutsOffPackages(let times) in faults where step == .packages && packageJobs <= times {
            return Array((said + "\(nonce) vanished\n").utf8)
        }
        if faults.contains(.garbles(step)), !mended.contains(.garbles(step)) { return Array((said + "\(nonce) exited maybe\n").utf8) }
        if faults.contains(.vanishes(step)) { return Array((said + "\(nonce) vanished\n").utf8) }
        for case .exits(step, let status, let words) in faults.subtracting(mended) {
            output(words + "\n")
            return Array((said + "\(nonce) exited \(status)\n").utf8)
        }
        return Array((said + "\(nonce) exited 0\n").utf8)
    }

    fileprivate func get() -> WebAnswer {
        if faults.contains(.webNeverAnswers) || (restarts > 0 && faults.contains(.webSilent)) { return .none("connection refused") }
        var version = restarts > 0 ? installed : "3.25.0"
        for case .webStays(let old) in faults { version = old }
        return .answered(status: 200, body: Array(#"{"version":"\#(version)","edition":"core"}"#.utf8))
    }

    fileprivate func login() -> LoginReading {
        logins += 1
        let isRefused = faults.contains(.loginNeverWorks) || (restarts > 0 && faults.contains(.loginStops))
        return isRefused ? .refused("a redirect (HTTP status 302)") : .accepted
    }

    private static func said(_ text: String) -> Observation {
        Observation(ending: .exited(0), output: Array(text.utf8), errors: [])
    }

    /// The step and the nonce of a job's script.
    private static func job(in script: String) -> (StepID, String)? {
        guard let folder = script.split(separator: "\n").first(where: { $0.hasPrefix("dir=") }),
            let step = step(ofFolder: folder),
            let nonce = nonce(in: script)
        else { return nil }
        return (step, nonce)
    }

    /// The step in `dir=/var/lib/fleet/jobs/RUN/02-canopsinit-2`: a number before it, and one behind it for a further try.
    private static func step(ofFolder line: Substring) -> StepID? {
        guard let name = line.split(whereSeparator: { "/'".contains($0) }).last?.drop(while: { $0 != "-" }).dropFirst() else { return nil }
        var words = name.split(separator: "-", omittingEmptySubsequences: false)
        if words.count > 1, let last = words.last, last.count <= 2, Int(last) != nil { words.removeLast() }
        return StepID(rawValue: words.joined(separator: "-"))
    }

    private static func nonce(in script: String) -> String? {
        script.split(whereSeparator: { " \n'".contains($0) }).first { $0.hasPrefix("fleet") && $0.count == 21 }.map(String.init)
    }
}

/// Connects to scripted hosts by name; any other host is a failure.
public struct ScriptedConnector: HostConnector {
    private let hosts: [HostName: ScriptedHost]

    /// Creates a connector to these hosts.
    public init(_ hosts: [ScriptedHost]) {
        self.hosts = Dictionary(uniqueKeysWithValues: hosts.map { ($0.host.name, $0) })
    }

    /// Connects to the scripted host of that name.
    public func connect(to host: Host) async throws(ConnectFailure) -> any HostConnection {
        guard let scripted = hosts[host.name] else {
            throw ConnectFailure(Reason(.connectFailed, ["words": "no scripted host of that name"]))
        }
        try await scripted.connect()
        return Link(host: scripted)
    }

    private struct Link: HostConnection {
        let host: ScriptedHost

        var hostKey: String { host.plannedIdentity.hostKey }

        func observe(_ script: String, within limit: Duration) async throws -> Observation { try await host.observe(script) }

        func facts(offer: Bool, probes: [FileProbe]) async -> FactReading { .facts(await host.facts) }

        func follow(
            _ script: String, silence: Duration, onOutput: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
        ) async throws {
            if let (floods, nonce) = host.endless(script) {
                try await onOutput(Array("\n\(nonce) follow\n".utf8)[...])
                while !Task.isCancelled {
                    try await onOutput(Array((floods ? "\(nonce) bytes 2\nx\n" : "\(nonce) alive\n").utf8)[...])
                    await Task.yield()
                }
                throw LinkLost("cancelled")
            }
            // In pieces of seven bytes, as a network may cut them.
            var rest = try await host.follow(script)[...]
            while !rest.isEmpty {
                try await onOutput(rest.prefix(7))
                rest = rest.dropFirst(7)
            }
        }

        func get(_ path: String, of web: WebAccess, within limit: Duration) async -> WebAnswer { await host.get() }

        func login(to web: WebAccess, within limit: Duration) async -> LoginReading { await host.login() }

        func close() async { await host.leave() }
    }
}

extension HostFacts {
    /// Facts of a healthy Debian host, as far as a test does not say otherwise.
    public static func example(identity: HostIdentity, version: String, units: [UnitState] = []) -> HostFacts {
        HostFacts(
            identity: identity, system: OperatingSystem(id: "debian", version: "9", name: "Debian GNU/Linux 9"),
            architecture: "x86_64", packageManager: .apt, systemdVersion: 232, isRoot: true,
            installed: [Package(name: "canopsis-core", version: "\(version)-1")],
            offer: .packages([
                Package(name: "canopsis-core", version: "3.25.0-1"), Package(name: "canopsis-core", version: "3.26.0-1"),
            ]),
            versionFile: CanopsisVersion(version), units: units, freeBytes: ["/": 50 << 30], selinux: .disabled, packageLockHolder: nil,
            brokenPackages: [], planning: PlanningFacts(database: .answered(DatabaseMarks(version: CanopsisVersion(version)))))
    }
}

/// A journal in memory, which can be told to fail.
public actor MemoryJournal: RunJournal {
    /// What was written, in order.
    public private(set) var events: [RunEvent] = []
    private let room: Int

    /// The disk is full.
    public struct Full: Error {
        /// Creates the error.
        public init() {}
    }

    /// Creates a journal that takes that many events and then fails.
    public init(room: Int = .max) { self.room = room }

    /// Keeps an event.
    public func append(_ event: RunEvent) throws {
        guard events.count < room else { throw Full() }
        events.append(event)
    }

    /// How a host stands by the events so far.
    public func standing(of host: HostName) -> HostRecord? { record(of: events, isAlive: true)[host] }

    /// How the run would have ended by the events so far; these have no start, so only hosts that were begun count.
    public func outcome() -> RunOutcome { record(of: events + [.runEnded(outcome: .running, exitStatus: 0)], isAlive: false).outcome }

    private func record(of events: [RunEvent], isAlive: Bool) -> RunRecord {
        var generator = SystemRandomNumberGenerator()
        let stamped = events.enumerated().map { StampedEvent(sequence: Int64($0 + 1), at: "2026-01-01T00:00:00.000Z", event: $1) }
        return RunRecord(id: RunID(at: Timestamp(milliseconds: 0), using: &generator), events: stamped, isAlive: isAlive)
    }
}

/// Logs in memory, which can be told to fail.
public actor MemoryLog: StepLog {
    /// What each host's steps wrote.
    public private(set) var text: [HostName: [UInt8]] = [:]
    private let room: Int

    /// Creates an empty log that takes that many bytes of each host and then fails.
    public init(room: Int = .max) { self.room = room }

    /// Keeps bytes.
    public func append(_ bytes: ArraySlice<UInt8>, of host: HostName) throws {
        guard text[host, default: []].count + bytes.count <= room else { throw MemoryJournal.Full() }
        text[host, default: []] += bytes
    }

    /// Memory is as safe as it gets.
    public func secure(_ host: HostName) {}

    /// How many bytes are kept of a host.
    public func length(of host: HostName) -> Int64 { Int64(text[host, default: []].count) }

    /// Forgets what is behind.
    public func cut(_ host: HostName, to length: Int64) { text[host] = Array(text[host, default: []].prefix(Int(length))) }
}

extension RolloutClock {
    /// A clock that jumps ahead by a minute with every look at it, and instead of waiting.
    public static func hasty() -> RolloutClock {
        let time = JumpingTime()
        return RolloutClock(
            now: {
                time.advance(by: .seconds(60))
                return time.now
            }, sleep: { time.advance(by: $0) })
    }

    /// A clock that jumps ahead instead of waiting, one of its own for each call.
    public static func jumping() -> RolloutClock {
        let time = JumpingTime()
        return RolloutClock(now: { time.now }, sleep: { time.advance(by: $0) })
    }
}

/// Time that passes only when somebody waits.
private final class JumpingTime: Sendable {
    private let mutex = Mutex(Duration.zero)

    var now: Duration { mutex.withLock { $0 } }

    func advance(by duration: Duration) { mutex.withLock { $0 += duration } }
}
