/// Brings the database to the version of the packages.
public struct RunCanopsinit: Hashable, Sendable {
    /// The edition that runs on the host.
    public var edition: Edition
    /// The stack that runs on the host.
    public var stack: Stack
    /// The version of the `canopsinit` that will run.
    public var target: CanopsisVersion

    /// Creates the action.
    public init(edition: Edition, stack: Stack, target: CanopsisVersion) {
        self.edition = edition
        self.stack = stack
        self.target = target
    }

    /// The step as a plan holds it.
    public var step: PlannedStep {
        PlannedStep(
            id: .canopsinit, title: "run canopsinit", script: script.shellText, limit: .seconds(2 * 3600), kind: .job)
    }

    /// `canopsinit` through a login shell of its own account: nothing else finds it and its libraries.
    ///
    /// Without the two options it declares core and python in the database, whatever runs there, so any other host needs
    /// them. Releases before 3.18.0 don't know them and end with status 2, so the one that is installed is asked.
    public var script: RemoteScript {
        guard (edition, stack) != (.core, .python) else {
            return RemoteScript(commands: [RemoteCommand("su", "-", "canopsis", "-c", "canopsinit")])
        }
        let options = ["--canopsis-edition", edition.rawValue, "--canopsis-stack", stack.rawValue]
        return RemoteScript(
            preparation: """
                help=$(su - canopsis -c 'canopsinit --help' 2>&1) || { echo "$help"; exit 127; }
                case $help in
                *--canopsis-edition*) command=\(shellQuoted(RemoteCommand(["canopsinit"] + options).shellText)) ;;
                *) command=canopsinit ;;
                esac
                su - canopsis -c "$command"
                """, commands: [])
    }

    /// What a status other than 0 means.
    ///
    /// - Source: the script of 3.26.0, unchanged in substance from 3.18 to 3.44.
    public static func meaning(of status: UInt8) -> String? {
        switch status {
        case 1: "the database was not reached, or canopsinit itself broke off"
        case 2: "a migration step failed, or the options are not known to this version"
        case 3: "VERSION.txt holds no version"
        case 4: "VERSION.txt cannot be read"
        case 126, 127: "canopsinit is not there or cannot be run"
        default: nil
        }
    }
}
