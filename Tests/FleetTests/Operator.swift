import Foundation
import SSHClient
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A person at work with the built program: a folder with an inventory, known hosts and logs of their own, gone with the closure.
struct Operator: Sendable {
    /// Everything of theirs is in here, and commands run here.
    let folder: String
    /// Variables set for the programs they run, besides the usual ones.
    var variables: [String: String] = [:]

    /// Whether they say with each upgrade that the notes are read, as most tests are about something else.
    var hasReadNotes = true

    /// The inventory that commands read unless told otherwise.
    var inventory: String { folder + "/inventory.yaml" }
    /// Where runs write.
    var logs: String { folder + "/logs" }
    /// The list of trusted host keys that their inventories name.
    var knownHosts: String { folder + "/known_hosts" }

    /// Lets a person work and clears up after them.
    static func at<R: Sendable>(work: (Operator) async throws -> R) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.path + "/fleet-operator-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder + "/home", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await work(Operator(folder: folder))
    }

    /// Lets a person work with lab hosts, which are all in the inventory.
    static func at(
        _ words: String..., hosts settings: [String: String] = [:], work: (Operator, Lab) async throws -> Void
    ) async throws {
        try await Lab.with(words) { lab in
            try await at { person in
                try person.write(inventoryOf: lab, hosts: settings)
                try TestSupport.write(lab.knownHosts(), to: person.knownHosts)
                try await work(person, lab)
            }
        }
    }

    /// Writes an inventory of lab hosts, with more values for some of them.
    func write(inventoryOf lab: Lab, hosts settings: [String: String] = [:], to file: String? = nil) throws {
        var text = """
            defaults: {user: root, identity: \(Lab.identityFile), known_hosts: \(knownHosts), addons: none, settle: 1s}
            hosts:

            """
        for host in lab.hosts {
            let more = settings[host.name].map { ", " + $0 } ?? ""
            text += "  \(host.name): {address: \(host.address)\(more)}\n"
        }
        try TestSupport.write(text, to: file ?? inventory)
    }

    /// Writes an inventory of the hosts `web1`, `web2` ...: loopback addresses of one real sshd on this machine, which has to
    /// listen on ``loopback(_:)``. `more` is further lines below `hosts:`.
    func write(inventoryOf server: SSHServer, hosts: Int = 1, more: String = "") throws {
        var text = "defaults: {port: \(server.endpoint.port), identity: \(server.identityFile), known_hosts: \(knownHosts)}\nhosts:\n"
        for number in 1...hosts { text += "  web\(number): {address: 127.0.0.\(number)}\n" }
        try TestSupport.write(text + more, to: inventory)
        let key = try read(server.hostKeyFile).split(separator: " ").prefix(2).joined(separator: " ")
        try TestSupport.write(
            (1...hosts).map { "[127.0.0.\($0)]:\(server.endpoint.port) \(key)\n" }.joined(), to: knownHosts)
    }

    /// A line of sshd_config that makes a server listen on the loopback addresses 2 ... `hosts` as well as on 127.0.0.1.
    static func loopback(_ hosts: Int) -> String { (2...hosts).map { "ListenAddress 127.0.0.\($0)" }.joined(separator: "\n") }

    /// Runs `fleet` to its end.
    ///
    /// - Parameter limit: a test fails rather than waits for ever; the program is killed then.
    func fleet(_ arguments: String..., limit: Swift.Duration = .seconds(180)) async throws -> Finished {
        try await start(arguments, limit: limit) { _ in }
    }

    /// Runs `fleet` to its end.
    func fleet(_ arguments: [String]) async throws -> Finished { try await start(arguments, limit: .seconds(180)) { _ in } }

    /// Runs `fleet`, lets the closure act meanwhile, and waits for its end.
    func fleet(
        _ arguments: [String], limit: Swift.Duration, meanwhile: (Running) async throws -> Void
    ) async throws -> Finished {
        try await start(arguments, limit: limit, meanwhile)
    }

    /// Runs `fleet`, lets the closure act meanwhile, and waits for its end.
    func fleet(
        _ arguments: String..., limit: Swift.Duration = .seconds(180), meanwhile: (Running) async throws -> Void
    ) async throws -> Finished {
        try await start(arguments, limit: limit, meanwhile)
    }

    /// Runs `fleet` at a terminal of its own, where somebody types the answer; stdout and stderr come as one.
    func fleet(answering answer: String, _ arguments: String...) async throws -> Finished {
        let reading = hasReadNotes && arguments.first == "upgrade" ? ["--ack", "all", "--by", "ana"] : []
        let line = ([try Self.program] + arguments + reading).map { "'\($0)'" }.joined(separator: " ")
        let outcome = try await run(
            .path("/usr/bin/script"), arguments: ["-q", "-e", "-c", line, "/dev/null"], environment: environment,
            workingDirectory: FilePath(folder), input: .string(answer + "\n"), output: .string(limit: 1 << 20), error: .discarded)
        return Finished(
            status: Self.status(outcome.terminationStatus), stdout: outcome.standardOutput, stderr: "", peakResidentBytes: 0)
    }

    /// The built program, which lies beside the test bundle.
    static var program: String {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let path = URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/fleet"
            guard access(path, X_OK) == 0 else {
                throw Trouble("the built program is not at \(path): run `swift build --build-tests` first")
            }
            return path
        }
    }

    private var environment: Environment {
        .inherit.updating([
            "FLEET_LOGS": logs, "FLEET_INVENTORY": inventory, "HOME": folder + "/home", "SUDO_USER": nil, "USER": "ana", "NO_COLOR": nil,
            "TERM": "xterm",
        ]).updating(Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
    }

    private func start(
        _ arguments: [String], limit: Swift.Duration, _ meanwhile: (Running) async throws -> Void
    ) async throws -> Finished {
        let program = try Self.program
        let arguments = hasReadNotes && arguments.first == "upgrade" ? arguments + ["--ack", "all", "--by", "ana"] : arguments
        let files = folder + "/" + UUID().uuidString.prefix(8)
        func file(_ name: String) throws -> FileDescriptor {
            try .open(FilePath(files + name), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        }
        let outcome = try await run(
            .path(FilePath(program)), arguments: Arguments(arguments), environment: environment, workingDirectory: FilePath(folder),
            input: .none, output: .fileDescriptor(file(".out"), closeAfterSpawningProcess: true),
            error: .fileDescriptor(file(".err"), closeAfterSpawningProcess: true)
        ) { execution in
            let running = Running(process: execution.processIdentifier.value, files: files, deadline: .now + limit)
            do {
                try await meanwhile(running)
                return try await running.waitForEnd()
            } catch {
                try? execution.send(signal: .kill)
                throw error
            }
        }
        return Finished(
            status: Self.status(outcome.terminationStatus), stdout: try read(files + ".out"), stderr: try read(files + ".err"),
            peakResidentBytes: outcome.closureResult)
    }

    /// The status as a shell would say it: 128 and the signal for a program that a signal ended.
    private static func status(_ status: TerminationStatus) -> Int32 {
        switch status {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}

/// A `fleet` at work.
struct Running: Sendable {
    /// Its process.
    let process: Int32
    fileprivate let files: String
    fileprivate let deadline: ContinuousClock.Instant

    /// What it has said on stderr so far.
    var talk: String { (try? read(files + ".err")) ?? "" }

    /// Sends it a signal.
    func send(_ signal: Int32) { kill(process, signal) }

    /// Waits until it has said something on stderr.
    func waitFor(_ words: String) async throws {
        try await wait("it said “\(words)”") { talk.contains(words) }
    }

    /// Waits for a condition; fails once the program's time is over.
    func wait(_ what: String, until condition: () async throws -> Bool) async throws {
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw Trouble("it took too long until \(what); stderr: \(talk)") }
            guard isAlive || ContinuousClock.now > deadline else {
                if try await condition() { return }
                throw Trouble("fleet ended before \(what); stderr: \(talk)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Whether it runs: a process that ended and was not yet waited for does not.
    var isAlive: Bool { status("State:").map { !$0.hasPrefix("Z") && !$0.hasPrefix("X") } ?? false }

    /// Waits for its end and returns the most memory it had, as far as was seen.
    fileprivate func waitForEnd() async throws -> Int {
        var peak = 0
        while isAlive {
            guard ContinuousClock.now < deadline else { throw Trouble("fleet does not end; stderr: \(talk)") }
            peak = max(peak, status("VmHWM:").flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 << 10 } ?? 0)
            try await Task.sleep(for: .milliseconds(20))
        }
        return peak
    }

    private func status(_ key: String) -> String? {
        guard let text = try? read("/proc/\(process)/status") else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix(key) }
            .map { $0.dropFirst(key.count).trimmingCharacters(in: .whitespaces) }
    }
}

/// A `fleet` that ended.
struct Finished: Sendable {
    /// Its exit status; 128 and more if a signal ended it.
    let status: Int32
    /// Its data.
    let stdout: String
    /// Its talk.
    let stderr: String
    /// The most memory it had while it was looked at.
    let peakResidentBytes: Int

    /// Its data as one JSON document, whose keys are exactly those that `docs/json.md` names.
    func document<Value: Document>(_ type: Value.Type = Value.self, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
        let bytes = Data(stdout.utf8)
        let object = try #require(
            try? JSONSerialization.jsonObject(with: bytes), "stdout is not one JSON document: \(stdout)\nstderr: \(stderr)",
            sourceLocation: sourceLocation)
        for complaint in Value.form.complaints(about: object, at: "document") {
            Issue.record("\(complaint)", sourceLocation: sourceLocation)
        }
        return try JSONDecoder().decode(type, from: bytes)
    }

    /// Fails the test, with all that was said, unless it ended with this status.
    func ended(_ expected: Int32, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == expected, "stdout: \(stdout)\nstderr: \(stderr)", sourceLocation: sourceLocation)
    }
}

/// Something that kept a test from going on.
struct Trouble: Error, CustomStringConvertible {
    /// What.
    let description: String

    init(_ description: String) { self.description = description }
}
