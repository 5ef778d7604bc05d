/// What was read from a host before acting.
///
/// Every field that can fail to be read says so (an optional or a case of its own): "absent" and "could not tell" differ.
public struct HostFacts: Hashable, Sendable {
    /// Who the host is.
    public var identity: HostIdentity
    /// The operating system, from `/etc/os-release`.
    public var system: OperatingSystem
    /// The machine's architecture as `uname -m` says it.
    public var architecture: String
    /// The package manager; nil if neither apt nor yum is there.
    public var packageManager: PackageManager?
    /// The version of systemd that runs as process 1; nil if something else does.
    public var systemdVersion: Int?
    /// Whether logind ends what a session leaves behind (`KillUserProcesses`). Asked only where systemd is not process 1: a job
    /// that systemd starts is in no session.
    public var logindKills: Bool
    /// Whether a client for MongoDB is there (`mongo`, `mongosh`); nil if it could not be told.
    public var hasDatabaseClient: Bool?
    /// Whether the session has root's rights, directly or through sudo.
    public var isRoot: Bool
    /// The packages of the product that are installed, half-installed ones too, sorted.
    public var installed: [Package]
    /// The Canopsis packages the repositories offer.
    public var offer: Offer
    /// What `/opt/canopsis/VERSION.txt` says.
    public var versionFile: CanopsisVersion?
    /// The units named `canopsis-*` that systemd has in memory or on disk.
    public var units: [UnitState]
    /// Free bytes on the file systems that matter, by path; a path that could not be read is absent.
    public var freeBytes: [String: Int64]
    /// The mode of SELinux.
    public var selinux: SELinuxMode
    /// Who holds the package manager's lock, in the host's words; nil if nobody does.
    public var packageLockHolder: String?
    /// What the package database says is half done (package states, left-over transactions), one line each; nil if it could not be asked.
    public var brokenPackages: [String]?
    /// Packages named `canopsis...` that apt is told to hold at their version.
    public var heldPackages: [String]
    /// Installed packages named `canopsis...` that are not part of the product itself: they have versions of their own.
    public var otherPackages: [Package]
    /// Whether the modules of the commercial edition are on disk, the vendor's own test for it; nil if it could not be told.
    public var hasCatModules: Bool?
    /// What the kernel calls this boot; nil if it could not be read.
    public var bootID: String?
    /// The memory of the host; nil if it could not be read.
    public var memory: Memory?
    /// Whose run has the host's lock, or left the host unfinished; nil if it is free, or could not be asked without root.
    public var lockHolder: LockHolder?
    /// The host's clock when it was asked, in seconds since 1970; nil if it could not be read.
    public var clock: Int64?
    /// What is read before an upgrade is planned; nil where nobody asked.
    public var planning: PlanningFacts?
    /// What was looked for in files, with the answers; a question nobody asked, or the host could not answer, is absent.
    public var probes: [FileProbe: ProbeAnswer]
    /// The sections of the facts that could not be understood: their facts are unknown, not absent.
    public var unread: [FactsError]

    /// The paths whose file systems are looked at. One that does not exist stands for the folder it would be made in.
    public static let diskPaths = ["/", "/var", "/opt", "/var/lib/fleet"]

    /// Creates facts from their parts.
    public init(
        identity: HostIdentity, system: OperatingSystem, architecture: String, packageManager: PackageManager?,
        systemdVersion: Int?, logindKills: Bool = false, hasDatabaseClient: Bool? = nil, isRoot: Bool, installed: [Package], offer: Offer,
        versionFile: CanopsisVersion?,
        units: [UnitState], freeBytes: [String: Int64], selinux: SELinuxMode, packageLockHolder: String?,
        brokenPackages: [String]?, heldPackages: [String] = [], otherPackages: [Package] = [], hasCatModules: Bool? = nil,
        bootID: String? = nil,
        memory: Memory? = nil, clock: Int64? = nil,
        lockHolder: LockHolder? = nil, planning: PlanningFacts? = nil, probes: [FileProbe: ProbeAnswer] = [:], unread: [FactsError] = []
    ) {
        self.identity = identity
        self.system = system
        self.architecture = architecture
        self.packageManager = packageManager
        self.systemdVersion = systemdVersion
        self.logindKills = logindKills
        self.hasDatabaseClient = hasDatabaseClient
        self.isRoot = isRoot
        self.installed = installed
        self.offer = offer
        self.versionFile = versionFile
        self.units = units
        self.freeBytes = freeBytes
        self.selinux = selinux
        self.packageLockHolder = packageLockHolder
        self.brokenPackages = brokenPackages
        self.heldPackages = heldPackages
        self.otherPackages = otherPackages
        self.hasCatModules = hasCatModules
        self.bootID = bootID
        self.memory = memory
        self.clock = clock
        self.lockHolder = lockHolder
        self.planning = planning
        self.probes = probes
        self.unread = unread
    }

    /// The version of the installed Canopsis packages; nil if there is none or they disagree.
    public var installedVersion: CanopsisVersion? {
        let versions = Set(installed.map { CanopsisVersion(packageVersion: $0.version) })
        return versions.count == 1 ? versions.first.flatMap { $0 } : nil
    }
}

