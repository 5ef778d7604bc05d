import FleetCore
import FleetRollout
import TestSupport
import Testing

@Suite("A rollout on scripted hosts")
struct RolloutRunnerTests {
    @Test("upgrades every host, each step once and in order, and leaves every host")
    func everythingWorks() async throws {
        let fleet = ScriptedFleet(count: 5)
        let ending = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1), .hosts(2)]))

        #expect(ending.outcomes.values.allSatisfy { $0 == .upgraded })
        for host in fleet.hosts {
            #expect(await host.jobs == ["packages", "canopsinit", "daemon-reload", "restart"])
            let connections = await host.connections
            #expect(connections.made == 1 && connections.closed == 1)
        }
        #expect(ending.waves == [1, 2, 3])
    }

    @Test("writes the intent before the host says that it started, and the end after")
    func intentFirst() async throws {
        let fleet = ScriptedFleet(count: 1)
        let events = try await fleet.carryOut(RolloutPolicy()).events
        let name = fleet.hosts[0].host.name
        let steps = events.filter {
            switch $0 {
            case .stepProgress, .baselineTaken, .stateSaved: false
            default: true
            }
        }
        #expect(steps.first == .waveStarted(wave: 1))
        #expect(steps.dropFirst().first == .hostStarted(host: name))
        guard case .stepIntended(name, .packages, _, _) = steps[2] else {
            Issue.record("the third event is \(steps[2])")
            return
        }
        #expect(steps[3] == .stepStarted(host: name, step: .packages))
        #expect(steps[4] == .stepEnded(host: name, step: .packages, outcome: .succeeded, exit: 0, reason: nil))
    }

    @Test("logs what each step wrote, whole")
    func logs() async throws {
        let fleet = ScriptedFleet(count: 1)
        let ending = try await fleet.carryOut(RolloutPolicy())
        let text = String(decoding: ending.log[fleet.hosts[0].host.name] ?? [], as: UTF8.self)
        for step in ["packages", "canopsinit", "daemon-reload", "restart"] { #expect(text.contains("\n\(step) on h1\n")) }
    }

    /// What can go wrong on a host, what is made of it, and which jobs may have run then.
    static let failures: [(ScriptedHost.Fault, HostOutcome, Reason.Code, [String])] = [
        (.unreachable, .unreachable, .connectFailed, []),
        (.swapped, .blocked, .identityChanged, []),
        (.locked, .deferred, .hostLocked, []),
        (.alreadyMoved("3.24.0"), .blocked, .factsChanged, []),
        (.refuses(.packages, "no space left"), .failed, .jobNotStarted, []),
        (.exits(.packages, 100, "E: broken"), .failed, .jobExited, ["packages"]),
        (.heldBack, .failed, .versionNotReached, ["packages"]),
        (.exits(.canopsinit, 2, "migration failed"), .failed, .jobExited, ["packages", "canopsinit"]),
        (.linkLost(.canopsinit), .unknown, .linkLost, ["packages", "canopsinit"]),
        (.cannotSave, .blocked, .stateNotSaved, []),
        (.unitDies("canopsis-engine@b.service"), .failed, .unitNotRunning, ScriptedFleet.allJobs),
        (.unitLoops("canopsis-engine@a.service"), .failed, .unitUnstable, ScriptedFleet.allJobs),
        (.unitKeepsRunning("canopsis-webserver.service"), .failed, .unitNotRestarted, ScriptedFleet.allJobs),
        (.webStays("3.25.0"), .failed, .webWrongVersion, ScriptedFleet.allJobs),
        (.webSilent, .failed, .webNotAnswering, ScriptedFleet.allJobs),
        (.unsure(.packages, "slow"), .unknown, .startUnknown, []),
    ]

    @Test("says what happened and takes no further step", arguments: failures.indices)
    func failure(_ index: Int) async throws {
        let (fault, outcome, code, jobs) = Self.failures[index]
        let fleet = ScriptedFleet(count: 1, faults: [1: [fault]])
        let ending = try await fleet.carryOut(RolloutPolicy())
        let end = try #require(ending.ends[fleet.hosts[0].host.name])
        #expect(end.outcome == outcome)
        #expect(end.reason?.code == code)
        #expect(await fleet.hosts[0].jobs == jobs)
    }

    @Test("unlocks a host that is done or was not changed, and leaves one that is unfinished locked")
    func locks() async throws {
        let fleet = ScriptedFleet(
            count: 4, faults: [2: [.exits(.canopsinit, 2, "no")], 3: [.refuses(.packages, "no")], 4: [.linkLost(.restart)]])
        _ = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(4)], maxFailures: .hosts(4)))
        #expect(await fleet.hosts[0].lock == nil)
        #expect(await fleet.hosts[1].lock == "left")
        #expect(await fleet.hosts[2].lock == nil)
        #expect(await fleet.hosts[3].lock == "left")
    }

    @Test("tells the host's own words and what a status of canopsinit means")
    func words() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.exits(.canopsinit, 2, "the words of canopsinit")]])
        let end = try #require(try await fleet.carryOut(RolloutPolicy()).ends[fleet.hosts[0].host.name])
        let text = try #require(end.reason?.text)
        #expect(text.contains("exit status 2") && text.contains("migration step failed") && text.contains("the words of canopsinit"))
    }

    @Test("a unit that dies is named with its own words, though the restart ended with 0")
    func unitWords() async throws {
        let fleet = ScriptedFleet(count: 1, faults: [1: [.unitDies("canopsis-engine@b.service")]])
        let ending = try await fleet.carryOut(RolloutPolicy())
        let end = try #require(ending.ends[fleet.hosts[0].host.name])
        #expect(end.reason?.parameters["unit"] == "canopsis-engine@b.service")
        #expect(end.reason?.text.contains("the unit's own words") == true)
        #expect(
            ending.events.contains(.stepEnded(host: fleet.hosts[0].host.name, step: .restart, outcome: .succeeded, exit: 0, reason: nil)))
    }

    @Test("a failed canary leaves every later host untouched")
    func canary() async throws {
        let fleet = ScriptedFleet(count: 6, faults: [1: [.exits(.packages, 1, "no")]])
        let ending = try await fleet.carryOut(RolloutPolicy())
        #expect(ending.outcomes.count == 1)
        for host in fleet.hosts.dropFirst() {
            #expect(await host.jobs.isEmpty)
            #expect(await host.connections.made == 0)
        }
    }

    @Test("two failures over a budget of one stop the run, and the host at work finishes")
    func budget() async throws {
        let fleet = ScriptedFleet(
            count: 5, faults: [2: [.exits(.canopsinit, 2, "no")], 3: [.unitDies("canopsis-engine@b.service")]])
        let ending = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1), .hosts(4)], atOnce: 2, maxFailures: .hosts(1)))
        #expect(ending.outcomes == [fleet.name(1): .upgraded, fleet.name(2): .failed, fleet.name(3): .failed])
        #expect(ending.events.contains { if case .rolloutStopped = $0 { true } else { false } })
        #expect(await fleet.hosts[3].jobs.isEmpty)
        #expect(await fleet.hosts[4].jobs.isEmpty)
    }

    @Test("one unreachable host within the budget keeps nobody else from being upgraded")
    func unreachable() async throws {
        let fleet = ScriptedFleet(count: 5, faults: [3: [.unreachable]])
        let ending = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1), .hosts(4)], maxFailures: .hosts(1)))
        #expect(ending.outcomes[fleet.name(3)] == .unreachable)
        #expect(ending.outcomes.values.count { $0 == .upgraded } == 4)
    }

    @Test("a request to stop lets nothing new begin")
    func stop() async throws {
        let fleet = ScriptedFleet(count: 4)
        let (stops, request) = AsyncStream.makeStream(of: String.self)
        request.yield("INT")
        let ending = try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1)], atOnce: 1), stops: stops)
        #expect(ending.events.contains(.interrupted(signal: "INT")))
        #expect(ending.outcomes.count <= 1)
        #expect(ending.outcomes.values.allSatisfy { $0 == .upgraded })
        #expect(await fleet.hosts[3].connections.made == 0)
    }

    @Test("a journal that cannot be written ends the run before the next host is touched")
    func journalFull() async throws {
        let fleet = ScriptedFleet(count: 2)
        await #expect(throws: MemoryJournal.Full.self) {
            try await fleet.carryOut(RolloutPolicy(waves: [.hosts(1)]), journal: MemoryJournal(room: 2))
        }
        #expect(await fleet.hosts[0].jobs.isEmpty)
        #expect(await fleet.hosts[1].connections.made == 0)
    }

    @Test("a step over its limit is reported and left alone, whether it is silent or writes all the time", arguments: [true, false])
    func overdue(floods: Bool) async throws {
        let fleet = ScriptedFleet(count: 2, faults: [1: [floods ? .floods(.packages) : .endless(.packages)]])
        let ending = try await fleet.carryOut(RolloutPolicy(), clock: .hasty())
        let end = try #require(ending.ends[fleet.name(1)])
        #expect(end.outcome == .unknown)
        #expect(end.reason?.code == .jobOverdue)
        #expect(end.reason?.parameters["limit"] == "1h")
        // Nothing was sent to the host after the start: neither an end to the step nor a next one.
        #expect(await fleet.hosts[0].jobs == ["packages"])
        #expect(await fleet.hosts[1].connections.made == 0)
    }

    @Test("a second request to stop leaves at once; hosts at work are unknown, and no other is touched", .timeLimit(.minutes(10)))
    func detached() async throws {
        let fleet = ScriptedFleet(count: 4, faults: [1: [.endless(.canopsinit)], 2: [.endless(.packages)]])
        let (stops, request) = AsyncStream.makeStream(of: String.self)
        let journal = MemoryJournal()
        async let ending = fleet.carryOut(RolloutPolicy(waves: [.hosts(2)], atOnce: 2), stops: stops, journal: journal)
        while await !journal.events.contains(.stepStarted(host: fleet.name(1), step: .canopsinit)) { await Task.yield() }
        while await !journal.events.contains(.stepStarted(host: fleet.name(2), step: .packages)) { await Task.yield() }
        request.yield("INT")
        while await !journal.events.contains(.interrupted(signal: "INT")) { await Task.yield() }
        request.yield("TERM")
        let left = try await ending
        #expect(left.how == .detached)
        #expect(left.outcomes == [fleet.name(1): .unknown, fleet.name(2): .unknown])
        #expect(left.ends.values.allSatisfy { $0.reason?.code == .runEndedEarly })
        #expect(await fleet.hosts[0].jobs == ["packages", "canopsinit"])
        #expect(await fleet.hosts[1].jobs == ["packages"])
        for host in fleet.hosts[2...] { #expect(await host.connections.made == 0) }
        for host in fleet.hosts[..<2] { #expect(await host.connections.closed == 1) }
    }

    @Test("a log that cannot be written ends the run, without a word about an end of the step")
    func logFull() async throws {
        let fleet = ScriptedFleet(count: 2)
        let journal = MemoryJournal()
        let policy = RolloutPolicy(waves: [.hosts(1)])
        let step = fleet.plan(policy).hosts[0].steps[0]
        // Room for the heading, and for three bytes of what the step writes.
        let room = "==> packages: \(step.title)\n\(step.script)==> output\n".utf8.count + 3
        await #expect(throws: MemoryJournal.Full.self) {
            try await fleet.carryOut(policy, journal: journal, log: MemoryLog(room: room))
        }
        let events = await journal.events
        #expect(events.contains(.stepStarted(host: fleet.name(1), step: .packages)))
        #expect(!events.contains { if case .hostEnded = $0 { true } else { false } })
        #expect(await fleet.hosts[0].connections.closed == 1)
        #expect(await fleet.hosts[1].connections.made == 0)
    }
}

