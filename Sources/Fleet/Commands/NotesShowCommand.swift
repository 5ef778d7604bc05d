import ArgumentParser
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout

struct NotesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what releases mean for these hosts: what to read before they are upgraded.",
        discussion: """
            Each release between what the hosts have and the target is shown once, with those of its steps that some of the hosts
            need, which hosts, because of which facts, and who does them; and with the vendor's note, if it was imported. On a
            terminal it is shown with $PAGER, or less. The hosts are asked for their facts; nothing is changed on them.

            Exit status: 0, 4 if some host could not be asked.
            """)

    @Argument(help: "Which hosts, written as for -l. All if not given.")
    var hosts: [String] = []

    @OptionGroup var inventory: InventoryOptions

    @Option(help: "The version the hosts shall have. Without it: the newest that their repositories offer without a major upgrade.")
    var to: CanopsisVersion?

    @Flag(help: "Show also what none of these hosts needs.")
    var all = false

    @OptionGroup var logs: LogsOption

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    func run() async throws {
        var inventory = inventory
        inventory.limit += hosts
        let selected = try inventory.hosts()
        let catalogue = try BuiltInCatalogue.read()
        let library = try NoteLibrary(catalogue: catalogue, logs: logs.folder)
        let connector = try SSHConnector(for: selected)
        Console.say("Reading the facts of \(selected.count == 1 ? "1 host" : "\(selected.count) hosts") ...")
        let readings = await FactReader(connector, probes: catalogue.probes).read(selected, offer: to == nil)

        var silent: [(host: HostName, reason: Reason)] = []
        var known: [(host: Host, facts: HostFacts, installed: CanopsisVersion)] = []
        for host in selected {
            switch readings[host.name] {
            case .facts(let facts):
                if let installed = facts.installedVersion {
                    known.append((host, facts, installed))
                } else {
                    silent.append(
                        (host.name, Reason(.gateBlocked, ["gate": "installed", "words": "no version of Canopsis was found on it"])))
                }
            case .failure(let reason): silent.append((host.name, reason))
            case nil: silent.append((host.name, Reason(.connectFailed)))
            }
        }
        let target = try to ?? newestOffered(known)
        let passing = known.filter { $0.installed < target }
        let report = ReadingReport(
            to: target,
            ways: passing.map { host, facts, installed in
                ReadingReport.Way(
                    host: host.name, path: ReleasePath(through: catalogue, from: installed, to: target, facts: facts, host: host),
                    hasDatabaseClient: facts.hasDatabaseClient ?? true)
            },
            reading: ReadingList(
                passing.map { ($0.host.name, $0.installed) }, to: target, readings: library.readings,
                acknowledgements: library.acknowledgements, now: .now()),
            silent: silent, showsAll: all)
        switch output {
        case .text: Console.page(report.text(Console.style))
        case .json: Console.data(try report.json())
        }
        throw report.exitStatus
    }

    /// The newest version on offer that no host needs a major upgrade for.
    private func newestOffered(_ hosts: [(host: Host, facts: HostFacts, installed: CanopsisVersion)]) throws -> CanopsisVersion {
        let offered = hosts.flatMap { _, facts, _ -> [CanopsisVersion] in
            guard case .packages(let packages) = facts.offer else { return [] }
            return packages.compactMap { CanopsisVersion(packageVersion: $0.version) }
        }
        let minor = offered.filter { version in hosts.allSatisfy { UpgradeClass(from: $0.installed, to: version) != .major } }
        guard let newest = minor.max() else {
            throw Problem(
                code: "no-target", what: "No version was named, and no repository offers one that needs no major upgrade.",
                place: .argument("--to"),
                remedy: "Say which version the hosts shall have: --to 3.26.0.")
        }
        return newest
    }
}

struct NotesAckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: "Say that the notes of releases are read.",
        discussion: """
            `fleet upgrade` waits for it with exit status 6. What was read is kept with its digest: when the text changes, because the
            vendor's note was imported anew or Fleet's catalogue knows more, it has to be read again. An acknowledgement is for
            the whole text of a release (`fleet notes show --all`), whichever hosts are upgraded.

            Example:
              fleet notes ack 3.26.0 3.27.0 --by ana
            """)

    @Argument(help: "The releases.")
    var versions: [CanopsisVersion]

    @Option(help: "Who has read them.")
    var by: String

    @Option(name: .customLong("for"), help: "How long it counts, such as 12h or 30d. (default: as long as the text stays the same)")
    var duration: Duration?

    @OptionGroup var logs: LogsOption

    func run() async throws {
        let person = try Person.named(by)
        let catalogue = try BuiltInCatalogue.read()
        // Looked up before a journal is made: a slip of the finger leaves nothing behind.
        let readings = try NoteLibrary(catalogue: catalogue, logs: logs.folder).readings(of: versions, asked: "VERSION")
        let said = try Journal(in: logs.folder).acknowledge(readings, by: person, for: duration)
        let names = readings.map(\.version.description).joined(separator: ", ")
        let until = said.first?.until.map { ", which counts until \($0)" } ?? ""
        Console.say("\(names): read, says \(person.escapedForTerminal())\(until).")
    }
}
