/// What one host passes on its way to a target: the releases, and all that they ask of this host.
///
/// A value made from values: a plan shows it, and carries out the part of it that is automatic.
public struct ReleasePath: Hashable, Sendable, Codable {
    /// What is installed.
    public let installed: CanopsisVersion
    /// What the host shall have.
    public let target: CanopsisVersion
    /// The releases it passes that the catalogue has, oldest first.
    public let releases: [CanopsisVersion]
    /// The releases it passes that are known and that the catalogue lacks, oldest first: what they ask for is not known.
    public let releasesWithoutEntry: [CanopsisVersion]
    /// What the catalogue knows of the target's note.
    public let targetNote: TargetNote
    /// Everything the releases ask for, each step once: by phase, then by release, then in the order of the release.
    public let steps: [ResolvedStep]
    /// Why the target must not be taken by this host, or may not be for all that is known.
    public let withdrawals: [ResolvedWithdrawal]
    /// The same of releases that are only passed: worth knowing, and no obstacle.
    public let withdrawalsPassed: [ResolvedWithdrawal]

    /// What a person has to know of the target's note, as a sentence without a full stop; nil if the catalogue describes it.
    public var targetNoteText: String? { targetNote.text(on: target) }

    /// Finds the path of a host; there is none to what is installed, and none back.
    ///
    /// - Parameters:
    ///   - catalogue: what is known of the releases.
    ///   - known: releases that are known to exist, such as those of imported notes, whether the catalogue has them or not.
    ///   - installed: what the host has.
    ///   - target: what it shall have.
    ///   - facts: what was read from it, with the answers to ``Catalogue/probes``.
    ///   - host: what the inventory says of it.
    public init(
        through catalogue: Catalogue, known: [CanopsisVersion] = [], from installed: CanopsisVersion,
        to target: CanopsisVersion, facts: HostFacts, host: Host
    ) {
        let passed = catalogue.releases(after: installed, upTo: target)
        let entries = Set(passed.map(\.version))
        self.installed = installed
        self.target = target
        releases = passed.map(\.version)
        if installed < target {
            let all = Set(known.filter { installed < $0 && $0 <= target.release } + [target.release])
            releasesWithoutEntry = all.subtracting(entries).sorted()
        } else {
            releasesWithoutEntry = []
        }
        targetNote = catalogue.note(on: target)

        func findings(of conditions: [StepCondition]) -> [ConditionFinding] {
            conditions.map { $0.finding(facts: facts, host: host, installed: installed) }
        }
        let withdrawn = passed.flatMap { release in
            release.withdrawals.map {
                ResolvedWithdrawal(release: release.version, reason: $0.reason, findings: findings(of: $0.conditions))
            }
        }.filter { $0.verdict != .fails }
        // A candidate is as broken as its release.
        withdrawals = withdrawn.filter { $0.release == target.release }
        withdrawalsPassed = withdrawn.filter { $0.release != target.release }

        let inOrder = StepPhase.allCases.flatMap { phase in
            passed.flatMap { release in release.steps.filter { $0.phase == phase }.map { (release.version, $0) } }
        }
        let resolved = inOrder.map { release, step in
            ResolvedStep(
                release: release, step: step,
                resolution: step.isObsolete(at: target) ?? Resolution(of: findings(of: step.conditions)))
        }
        steps = Self.withoutDuplicates(resolved)
    }

    /// The steps of a phase.
    public func steps(in phase: StepPhase) -> [ResolvedStep] { steps.filter { $0.step.phase == phase } }

    /// Of steps that are the same in all but their release one is kept: that which surely applies and is not optional before others,
    /// else the first.
    private static func withoutDuplicates(_ steps: [ResolvedStep]) -> [ResolvedStep] {
        var kept: [StepContent: ResolvedStep] = [:]
        for step in steps {
            guard let content = step.content, step.rank < kept[content]?.rank ?? .max else { continue }
            kept[content] = step
        }
        return steps.map { step in
            guard let content = step.content, let other = kept[content], other.step.id != step.step.id else { return step }
            var step = step
            step.resolution = .duplicate(of: other.step.id)
            return step
        }
    }
}

/// A step with what the facts of a host say of it.
public struct ResolvedStep: Hashable, Sendable, Codable {
    /// The release that asks for it.
    public var release: CanopsisVersion
    /// What it is.
    public var step: ReleaseStep
    /// Whether it is for this host, and why.
    public var resolution: Resolution

    /// Creates a resolved step.
    public init(release: CanopsisVersion, step: ReleaseStep, resolution: Resolution) {
        self.release = release
        self.step = step
        self.resolution = resolution
    }

