import FleetCore
import TestSupport
import Testing

/// Releases as a vendor numbers them: most second numbers have one release, some have more.
private let numbers: [CanopsisVersion] = (20...48).flatMap { second in
    (second % 7 == 0 ? [0, 1] : [0]).map { CanopsisVersion(3, second, $0) }
}

@Suite("The path of a host through the releases")
struct ReleasePathTests {
    private static let note = NoteFacts(published: nil, procedure: .more, hasHiddenSteps: false, codeBlocks: 0)

    private static func version(_ text: String) throws -> CanopsisVersion { try #require(CanopsisVersion(text)) }

    /// A step of a kind with words and work of its own.
    private static func step(_ id: String, _ change: (inout ReleaseStep) -> Void = { _ in }) -> ReleaseStep {
        var step = ReleaseStep(
            id: id, phase: .afterPackages, kind: .shell, title: "Title of \(id)", text: "Text of \(id)", work: .shell("echo \(id)\n"))
        change(&step)
        return step
    }

    private static func release(_ text: String, _ steps: [ReleaseStep] = [], withdrawals: [Withdrawal] = []) throws -> Release {
        Release(version: try version(text), note: note, withdrawals: withdrawals, steps: steps)
    }

    private static func path(
        _ releases: [Release], from: String = "3.25.0", to: String = "3.30.0", known: [CanopsisVersion] = [],
        facts: HostFacts? = nil
    ) throws -> ReleasePath {
        ReleasePath(
            through: Catalogue(releases), known: known, from: try version(from), to: try version(to),
            facts: try facts ?? StepConditionTests.facts(), host: try StepConditionTests.host())
    }

    @Test("passes what is later than the installed version and not later than the target, in order")
    func crossed() throws {
        let releases = try ["3.31.0", "3.26.0", "3.30.0", "3.25.0", "3.27.0"].map { try Self.release($0, [Self.step("\($0)-x")]) }
        let path = try Self.path(releases)
        #expect(path.releases.map(\.description) == ["3.26.0", "3.27.0", "3.30.0"])
        #expect(path.steps.map(\.step.id) == ["3.26.0-x", "3.27.0-x", "3.30.0-x"])
        #expect(path.targetNote == .described && path.targetNoteText == nil)
    }

    @Test("there is no path to what is installed, and none back", arguments: [("3.30.0", "3.30.0"), ("3.30.0", "3.26.0")])
    func none(from: String, to: String) throws {
        let path = try Self.path(
            ["3.26.0", "3.30.0"].map { try Self.release($0, [Self.step("\($0)-x")], withdrawals: [Withdrawal(reason: "Broken.")]) },
            from: from, to: to, known: numbers)
        #expect(path.releases.isEmpty && path.steps.isEmpty && path.withdrawals.isEmpty && path.releasesWithoutEntry.isEmpty)
        #expect(path.steps.filter(\.isCarriedOut).isEmpty)
    }

    @Test("steps come by phase, then by release, then in the order of their file")
    func order() throws {
        let path = try Self.path([
            try Self.release("3.27.0", [Self.step("3.27.0-c") { $0.phase = .beforePackages }, Self.step("3.27.0-d")]),
            try Self.release(
                "3.26.0",
                [
                    Self.step("3.26.0-b") { $0.phase = .afterRestart }, Self.step("3.26.0-a") { $0.phase = .afterInit },
                    Self.step("3.26.0-z"), Self.step("3.26.0-y"),
                ]),
        ])
        #expect(path.steps.map(\.step.id) == ["3.27.0-c", "3.26.0-z", "3.26.0-y", "3.27.0-d", "3.26.0-a", "3.26.0-b"])
    }

    @Test("a step that a later release makes needless is dropped with the reason, once the target has that release")
    func obsolete() throws {
        let step = Self.step("3.26.0-x") { $0.obsoleteFrom = CanopsisVersion(3, 28, 0) }
        let releases = [try Self.release("3.26.0", [step])]
        #expect(try Self.path(releases, to: "3.27.0").steps.first?.isCarriedOut == true)
        for target in ["3.28.0", "3.30.0", "3.27.991"] {
            let resolved = try #require(try Self.path(releases, to: target).steps.first)
            #expect(resolved.resolution == .obsolete(from: CanopsisVersion(3, 28, 0)))
            #expect(resolved.resolution.text == "not needed: 3.28.0 makes up for it")
            #expect(!resolved.isCarriedOut && !resolved.needsPerson && !resolved.blocks)
        }
    }

    @Test("of steps that do the same one is kept, if doing it twice is as good as once")
    func duplicates() throws {
        func releases(idempotent: Bool) throws -> [Release] {
            try ["3.26.0", "3.27.0", "3.28.0"].map { text in
                try Self.release(
                    text,
                    [
                        Self.step("\(text)-same") {
                            $0.work = .shell("systemctl daemon-reload\n")
                            $0.isIdempotent = idempotent
                        }
                    ])
            }
        }
        let once = try Self.path(releases(idempotent: true))
        #expect(once.steps.map(\.isCarriedOut) == [true, false, false])
        #expect(once.steps[1].resolution == .duplicate(of: "3.26.0-same"))
        let twice = try Self.path(releases(idempotent: false))
        #expect(twice.steps.map(\.isCarriedOut) == [true, true, true])
    }

    @Test("a notice that says the same twice is told once, and one that says something else stays")
    func sameNotices() throws {
        func notice(_ id: String, _ text: String) -> ReleaseStep {
            Self.step(id) { ($0.kind, $0.work, $0.title, $0.text) = (.notice, nil, "Broken", text) }
        }
        let path = try Self.path([
            try Self.release("3.26.0", [notice("3.26.0-a", "same")]), try Self.release("3.27.0", [notice("3.27.0-a", "same")]),
            try Self.release("3.28.0", [notice("3.28.0-a", "other")]),
        ])
        #expect(path.steps.map(\.resolution.doesApply) == [true, false, true])
    }

    @Test("of two that do the same, the one that surely applies and is not optional is kept")
    func strongest() throws {
        let probe = try StepConditionTests.probe()
        func same(_ id: String, _ change: (inout ReleaseStep) -> Void = { _ in }) -> ReleaseStep {
            Self.step(id) {
                $0.work = .shell("true\n")
                $0.isIdempotent = true
                change(&$0)
            }
        }
        let path = try Self.path([
            try Self.release(
                "3.26.0",
                [
                    same("3.26.0-not-here") { $0.conditions = [.stack(.python)] }, same("3.26.0-optional") { $0.isOptional = true },
                    same("3.26.0-unknown") { $0.conditions = [.fileLacks(probe)] },
                ]),
            try Self.release("3.27.0", [same("3.27.0-sure"), same("3.27.0-again")]),
        ])
        #expect(path.steps.filter(\.isCarriedOut).map(\.step.id) == ["3.27.0-sure"])
        #expect(path.steps[0].resolution == .doesNotApply(because: "the stack is go"))
        #expect(path.steps[1...2].allSatisfy { $0.resolution == .duplicate(of: "3.27.0-sure") })
    }

    @Test("all conditions must hold: one that fails decides, else what is not known is told")
    func resolutions() throws {
        let probe = try StepConditionTests.probe()
        let path = try Self.path([
            try Self.release(
                "3.26.0",
                [
                    Self.step("3.26.0-a") { $0.conditions = [.stack(.go), .edition(.cat)] },
                    Self.step("3.26.0-b") { $0.conditions = [.fileContains(probe), .edition(.core)] },
                    Self.step("3.26.0-c") { $0.conditions = [.stack(.go), .fileContains(probe)] },
                    Self.step("3.26.0-d"),
                ])
        ])
        #expect(
            path.steps.map(\.resolution.text) == [
                "applies: the stack is go; the edition is cat", "does not apply: the edition is cat",
                "not known: nobody could tell whether /opt/canopsis/etc/webserver.conf has dynamic_infos", "applies to every host",
            ])
        #expect(path.steps.map(\.isCarriedOut) == [true, false, false, true])
        #expect(path.steps.map(\.needsPerson) == [false, false, true, false])
    }

