import ArgumentParser
import FleetCore
import FleetDocuments
import FleetReports

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Fix what an upgrade will do: hosts, waves, exact commands, budget.",
        discussion: """
            Example:
              fleet plan -i inventory/production.yaml --to 3.26.0 --waves 1,5,20% --max-failures 2 -o plan.json
            """)

    @OptionGroup var inventory: InventoryOptions

    @Option(help: "The version every host shall have, such as 3.26.0.")
    var to: CanopsisVersion

    @OptionGroup var rules: PolicyOptions

    @OptionGroup var logs: LogsOption

    @Option(name: .customShort("o"), help: "Write the plan to this file, for `fleet upgrade FILE`.")
    var file: String?

    @Option(help: "How the plan is shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        let policy = try rules.policy()
        let plan = try await Planning(target: to, policy: policy, inventory: inventory.selected()).plan()
        let digest = PlanFile.digest(of: plan)
        let reading = try NoteLibrary(catalogue: BuiltInCatalogue.read(), logs: logs.folder).list(for: plan)
        let report = PlanReport(plan, digest: digest, budget: plan.budgetText, reading: reading)
        if let file { try PlanFile(file).write(plan) }
        switch output {
        case .text:
            Console.data(report.text(Console.style))
            if let file { Console.say("Written to \(file). Carry it out with: fleet upgrade \(shellQuoted(file))") }
        case .json: Console.data(try report.json())
        }
        throw plan.exitStatus
    }
}

extension Plan {
    /// The budget with its numbers resolved: of the run, and of each wave that has a limit of its own.
    var budgetText: String {
        let budget = Budget(policy, selected: hosts.count)
        return ([budget.text] + waves.compactMap(budget.text(for:))).joined(separator: "; ")
    }

    /// What `fleet plan` exits with: whether every selected host can be brought to the target.
    var exitStatus: ExitStatus {
        ExitStatus.first(
            of: hosts.map { planned in
                switch planned.disposition {
                case .upgrade, .skip: .done
                case .block: .failed
                case .defer: .deferred
                case .unreachable: .unreachable
                }
            })
    }
}
