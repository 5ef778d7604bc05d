import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// Real hosts for one test, booted by `lab/lab` and taken down with the closure that uses them.
///
/// Labs of several tests live side by side: every host has a name of its own on the machine, and what the repository offers
/// (``offered``) is published once for all of them, so no test changes what another one sees.
public struct Lab: Sendable {
    /// Something that kept the lab from doing what was asked.
    public struct Failure: Error, CustomStringConvertible {
        /// What, with the lab's own words.
        public var description: String
    }

    /// The hosts, in the order they were asked for.
    public let hosts: [LabHost]
    /// The lab's number, the third byte of its addresses.
    public let range: String

    /// The versions of Canopsis every lab's repository offers; hosts begin with the first.
    public static let offered = ["3.25.0", "3.26.0", "3.27.0"]

    /// The private key that may log in to every host.
    public static let identityFile = repository + "/lab/.state/id_ed25519"

    /// Boots hosts, runs the closure and takes them down.
    ///
    /// - Parameter words: a host each, as `lab/lab up` reads it: `a1:deb9`, `a2:rpm:cat:go`. Names are for this test alone.
    public static func with<R: Sendable>(_ words: [String], body: (Lab) async throws -> R) async throws -> R {
        try await requireTools()
        await few.enter()
        defer { few.leave() }
        try await published.value
        let prefix = "t\(String(getpid(), radix: 36))-\(counter.add(1, ordering: .relaxed).newValue)-"
        let names = words.map { String($0.prefix { $0 != ":" }) }
        do {
            try await lab(["up"] + words.map { prefix + $0 })
            let hosts = try names.map { name in
                let address = try read(repository + "/lab/.state/hosts/\(prefix)\(name)/address")
                return LabHost(name: name, labName: prefix + name, address: String(address.prefix { $0 != "\n" }))
            }
            let range = hosts.first.map { $0.address.split(separator: ".").dropLast().joined(separator: ".") } ?? ""
            let value = try await body(Lab(hosts: hosts, range: range))
            try await lab(["down"] + names.map { prefix + $0 })
            return value
        } catch {
            // What is there of them; a host that did not come up has no name the lab knows.
            for name in names { _ = try? await lab(["down", prefix + name]) }
            throw error
        }
    }

    /// The host of that name.
    public subscript(name: String) -> LabHost {
        get throws {
            guard let host = hosts.first(where: { $0.name == name }) else { throw Failure(description: "this test has no host \(name)") }
            return host
        }
    }

    /// The lines of a known_hosts file for these hosts, which the lab wrote when it made their keys.
    public func knownHosts() throws -> String {
        let addresses = Set(hosts.map(\.address))
        return try read(Self.repository + "/inventory/lab.known_hosts").split(separator: "\n")
            .filter { line in addresses.contains(String(line.prefix { $0 != " " })) }
            .map { $0 + "\n" }.joined()
    }

    // MARK: what it stands on

    /// The folder of the clone.
    static let repository: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Booting is one at a time anyway; three labs at once keep two cores busy while hosts settle.
    private static let few = Turnstile(3)
    private static let counter = Atomic(0)
    private static let published = Task { _ = try await lab(["publish"] + offered) }

    private static func requireTools() async throws {
        guard getuid() == 0 else { throw Failure(description: "the lab boots real hosts and needs root: run scripts/test as root") }
        for tool in ["systemd-nspawn", "mmdebstrap", "createrepo_c"] {
            guard access("/usr/bin/" + tool, X_OK) == 0 else {
                throw Failure(description: "\(tool) is missing, which the lab needs: run scripts/test, it installs what is missing")
            }
        }
    }

    /// Runs `lab/lab` and returns what it wrote to stdout.
    @discardableResult
    static func lab(_ arguments: [String]) async throws -> String {
        let outcome = try await run(
            .path(FilePath(repository + "/lab/lab")), arguments: Arguments(arguments), input: .none, output: .string(limit: 1 << 22),
            error: .string(limit: 1 << 16))
        guard outcome.terminationStatus.isSuccess else {
            throw Failure(
                description: "lab/lab \(arguments.joined(separator: " ")): \(outcome.terminationStatus) \(outcome.standardError)"
                    + outcome.standardOutput.suffix(2000))
        }
        return outcome.standardOutput
    }
}

/// One host of a ``Lab``.
public struct LabHost: Sendable {
    /// Its name in the test.
    public let name: String
    /// Its name in the lab.
    public let labName: String
    /// Its IPv4 address.
    public let address: String