extension HostFacts {
    /// Whether `dpkg --configure -a` is what the half-done packages of this host need: all of them are unpacked, and none must be
    /// installed anew.
    ///
    /// - Source: the states and flags of dpkg-query(1).
    public var canBeRepaired: Bool {
        guard packageManager == .apt, let brokenPackages, !brokenPackages.isEmpty else { return false }
        return brokenPackages.allSatisfy { line in
            if line.hasPrefix("dpkg was interrupted: ") { return true }
            let state = Array(line.unicodeScalars.prefix(3))
            return state.count == 3 && "UFWt".unicodeScalars.contains(state[1]) && (state[2] == " " || state[2] == "\t")
        }
    }
}

/// Who a host is, whatever it is called: its machine id and its host key.
public struct HostIdentity: Hashable, Sendable, Codable {
    /// The contents of `/etc/machine-id`: 32 hexadecimal digits.
    public var machineID: String
    /// The fingerprint of the host key the connection was made with, `SHA256:...`.
    public var hostKey: String

    /// Creates an identity.
    public init(machineID: String, hostKey: String) {
        self.machineID = machineID
        self.hostKey = hostKey
    }
}

/// An operating system, from `/etc/os-release`.
public struct OperatingSystem: Hashable, Sendable, Codable {
    /// `ID`, such as `debian` or `centos`.
    public var id: String
    /// `VERSION_ID`, such as `12` or `7`; empty where there is none.
    public var version: String
    /// `PRETTY_NAME`.
    public var name: String

    /// Creates an operating system.
    public init(id: String, version: String, name: String) {
        self.id = id
        self.version = version
        self.name = name
    }
}

/// A package manager Fleet can drive.
public enum PackageManager: String, Hashable, Sendable, Codable {
    /// apt and dpkg.
    case apt
    /// yum (or dnf under that name) and rpm.
    case yum
}

/// A package and its full version, revision included.
public struct Package: Hashable, Sendable, Codable, Comparable {
    /// The package's name, such as `canopsis-core`.
    public var name: String
    /// The full version as the package manager writes it: `3.26.0-1`, `3.26.0-1.el7`.
    public var version: String

    /// Creates a package.
    public init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// Orders by name, then by version text.
    public static func < (left: Package, right: Package) -> Bool { (left.name, left.version) < (right.name, right.version) }
}

extension Package {
    /// Whether the package is part of the product and so has its version: the vendor's packages from 3.x to 24.x.
    ///
    /// - Source: the vendor's installation guides for packages, releases 3.26 to 24.04.
    public var isProduct: Bool { Self.products.contains(name) }

    private static let products: Set<String> = [
        "canopsis-core", "canopsis-cat", "canopsis-engines-go", "canopsis-engines-go-cat", "canopsis-webui", "canopsis", "canopsis-pro",
        "canopsis-common",
    ]
}

/// The memory of a host, in bytes.
public struct Memory: Hashable, Sendable, Codable {
    /// All there is.
    public var total: Int64
    /// What programs can still have; nil if the kernel does not say.
    public var available: Int64?

    /// Creates the two figures.
    public init(total: Int64, available: Int64?) {
        self.total = total
        self.available = available
    }
}

/// What the repositories of a host offer.
public enum Offer: Hashable, Sendable {
    /// Every package named `canopsis...` on offer, all versions.
    case packages([Package])
    /// Nobody asked.
    case notAsked
    /// At least one source could not be read: nothing can be said. In the host's words.
    case couldNotTell(String)
}

/// One unit of systemd at one moment.
public struct UnitState: Hashable, Sendable, Codable {
    /// The full name, such as `canopsis-engine@dynamic-alerts.service`.
    public var name: String
    /// `LoadState`: `loaded`, `not-found`, `masked` ...
    public var load: String
    /// `ActiveState`: `active`, `inactive`, `failed`, `activating` ...
    public var active: String
    /// `SubState`: `running`, `dead`, `auto-restart` ...
    public var sub: String
    /// `UnitFileState`: `enabled`, `disabled` ...; empty where systemd says nothing.
    public var file: String
    /// `Result`: `success`, `exit-code`, `signal` ...
    public var result: String
    /// `MainPID`; 0 if there is no main process.
    public var mainPID: Int
    /// `ExecMainStartTimestampMonotonic`, in microseconds since boot; 0 if it never started.
    public var startedMicroseconds: Int64

    /// Creates a unit's state.
    public init(
        name: String, load: String, active: String, sub: String, file: String, result: String, mainPID: Int, startedMicroseconds: Int64
    ) {
        self.name = name
        self.load = load
        self.active = active
        self.sub = sub
        self.file = file
        self.result = result
        self.mainPID = mainPID
        self.startedMicroseconds = startedMicroseconds
    }

    /// Whether it has a running main process now.
    public var isRunning: Bool { active == "active" && sub == "running" && mainPID > 0 }

    /// Whether it starts with the host.
    public var isEnabled: Bool { file == "enabled" || file == "enabled-runtime" }
}

/// The mode of SELinux.
public enum SELinuxMode: String, Hashable, Sendable, Codable {
    /// Not built in, or switched off.
    case disabled
    /// On, only logging.
    case permissive
    /// On.
    case enforcing
    /// It could not be read.
    case unknown
}
