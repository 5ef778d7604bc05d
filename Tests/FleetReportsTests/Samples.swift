import FleetCore

/// Runs and plans as the reports get them.
enum Samples {
    static let run = valid(RunID("20261123-142501-x7k2"))
    static let target = CanopsisVersion(3, 26, 0)
    static let before = CanopsisVersion(3, 25, 0)

    static func name(_ text: String) -> HostName { valid(HostName(text)) }

    /// A name that the test spells right.
    private static func valid<Name>(_ name: Name?) -> Name {
        guard let name else { preconditionFailure("the sample is not valid") }
        return name
    }

    static func at(_ seconds: Int) -> String { Timestamp(milliseconds: 1_795_443_901_000 + Int64(seconds) * 1000).description }

    /// A run from events at these seconds.
    static func record(_ events: [(Int, RunEvent)], isAlive: Bool = false) -> RunRecord {
        RunRecord(
            id: run,
            events: events.enumerated().map { StampedEvent(sequence: Int64($0.offset + 1), at: at($0.element.0), event: $0.element.1) },
            isAlive: isAlive)
    }

    static func start(_ hosts: [HostStart]) -> RunEvent {
        let notes = [CanopsisVersion(3, 25, 1), CanopsisVersion(3, 25, 2), target].enumerated().map { place, version in
            Acknowledgement(
                version: version, sha256: String(repeating: "9f2c4d5e", count: 8), person: place == 1 ? "zoé\u{7}" : "ana", at: at(-60),
                until: place == 2 ? at(86_400) : nil)
        }
        return .runStarted(RunStart(target: target, planDigest: "9f2c", person: "ana", machine: "ops-1", notes: notes, hosts: hosts))
    }

    static func host(_ text: String, wave: Int?, _ outcome: HostOutcome = .notStarted, _ reason: Reason? = nil) -> HostStart {
        HostStart(
            name: name(text), address: "\(text).example.net", wave: wave,
            from: outcome == .skipped ? target : outcome == .unreachable ? nil : before, outcome: outcome, reason: reason)
    }

    /// The steps of a host whose packages need no repair.
    private static let steps = StepID.standardProcedure

    /// The whole way of one host that ends well.
    static func way(_ text: String, from second: Int, warnings: [Reason] = []) -> [(Int, RunEvent)] {
        let host = name(text)
        var events: [(Int, RunEvent)] = [(second, .hostStarted(host: host))]
        for (place, step) in Self.steps.enumerated() {
            let begin = second + 2 + place * 10
            events.append((begin, .stepIntended(host: host, step: step, title: titles[step] ?? "")))
            if step != .verify { events.append((begin + 1, .stepStarted(host: host, step: step))) }
            events.append(
                (
                    begin + 9,
                    .stepEnded(
                        host: host, step: step, outcome: .succeeded, exit: step == .verify ? nil : 0, reason: nil,
                        verified: step == .verify ? VerifiedInstance(warnings: warnings, servedAfterMilliseconds: 2300) : nil)
                ))
        }
        return events + [(second + 53, .hostEnded(host: host, outcome: .upgraded, reason: nil, version: target))]
    }

    static let titles: [StepID: String] = [
        .packages: "upgrade the packages", .canopsinit: "bring the database up to date", .daemonReload: "reload systemd",
        .restart: "restart every unit", .verify: "compare with what was before",
    ]

    /// A host that fails in `canopsinit`.
    static func failing(_ text: String, from second: Int, _ reason: Reason) -> [(Int, RunEvent)] {
        let host = name(text)
        return way(text, from: second).prefix(6) + [
            (second + 20, .stepEnded(host: host, step: .canopsinit, outcome: .failed, exit: 2, reason: reason)),
            (second + 21, .hostEnded(host: host, outcome: .failed, reason: reason, version: target)),
        ]
    }

    static let failure = Reason(
        .jobExited,
        [
            "status": "2",
            "words":
                "Traceback (most recent call last):\n  File \"/opt/canopsis/bin/canopsinit\", line 1205, in <module>\n\u{1b}[31mErreur : la base de données « canopsis » n'est pas joignable\u{1b}[0m",
        ])

