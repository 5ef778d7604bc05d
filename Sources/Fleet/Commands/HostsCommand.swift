import ArgumentParser
import FleetCore
import FleetReports
import FleetRollout
import Foundation
import SSHClient

struct HostsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hosts", abstract: "Show the inventory resolved, and enrol host keys.",
        subcommands: [HostsListCommand.self, HostsTrustCommand.self], defaultSubcommand: HostsListCommand.self)
}

struct HostsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the selected hosts, every default resolved.")

    @OptionGroup var inventory: InventoryOptions

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let report = HostsReport(try inventory.hosts())
        switch output {
        case .text: Console.data(report.text(Console.style))
        case .json: Console.data(try report.json())
        }
    }
}

struct HostsTrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Fetch the host keys of the selected hosts, show their fingerprints, and enrol those that are confirmed.",
        discussion: """
            Compare each fingerprint with what the host says on its own console:
              ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
            A key that differs from the one on record is refused; --replace enrols it in the old one's place.
            """)

    @OptionGroup var inventory: InventoryOptions

    @Flag(name: [.short, .long], help: "Do not ask: enrol every key that was shown.")
    var yes = false

    @Flag(help: "Let a key take the place of another one of the same host.")
    var replace = false

    func run() async throws {
        let hosts = try inventory.hosts()
        let connector = try SSHConnector(
            for: hosts.map { host in
                var host = host
                host.identity = nil
                return host
            })
        var statuses: [ExitStatus] = []
        var enrolments: [Enrolment] = []
        for (host, key) in await connector.hostKeys(of: hosts) {
            switch key {
            case .failure(let failure):
                Console.data("\(host.name)  unreachable  \(failure.reason.text)")
                statuses.append(.unreachable)
            case .success(let offered):
                let enrolment = Enrolment(host: host, offered: offered)
                Console.data(enrolment.line)
                switch offered.verdict {
                case .match: break
                case .unknown: enrolments.append(enrolment)
                case .mismatch where replace: enrolments.append(enrolment)
                case .mismatch, .revoked, .declined: statuses.append(.failed)
                }
            }
        }
        if !enrolments.isEmpty {
            try confirm(enrolments.count)
            for (path, group) in Dictionary(grouping: enrolments, by: \.path) {
                guard let path else { continue }
                try KnownHostsFile(path: path).enrol(group.map { ($0.offered.key, $0.endpoint) })
                Console.say("\(group.count == 1 ? "1 key" : "\(group.count) keys") enrolled in \(path).")
            }
        }
        throw ExitStatus.first(of: statuses)
    }

    private func confirm(_ count: Int) throws {
        guard !yes else { return }
        let keys = count == 1 ? "this key" : "these \(count) keys"
        guard Console.isInteractive else {
            throw Problem(
                code: "not-confirmed", what: "Nobody can be asked whether to trust \(keys): there is no terminal.",
                remedy: "Compare the fingerprints above with those of the hosts; if they are right, say --yes.")
        }
        guard Console.confirm("Trust \(keys)?") else {
            Console.say("Nothing was enrolled.")
            throw ExitStatus.stopped
        }
    }
}

/// A host key that was fetched, to be put on record.
private struct Enrolment {
    let host: Host
    let offered: OfferedKey

    var endpoint: SSHEndpoint { SSHEndpoint(host.address, port: host.port) }
    var path: String? { host.knownHosts }
    var line: String { "\(host.name)  \(offered.key.type)  \(offered.key.fingerprint)  \(offered.verdict)" }
}

/// A key a host offered, and what is on record about it.
struct OfferedKey: Sendable {
    let key: HostKey
    let verdict: HostKeyVerdict
}

extension SSHConnector {
    /// Fetches the key of every host without logging in, in the order given.
    func hostKeys(of hosts: [Host]) async -> [(Host, Result<OfferedKey, ConnectFailure>)] {
        await withTaskGroup(of: (Int, Result<OfferedKey, ConnectFailure>).self) { group in
            for (index, host) in hosts.enumerated() { group.addTask { (index, await self.hostKey(of: host)) } }
            var keys: [Int: Result<OfferedKey, ConnectFailure>] = [:]
            for await (index, key) in group { keys[index] = key }
            return hosts.enumerated().compactMap { index, host in keys[index].map { (host, $0) } }
        }
    }
}
