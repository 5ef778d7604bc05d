import ArgumentParser
import FleetCore
import FleetReports
import FleetRollout

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Look whether instances work now: units, web interface, login, versions. Change nothing.",
        discussion: """
            Each host is healthy, unhealthy, or nobody can tell. The units are looked at twice, some seconds apart, for a unit
            that crashes and is started again looks well in a single look. Where the inventory names an account for the web
            interface (`web`), it logs in, which leaves a session in the web server, and nothing else.

            Examples:
              fleet verify -i inventory/production.yaml
              fleet verify -i inventory/production.yaml -l acme --expect 3.26.0

            Exit status: 0 all are healthy, 3 some are not, 4 of some nobody can tell.
            """)

    @OptionGroup var inventory: InventoryOptions

    @Option(help: "The version the hosts shall have; without it, all places of a host have to agree.")
    var expect: CanopsisVersion?

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let hosts = try inventory.hosts()
        let found = await HealthReader(try SSHConnector(for: hosts)).look(hosts, wanted: expect)
        let report = VerifyReport(hosts.compactMap { host in found[host.name].map { (host.name, $0) } }, expected: expect)
        switch output {
        case .text: Console.data(report.text(Console.style))
        case .json: Console.data(try report.json())
        }
        throw report.exitStatus
    }
}