    /// One upgraded, one failed, one skipped, one blocked, one unreachable, one never started: stopped by its budget.
    static var stopped: RunRecord {
        record(
            [
                (
                    0,
                    start([
                        host("acme-1", wave: 1), host("acme-2", wave: 2), host("acme-3", wave: 3),
                        host(
                            "globex-paris-production-01.example.net", wave: nil, .skipped, Reason(.alreadyAtTarget, ["version": "3.26.0"])),
                        host(
                            "initech", wave: nil, .blocked,
                            Reason(
                                .gateBlocked,
                                ["gate": "disk-space", "words": "only 120 MB are free on /var, the packages need about 900 MB to unpack"])),
                        host("umbrella", wave: nil, .unreachable, Reason(.connectFailed, ["words": "connection refused"])),
                    ])
                ), (1, .waveStarted(wave: 1)),
            ] + way("acme-1", from: 2) + [(60, .waveStarted(wave: 2))] + failing("acme-2", from: 61, failure) + [
                (83, .rolloutStopped(reason: "1 failure in the run, 0 allowed")), (84, .runEnded(outcome: .stopped, exitStatus: 5)),
            ])
    }

    /// The run that was stopped, with hooks; the last call did not come to its end.
    static var hooked: RunRecord {
        func call(_ second: Int, _ moment: HookMoment, _ ending: HookEnding?) -> [(Int, RunEvent)] {
            [(second, .hookIntended(moment: moment))] + (ending.map { [(second, .hookEnded(moment: moment, ending: $0))] } ?? [])
        }
        let well = HookEnding(.ok, exit: 0, seconds: 0)
        let host = name("acme-1")
        let before =
            call(0, HookMoment(.beforeRun, policy: .stop), well) + call(1, HookMoment(.beforeWave, wave: 1, policy: .stop), well)
            + [(1, .waveStarted(wave: 1))]
        return record(
            [(0, start([Self.host("acme-1", wave: 1), Self.host("acme-2", wave: 2)]))] + before + way("acme-1", from: 2)
                + call(56, HookMoment(.afterHost, wave: 1, host: host, policy: .warn), HookEnding(.timedOut, seconds: 60))
                + call(57, HookMoment(.afterWave, wave: 1, policy: .warn), HookEnding(.failed, seconds: 0, words: "signal 9"))
                + call(58, HookMoment(.beforeWave, wave: 2, policy: .stop), HookEnding(.failed, exit: 3, seconds: 2))
                + [(60, .rolloutStopped(reason: "hook before_wave of wave 2 failed (exit status 3)"))]
                + call(61, HookMoment(.afterRun, policy: .warn), nil) + [(62, .runEnded(outcome: .stopped, exitStatus: 5))])
    }

    static let notTried = Reason(.loginNotTried, ["words": "the inventory names no account for it"])

    /// Two hosts, both well.
    static var succeeded: RunRecord {
        record(
            [(0, start([host("acme-1", wave: 1), host("acme-2", wave: 2)])), (1, .waveStarted(wave: 1))]
                + way("acme-1", from: 2, warnings: [notTried])
                + [(60, .waveStarted(wave: 2))]
                + way("acme-2", from: 61, warnings: [notTried, Reason(.databaseNotAsked, ["words": "no client\u{1b}[2J"])]) + [
                    (120, .runEnded(outcome: .succeeded, exitStatus: 0))
                ])
    }

    /// The first wave done, the next one to be approved.
    static func waiting(approvedBy person: String? = nil) -> RunRecord {
        let hosts = [host("acme-1", wave: 1), host("acme-2", wave: 2), host("acme-3", wave: 3)]
        let approval: [(Int, RunEvent)] = person.map { [(70, .approved(wave: 2, by: $0))] } ?? []
        return record(
            [(0, start(hosts)), (1, .waveStarted(wave: 1))] + way("acme-1", from: 2)
                + [(60, .approvalNeeded(wave: 2)), (60, .runEnded(outcome: .waiting, exitStatus: 6))] + approval)
    }

    static let longCommand =
        "select ok::integer into event_state_history from event_state_history_old group by connector,component,resource"

    /// Two hosts that have come to a step for a person; with an answer for both if one was given.
    static func awaiting(answered: Bool = false) -> RunRecord {
        guard let step = StepID(rawValue: "3.32.0-influx-stat") else { preconditionFailure("a name of a step") }
        let names = ["acme-1", "acme-2"]
        let waits = names.flatMap { name -> [(Int, RunEvent)] in
            let host = Self.name(name)
            let instruction = "Enter these statements:\n\(longCommand)\n\u{1b}[2J"
            return way(name, from: 2).prefix(7) + [
                (50, .stepAwaited(host: host, step: step, title: "Rebuild the history", instruction: instruction)),
                (
                    51,
                    .hostEnded(host: host, outcome: .waiting, reason: Reason(.stepAwaited, ["title": "Rebuild the history"]), version: nil)
                ),
            ]
        }
        let answers = names.map {
            (70, RunEvent.stepAnswered(host: Self.name($0), step: step, answer: StepAnswer(.done, by: "ana", note: nil)))
        }
        return record(
            [(0, start([host("acme-1", wave: 1), host("acme-2", wave: 1)])), (1, .waveStarted(wave: 1))] + waits
                + [(60, .runEnded(outcome: .waiting, exitStatus: 6))] + (answered ? answers : []))
    }