    /// Whether Fleet does it on this host without being asked.
    public var isCarriedOut: Bool { resolution.doesApply && step.isAutomatic && !step.isOptional }

    /// Whether nobody may upgrade the host before a person has decided on this step.
    public var blocks: Bool { step.isBlocking && (resolution.doesApply || resolution.isUnknown) }

    /// Whether there is something for a person to do, or to decide because the facts do not say whether it is needed.
    public var needsPerson: Bool {
        guard step.kind != .notice, !step.isOptional else { return false }
        return resolution.isUnknown || (resolution.doesApply && !step.isAutomatic)
    }

    /// What it does, apart from its name; nil if the same done twice is not the same as done once, or it is not for this host.
    fileprivate var content: StepContent? {
        guard resolution.doesApply || resolution.isUnknown, step.work == nil || step.canBeRepeated else { return nil }
        return StepContent(
            phase: step.phase, kind: step.kind, isBlocking: step.isBlocking, work: step.work,
            words: step.work == nil ? [step.title, step.text] : [])
    }

    /// The smaller, the sooner it is the one that is kept.
    fileprivate var rank: Int { (step.isOptional ? 2 : 0) + (resolution.isUnknown ? 1 : 0) }
}

/// What makes two steps the same.
private struct StepContent: Hashable {
    var phase: StepPhase
    var kind: StepKind
    var isBlocking: Bool
    var work: StepWork?
    var words: [String]
}

extension ReleaseStep {
    /// Whether doing it twice is as good as once: an edit always is.
    public var canBeRepeated: Bool {
        if case .edit = work { return true }
        return isIdempotent
    }

    /// The resolution of a step that the target makes needless; nil if it does not.
    fileprivate func isObsolete(at target: CanopsisVersion) -> Resolution? {
        guard let obsoleteFrom, obsoleteFrom <= target.release else { return nil }
        return .obsolete(from: obsoleteFrom)
    }
}

/// Whether a step is for a host, with the facts that decided as sentences without full stops.
public enum Resolution: Hashable, Sendable, Codable {
    /// It is; no fact means that it is for every host.
    case applies(because: [String])
    /// It is not.
    case doesNotApply(because: String)
    /// It may be: these facts are missing.
    case unknown(because: [String])
    /// A release the host gets as well makes it needless.
    case obsolete(from: CanopsisVersion)
    /// It is the same as another step.
    case duplicate(of: String)

    /// Joins the findings of conditions that must all hold: one that fails is enough, else one that is not known.
    init(of findings: [ConditionFinding]) {
        if let failed = findings.first(where: { $0.verdict == .fails }) {
            self = .doesNotApply(because: failed.fact)
            return
        }
        let unknown = findings.filter { $0.verdict == .unknown }
        self = unknown.isEmpty ? .applies(because: findings.map(\.fact)) : .unknown(because: unknown.map(\.fact))
    }

    /// Whether it surely is for the host.
    public var doesApply: Bool { if case .applies = self { true } else { false } }

    /// Whether nobody knows.
    public var isUnknown: Bool { if case .unknown = self { true } else { false } }

    /// For a person: `applies: the host is CentOS 7`.
    public var text: String {
        switch self {
        case .applies(let facts): facts.isEmpty ? "applies to every host" : "applies: " + facts.joined(separator: "; ")
        case .doesNotApply(let fact): "does not apply: \(fact)"
        case .unknown(let facts): "not known: " + facts.joined(separator: "; ")
        case .obsolete(let version): "not needed: \(version) makes up for it"
        case .duplicate(let id): "the same as \(id)"
        }
    }
}

/// A reason not to take a release, with what the facts of a host say of it.
public struct ResolvedWithdrawal: Hashable, Sendable, Codable {
    /// The release.
    public var release: CanopsisVersion
    /// The reason, one sentence.
    public var reason: String
    /// What decided; nothing if it is for everybody.
    public var findings: [ConditionFinding]

    /// Creates a resolved withdrawal.
    public init(release: CanopsisVersion, reason: String, findings: [ConditionFinding]) {
        self.release = release
        self.reason = reason
        self.findings = findings
    }

    /// Whether it concerns the host.
    public var verdict: ConditionFinding.Verdict {
        if findings.contains(where: { $0.verdict == .fails }) { return .fails }
        return findings.contains { $0.verdict == .unknown } ? .unknown : .holds
    }

    /// For a person: the reason, and the facts behind it.
    public var text: String {
        let facts = findings.filter { verdict == .holds || $0.verdict == .unknown }.map(\.fact)
        return facts.isEmpty ? reason : "\(reason) (\(facts.joined(separator: "; ")))"
    }
}
