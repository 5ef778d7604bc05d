/// Brings the Canopsis packages to exactly the planned version, and the rest of the system too where the scope says so.
public struct UpgradePackages: Hashable, Sendable {
    /// Whose commands to write.
    public var manager: PackageManager
    /// The exact packages that make up the target.
    public var packages: [Package]
    /// Whether the rest of the system is upgraded as well.
    public var scope: PackageScope

    /// Creates the action.
    public init(manager: PackageManager, packages: [Package], scope: PackageScope) {
        self.manager = manager
        self.packages = packages.sorted()
        self.scope = scope
    }

    /// The step as a plan holds it.
    public var step: PlannedStep {
        let goal = packages.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        let title = scope == .system ? "upgrade the system, \(goal)" : "upgrade \(goal)"
        return PlannedStep(id: .packages, title: title, script: script.shellText, limit: .seconds(3600), kind: .job)
    }

    /// What runs on the host.
    public var script: RemoteScript {
        switch manager {
        case .apt: aptScript
        case .yum: yumScript
        }
    }

    /// How long another process that has the package manager's lock is waited for, in seconds, before the step fails in its name.
    static let lockPatience = 600

    /// Puts before each command a wait for any other process that has a lock of the package manager.
    ///
    /// One may take it between two commands, as unattended upgrades do.
    static func inTurn(_ commands: [RemoteCommand]) -> [RemoteCommand] { commands.flatMap { [RemoteCommand("await_lock"), $0] } }

    /// A shell function `await_lock` that waits for another process that has a lock of the package manager, and says who it is; fails
    /// with its name if it keeps it.
    ///
    /// apt waits by itself since 1.9.11 only, and Debian 8 and 9 have older ones; yum and dnf wait without a limit. A record lock
    /// shows in `/proc/locks` with the inode of its file; a process id on file counts only while such a process lives.
    static func waiting(for manager: PackageManager, patience: Int = lockPatience) -> String {
        let record: [String]
        let onFile: [String]
        switch manager {
        case .apt:
            (record, onFile) = (
                ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"], []
            )
        case .yum:
            record = ["/var/lib/rpm/.rpm.lock"]
            onFile = ["/var/run/yum.pid", "/var/lib/dnf/rpmdb_lock.pid", "/var/cache/dnf/metadata_lock.pid"]
        }
        return """
            locker() {
                for file in \(record.joined(separator: " ")); do
                    inode=$(stat -c %i "$file" 2>/dev/null) || continue
                    sed -n "s/^[0-9]*: [A-Z]* *[A-Z]* *WRITE \\([0-9]*\\) [0-9a-f]*:[0-9a-f]*:$inode 0 EOF.*/\\1/p" /proc/locks
                done
                for file in \(onFile.joined(separator: " ")); do
                    pid=$(head -c 20 "$file" 2>/dev/null | tr -c -d 0-9)
                    if [ -n "$pid" ]; then case $(named "$pid") in *yum* | *dnf* | *ackage* | *python*) echo "$pid" ;; esac; fi
                done
            }
            named() {
                words=$(head -c 200 "/proc/$1/cmdline" 2>/dev/null | tr '\\000\\n' '  ')
                echo "process $1${words:+ (${words% })}"
            }
            await_lock() {
                waited=0
                told=
                gone=0
                while :; do
                    pid=$(locker | head -n 1)
                    # A list of locks that changes while it is read may lack one: who was seen must be missed three times.
                    if [ -z "$pid" ]; then
                        if [ -z "$told" ] || [ "$gone" -ge 2 ]; then break; fi
                        gone=$((gone + 1))
                        sleep 1
                        continue
                    fi
                    gone=0
                    if [ "$waited" -ge \(patience) ]; then
                        echo "$(named "$pid") still has the package manager's lock after \(patience) s; the step goes no further"
                        exit 1
                    fi
                    if [ "$pid" != "$told" ]; then echo "waiting for $(named "$pid"), which has the package manager's lock"; fi
                    told=$pid
                    sleep 2
                    waited=$((waited + 2))
                done
            }
            """
    }

    /// Waits for another apt, asks nothing and keeps edited configuration files: the packages ship
    /// configuration meant for containers, so the packaged version of an edited file would break the host.
    private var aptScript: RemoteScript {
        let apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600"]
        let answers = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
        let update = RemoteCommand(apt + ["update"])
        let environment = [("LC_ALL", "C"), ("DEBIAN_FRONTEND", "noninteractive")]
        switch scope {
        case .canopsis:
            let install = ["--only-upgrade", "install"] + packages.map { "\($0.name)=\($0.version)" }
            return RemoteScript(
                environment: environment, preparation: Self.waiting(for: .apt),
                commands: Self.inTurn([update, RemoteCommand(apt + answers + install)]))
        case .system:
            let upgrade = RemoteCommand(apt + answers + ["--with-new-pkgs", "upgrade"])
            return RemoteScript(
                environment: environment, preparation: Self.waiting(for: .apt) + "\n" + pinning, commands: Self.inTurn([update, upgrade]))
        }
    }

    /// Makes the planned versions the candidates for the commands that follow, without touching the host's configuration.
    ///
    /// `apt-get upgrade` takes the newest version on offer. Pins in a file of the job's own, followed by the host's, hold
    /// it at the planned one, above any priority a host may give a repository. So high a priority would downgrade too, but
    /// then apt-get refuses: it is not told to allow it. A setting read through `APT_CONFIG` points to that file.
    private var pinning: String {
        let stanzas = packages.map { "Package: \($0.name)\nPin: version \($0.version)\nPin-Priority: 10000\n" }
        let folder = Job.folderVariable
        return """
            printf '%s\\n' \(shellQuoted(stanzas.joined(separator: "\n"))) >"\(folder)/preferences"
            if [ -f /etc/apt/preferences ]; then cat /etc/apt/preferences >>"\(folder)/preferences"; fi
            printf 'Dir::Etc::Preferences "%s/preferences";\\n' "\(folder)" >"\(folder)/apt.conf"
            export APT_CONFIG="\(folder)/apt.conf"
            """
    }

    /// The Canopsis packages first, in one transaction and by exact version; then the rest without them, since a plain
    /// `yum update` would take a newer Canopsis that is on offer.
    private var yumScript: RemoteScript {
        var commands = [
            RemoteCommand("yum", "-q", "clean", "expire-cache"),
            RemoteCommand(["yum", "-y", "update"] + packages.map { "\($0.name)-\($0.version)" }),
        ]
        if scope == .system { commands.append(RemoteCommand("yum", "-y", "--exclude=canopsis*", "update")) }
        return RemoteScript(environment: [("LC_ALL", "C")], preparation: Self.waiting(for: .yum), commands: Self.inTurn(commands))
    }
}
