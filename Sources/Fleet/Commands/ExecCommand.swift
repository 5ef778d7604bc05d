import ArgumentParser
import FleetCore
import FleetJournal
import FleetReports
import FleetRollout
import Foundation
import SSHClient

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run one command on many hosts; equal answers are shown once.",
        discussion: """
            One argument after -- is a line for the host's shell; several are the words of a command, each kept as it is.
            The command has no stdin. It runs as the login user, with --become as root through sudo.

            Examples:
              fleet exec -i inventory/production.yaml -- uptime
              fleet exec -i inventory/production.yaml -l 'acme,!acme-2' -- 'systemctl list-units "canopsis*" | tail -3'
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var logs: LogsOption

    @Option(name: .customLong("at-once"), help: "How many hosts are at work at the same moment.")
    var atOnce: Int = 50

    @Option(help: "How long the command may take on a host, such as 30s, 5m. It is not ended on the host.")
    var timeout: Duration = .seconds(600)

    @Flag(help: "Run as root through sudo, without a password.")
    var become = false

    @Option(help: "How it is shown: text or json.")
    var output: OutputFormat = .text

    @Argument(parsing: .postTerminator, help: "The command.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("Give the command after --, such as: fleet exec -i INVENTORY -- uptime") }
        if !(1...10_000).contains(atOnce) { throw ValidationError("--at-once: give a number from 1 to 10000.") }
    }

    /// The command as the host's shell reads it.
    private var line: String { command.count == 1 ? command[0] : command.map(shellQuoted).joined(separator: " ") }

    func run() async throws {
        let hosts = try inventory.hosts()
        let journal = try Journal(in: logs.folder)
        let started = Timestamp.now().description
        let connector = try SSHConnector(for: hosts, logins: max(atOnce, 1))
        let signals = StopSignals()

        // A host's task does little but wait for its session, so it lives on the session's thread.
        let (outputs, signal) = await withTaskExecutorPreference(SSHTaskExecutor(on: connector.reactor)) {
            await ask(hosts, connector, signals)
        }
        let report = ExecReport(
            command: line, outputs: outputs, interruption: signal.map { $0 == "TERM" ? .terminated : .interrupted })
        let run = CommandRun(
            command: line, person: Person.name, started: started, endings: report.endings, exitStatus: Int(report.exitStatus.rawValue))
        switch output {
        case .text: Console.data(report.text(Console.style))
        case .json: Console.data(try report.json())
        }
        // Shown before it is journalled: what was gathered must not be lost to a full disk.
        _ = try journal.begin(.new(), kind: .exec, plan: nil, firstEvent: .commandRun(run))
        throw report.exitStatus
    }

    /// Asks every host, a bounded number at a time. A signal leaves those that have not answered.
    private func ask(_ hosts: [Host], _ connector: SSHConnector, _ signals: StopSignals) async -> ([HostOutput], String?) {
        await withTaskGroup(of: Message.self) { group in
            group.addTask {
                for await name in signals.names { return .interrupted(name) }
                return .interrupted(nil)
            }
            var waiting = hosts[...]
            var outputs: [HostName: HostOutput] = [:]
            var signal: String?
            func startNext() {
                guard signal == nil, let host = waiting.popFirst() else { return }
                group.addTask { .answered(await ask(host, connector)) }
            }
            for _ in 0..<min(atOnce, hosts.count) { startNext() }
            while outputs.count < hosts.count, let message = await group.next() {
                switch message {
                case .answered(let output):
                    outputs[output.name] = output
                    startNext()
                case .interrupted(let name):
                    guard let name else { continue }
                    signal = name
                    for host in waiting {
                        outputs[host.name] = HostOutput(name: host.name, ending: .unreachable, reason: Reason(.interrupted))
                    }
                    waiting = []
                    group.cancelAll()
                }
            }
            group.cancelAll()
            return (hosts.compactMap { outputs[$0.name] }, signal)
        }
    }

    private enum Message: Sendable {
        case answered(HostOutput)
        case interrupted(String?)
    }

    private func ask(_ host: Host, _ connector: SSHConnector) async -> HostOutput {
        let session: SSHSession
        do { session = try await connector.session(to: host) } catch {
            return HostOutput(name: host.name, ending: .unreachable, reason: error.reason)
        }
        let output = await ask(host, over: session)
        await session.close()
        return output
    }

    private func ask(_ host: Host, over session: SSHSession) async -> HostOutput {
        let text = become ? "exec sudo -n /bin/sh -c \(shellQuoted(line))" : line
        do {
            let result = try await session.run(text, limits: CommandLimits(total: timeout))
            return HostOutput(
                name: host.name, ending: ExecEnding(FleetCore.CommandEnding(result.ending)),
                reason: result.failure.map(reason), stdout: result.stdout.bytes,
                stderr: result.stderr.bytes,
                isTruncated: result.stdout.dropped + result.stderr.dropped > 0)
        } catch {
            return HostOutput(name: host.name, ending: .unreported, reason: reason(for: error))
        }
    }

    private func reason(for error: SSHError) -> Reason {
        if case .timedOut(.command, _) = error { return Reason(.jobOverdue, ["limit": timeout.text]) }
        return Reason(.linkLost, ["words": "\(error)"])
    }
}
