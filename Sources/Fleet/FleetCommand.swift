import ArgumentParser
import FleetCore

/// The command `fleet`: reads arguments, runs a subcommand, sets the exit status.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Upgrades many single-node Canopsis hosts over SSH, in rolling waves.",
        discussion: """
            Examples:
              fleet hosts trust -i production.yaml
              fleet check -i production.yaml --to 3.26.0
              fleet plan -i production.yaml --to 3.26.0 --waves 1,5,20% -o plan.json
              fleet upgrade plan.json
              fleet resume
              fleet exec -i production.yaml -l acme -- df -h /

            Exit status:
              0    all done
              1    internal error
              2    usage or invalid file
              3    hosts failed or blocked
              4    hosts unreachable or unknown
              5    stopped by a budget or an operator
              6    something waits for a person or a window
              7    hosts locked by another run
              8    the plan is out of date
              130, 143  ended by a signal
            """,
        version: Fleet.version,
        subcommands: [
            HostsCommand.self, NotesCommand.self, CheckCommand.self, PlanCommand.self, UpgradeCommand.self, ResumeCommand.self,
            RetryCommand.self, ApproveCommand.self, ConfirmCommand.self, SkipCommand.self, AbortCommand.self, LockCommand.self,
            VerifyCommand.self, StatusCommand.self, ReportCommand.self,
            LogsCommand.self, HistoryCommand.self, ExecCommand.self,
        ])
}

/// Fleet as a product.
enum Fleet {
    /// The version of this build.
    static let version = "0.1.0"
}

@main
enum Main {
    /// Runs the command and exits with the status `docs/exit-status.md` names, also where ArgumentParser has one of its own.
    static func main() async {
        WebRequest.leaveProxiesAlone()
        let format = OutputFormat.asked(in: CommandLine.arguments)
        do {
            var command = try FleetCommand.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let status as ExitStatus {
            leave(status)
        } catch let problem as Problem {
            Console.explain([problem], as: format)
            leave(problem.exitStatus)
        } catch let problems as Problems {
            Console.explain(problems.all, as: format)
            leave(ExitStatus.first(of: problems.all.map(\.exitStatus)))
        } catch {
            let code = FleetCommand.exitCode(for: error)
            if code == .success {
                Console.data(FleetCommand.fullMessage(for: error))
                leave(.done)
            }
            if code == .validationFailure {
                Console.say(FleetCommand.fullMessage(for: error))
                Console.data([.usage(FleetCommand.message(for: error))], as: format)
                leave(.usage)
            }
            let problem = Problem.internalError("\(error)")
            Console.explain([problem], as: format)
            leave(problem.exitStatus)
        }
        leave(.done)
    }

    private static func leave(_ status: ExitStatus) -> Never {
        FleetCommand.exit(withError: ExitCode(status.rawValue))
    }
}

/// A command ends with this status, everything having been said.
extension ExitStatus: Error {}

extension Problem {
    /// The arguments are not what the command takes.
    fileprivate static func usage(_ words: String) -> Problem {
        Problem(code: "usage", what: words, remedy: "See the command's --help.")
    }

    /// Something in Fleet that must not happen.
    fileprivate static func internalError(_ words: String) -> Problem {
        Problem(code: "internal", what: "Internal error: \(words)", remedy: "Please report it with the run's events.")
    }

    /// What `fleet` exits with because of this problem.
    var exitStatus: ExitStatus {
        switch code {
        case "plan-out-of-date": .planOutOfDate
        case "notes-unread": .waiting
        case "internal": .internalError
        default: .usage
        }
    }
}
