import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

/// Reads the facts of the selected hosts and puts a plan together.
struct Planning {
    let target: CanopsisVersion
    let policy: RolloutPolicy

    /// Plans; says on stderr how far it is, since the package indexes take seconds.
    func plan(_ hosts: [Host]) async throws -> Plan {
        let unknown = policy.unknownLabels(among: hosts)
        guard unknown.isEmpty else { throw Problems(unknown) }
        let catalogue = try BuiltInCatalogue.read()
        let connector = try SSHConnector(for: hosts)
        Console.say("Reading the facts of \(hosts.count == 1 ? "1 host" : "\(hosts.count) hosts") ...")
        let readings = await FactReader(connector, probes: catalogue.probes).read(hosts, offer: true)
        let planner = Planner(
            target: target, policy: policy, catalogue: catalogue, fleet: Fleet.version, created: Timestamp.now().description)
        return try planner.plan(hosts, given: readings)
    }
}
