import ArgumentParser
import FleetCore
import FleetJournal
import FleetReports
import FleetRollout
import Foundation

struct LockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "See which run has which host, and free hosts that a run left unfinished.",
        subcommands: [List.self, Break.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the hosts that are locked: by whose run, at which step, and whether it is at work.")

        @OptionGroup var inventory: InventoryOptions

        @Option(help: "How it is shown: text or json.")
        var output: OutputFormat = .text

        func run() async throws {
            let hosts = try inventory.hosts()
            let readings = await FactReader(try SSHConnector(for: hosts)).read(hosts, offer: false)
            let report = LockReport(hosts.map(\.name), readings)
            switch output {
            case .text: Console.data(report.text(Console.style))
            case .json: Console.data(try report.json())
            }
            throw report.exitStatus
        }
    }

    struct Break: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "break", abstract: "Free hosts that a run left unfinished and will not finish.",
            discussion: """
                A lock in use (a job lives, or its coordinator was heard of in the last ten minutes) is never broken. Who broke
                which lock is written down on the host, in \(Job.home)/broken-locks, and in the journal.
                The host is as that run left it: perhaps new packages and an old database. Mostly `fleet resume` is what you want.
                """)

        @OptionGroup var inventory: InventoryOptions
        @OptionGroup var logs: LogsOption

        @Flag(name: [.short, .long], help: "Do not ask. Without a terminal this is needed.")
        var yes = false

        func run() async throws {
            let hosts = try inventory.hosts()
            let connector = try SSHConnector(for: hosts)
            let readings = await FactReader(connector).read(hosts, offer: false)
            let locked = hosts.compactMap { host -> (Host, LockHolder)? in
                guard case .facts(let facts)? = readings[host.name], let holder = facts.lockHolder else { return nil }
                return (host, holder)
            }
            Console.data(LockReport(hosts.map(\.name), readings).text(Console.style))
            guard !locked.isEmpty else { throw LockReport(hosts.map(\.name), readings).exitStatus }
            try confirm(locked.count)
            let journal = try Journal(in: logs.folder)
            let breaker = LockBreaker(connector, person: Person.name, machine: Person.machine)
            let started = Timestamp.now().description
            var endings: [String: String] = [:]
            var statuses: [ExitStatus] = []
            for (host, holder) in locked {
                guard let run = holder.run else {
                    Console.say("\(host.name): kept: its lock names no run; look at \(HostLock.folder) on the host")
                    (endings[host.name.text], statuses) = ("1", statuses + [.failed])
                    continue
                }
                switch await breaker.breakLock(of: run, on: host) {
                case .broken:
                    Console.say("\(host.name): freed of run \(run)")
                    endings[host.name.text] = "0"
                case .free: Console.say("\(host.name): was free already")
                case .kept(let reason):
                    Console.say("\(host.name): kept: \(reason.text)")
                    (endings[host.name.text], statuses) = ("1", statuses + [.deferred])
                case .unreachable(let reason):
                    Console.say("\(host.name): \(reason.text)")
                    (endings[host.name.text], statuses) = ("unreachable", statuses + [.unreachable])
                }
            }
            let status = ExitStatus.first(of: statuses)
            let record = CommandRun(
                command: "fleet lock break", person: Person.name, started: started, endings: endings, exitStatus: Int(status.rawValue))
            try journal.begin(RunID.new(), kind: .exec, plan: nil, firstEvent: .commandRun(record))
            throw status
        }

        private func confirm(_ count: Int) throws {
            guard !yes else { return }
            let what = count == 1 ? "this lock" : "these \(count) locks"
            guard Console.isInteractive else {
                throw Problem(
                    code: "not-confirmed", what: "Nobody can be asked about \(what).",
                    remedy: "There is no terminal. If it is right, say --yes.")
            }
            guard Console.confirm("Break \(what)?") else {
                Console.say("Nothing was done.")
                throw ExitStatus.stopped
            }
        }
    }
}
