/// What is read from a host before an upgrade is planned, and not again while one is carried out.
///
/// As with ``HostFacts``, what could not be read is told from what is not there.
public struct PlanningFacts: Hashable, Sendable {
    /// Free inodes on the file systems that matter, by path; a path that could not be read, or whose file system counts none, is absent.
    public var freeInodes: [String: Int64]
    /// The host's clock at the end of the reading, in seconds since 1970; nil if it could not be read.
    public var clockAtEnd: Int64?
    /// How far the host's clock is before (positive) or behind the coordinator's, in seconds, at least; nil before they were compared.
    public var clockOffset: Int64?
    /// Why the host ought to be rebooted, none if nothing says so; nil if it could not be told.
    public var rebootReasons: [String]?
    /// What speaks for an installation in containers; nil if it could not be told.
    public var containers: ContainerSigns?
    /// Where the configuration says the services are; nil if it could not be read.
    public var services: ServiceAddresses?
    /// The state of the packages' configuration files; nil if it could not be told.
    public var conffiles: Conffiles?
    /// The first number of the version of the Redis server on the host.
    public var redis: RedisVersion
    /// What the database says of itself.
    public var database: DatabaseState

    /// Creates facts from their parts; what is not given is as on a host where nothing is unusual.
    public init(
        freeInodes: [String: Int64] = [:], clockAtEnd: Int64? = nil, clockOffset: Int64? = 0, rebootReasons: [String]? = [],
        containers: ContainerSigns? = ContainerSigns(), services: ServiceAddresses? = ServiceAddresses(),
        conffiles: Conffiles? = Conffiles(), redis: RedisVersion = .absent, database: DatabaseState
    ) {
        self.freeInodes = freeInodes
        self.clockAtEnd = clockAtEnd
        self.clockOffset = clockOffset
        self.rebootReasons = rebootReasons
        self.containers = containers
        self.services = services
        self.conffiles = conffiles
        self.redis = redis
        self.database = database
    }
}

extension HostFacts {
    /// Takes down how far the host's clock is from the coordinator's, which said `sent` before the question and `received` after the answer.
    ///
    /// The host was asked after `sent` and had answered before `received`, so its clock is at most `clock - sent` and at least
    /// `clockAtEnd - received` before the coordinator's; of what is possible the least is taken. All are whole seconds cut off, hence
    /// one more to either side.
    public mutating func compareClocks(sent: Int64, received: Int64) {
        guard let clock, let clockAtEnd = planning?.clockAtEnd else { return }
        let (least, most) = (clockAtEnd - received - 1, clock - sent + 1)
        planning?.clockOffset = least > 0 ? least : most < 0 ? most : 0
    }
}

/// What on a host speaks for an installation of Canopsis in containers.
public struct ContainerSigns: Hashable, Sendable {
    /// The images of containers that are Canopsis's.
    public var images: [String]
    /// Compose files that name such images.
    public var files: [String]
    /// Whether there is a Docker that did not answer.
    public var isSilent: Bool

    /// Creates the signs.
    public init(images: [String] = [], files: [String] = [], isSilent: Bool = false) {
        self.images = images
        self.files = files
        self.isSilent = isSilent
    }
}

/// Where the configuration of Canopsis says that its services (MongoDB, RabbitMQ, Redis, InfluxDB) are.
public struct ServiceAddresses: Hashable, Sendable {
    /// What a configuration file says.
    public struct Entry: Hashable, Sendable {
        /// The file.
        public var file: String
        /// The name or the address of a machine.
        public var host: String

        /// Creates an entry.
        public init(file: String, host: String) {
            self.file = file
            self.host = host
        }
    }

    /// What the files say, in their order.
    public var entries: [Entry]
    /// The names and the addresses the host has itself.
    public var own: Set<String>
    /// What the host's own list (`/etc/hosts`) says of names among the entries.
    public var listed: [String: Set<String>]

    /// Creates addresses.
    public init(entries: [Entry] = [], own: Set<String> = [], listed: [String: Set<String>] = [:]) {
        self.entries = entries
        self.own = own
        self.listed = listed
    }

    /// The entries that name another machine than this host, whose inventory address is `address`.
    ///
    /// A name that the host's own list does not have, and that is not its own, counts as another machine. The names of containers,
    /// which the packages are delivered with, are no machines where the list does not have them: nobody set up that service.
    public func remote(address: String) -> [Entry] {
        entries.filter { entry in
            let name = entry.host.lowercased()
            if isOwn(name) || name == address.lowercased() { return false }
            if let listed = listed[entry.host] { return !listed.contains(where: isOwn) }
            return !["mongodb", "rabbitmq", "redis", "influxdb"].contains(name)
        }
    }

    private func isOwn(_ name: String) -> Bool {
        let ofEveryHost = ["localhost", "localhost.localdomain", "::1", "0.0.0.0"]
        if ofEveryHost.contains(name) || name.hasPrefix("127.") { return true }
        return own.contains { $0.lowercased() == name || name.hasPrefix($0.lowercased() + ".") }
    }
}

/// The configuration files of the Canopsis packages.
public struct Conffiles: Hashable, Sendable {
    /// Those that are not as the installed package delivered them.
    public var edited: [String]
    /// Newer ones that a package manager laid beside an edited one (`.dpkg-dist`, `.rpmnew` and the like), and nobody has merged.
    public var leftOver: [String]

    /// Creates the two lists.
    public init(edited: [String] = [], leftOver: [String] = []) {
        self.edited = edited
        self.leftOver = leftOver
    }
}

/// The version of the Redis server that is installed on a host.
public enum RedisVersion: Hashable, Sendable {
    /// The first number of its version.
    case major(Int)
    /// None is installed.
    case absent
    /// It could not be told.
    case unknown
}

/// What the database of a host says of itself.
public enum DatabaseState: Hashable, Sendable {
    /// It answered.
    case answered(DatabaseMarks)
    /// Nothing answers where the host's configuration says it is; in the client's words.
    case silent(String)
    /// It could not be asked, and why.
    case couldNotTell(String)
}

/// What `canopsinit` wrote into the database.
public struct DatabaseMarks: Hashable, Sendable {
    /// Whether the marker is there without which `canopsinit` drops collections.
    public var isInitialized: Bool
    /// The version written last; nil if none is there.
    public var version: CanopsisVersion?
    /// The edition in the database's word; nil if none is there.
    public var edition: String?
    /// The stack in the database's word; nil if none is there.
    public var stack: String?

    /// Creates the marks.
    public init(isInitialized: Bool = true, version: CanopsisVersion?, edition: String? = nil, stack: String? = nil) {
        self.isInitialized = isInitialized
        self.version = version
        self.edition = edition
        self.stack = stack
    }
}
