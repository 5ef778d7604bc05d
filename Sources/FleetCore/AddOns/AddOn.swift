/// What one add-on of a customer asks for when its host is upgraded, as its step file says.
public struct AddOn: Hashable, Sendable {
    /// Its name: 1 to 32 of `a-z`, `0-9` and `-`, a letter first. There is no dot in it, so that the name of a step, `NAME.ID`, is
    /// neither one of Fleet's own, nor of a release, nor of another add-on.
    public var name: String
    /// The steps, in the order of the file.
    public var steps: [AddOnStep]

    /// Creates an add-on.
    public init(name: String, steps: [AddOnStep]) {
        self.name = name
        self.steps = steps
    }

    /// The steps with what the facts of a host say of them; those that are surely not for it, too.
    public func resolved(facts: HostFacts, host: Host, installed: CanopsisVersion) -> [ResolvedAddOnStep] {
        steps.map { step in
            let findings = step.work.conditions.map { $0.finding(facts: facts, host: host, installed: installed) }
            return ResolvedAddOnStep(addOn: name, step: step, resolution: Resolution(of: findings))
        }
    }

    /// What has to be looked for in files of a host before the conditions can be decided.
    public var probes: [FileProbe] { steps.flatMap(\.work.conditions).compactMap(\.probe) }
}

/// One step of an add-on.
public struct AddOnStep: Hashable, Sendable {
    /// When it is due, for whom, and what it does: the same as for a step of a release. Its id is `NAME.ID`.
    public var work: ReleaseStep
    /// Shell text that runs as root after what the step does, as part of it: the step has failed unless it ends with 0. Nil for none.
    public var check: String?

    /// Creates a step.
    public init(work: ReleaseStep, check: String? = nil) {
        self.work = work
        self.check = check
    }
}

/// A step of an add-on with what the facts of a host say of it.
public struct ResolvedAddOnStep: Hashable, Sendable {
    /// The name of the add-on.
    public var addOn: String
    /// What it is.
    public var step: AddOnStep
    /// Whether it is for this host, and why.
    public var resolution: Resolution

    /// Creates a resolved step.
    public init(addOn: String, step: AddOnStep, resolution: Resolution) {
        self.addOn = addOn
        self.step = step
        self.resolution = resolution
    }

    /// Whether it has a place in the plan: it is for the host, or a person has to say whether it is.
    public var isDue: Bool { resolution.doesApply || resolution.isUnknown }
}
