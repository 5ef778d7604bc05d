/// One release of the vendor, and what taking it asks for beyond the standard procedure.
public struct Release: Hashable, Sendable, Codable {
    /// Which one.
    public var version: CanopsisVersion
    /// When it was published, `2020-03-19`; nil if the vendor does not say.
    public var published: String?
    /// What its note looked like when this entry was written; nil if the entry does not say.
    public var note: NoteFacts?
    /// Why it must not be taken, and by whom.
    public var withdrawals: [Withdrawal]
    /// What to know and to do, in the order of the file.
    public var steps: [ReleaseStep]

    /// Creates a release.
    public init(
        version: CanopsisVersion, published: String? = nil, note: NoteFacts? = nil, withdrawals: [Withdrawal] = [],
        steps: [ReleaseStep] = []
    ) {
        self.version = version
        self.published = published
        self.note = note
        self.withdrawals = withdrawals
        self.steps = steps
    }
}

/// Why a release must not be the target of an upgrade.
public struct Withdrawal: Hashable, Sendable, Codable {
    /// The reason, one sentence.
    public var reason: String
    /// For whom; all must hold. None means for everybody.
    public var conditions: [StepCondition]

    /// Creates a withdrawal.
    public init(reason: String, conditions: [StepCondition] = []) {
        self.reason = reason
        self.conditions = conditions
    }
}

/// Something to know or to do for one release.
public struct ReleaseStep: Hashable, Sendable, Codable {
    /// Its stable name, which begins with the release: `3.38.0-shadowpass-rename`.
    public var id: String
    /// When it is due.
    public var phase: StepPhase
    /// What it is about, and with what it is done.
    public var kind: StepKind
    /// What it does, one line.
    public var title: String
    /// What a person has to know.
    public var text: String
    /// Who needs it; all must hold. None means everybody.
    public var conditions: [StepCondition]
    /// What does it; nil if a person does it, or nothing has to be done.
    public var work: StepWork?
    /// Whether doing it twice is as good as once.
    public var isIdempotent: Bool
    /// Whether the engines must be stopped while it is done.
    public var requiresEnginesStopped: Bool
    /// Whether the vendor leaves it to the operator: it is shown, and not carried out unless somebody asks for it.
    public var isOptional: Bool
    /// Whether a host that it applies to must not be upgraded until a person has decided.
    public var isBlocking: Bool
    /// The release that makes it needless: a target from there on does not need it. Nil if none does.
    public var obsoleteFrom: CanopsisVersion?
    /// How long it may take, in wall-clock time.
    public var limit: Duration

    /// How long a step may take that does not say.
    public static let usualLimit = Duration.seconds(600)

    /// Creates a step; what is not given has the value of a step that says nothing of it.
    public init(
        id: String, phase: StepPhase, kind: StepKind, title: String, text: String, conditions: [StepCondition] = [],
        work: StepWork? = nil, isIdempotent: Bool = false, requiresEnginesStopped: Bool = false, isOptional: Bool = false,
        isBlocking: Bool = false, obsoleteFrom: CanopsisVersion? = nil, limit: Duration = ReleaseStep.usualLimit
    ) {
        self.id = id
        self.phase = phase
        self.kind = kind
        self.title = title
        self.text = text
        self.conditions = conditions
        self.work = work
        self.isIdempotent = isIdempotent
        self.requiresEnginesStopped = requiresEnginesStopped
        self.isOptional = isOptional
        self.isBlocking = isBlocking
        self.obsoleteFrom = obsoleteFrom
        self.limit = limit
    }

    /// Whether Fleet can do it: it has something that does it, and is not of a kind that only a person can do.
    public var isAutomatic: Bool { work != nil && kind.canBeAutomatic }
}

/// When a step is due, in the order of an upgrade.
public enum StepPhase: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    /// Before the packages are replaced.
    case beforePackages = "before_packages"
    /// After the packages and before `canopsinit`.
    case afterPackages = "after_packages"
    /// After `canopsinit` and before the restart.
    case afterInit = "after_init"
    /// After the restart.
    case afterRestart = "after_restart"

    /// Whether one is due earlier than the other.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .beforePackages: 0
        case .afterPackages: 1
        case .afterInit: 2
        case .afterRestart: 3
        }
    }

    /// For a sentence: `before the packages`.
    public var text: String {
        switch self {
        case .beforePackages: "before the packages"
        case .afterPackages: "after the packages"
        case .afterInit: "after canopsinit"
        case .afterRestart: "after the restart"
        }
    }
}

/// What a step is about, in the spelling of files and reports.
public enum StepKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Commands on the host.
    case shell
    /// A change in MongoDB.
    case mongo
    /// A change in InfluxDB.
    case influx
    /// A change of a configuration file.
    case configEdit = "config-edit"
    /// A change in RabbitMQ, by hand.
    case rabbitmq
    /// Something a person does.
    case manual
    /// Something to know; there is nothing to do.
    case notice

    /// Whether such a step can be done without a person.
    public var canBeAutomatic: Bool {
        switch self {
        case .shell, .mongo, .influx, .configEdit: true
        case .rabbitmq, .manual, .notice: false
        }
    }
}

/// What carries a step out.
public enum StepWork: Hashable, Sendable, Codable {
    /// Shell text that runs as root on the host.
    case shell(String)
    /// JavaScript for the shell of MongoDB, with `db` being the database of Canopsis.
    case mongo(String)
    /// Statements for InfluxDB.
    case influx(String)
    /// A line that a configuration file has to have.
    case edit(ConfigEdit)

    /// What is run, in its own language; for an edit the shell text that does it.
    public var script: String {
        switch self {
        case .shell(let text), .mongo(let text), .influx(let text): text
        case .edit(let edit): edit.shellText
        }
    }
}
