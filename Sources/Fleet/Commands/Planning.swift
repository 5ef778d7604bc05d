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
    /// The hosts to plan for, their add-ons and the hooks.
    let inventory: Inventory

    /// Plans; says on stderr how far it is, since the package indexes take seconds.
    func plan() async throws -> Plan {
        let hosts = inventory.hosts
        let unknown = policy.unknownLabels(among: hosts)
        guard unknown.isEmpty else { throw Problems(unknown) }
        let catalogue = try BuiltInCatalogue.read()
        let probes = Set(catalogue.probes + inventory.addOns.flatMap(\.probes)).sorted()
        let connector = try SSHConnector(for: hosts)
        Console.say("Reading the facts of \(hosts.count == 1 ? "1 host" : "\(hosts.count) hosts") ...")
        let readings = await FactReader(connector, probes: probes, now: Timestamp.now).read(hosts, offer: true)
        var planner = Planner(
            target: target, policy: policy, catalogue: catalogue, fleet: Fleet.version, created: Timestamp.now().description)
        (planner.addOns, planner.hooks) = (inventory.addOns, inventory.hooks)
        return try planner.plan(hosts, given: readings)
    }
}