/// Scripted hosts `h1`, `h2` ... and a plan for them.
struct ScriptedFleet {
    static let allJobs = ["packages", "canopsinit", "daemon-reload", "restart"]

    let hosts: [ScriptedHost]
    private let target = CanopsisVersion(3, 26, 0)
    private let further: [HostName: ReleaseSteps]

    /// Makes hosts; `faults`, `labels` and what releases ask of them by number, counted from 1.
    init(
        count: Int, faults: [Int: Set<ScriptedHost.Fault>] = [:], customers: [String] = [], labels: [Int: [String: String]] = [:],
        further: [Int: ReleaseSteps] = [:], web: WebAccess = WebAccess()
    ) {
        hosts = (1...count).compactMap { number in
            HostName("h\(number)").map { name in
                let host = Host(
                    name: name, address: "scripted", customer: number <= customers.count ? customers[number - 1] : nil,
                    labels: labels[number] ?? [:], accounts: .keepReset, settle: .seconds(5), web: web)
                return ScriptedHost(host, faults: faults[number] ?? [])
            }
        }
        let names = hosts.map(\.host.name)
        self.further = Dictionary(uniqueKeysWithValues: further.map { (names[$0 - 1], $1) })
    }

    func name(_ number: Int) -> HostName { hosts[number - 1].host.name }

