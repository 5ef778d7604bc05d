import FleetCore

// Each pair below goes both ways: what one writes, the other reads back.

extension PlanDocument {
    init(_ plan: Plan) {
        self.init(
            schema: plan.schema, fleet: plan.fleet, created: plan.created, target: plan.target, policy: Policy(plan.policy),
            hooks: plan.hooks.isEmpty
                ? nil : Dictionary(uniqueKeysWithValues: plan.hooks.map { ($0.rawValue, HookEntry($1)) }),
            hosts: plan.hosts.map(PlannedHostEntry.init), waves: plan.waves.map { WaveEntry(number: $0.number, hosts: $0.hosts) })
    }

    var plan: Plan {
        get throws {
            Plan(
                schema: schema, fleet: fleet, created: created, target: target, policy: policy.policy,
                hooks: try PlanDocument.hooks(in: hooks ?? [:]), hosts: try hosts.map { try $0.planned() },
                waves: waves.map { Wave(number: $0.number, hosts: $0.hosts) })
        }
    }
}

extension PlanDocument {
    fileprivate static func hooks(in entries: [String: HookEntry]) throws -> [HookEvent: Hook] {
        var hooks: [HookEvent: Hook] = [:]
        for (word, entry) in entries {
            guard let event = HookEvent(rawValue: word) else {
                throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "there is no hook \(word)"))
            }
            hooks[event] = entry.hook
        }
        return hooks
    }
}

extension PlanDocument.HookEntry {
    init(_ hook: Hook) { self.init(command: hook.command, limit: DurationText(hook.limit), onFailure: hook.onFailure) }

    var hook: Hook { Hook(command: command, limit: limit.duration, onFailure: onFailure) }
}

extension PlanDocument.Policy {
    init(_ policy: RolloutPolicy) {
        self.init(
            waves: policy.waves, atOnce: policy.atOnce, maxFailures: policy.maxFailures,
            maxFailuresPerWave: policy.maxFailuresPerWave, barrier: policy.barrier,
            pause: policy.pause > .zero ? DurationText(policy.pause) : nil, approve: policy.approve ? true : nil, spread: policy.spread,
            limits: policy.limits.isEmpty ? nil : policy.limits, parkedPlace: policy.parkedPlace == .free ? nil : policy.parkedPlace,
            stepByStep: policy.stepByStep.isEmpty ? nil : policy.stepByStep)
    }

    var policy: RolloutPolicy {
        RolloutPolicy(
            waves: waves, atOnce: atOnce, maxFailures: maxFailures, maxFailuresPerWave: maxFailuresPerWave, barrier: barrier,
            pause: pause?.duration ?? .zero, approve: approve ?? false, spread: spread, limits: limits ?? [:],
            parkedPlace: parkedPlace ?? .free, stepByStep: stepByStep ?? [])
    }
}

extension PlanDocument.PlannedHostEntry {
    init(_ planned: PlannedHost) {
        self.init(
            host: .init(planned.host),
            identity: planned.identity.map { .init(machineId: $0.machineID, hostKey: $0.hostKey) },
            facts: planned.facts.map(PlanDocument.FactsEntry.init),
            upgradeClass: planned.upgradeClass,
            disposition: .init(planned.disposition),
            findings: planned.findings.map {
                .init(gate: $0.gate, verdict: $0.verdict, text: $0.text, remedy: $0.remedy, overridden: $0.overridden)
            },
            steps: planned.steps.map(PlanDocument.StepEntry.init))
    }

    func planned() throws -> PlannedHost {
        PlannedHost(
            host: host.host,
            identity: identity.map { HostIdentity(machineID: $0.machineId, hostKey: $0.hostKey) },
            facts: facts?.facts,
            upgradeClass: upgradeClass,
            disposition: try disposition.disposition(of: host.name),
            findings: findings.map {
                GateFinding(gate: $0.gate, verdict: $0.verdict, text: $0.text, remedy: $0.remedy, overridden: $0.overridden)
            },
            steps: steps.map(\.step))
    }
}

