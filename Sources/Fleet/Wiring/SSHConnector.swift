import FleetCore
import FleetDocuments
import FleetRollout
import Foundation
import SSHClient

/// Makes SSH sessions to hosts: keys and known hosts are read once, logins under way are bounded, dropped handshakes retried.
final class SSHConnector: HostConnector {
    /// The thread of the sessions.
    let reactor: SSHReactor
    private let keys: [String: PrivateKey]
    private let records: [String: KnownHosts]
    /// The passwords of web interfaces by their files, or why they cannot be had: that is no reason not to connect.
    private let passwords: [String: Result<Secret, Problem>]
    private let logins: Turnstile

    /// How many logins may be under way at the same moment.
    static let mostLogins = 30
    /// How often a handshake that the server dropped is tried again.
    static let mostRetries = 5

    /// Reads what the hosts' sessions need.
    ///
    /// - Throws: ``Problems`` for a key or a list of known hosts that cannot be used, before any host is asked.
    init(for hosts: [Host], logins: Int = SSHConnector.mostLogins) throws {
        var problems: [Problem] = []
        func read<Value>(_ paths: Set<String>, _ read: (String) throws(SSHError) -> Value) -> [String: Value] {
            var values: [String: Value] = [:]
            for path in paths.sorted() {
                do throws(SSHError) { values[path] = try read(path) } catch { problems.append(Self.unusable(path, error)) }
            }
            return values
        }
        keys = read(Set(hosts.compactMap(\.identity)), PrivateKey.init(file:))
        records = read(Set(hosts.compactMap(\.knownHosts))) { path throws(SSHError) in
            FileManager.default.fileExists(atPath: path) ? try KnownHosts(files: [path]) : KnownHosts()
        }
        guard problems.isEmpty else { throw Problems(problems) }
        passwords = Dictionary(
            uniqueKeysWithValues: Set(hosts.compactMap(\.web.passwordFile)).map { path in
                (path, Result { () throws(Problem) in try PasswordFile(path).read() })
            })
        reactor = try SSHReactor()
        self.logins = Turnstile(places: logins)
    }

    private static func unusable(_ path: String, _ error: SSHError) -> Problem {
        Problem(
            code: "unusable-file", what: "\(error).", place: .file(path, line: nil),
            remedy: "Mend the file, or name another one in the inventory (`identity`, `known_hosts`).")
    }

    /// A session for the login user of a host.
    func session(to host: Host) async throws(ConnectFailure) -> SSHSession {
        guard let path = host.identity, let key = keys[path] else {
            throw ConnectFailure(Reason(.loginRefused, ["words": "the inventory names no `identity` (private key) for it"]))
        }
        let known = host.knownHosts.flatMap { records[$0] } ?? KnownHosts()
        await logins.enter()
        do throws(SSHError) {
            let session = try await connect(to: host, key, known)
            await logins.leave()
            return session
        } catch {
            await logins.leave()
            throw ConnectFailure(Self.reason(for: error, of: host))
        }
    }

