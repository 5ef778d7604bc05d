import ArgumentParser
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

/// How results are written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json

    /// What the arguments ask for, read before they are parsed: an error has to be written in that form too.
    static func asked(in arguments: [String]) -> OutputFormat {
        // What follows `--` belongs to the command that hosts run.
        for (index, argument) in arguments.prefix(while: { $0 != "--" }).enumerated() {
            if argument == "--output=json" { return .json }
            if argument == "--output", arguments.dropFirst(index + 1).first == "json" { return .json }
        }
        return .text
    }
}

/// Which hosts a command is about.
struct InventoryOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The inventory: a YAML file or a folder of them. Else the variable FLEET_INVENTORY.")
    var inventory: String?

    @Option(
        name: [.short, .customLong("limit")],
        help: "Hosts: names, globs, groups, ranges, !x to leave out, @FILE; several with commas or by repeating. All if not given.")
    var limit: [String] = []

    /// The selected hosts, in the order of the inventory.
    func hosts() throws -> [Host] { try selected().hosts }

    /// The selected part of the inventory, with its add-ons and hooks.
    func selected() throws -> Inventory {
        guard let path = inventory ?? ProcessInfo.processInfo.environment["FLEET_INVENTORY"], !path.isEmpty else {
            throw Problem(
                code: "no-inventory", what: "No inventory was named.", place: .argument("-i"),
                remedy: "Give one with -i FILE, or set the variable FLEET_INVENTORY.")
        }
        let selection = try HostSelection.reading(limit)
        return try InventoryFile(path).read().selected(by: selection)
    }
}

/// Where runs write.
struct LogsOption: ParsableArguments {
    @Option(help: "The folder for journal, logs and reports. Else the variable FLEET_LOGS, else ./logs.")
    var logs: String?

    /// The folder as it was given.
    private var given: String {
        logs ?? ProcessInfo.processInfo.environment["FLEET_LOGS"].flatMap { $0.isEmpty ? nil : $0 } ?? "logs"
    }

    /// The folder, absolute.
    var folder: String { URL(fileURLWithPath: given).standardizedFileURL.path }

    /// What a report says of the folder and the inventory in the next command to type.
    func context(inventory: String? = nil) -> ReportContext {
        ReportContext(logs: given, inventory: inventory, namesLogs: logs != nil)
    }
}

/// The rules of a rollout.
struct PolicyOptions: ParsableArguments {
    @Option(help: "Sizes of the waves, such as 1,5,20%; the last one repeats. Percentages are of the selection, cut down. (default: 1,10%)")
    var waves: String?

    @Option(name: .customLong("at-once"), help: "How many hosts are at work at the same moment. (default: 5)")
    var atOnce: Int?

    @Option(name: .customLong("max-failures"), help: "How many hosts may fail, N or P%; one more stops the run. (default: 0)")
    var maxFailures: String?

    @Option(
        name: .customLong("max-failures-per-wave"), help: "How many hosts of one wave may fail, N or P%. (default: no limit of its own)")
    var maxFailuresPerWave: String?

    @Flag(help: "Start the next hosts of a wave only when all that are at work have ended.")
    var barrier = false

    @Option(help: "How long to wait between two waves, such as 10m. (default: not at all)")
    var pause: Duration?

    @Flag(help: "End before each wave but the first, until `fleet approve RUN` allows it.")
    var approve = false

    @Option(help: "`customer`: never two hosts of one customer at work at once.")
    var spread: RolloutPolicy.Spread?

    @Option(
        help: ArgumentHelp(
            "At most so many hosts with the same value of a label at work at once, such as site=2,customer=3.", valueName: "label=n,..."))
    var limits: String?

    @Option(
        name: .customLong("parked-place"),
        help:
            "While a host waits for a person: `free` its place for the next, or `keep` it, and go on once it is confirmed. (default: free)")
    var parkedPlace: RolloutPolicy.ParkedPlace?

    @Option(
        name: .customLong("step-by-step"),
        help: ArgumentHelp(
            "Bring each host to these versions first, one after the other, with the whole procedure for each.", valueName: "version,..."))
    var stepByStep: String?

    /// Whether any rule was given.
    var isGiven: Bool {
        waves != nil || atOnce != nil || maxFailures != nil || maxFailuresPerWave != nil || barrier || pause != nil || approve
            || spread != nil || limits != nil || parkedPlace != nil || stepByStep != nil
    }