    @Test("what is optional, by hand or only to read is not carried out, and only what is to be done by hand needs a person")
    func byHand() throws {
        let path = try Self.path([
            try Self.release(
                "3.26.0",
                [
                    Self.step("3.26.0-optional") { $0.isOptional = true },
                    Self.step("3.26.0-manual") { $0.kind = .manual },
                    Self.step("3.26.0-rabbitmq") { $0.kind = .rabbitmq },
                    Self.step("3.26.0-notice") { ($0.kind, $0.work, $0.isBlocking) = (.notice, nil, true) },
                    Self.step("3.26.0-words") { ($0.kind, $0.work) = (.configEdit, nil) },
                ])
        ])
        #expect(path.steps.filter(\.isCarriedOut).isEmpty)
        #expect(path.steps.map(\.needsPerson) == [false, true, true, false, true])
        #expect(path.steps.map(\.blocks) == [false, false, false, true, false])
    }

    @Test("steps that need the engines stopped stand between a stop and a start, and what is optional is no step")
    func enginesStopped() throws {
        let path = try Self.path([
            try Self.release(
                "3.26.0",
                [
                    Self.step("3.26.0-a"), Self.step("3.26.0-b") { $0.requiresEnginesStopped = true },
                    Self.step("3.26.0-no") { $0.isOptional = true },
                    Self.step("3.26.0-c") { $0.requiresEnginesStopped = true }, Self.step("3.26.0-d"),
                    Self.step("3.26.0-e") { $0.phase = .afterInit },
                    Self.step("3.26.0-f") { ($0.phase, $0.requiresEnginesStopped) = (.afterRestart, true) },
                ])
        ])
        let steps = ReleaseSteps(path, hasDatabaseClient: true)
        #expect(
            steps[.afterPackages].map(\.id.rawValue) == [
                "3.26.0-a", "stop-engines-1", "3.26.0-b", "3.26.0-c", "start-engines-1", "3.26.0-d",
            ])
        #expect(steps[.afterInit].map(\.id.rawValue) == ["3.26.0-e"])
        #expect(steps[.afterRestart].map(\.id.rawValue) == ["stop-engines-2", "3.26.0-f", "start-engines-2"])
        #expect(steps[.beforePackages].isEmpty)
    }

    @Test("what blocks is asked before the first step; a person does what Fleet cannot, or does not know to be needed")
    func people() throws {
        let probe = try StepConditionTests.probe()
        let path = try Self.path([
            try Self.release(
                "3.26.0",
                [
                    Self.step("3.26.0-hand") { ($0.kind, $0.work, $0.phase) = (.manual, nil, .beforePackages) },
                    Self.step("3.26.0-warning") { ($0.kind, $0.work, $0.isBlocking, $0.phase) = (.notice, nil, true, .afterRestart) },
                    Self.step("3.26.0-db") { ($0.kind, $0.work) = (.mongo, .mongo("db.x.drop()")) },
                    Self.step("3.26.0-perhaps") { $0.conditions = [.fileLacks(probe)] },
                    Self.step("3.26.0-once") { $0.isIdempotent = false },
                ])
        ])
        for hasClient in [true, false] {
            let steps = ReleaseSteps(path, hasDatabaseClient: hasClient)
            #expect(steps[.beforePackages].map(\.id.rawValue) == ["3.26.0-warning", "3.26.0-hand"])
            #expect(steps[.beforePackages].allSatisfy { $0.kind == .manual && $0.script.isEmpty && $0.origin == "release 3.26.0" })
            let after = steps[.afterPackages]
            #expect(after.map(\.id.rawValue) == ["3.26.0-db", "3.26.0-perhaps", "3.26.0-once"])
            #expect(after.map(\.kind) == [hasClient ? .job : .manual, .manual, .job])
            #expect(after[0].instruction.contains("db.x.drop()") != hasClient)
            #expect(after[1].instruction.contains("does not know whether this host needs it"))
            #expect(!after[2].isRepeatable)
        }
    }

    @Test("a withdrawn target is told with the facts, one that is only passed is no obstacle, and one for others is not told")
    func withdrawals() throws {
        let broken = [
            Withdrawal(reason: "Broken on CentOS 7.", conditions: [.system(id: "centos", versions: ["7"])]),
            Withdrawal(reason: "Broken on Debian.", conditions: [.system(id: "debian", versions: [])]),
            Withdrawal(reason: "May be broken.", conditions: [.stack(.go), .fileContains(try StepConditionTests.probe())]),
            Withdrawal(reason: "Must not be used."),
        ]
        let releases = [try Self.release("3.26.0", withdrawals: broken), try Self.release("3.27.0")]
        let there = try Self.path(releases, to: "3.26.0")
        #expect(there.withdrawals.map(\.verdict) == [.holds, .unknown, .holds])
        #expect(there.withdrawals.first?.text == "Broken on CentOS 7. (the host is CentOS 7)")
        #expect(there.withdrawals.last?.text == "Must not be used.")
        #expect(there.withdrawalsPassed.isEmpty)
        let past = try Self.path(releases, to: "3.27.0")
        #expect(past.withdrawals.isEmpty)
        #expect(past.withdrawalsPassed == there.withdrawals)
        #expect(try Self.path(releases, to: "3.25.991").withdrawals == there.withdrawals)
    }

    @Test("releases that are known and not in the catalogue are told, and so is a target nobody knows a note of")
    func gaps() throws {
        let releases = [try Self.release("3.26.0"), Release(version: CanopsisVersion(3, 28, 0))]
        let known = ["3.27.0", "3.24.0", "3.26.0"].compactMap { CanopsisVersion($0) }
        let path = try Self.path(releases, to: "3.28.0", known: known)
        #expect(path.releasesWithoutEntry.map(\.description) == ["3.27.0"])
        #expect(path.targetNoteText == "the catalogue does not say what the vendor's note on 3.28.0 looked like")
        let beyond = try Self.path(releases, to: "3.28.1", known: known)
        #expect(beyond.releasesWithoutEntry.map(\.description) == ["3.27.0", "3.28.1"])
        #expect(beyond.targetNoteText == "no note of the vendor on 3.28.1 is known: what it asks for is not known either")
    }

    @Test("a candidate brings what its release brings, and so does going on from there")
    func candidates() throws {
        let releases = [try Self.release("3.44.0", [Self.step("3.44.0-x")])]
        let toCandidate = try Self.path(releases, from: "3.43.1", to: "3.43.991")
        #expect(toCandidate.steps.map(\.step.id) == ["3.44.0-x"])
        #expect(toCandidate.releasesWithoutEntry.isEmpty)
        #expect(toCandidate.targetNoteText == "3.43.991 is a candidate of 3.44.0, and has no note of its own")
        #expect(try Self.path(releases, from: "3.43.991", to: "3.44.0").steps.map(\.step.id) == ["3.44.0-x"])
        #expect(try Self.path(releases, from: "3.43.1", to: "3.43.2").steps.isEmpty)
    }

    @Test("probes are those of the conditions of the releases, each once")
    func probes() throws {
        let (one, two) = (try StepConditionTests.probe("a"), try StepConditionTests.probe("b"))
        let catalogue = Catalogue([
            try Self.release(
                "3.27.0", [Self.step("3.27.0-x") { $0.conditions = [.fileLacks(two), .stack(.go)] }],
                withdrawals: [Withdrawal(reason: "No.", conditions: [.fileContains(one)])]),
            try Self.release("3.26.0", [Self.step("3.26.0-x") { $0.conditions = [.fileContains(two)] }]),
        ])
        #expect(catalogue.probes == [one, two])
        #expect(Catalogue.probes(of: catalogue.releases(after: CanopsisVersion(3, 25, 0), upTo: CanopsisVersion(3, 26, 0))) == [two])
    }

    @Test("a catalogue has each version once, oldest first, and the later entry of two")
    func catalogue() throws {
        let own = Release(version: CanopsisVersion(3, 26, 0), published: "own")
        let catalogue = Catalogue([try Self.release("3.27.0"), try Self.release("3.26.0"), own])
        #expect(catalogue.releases.map(\.version.description) == ["3.26.0", "3.27.0"])
        #expect(catalogue.release(CanopsisVersion(3, 26, 0)) == own)
        #expect(catalogue.release(CanopsisVersion(3, 28, 0)) == nil && catalogue.release(CanopsisVersion(3, 1, 0)) == nil)
    }
}