extension PlanDocument.StepEntry {
    init(_ step: PlannedStep) {
        self.init(
            id: step.id, title: step.title, script: step.script, limit: DurationText(step.limit), kind: step.kind,
            instruction: step.instruction.isEmpty ? nil : step.instruction, repeatable: step.isRepeatable ? nil : false,
            origin: step.origin, because: step.because.isEmpty ? nil : step.because)
    }

    var step: PlannedStep {
        PlannedStep(
            id: id, title: title, script: script, limit: limit.duration, kind: kind, instruction: instruction ?? "",
            isRepeatable: repeatable ?? true, origin: origin, because: because ?? [])
    }
}

extension PlanDocument.HostEntry {
    init(_ host: Host) {
        self.init(
            name: host.name, address: host.address, port: host.port, user: host.user, identity: host.identity,
            knownHosts: host.knownHosts, become: host.become, edition: host.edition, stack: host.stack, packages: host.packages,
            customer: host.customer, labels: host.labels.isEmpty ? nil : host.labels, addons: host.addons.map(AddonsEntry.init),
            accounts: host.accounts == .restore ? nil : host.accounts, services: host.services == .local ? nil : host.services,
            overrides: host.overrides.isEmpty ? nil : host.overrides, settle: DurationText(host.settle),
            web: host.web == WebAccess() ? nil : PlanDocument.WebEntry(host.web), groups: host.groups)
    }

    var host: Host {
        Host(
            name: name, address: address, port: port, user: user, identity: identity, knownHosts: knownHosts, become: become,
            edition: edition, stack: stack, packages: packages, customer: customer, labels: labels ?? [:], addons: addons?.names,
            accounts: accounts ?? .restore, services: services ?? .local, overrides: overrides ?? [:], settle: settle.duration,
            web: web?.access ?? WebAccess(), groups: groups)
    }
}

extension PlanDocument.WebEntry {
    init(_ web: WebAccess) { self.init(url: web.address, user: web.user, passwordFile: web.passwordFile, tls: web.tls) }

    var access: WebAccess { WebAccess(address: url, user: user, passwordFile: passwordFile, tls: tls) }
}

extension PlanDocument.FactsEntry {
    init(_ facts: ReliedFacts) {
        self.init(
            version: facts.version,
            system: .init(id: facts.system.id, version: facts.system.version, name: facts.system.name),
            packageManager: facts.packageManager,
            installed: facts.installed.map { .init(name: $0.name, version: $0.version) })
    }

    var facts: ReliedFacts {
        ReliedFacts(
            version: version,
            system: OperatingSystem(id: system.id, version: system.version, name: system.name),
            packageManager: packageManager,
            installed: installed.map { Package(name: $0.name, version: $0.version) })
    }
}

extension PlanDocument.DispositionEntry {
    init(_ disposition: Disposition) {
        switch disposition {
        case .upgrade(let wave): self.init(action: .upgrade, wave: wave, reason: nil)
        case .skip(let reason): self.init(action: .skip, wave: nil, reason: .init(reason))
        case .block(let reason): self.init(action: .block, wave: nil, reason: .init(reason))
        case .defer(let reason): self.init(action: .defer, wave: nil, reason: .init(reason))
        case .unreachable(let reason): self.init(action: .unreachable, wave: nil, reason: .init(reason))
        }
    }

    func disposition(of host: HostName) throws -> Disposition {
        switch (action, wave, reason?.reason) {
        case (.upgrade, let wave?, nil): .upgrade(wave: wave)
        case (.skip, nil, let reason?): .skip(reason)
        case (.block, nil, let reason?): .block(reason)
        case (.defer, nil, let reason?): .defer(reason)
        case (.unreachable, nil, let reason?): .unreachable(reason)
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "the disposition of \(host) needs a wave or a reason, and not both"))
        }
    }
}

extension PlanDocument.ReasonEntry {
    init(_ reason: Reason) { self.init(code: reason.code, parameters: reason.parameters) }

    var reason: Reason {
        var reason = Reason(code)
        reason.parameters = parameters
        return reason
    }
}