    /// The policy.
    func policy() throws -> RolloutPolicy {
        var policy = RolloutPolicy()
        var problems: [Problem] = []
        func share(_ text: String, _ argument: String, least: Int) -> Share? {
            if let share = Share(text), share.isAtLeast(least) { return share }
            problems.append(
                Problem(
                    code: "invalid-argument", what: "\(text) is neither a number of hosts nor a percentage\(least > 0 ? " above 0" : "").",
                    place: .argument(argument), remedy: "Write it like 5 or 20%."))
            return nil
        }
        if let waves {
            let parts = waves.split(separator: ",", omittingEmptySubsequences: false)
            policy.waves = parts.compactMap { share($0.trimmingCharacters(in: .whitespaces), "--waves", least: 1) }
        }
        if let atOnce {
            policy.atOnce = atOnce
            if !(1...1000).contains(atOnce) {
                problems.append(
                    Problem(
                        code: "invalid-argument", what: "\(atOnce) hosts at once is out of range.", place: .argument("--at-once"),
                        remedy: "Give a number from 1 to 1000."))
            }
        }
        if let maxFailures, let share = share(maxFailures, "--max-failures", least: 0) { policy.maxFailures = share }
        if let maxFailuresPerWave { policy.maxFailuresPerWave = share(maxFailuresPerWave, "--max-failures-per-wave", least: 0) }
        policy.barrier = barrier
        policy.pause = pause ?? .zero
        policy.approve = approve
        policy.spread = spread
        policy.parkedPlace = parkedPlace ?? .free
        if pause != nil, approve {
            problems.append(
                Problem(
                    code: "invalid-argument", what: "A pause cannot be had with approvals: at each gate the run ends.",
                    place: .argument("--pause"), remedy: "Leave out --pause or --approve."))
        }
        if let limits {
            let read = Self.limits(in: limits)
            policy.limits = read.limits
            problems += read.problems
        }
        if let stepByStep {
            for part in stepByStep.split(separator: ",", omittingEmptySubsequences: false) {
                guard let version = CanopsisVersion(part.trimmingCharacters(in: .whitespaces)) else {
                    problems.append(
                        Problem(
                            code: "invalid-argument", what: "`\(part)` is no version.", place: .argument("--step-by-step"),
                            remedy: "Write it like 3.27.0,3.31.0."))
                    continue
                }
                if let last = policy.stepByStep.last, last >= version {
                    problems.append(
                        Problem(
                            code: "invalid-argument", what: "\(version) does not come after \(last).", place: .argument("--step-by-step"),
                            remedy: "Give the versions in rising order."))
                }
                policy.stepByStep.append(version)
            }
        }
        guard problems.isEmpty else { throw Problems(problems) }
        return policy
    }

    /// Reads `site=2,customer=3`.
    private static func limits(in text: String) -> (limits: [String: Int], problems: [Problem]) {
        var (limits, problems): ([String: Int], [Problem]) = ([:], [])
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "=", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
            func refuse(_ what: String, _ remedy: String) {
                problems.append(Problem(code: "invalid-argument", what: what, place: .argument("--limits"), remedy: remedy))
            }
            guard words.count == 2, !words[0].isEmpty, let most = Int(words[1]), (1...1000).contains(most) else {
                refuse("`\(part)` is no limit of a label.", "Write it like site=2: a label of the inventory and a number from 1 to 1000.")
                continue
            }
            if limits.updateValue(most, forKey: words[0]) != nil { refuse("`\(words[0])` is limited twice.", "Keep one of the two.") }
        }
        return (limits, problems)
    }
}

/// Whose word it is that the release notes are read.
struct ReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Say that the notes of these releases are read, or `all` on the way of these hosts; needs --by.", valueName: "version,...|all"))
    var ack: String?

    @Option(help: "Who has read them.")
    var by: String?

    func validate() throws {
        if (ack == nil) != (by == nil) { throw ValidationError("--ack says what is read and --by who has read it: give both or none.") }
    }

    /// What has to be read before a plan is carried out, once this person's word is in the journal.
    func list(for plan: Plan, in journal: Journal) throws -> ReadingList {
        let catalogue = try BuiltInCatalogue.read()
        var library = try NoteLibrary(catalogue: catalogue, journal: journal)
        if let ack, let by {
            let person = try Person.named(by)
            let readings =
                try ack == "all" ? library.list(for: plan).unread.map(\.reading) : library.readings(of: versions(ack), asked: "--ack")
            if !readings.isEmpty {
                try journal.acknowledge(readings, by: person, for: nil)
                library = try NoteLibrary(catalogue: catalogue, journal: journal)
            }
        }
        return library.list(for: plan)
    }

    private func versions(_ text: String) throws -> [CanopsisVersion] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let version = CanopsisVersion(part.trimmingCharacters(in: .whitespaces)) else {
                throw Problem(
                    code: "invalid-argument", what: "`\(part)` is no version.", place: .argument("--ack"),
                    remedy: "Write it like 3.26.0,3.27.0, or `all`.")
            }
            return version
        }
    }
}

extension ReadingList {
    /// Refuses to go on while something is not read.
    ///
    /// - Throws: `notes-unread`.
    func refuseUnlessRead(target: CanopsisVersion) throws {
        let versions = unread.map(\.reading.version.description)
        guard let first = versions.first else { return }
        throw Problem(
            code: "notes-unread",
            what: versions.count == 1
                ? "The note of \(first) is not read."
                : "The notes of \(versions.count) releases on the way are not read: \(versions.joined(separator: ", ")).",
            remedy: "No host was touched. Read them with `fleet notes show --to \(target)`, then say "
                + "`fleet notes ack \(versions.joined(separator: " ")) --by NAME`; or give --ack all --by NAME here.")
    }
}

/// How long hosts that are not there are waited for.
struct PatienceOptions: ParsableArguments {
    @Option(help: "How long a host whose connection was lost is tried again before it counts as unknown. (default: 10m)")
    var reconnect: Duration?

    @Option(name: .customLong("lock-wait"), help: "How long a host that another run has locked is waited for. (default: not at all)")
    var lockWait: Duration?

    /// The patience of a run.
    var patience: Patience {
        var patience = Patience()
        if let reconnect { patience.lostHost = reconnect }
        if let lockWait { patience.lockedHost = lockWait }
        return patience
    }
}

extension Share {
    fileprivate func isAtLeast(_ least: Int) -> Bool {
        switch self {
        case .hosts(let number): number >= least
        case .percent(let percent): percent >= least
        }
    }
}

extension RolloutPolicy.Spread: ExpressibleByArgument {}
extension RolloutPolicy.ParkedPlace: ExpressibleByArgument {}

extension CanopsisVersion: ExpressibleByArgument {
    /// Reads a version from an argument.
    public init?(argument: String) { self.init(argument) }
}

extension Duration: @retroactive ExpressibleByArgument {
    /// Reads `30s`, `5m`, `2h` from an argument.
    public init?(argument: String) { self.init(argument) }
}