/// Draws catalogues, hosts and paths.
@Suite("Any path through any catalogue")
struct ReleasePathPropertyTests {
    /// What one seed draws.
    private struct Drawn {
        var catalogue: Catalogue
        var path: ReleasePath

        init(_ seed: Int) throws {
            var random = SeededGenerator(seed: seed)
            let all = numbers
            let conditions: [StepCondition] = [
                .stack(.go), .stack(.python), .edition(.cat), .system(id: "centos", versions: ["7"]), .system(id: "debian", versions: []),
                .fileLacks(try StepConditionTests.probe()), .comesFrom(before: all[Int.random(in: all.indices, using: &random)]),
            ]
            var releases: [Release] = []
            for version in all where random.chance(80) {
                let steps = (0..<Int.random(in: 0...4, using: &random)).map { number in
                    ReleaseStep(
                        id: "\(version)-\(number)",
                        phase: random.pick(.beforePackages, .afterPackages, .afterInit, .afterRestart),
                        kind: random.pick(.shell, .mongo, .notice, .manual), title: "t", text: random.pick("x", "y"),
                        conditions: conditions.filter { _ in random.chance(15) },
                        work: random.pick(.shell("a"), .shell("b"), .mongo("a"), nil), isIdempotent: random.chance(70),
                        requiresEnginesStopped: random.chance(30), isOptional: random.chance(10), isBlocking: random.chance(10),
                        obsoleteFrom: random.chance(20) ? all[Int.random(in: all.indices, using: &random)] : nil)
                }
                releases.append(Release(version: version, steps: steps))
            }
            let (from, to) = (all[Int.random(in: all.indices, using: &random)], all[Int.random(in: all.indices, using: &random)])
            catalogue = Catalogue(releases.shuffled(using: &random))
            path = ReleasePath(
                through: catalogue, known: all, from: from, to: to, facts: try StepConditionTests.facts(),
                host: try StepConditionTests.host(random.pick(.core, .cat), random.pick(.python, .go)))
        }
    }