    private func connect(to host: Host, _ key: PrivateKey, _ known: KnownHosts) async throws(SSHError) -> SSHSession {
        var retries = 0
        while true {
            do throws(SSHError) {
                return try await SSHSession.connect(
                    to: SSHEndpoint(host.address, port: host.port), user: host.user, authenticating: .key(key),
                    verifying: .onRecord(known), on: reactor)
            } catch {
                // A server that is asked by many at once drops some before they have said who they are.
                guard case .dropped = error, retries < Self.mostRetries else { throw error }
                retries += 1
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...300) << retries))
            }
        }
    }

    /// Fetches a host's key without logging in, and says what is on record about it.
    func hostKey(of host: Host) async -> Result<OfferedKey, ConnectFailure> {
        let endpoint = SSHEndpoint(host.address, port: host.port)
        let known = host.knownHosts.flatMap { records[$0] } ?? KnownHosts()
        await logins.enter()
        do throws(SSHError) {
            let key = try await SSHSession.hostKey(of: endpoint, preferring: known.types(of: endpoint), on: reactor)
            await logins.leave()
            return .success(OfferedKey(key: key, verdict: known.verdict(on: key, of: endpoint)))
        } catch {
            await logins.leave()
            return .failure(ConnectFailure(Self.reason(for: error, of: host)))
        }
    }

    private static func reason(for error: SSHError, of host: Host) -> Reason {
        switch error {
        case .hostKeyRejected(.unknown, _):
            Reason(.hostKeyRefused, ["words": "\(error); enrol it with `fleet hosts trust`"])
        case .hostKeyRejected: Reason(.hostKeyRefused, ["words": "\(error)"])
        case .authenticationRefused, .privateKey: Reason(.loginRefused, ["words": "\(error)"])
        default: Reason(.connectFailed, ["words": "\(error)"])
        }
    }

    func connect(to host: Host) async throws(ConnectFailure) -> any HostConnection {
        let session = try await session(to: host)
        return await SSHConnection(session, become: host.become, password: host.web.passwordFile.flatMap { passwords[$0] })
    }
}

/// Root's way onto a host over an SSH session.
struct SSHConnection: HostConnection {
    let hostKey: String
    private let session: SSHSession
    private let shell: String
    /// The password of the web interface's account; nil if the inventory names none.
    private let password: Result<Secret, Problem>?

    init(_ session: SSHSession, become: Become, password: Result<Secret, Problem>?) async {
        self.session = session
        self.password = password
        hostKey = await session.hostKey?.fingerprint ?? ""
        shell = become == .sudo ? "exec sudo -n /bin/sh -s" : "exec /bin/sh -s"
    }

    func observe(_ script: String, within limit: Duration) async throws -> Observation {
        let result: CommandResult
        do throws(SSHError) {
            result = try await session.run(
                shell, stdin: RemoteScript.whole(script), limits: CommandLimits(total: limit),
                keeping: .init(head: Observation.mostBytes, tail: 0))
        } catch { throw LinkLost("\(error)") }
        if let failure = result.failure { throw LinkLost("\(failure)") }
        return Observation(ending: .init(result.ending), output: result.stdout.bytes, errors: result.stderr.bytes)
    }

    func follow(
        _ script: String, silence: Duration, onOutput: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        do {
            let process = try await session.start("\(shell) 2>/dev/null", limits: CommandLimits(idle: silence))
            do {
                try await process.write(RemoteScript.whole(script))
                try await process.finishWriting()
                for try await piece in process.stdout { try await onOutput(piece[...]) }
                _ = try await process.ending()
            } catch {
                await process.abandon()
                throw error
            }
        } catch let error as SSHError {
            throw LinkLost("\(error)")
        }
    }

    func get(_ path: String, of web: WebAccess, within limit: Duration) async -> WebAnswer {
        await WebRequest(web: web, path: path, limit: limit).answer(through: session)
    }

    func login(to web: WebAccess, within limit: Duration) async -> LoginReading {
        switch (web.user, password) {
        case (let user?, .success(let password)):
            let request = WebRequest(
                web: web, path: LoginReading.path, body: LoginReading.body(user: user, password: password), limit: limit)
            return LoginReading(replied: await request.answer(through: session))
        case (_, .failure(let problem)): return .notTried("the password file cannot be used: \(problem.what)")
        case (nil, _), (_, nil): return .notTried("the inventory names no account for it")
        }
    }

    func close() async { await session.close() }
}

extension FleetCore.CommandEnding {
    /// The same statement in Fleet's own words.
    init(_ ending: SSHClient.CommandEnding) {
        self =
            switch ending {
            case .exited(let status): .exited(status)
            case .killed(let signal): .killed(signal: signal)
            case .unreported: .unreported
            }
    }
}

/// Lets a bounded number of tasks through at the same moment, in the order they came.
actor Turnstile {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Creates one with that many places.
    init(places: Int) { free = max(1, places) }

    /// Takes a place, waiting for one if need be. Every `enter` needs one ``leave()``.
    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    /// Gives the place back.
    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
