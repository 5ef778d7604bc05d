import ArgumentParser
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look whether hosts can be upgraded: connect, read facts, change nothing.",
        discussion: """
            What the repositories offer is read through a package index of Fleet's own under /var/lib/fleet on the host,
            the only place that is written.

            Example:
              fleet check -i inventory/production.yaml --to 3.26.0
            """)

    @OptionGroup var inventory: InventoryOptions

    @Option(help: "The version the hosts shall have later; without it, only what holds for any target is checked.")
    var to: CanopsisVersion?

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let hosts = try inventory.hosts()
        let catalogue = try BuiltInCatalogue.read()
        let reader = FactReader(try SSHConnector(for: hosts), probes: catalogue.probes, now: Timestamp.now)
        let readings = await reader.read(hosts, offer: true)
        let report = CheckReport(hosts.map { CheckedHost($0, readings[$0.name], target: to, catalogue) }, target: to)
        switch output {
        case .text: Console.data(report.text(Console.style))
        case .json: Console.data(try report.json())
        }
        throw report.exitStatus
    }
}

extension CheckedHost {
    /// What the facts of a host, or their absence, say about it.
    init(_ host: Host, _ reading: FactReading?, target: CanopsisVersion?, _ catalogue: Catalogue) {
        switch reading {
        case .facts(let facts):
            let installed = facts.installedVersion
            self.init(
                host: host, facts: facts, upgradeClass: target.flatMap { to in installed.map { UpgradeClass(from: $0, to: to) } },
                findings: Preflight.findings(facts, host: host, target: target)
                    + Self.findings(from: installed, to: target, facts, host, catalogue))
        case .failure(let reason) where reason.code == .noRoot:
            let finding = GateFinding(
                gate: "root", verdict: .block, text: reason.text,
                remedy: "Log in as root, or let \(host.user) use sudo without a password and without a terminal, and set `become: sudo`.")
            self.init(host: host, facts: nil, findings: [finding])
        case .failure(let reason) where reason.isObjection:
            let finding = GateFinding(
                gate: "facts", verdict: .block, text: reason.text,
                remedy: "Look on the host what is unusual there; `systemd-machine-id-setup` gives it a machine id if it has none.")
            self.init(host: host, facts: nil, findings: [finding])
        case .failure(let reason): self.init(host: host, facts: nil, unreachable: reason)
        case nil: self.init(host: host, facts: nil, unreachable: Reason(.connectFailed))
        }
    }

    /// What the releases on the way to the target say of it.
    private static func findings(
        from installed: CanopsisVersion?, to target: CanopsisVersion?, _ facts: HostFacts, _ host: Host, _ catalogue: Catalogue
    ) -> [GateFinding] {
        guard let target else { return [] }
        let path = installed.map { ReleasePath(through: catalogue, from: $0, to: target, facts: facts, host: host) }
        return PathFindings.unknownNote(of: target, in: catalogue)
            + (path.map { PathFindings.findings(on: $0, host: host, facts: facts) } ?? [])
    }
}
