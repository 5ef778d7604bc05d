import ArgumentParser
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

struct UpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Upgrade hosts in rolling waves: plan, ask, carry out, report.",
        discussion: """
            Give either a plan file made by `fleet plan`, or an inventory and a target. The service of each host is
            interrupted while it is upgraded; the question before the run says of how many. Nothing is begun, and the exit
            status is 6, before somebody has read the notes of the releases on the way: see `fleet notes show` and
            `fleet notes ack`, or say --ack here.

            Examples:
              fleet upgrade plan.json
              fleet upgrade -i inventory/production.yaml --to 3.26.0 --waves 1,5,20% --max-failures 2
              fleet upgrade plan.json --yes --ack all --by ana
            """)

    @Argument(help: "A plan file; without it, -i and --to say what to plan.")
    var plan: String?

    @OptionGroup var inventory: InventoryOptions

    @Option(help: "The version every host shall have, such as 3.26.0.")
    var to: CanopsisVersion?

    @OptionGroup var rules: PolicyOptions
    @OptionGroup var notes: ReadingOptions
    @OptionGroup var waiting: PatienceOptions
    @OptionGroup var logs: LogsOption

    @Option(help: "What the run is for, in a few words: stands in the reports, and on each host for whoever finds it locked.")
    var reason: String?

    @Flag(name: [.short, .long], help: "Do not ask. Without a terminal this is needed.")
    var yes = false

    @Option(help: "How the report is written: text or json.")
    var output: OutputFormat = .text

    func validate() throws {
        if plan != nil, to != nil || inventory.inventory != nil || !inventory.limit.isEmpty || rules.isGiven {
            throw ValidationError("A plan file says it all: -i, -l, --to and the rules of the rollout cannot be given beside it.")
        }
        if plan == nil, to == nil { throw ValidationError("Give a plan file, or -i and --to.") }
    }

    func run() async throws {
        let (plan, digest, hosts) = try await planned()
        let count = plan.waves.reduce(0) { $0 + $1.hosts.count }
        let journal = try Journal(in: logs.folder)
        let reading = try notes.list(for: plan, in: journal)
        let report = PlanReport(plan, digest: digest, budget: plan.budgetText, reading: reading).text(.plain, withCommands: false)
        do { try reading.refuseUnlessRead(target: plan.target) } catch {
            Console.say(report)
            throw error
        }
        try refuseUnlessSomebodyCanAnswer(count, report)

        let connector = try SSHConnector(for: hosts)
        if self.plan != nil { try await refuseIfStale(plan, connector) }
        Console.say(report)
        try confirm(count, plan.target)

        let run = RunID.new()
        let lock = try RunLock.acquire(run, in: journal.folder)
        defer { withExtendedLifetime(lock) {} }
        let record = try await RunExecution(plan: plan, digest: digest, run: run, journal: journal, connector: connector)
            .begin(purpose: reason, notes: reading.acknowledgements, patience: waiting.patience)
        try show(record, in: journal, as: output, context: logs.context(inventory: inventory.inventory))
    }

    /// The plan to carry out, and its digest.
    private func planned() async throws -> (Plan, String, [Host]) {
        if let path = plan {
            let plan = try PlanFile(path).read()
            return (plan, PlanFile.digest(of: plan), plan.hosts.map(\.host))
        }
        let selected = try inventory.selected()
        guard let target = to else { throw ExitStatus.usage }
        let plan = try await Planning(target: target, policy: rules.policy(), inventory: selected).plan()
        return (plan, PlanFile.digest(of: plan), selected.hosts)
    }

    private func refuseUnlessSomebodyCanAnswer(_ count: Int, _ report: String) throws {
        guard count > 0, !yes, !Console.isInteractive else { return }
        Console.say(report)
        throw Problem(
            code: "not-confirmed",
            what: "The service of \(count == 1 ? "1 host" : "each of \(count) hosts") would be interrupted, and nobody can be asked.",
            remedy: "There is no terminal. Look at the plan above; if it is right, say --yes.")
    }

    /// Asks; the plan that was just shown ends with whose service will be interrupted.
    private func confirm(_ count: Int, _ target: CanopsisVersion) throws {
        guard count > 0, !yes else { return }
        guard Console.confirm("Upgrade \(count == 1 ? "this host" : "these \(count) hosts") to \(target)?") else {
            Console.say("Nothing was done.")
            throw ExitStatus.stopped
        }
    }

    /// A plan made earlier must still be true before the first host is touched.
    private func refuseIfStale(_ plan: Plan, _ connector: SSHConnector) async throws {
        let working = plan.hosts.filter { if case .upgrade = $0.disposition { true } else { false } }
        Console.say("Looking whether the plan is still true ...")
        let readings = await FactReader(connector).read(working.map(\.host), offer: false)
        let problems = working.compactMap { planned -> Problem? in
            guard case .facts(let facts) = readings[planned.host.name], let reason = planned.change(since: facts) else { return nil }
            return Problem(
                code: "plan-out-of-date", what: "The plan is out of date: \(reason.text).", place: .host(planned.host.name, step: nil),
                remedy: "Nothing was touched. Make a new plan with `fleet plan`.")
        }
        guard problems.isEmpty else { throw Problems(problems) }
    }
}

/// Who works with Fleet, and where.
enum Person {
    /// The account that started Fleet; with sudo, the one that called sudo.
    static var name: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["SUDO_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? NSUserName()
    }

    /// The machine's name.
    static var machine: String { ProcessInfo.processInfo.hostName }
}

extension Plan {
    /// How a run of this plan begins: every selected host, with what the plan decided already.
    func runStart(digest: String, person: String, machine: String, purpose: String?, notes: [Acknowledgement]) -> RunStart {
        RunStart(
            target: target, planDigest: digest, person: person, machine: machine, purpose: purpose, notes: notes,
            hosts: hosts.map { planned in
                let (outcome, reason, wave): (HostOutcome, Reason?, Int?) =
                    switch planned.disposition {
                    case .upgrade(let wave): (.notStarted, nil, wave)
                    case .skip(let reason): (.skipped, reason, nil)
                    case .block(let reason): (.blocked, reason, nil)
                    case .defer(let reason): (.deferred, reason, nil)
                    case .unreachable(let reason): (.unreachable, reason, nil)
                    }
                let from = planned.facts?.version ?? (outcome == .skipped ? target : nil)
                return HostStart(
                    name: planned.host.name, address: planned.host.address, wave: wave, from: from, outcome: outcome, reason: reason)
            })
    }
}