    /// The first host done, the second in its first step.
    static func halfway(isAlive: Bool) -> RunRecord {
        record(
            [(0, start([host("acme-1", wave: 1), host("acme-2", wave: 2), host("acme-3", wave: 2)])), (1, .waveStarted(wave: 1))]
                + way("acme-1", from: 2) + [(60, .waveStarted(wave: 2))] + way("acme-2", from: 61).prefix(3), isAlive: isAlive)
    }

    static var command: RunRecord {
        record([
            (
                2,
                .commandRun(
                    CommandRun(
                        command: "uptime", person: "ana", started: at(0),
                        endings: ["acme-1": "0", "acme-2": "0", "acme-3": "7", "globex": "killed KILL", "umbrella": "unreachable"],
                        exitStatus: 3))
            )
        ])
    }

    static var plan: Plan {
        let steps = [
            PlannedStep(
                id: .packages, title: "upgrade the packages",
                script: "apt-get -y install canopsis-core=3.26.0-1\ndpkg-query -W canopsis-core", limit: .seconds(3600), kind: .job),
            PlannedStep(
                id: .canopsinit, title: "bring the database up to date", script: "su - canopsis -c canopsinit", limit: .seconds(1800),
                kind: .job),
            PlannedStep(id: .verify, title: "compare with what was before", script: "", limit: .seconds(300), kind: .look),
        ]
        func planned(_ text: String, _ disposition: Disposition, _ findings: [GateFinding] = [], steps: [PlannedStep] = []) -> PlannedHost {
            PlannedHost(
                host: Host(name: name(text), address: "\(text).example.net"),
                identity: HostIdentity(machineID: String(repeating: "a", count: 32), hostKey: "SHA256:x"),
                facts: ReliedFacts(
                    version: disposition == .skip(Reason(.alreadyAtTarget, ["version": "3.26.0"])) ? target : before,
                    system: debian, packageManager: .apt, installed: [Package(name: "canopsis-core", version: "3.25.0-1")]),
                upgradeClass: steps.isEmpty ? UpgradeClass.none : .intermediate, disposition: disposition, findings: findings, steps: steps)
        }
        let warning = GateFinding(gate: "system", verdict: .warn, text: "debian 13 is not a system the vendor names", remedy: "")
        return Plan(
            fleet: "0.1.0", created: at(0), target: target, policy: RolloutPolicy(waves: [.hosts(1), .hosts(2)], atOnce: 2),
            hosts: [
                planned("acme-1", .upgrade(wave: 1), steps: steps), planned("acme-2", .upgrade(wave: 2), [warning], steps: steps),
                planned("acme-3", .upgrade(wave: 2), steps: [steps[0], steps[2]]),
                planned("globex", .skip(Reason(.alreadyAtTarget, ["version": "3.26.0"]))),
                planned("initech", .block(Reason(.gateBlocked, ["gate": "disk-space", "words": noDisk.text])), [noDisk]),
            ],
            waves: [Wave(number: 1, hosts: [name("acme-1")]), Wave(number: 2, hosts: [name("acme-2"), name("acme-3")])])
    }

    static let nothingToRead = ReadingList([], to: target, readings: [], acknowledgements: [], now: Timestamp(milliseconds: 0))

    static let noDisk = GateFinding(
        gate: "disk-space", verdict: .block, text: "only 120 MB are free on /var, about 900 MB are needed", remedy: "Make room on /var.")

    static let debian = OperatingSystem(id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)")

    static func facts(_ system: OperatingSystem = debian) -> HostFacts {
        HostFacts(
            identity: HostIdentity(machineID: String(repeating: "a", count: 32), hostKey: "SHA256:x"), system: system,
            architecture: "x86_64",
            packageManager: .apt, systemdVersion: 252, isRoot: true, installed: [Package(name: "canopsis-core", version: "3.25.0-1")],
            offer: .packages([Package(name: "canopsis-core", version: "3.26.0-1"), Package(name: "canopsis-core", version: "3.27.0-1")]),
            versionFile: before, units: [], freeBytes: [:], selinux: .disabled, packageLockHolder: nil, brokenPackages: [])
    }
}