    /// How a rollout ended, read from what was written down.
    struct Ending {
        var events: [RunEvent]
        var log: [HostName: [UInt8]]
        var how: RolloutRunner.Ending

        var ends: [HostName: (outcome: HostOutcome, reason: Reason?)] {
            var ends: [HostName: (outcome: HostOutcome, reason: Reason?)] = [:]
            for case .hostEnded(let host, let outcome, let reason, _) in events { ends[host] = (outcome, reason) }
            return ends
        }

        var outcomes: [HostName: HostOutcome] { ends.mapValues(\.outcome) }

        /// The most of these hosts that were at work at one moment.
        func mostAtWork(of names: [HostName]) -> Int {
            var (now, most) = (0, 0)
            for event in events {
                switch event {
                case .hostStarted(let host) where names.contains(host): now += 1
                case .hostEnded(let host, _, _, _) where names.contains(host): now -= 1
                default: break
                }
                most = max(most, now)
            }
            return most
        }

        var waves: [Int] { events.compactMap { if case .waveStarted(let wave) = $0 { wave } else { nil } } }
    }

    /// Plans and carries out.
    @discardableResult
    func carryOut(
        _ policy: RolloutPolicy, stops: AsyncStream<String> = AsyncStream { $0.finish() }, journal: MemoryJournal = MemoryJournal(),
        log: MemoryLog = MemoryLog(), clock: RolloutClock = .jumping(), earlier: RunRecord? = nil, retriedBy: String? = nil,
        hooks: [HookEvent: HookPolicy] = [:], calling runner: any HookRunner = NoHooks()
    ) async throws -> Ending {
        let run = try #require(RunID("20260101-000000-test"))
        var plan = plan(policy)
        plan.hooks = hooks.mapValues { Hook(command: ["/bin/true"], onFailure: $0) }
        let runner = RolloutRunner(
            plan: plan, lock: HostLock(run: run, person: "test", machine: "here", planDigest: "digest", reason: "test"),
            connector: ScriptedConnector(hosts), journal: journal, log: log, hooks: runner, clock: clock,
            earlier: earlier, retriedBy: retriedBy)
        let ending = try await runner.carryOut(stops: stops)
        return Ending(events: await journal.events, log: await log.text, how: ending)
    }