    /// Runs a line of shell inside the host as root, without its network, and returns what it wrote to stdout.
    ///
    /// - Throws: ``Lab/Failure`` if it ends with another status than 0.
    @discardableResult
    public func shell(_ line: String) async throws -> String {
        try await Lab.lab(["exec", labName, "sh", "-c", line])
    }

    /// Sets a knob of the stand-in packages: a file under `/etc/fleet-test`.
    public func turn(_ knob: String, to value: String) async throws {
        try await shell("printf '%s\\n' '\(value)' >'/etc/fleet-test/\(knob)'")
    }

    /// Has the repository offer it these versions of Canopsis, whatever it offers other hosts; none: what it offers them.
    public func offer(_ versions: String...) async throws { try await Lab.lab(["offer", labName] + versions) }

    /// Runs JavaScript in its database `canopsis` as the server itself would: without a login, whatever the knobs, and not counted.
    ///
    /// - Returns: what the script printed.
    @discardableResult
    public func database(_ script: String) async throws -> String {
        try await shell("/usr/lib/fleet-lab/database server <<'SCRIPT'\n\(script)\nSCRIPT")
    }

    // MARK: what can happen to it

    /// Pulls its cable: open sessions hang, new ones get no answer.
    public func cut() async throws { try await Lab.lab(["cut", labName]) }

    /// Ends every fault that lasts.
    public func heal() async throws { try await Lab.lab(["heal", labName]) }

    /// Has sshd's port refuse new connections; sessions that are open live on.
    public func refuse() async throws { try await Lab.lab(["refuse", labName]) }

    /// Resets the sessions open at this moment; new ones are welcome.
    public func reset() async throws { try await Lab.lab(["reset", labName]) }

    /// Makes its line slow.
    ///
    /// - Parameter rate: as tc(8) reads it: `64kbit`.
    public func slow(rate: String = "256kbit") async throws { try await Lab.lab(["slow", labName, rate]) }

    /// Fills its disk, which holds everything but `/tmp` and `/run`.
    public func fillDisk(keepingBytes bytes: Int = 0) async throws { try await Lab.lab(["fill-disk", labName, String(bytes)]) }

    /// Has a process `lab-lock-holder` hold the package manager's locks until ``heal()`` or for a while, and returns once they are held.
    public func holdPackageLock(seconds: Int? = nil) async throws {
        try await Lab.lab(["hold-package-lock", labName] + (seconds.map { [String($0)] } ?? []))
    }

    /// How a repository can be broken.
    public enum BrokenRepository: String, Sendable {
        /// It answers 404.
        case gone
        /// It is signed by a key that no host knows.
        case signature
    }

    /// Breaks the repository of Canopsis as this host sees it; other hosts see it whole.
    public func breakRepository(_ how: BrokenRepository) async throws { try await Lab.lab(["break-repository", labName, how.rawValue]) }

    /// Cuts its power: every process of it ends at once, what is on its disk stays.
    public func crash() async throws { try await Lab.lab(["crash", labName]) }

    /// Gives it power again after ``crash()``, and returns when its sshd and its web page answer.
    public func start() async throws { try await Lab.lab(["start", labName]) }

    /// Begins an orderly reboot, and does not wait for its end.
    public func reboot() async throws { try await Lab.lab(["reboot", labName]) }

    // MARK: what it says

    /// The lines of a file; none if it is not there.
    public func lines(of file: String) async throws -> [String] {
        try await shell("cat '\(file)' 2>/dev/null || true").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
            String.init)
    }

    /// The arguments of every call of `canopsinit` so far.
    public func canopsinitCalls() async throws -> [String] {
        try await lines(of: "/var/lib/canopsis-db/canopsinit.count").map { line in
            String(line.drop { $0 != " " }.dropFirst())
        }
    }

    /// The jobs Fleet ever began on it, as `RUN/NN-STEP`.
    public func jobs() async throws -> [String] {
        try await shell("cd /var/lib/fleet/jobs 2>/dev/null && ls -d */*/ | sed 's,/$,,' || true").split(separator: "\n").map(String.init)
    }

    /// The version of a package in the package database.
    public func installed(_ package: String = "canopsis-core") async throws -> String {
        let line = "dpkg-query -W -f='${Version}' \(package) 2>/dev/null || rpm -q --qf '%{VERSION}-%{RELEASE}' \(package)"
        return try await shell(line)
    }
}
