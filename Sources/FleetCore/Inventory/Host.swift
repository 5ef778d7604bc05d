/// One Canopsis instance as the inventory describes it, every default resolved.
public struct Host: Hashable, Sendable, Codable {
    /// The name in the inventory, unique.
    public var name: HostName
    /// A host name, an IPv4 or an IPv6 address (without brackets).
    public var address: String
    /// The port sshd listens on, 1 ... 65535.
    public var port: UInt16
    /// The account to log in as.
    public var user: String
    /// The file with the private key, absolute.
    public var identity: String?
    /// The file with the trusted host keys, absolute.
    public var knownHosts: String?
    /// How the login user becomes root.
    public var become: Become
    /// The edition that runs on the host.
    public var edition: Edition
    /// The stack that runs on the host.
    public var stack: Stack
    /// Which packages an upgrade may touch.
    public var packages: PackageScope
    /// Whose instance it is.
    public var customer: String?
    /// What the inventory says about it besides, by name: ``RolloutPolicy/limits`` go by it. `customer` is not among them.
    public var labels: [String: String]
    /// The names of the customer's add-ons, in the order of the inventory; none if it says that there are none, nil if it says nothing.
    public var addons: [String]?
    /// What becomes of the accounts that `canopsinit` resets.
    public var accounts: AccountPolicy
    /// Where the services (MongoDB, RabbitMQ, Redis, InfluxDB) are.
    public var services: ServicePlace
    /// The gates that do not keep this host out although they block, by name, each with the reason; see ``Preflight/Gate/isOverridable``.
    public var overrides: [String: String]
    /// How long a unit is watched after the restart before it counts as running.
    public var settle: Duration
    /// Where its web interface is, and who logs in to see whether it works.
    public var web: WebAccess
    /// The groups that hold the host, outermost first.
    public var groups: [String]

    /// Creates a host; what is not given has the value of an empty inventory entry.
    public init(
        name: HostName, address: String, port: UInt16 = 22, user: String = "root", identity: String? = nil,
        knownHosts: String? = nil, become: Become = .none, edition: Edition = .core, stack: Stack = .python,
        packages: PackageScope = .system, customer: String? = nil, labels: [String: String] = [:], addons: [String]? = nil,
        accounts: AccountPolicy = .restore, services: ServicePlace = .local, overrides: [String: String] = [:],
        settle: Duration = .seconds(60), web: WebAccess = WebAccess(), groups: [String] = []
    ) {
        self.name = name
        self.address = address
        self.port = port
        self.user = user
        self.identity = identity
        self.knownHosts = knownHosts
        self.become = become
        self.edition = edition
        self.stack = stack
        self.packages = packages
        self.customer = customer
        self.labels = labels
        self.addons = addons
        self.accounts = accounts
        self.services = services
        self.overrides = overrides
        self.settle = settle
        self.web = web
        self.groups = groups
    }
}

extension Host {
    /// The label that every host with a ``customer`` has.
    public static let customerLabel = "customer"

    /// What the host has for a label, `customer` being one; nil if it has nothing.
    public func value(of label: String) -> String? { label == Self.customerLabel ? customer : labels[label] }

    /// The names of its labels, `customer` among them if it has one.
    public var labelNames: Set<String> { Set(labels.keys).union(customer == nil ? [] : [Self.customerLabel]) }
}

/// How the login user becomes root.
public enum Become: String, Hashable, Sendable, Codable, CaseIterable {
    /// It is root, or the command does not need root.
    case none
    /// With `sudo -n`: no password is asked for.
    case sudo
}

/// The edition of Canopsis, in the words of `canopsinit --canopsis-edition`.
public enum Edition: String, Hashable, Sendable, Codable, CaseIterable {
    /// The open one.
    case core
    /// The commercial one, later called Pro.
    case cat
}

/// The engines' stack, in the words of `canopsinit --canopsis-stack`.
public enum Stack: String, Hashable, Sendable, Codable, CaseIterable {
    /// Python engines.
    case python
    /// Go engines.
    case go
}

/// Where the services are that an instance needs.
public enum ServicePlace: String, Hashable, Sendable, Codable, CaseIterable {
    /// On the host itself, as in every installation of one node.
    case local
    /// Some are on other machines.
    case remote
}

/// Which packages an upgrade may touch.
public enum PackageScope: String, Hashable, Sendable, Codable, CaseIterable {
    /// The whole system, as the official procedure does.
    case system
    /// Canopsis packages and what they need.
    case canopsis
}

/// The hosts on file, in the order of the file.
public struct Inventory: Hashable, Sendable {
    /// Every host once.
    public var hosts: [Host]
    /// What the add-ons that hosts name ask for, each once.
    public var addOns: [AddOn]
    /// What is called on the coordinator at moments of a run.
    public var hooks: [HookEvent: Hook]

    /// Creates an inventory; names must be unique.
    public init(hosts: [Host], addOns: [AddOn] = [], hooks: [HookEvent: Hook] = [:]) {
        self.hosts = hosts
        self.addOns = addOns
        self.hooks = hooks
    }

    /// The names of all groups, sorted.
    public var groups: [String] { Set(hosts.flatMap(\.groups)).sorted() }
}