    /// How a run of these hosts stands after the events so far, its coordinator gone.
    func record(_ policy: RolloutPolicy, _ events: [RunEvent]) throws -> RunRecord {
        let plan = plan(policy)
        let starts = plan.hosts.map { planned in
            let wave = plan.waves.first { $0.hosts.contains(planned.host.name) }?.number
            return HostStart(
                name: planned.host.name, address: "scripted", wave: wave, from: CanopsisVersion(3, 25, 0), outcome: .notStarted, reason: nil
            )
        }
        let start = RunEvent.runStarted(RunStart(target: target, planDigest: "digest", person: "test", machine: "here", hosts: starts))
        let stamped = ([start] + events).enumerated().map {
            StampedEvent(sequence: Int64($0.offset), at: "2026-01-01T00:00:00.000Z", event: $0.element)
        }
        return RunRecord(id: try #require(RunID("20260101-000000-test")), events: stamped, isAlive: false)
    }

    func plan(_ policy: RolloutPolicy) -> Plan {
        let packages = [Package(name: "canopsis-core", version: "3.26.0-1")]
        let planned = hosts.map { scripted in
            let facts = HostFacts.example(identity: scripted.plannedIdentity, version: "3.25.0")
            return PlannedHost(
                host: scripted.host, identity: facts.identity,
                facts: ReliedFacts(
                    version: CanopsisVersion(3, 25, 0), system: facts.system, packageManager: .apt, installed: facts.installed),
                upgradeClass: .intermediate, disposition: .upgrade(wave: 1), findings: [],
                steps: (policy.stepByStep + [target]).flatMap { version in
                    Procedure.standard3(
                        for: scripted.host, packageManager: .apt, packages: packages, target: version,
                        further: version == target ? further[scripted.host.name] ?? ReleaseSteps() : ReleaseSteps(),
                        hasDatabaseClient: false
                    ).steps.map { version == target ? $0 : $0.onTheWay(to: version) }
                })
        }
        let waves = Wave.divide(planned.map(\.host.name), selected: planned.count, sizes: policy.waves)
        return Plan(fleet: "test", created: "2026-01-01T00:00:00Z", target: target, policy: policy, hosts: planned, waves: waves)
    }
}