    @Test("has every step of every release passed exactly once, by phase, release and place", arguments: 0..<200)
    func complete(seed: Int) throws {
        let drawn = try Drawn(seed)
        let path = drawn.path
        let passed = drawn.catalogue.releases.filter { path.installed < $0.version && $0.version <= path.target }
        #expect(path.releases == passed.map(\.version))
        #expect(Set(path.steps.map(\.step.id)).count == path.steps.count)
        #expect(Set(path.steps.map(\.step)) == Set(passed.flatMap(\.steps)))
        #expect(zip(path.steps, path.steps.dropFirst()).allSatisfy { ($0.step.phase, $0.release) <= ($1.step.phase, $1.release) })
        #expect(
            (path.releases + path.releasesWithoutEntry).sorted() == numbers.filter { path.installed < $0 && $0 <= path.target })
        if path.installed >= path.target { #expect(path.steps.isEmpty && path.releases.isEmpty && path.releasesWithoutEntry.isEmpty) }
    }

    @Test("carries out no work twice that is needed once, and nothing that is dropped, needless or for others", arguments: 0..<200)
    func once(seed: Int) throws {
        let path = try Drawn(seed).path
        let carriedOut = path.steps.filter(\.isCarriedOut)
        let repeatable = carriedOut.filter { $0.step.isIdempotent && !$0.step.isBlocking }
        struct Work: Hashable { var phase: StepPhase, kind: StepKind, work: StepWork? }
        #expect(Set(repeatable.map { Work(phase: $0.step.phase, kind: $0.step.kind, work: $0.step.work) }).count == repeatable.count)
        for step in carriedOut {
            #expect(step.step.isAutomatic && !step.step.isOptional)
            #expect(step.step.obsoleteFrom.map { $0 > path.target } ?? true)
        }
        for step in path.steps {
            guard case .duplicate(let id) = step.resolution else { continue }
            let other = try #require(path.steps.first { $0.step.id == id })
            #expect(other.resolution.doesApply || other.resolution.isUnknown)
            #expect(other.step.work == step.step.work && other.step.phase == step.step.phase)
        }
    }

    @Test("every step of it that is due is planned once, with the engines stopped for just those that need it", arguments: 0..<50)
    func planned(seed: Int) throws {
        let path = try Drawn(seed).path
        let steps = ReleaseSteps(path, hasDatabaseClient: true)
        let all = StepPhase.allCases.flatMap { steps[$0] }
        let due = path.steps.filter { $0.isCarriedOut || $0.needsPerson || $0.blocks }
        #expect(all.filter { $0.origin != nil }.map(\.id.rawValue).sorted() == due.map(\.step.id).sorted())
        let needStop = Set(due.filter { $0.step.requiresEnginesStopped }.map(\.step.id))
        for phase in StepPhase.allCases {
            var areStopped = false
            for step in steps[phase] {
                if step.id.rawValue.hasPrefix("stop-engines-") {
                    #expect(!areStopped)
                    areStopped = true
                } else if step.id.rawValue.hasPrefix("start-engines-") {
                    #expect(areStopped)
                    areStopped = false
                } else {
                    #expect(areStopped == (step.kind == .job && needStop.contains(step.id.rawValue)))
                }
            }
            #expect(!areStopped)
        }
    }
}
