import FleetCore
import FleetDocuments
import Foundation
import TestSupport
import Testing

/// What the release catalogue has Fleet do by itself, seen on hosts in the state that asks for it.
@Suite("the automatic steps of the release catalogue on real hosts", .timeLimit(.minutes(30)))
struct CatalogueStepTests {
    @Test("each step does what it says, nothing else, and nothing the second time; where nothing asks for it, it does nothing")
    func everyStep() async throws {
        try await Lab.with(["a1:deb9:cat:go:3.39.0", "a2:rpm:core:go:3.39.0"]) { lab in
            let scripts = try CatalogueScripts()
            try await withThrowingTaskGroup { group in
                for (name, edition) in [("a1", Edition.cat), ("a2", .core)] {
                    let host = try lab[name]
                    group.addTask {
                        for expected in ExpectedStep.inOrder where expected.edition == nil || expected.edition == edition {
                            try await expected.check(scripts, on: host)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("every automatic step of the catalogue is tried, but those that want what the lab does not have")
    func complete() throws {
        // Software collections of CentOS, and a program of the Go engines that came after 3.39.0.
        let untried = ["3.13.0-scl-python27", "3.42.0-engine-correlation", "3.45.0-engine-correlation"]
        let scripts = try CatalogueScripts()
        let tried = ExpectedStep.inOrder.map(\.id) + ["3.23.0-debian-nonfree"]
        let texts = try Set(tried.map { try scripts.script(of: $0) })
        let missing = try scripts.automatic.filter { try !texts.contains(scripts.script(of: $0)) }
        #expect(missing.sorted() == untried)
    }

    @Test("Debian 9 gets the component non-free for 3.23.0, and for 3.25.0 with the commercial edition; its other lines stay")
    func nonFree() async throws {
        try await Operator.at("b1:deb9:3.22.0", "b2:deb9:cat:3.22.0", hosts: ["b2": "edition: cat"]) { person, lab in
            let (core, cat) = (try lab["b1"], try lab["b2"])
            for host in lab.hosts { try await host.offer("3.22.0", "3.23.0", "3.24.0", "3.25.0", "3.39.0") }
            // Nothing for Go engines, containers, or a release that a later one makes up for.
            let rest = ["manual 3.39.0-redis5", "job 3.38.0-shadowpass-rename", "job 3.29.0-ticketapi-module"]
            let last = ["manual 3.39.0-amqp2engines", "job 3.32.0-pbehavior-templates"]
            for (target, ofCore, ofCAT) in [
                ("3.23.0", ["job 3.23.0-debian-nonfree"], ["job 3.23.0-debian-nonfree"]),
                ("3.24.0", ["job 3.24.0-debian-nonfree"], ["job 3.24.0-debian-nonfree"]), ("3.25.0", [], ["job 3.25.0-debian-nonfree"]),
                ("3.39.0", rest + last, rest.prefix(1) + ["job 3.25.0-debian-nonfree"] + rest.dropFirst() + last),
            ] {
                let plan = try await plan(person, to: target)
                for (host, expected) in [("b1", ofCore), ("b2", ofCAT)] {
                    let steps = plan[host].steps.filter { $0.origin != nil }.map { "\($0.kind) \($0.id)" }
                    #expect(steps == expected, "\(host) to \(target)")
                }
            }

            let file = "/etc/apt/sources.list.d/system.list"
            let reset = "cp -p /root/system.list \(file); apt-get -q update >/dev/null"
            try await core.shell(
                """
                printf '%s\\n' '# deb http://deb.debian.org/debian stretch main' '' >>\(file)
                chmod 640 \(file)
                cp -p \(file) /root/system.list
                """)
            let scripts = try CatalogueScripts()
            for release in ["3.23.0", "3.24.0", "3.25.0"] {
                // What the step before has left is a host that does not need it.
                let trial = try await Trial(
                    scripts.script(of: "\(release)-debian-nonfree"), on: core, after: reset, isTriedUntimely: release != "3.23.0")
                #expect([trial.untimely.status, trial.first.status, trial.second.status] == ["0", "0", "0"], "\(trial.first.output)")
                #expect(trial.untimely.changes.isEmpty && trial.second.changes.isEmpty)
                let change = try #require(trial.first.changes[file])
                #expect(trial.first.changes.count == 1 && change.gone.count == 1)
                #expect(change.new == change.gone.map { $0 + " non-free" })
            }

            try await core.shell(reset)
            for (host, target) in [(core, "3.23.0"), (cat, "3.25.0")] {
                let run = try await upgrade(person, to: target, "-l", host.name)
                #expect(run.outcomes == [host.name: "upgraded"])
                let steps = run[host.name].steps.filter { $0.id.hasPrefix("3.") }
                #expect(steps.map(\.id) == ["\(target)-debian-nonfree"])
                #expect(try await host.installed("snmp-mibs-downloader").hasPrefix("1.5"), "apt would have kept the old release else")
            }
        }
    }

    @Test("on the way to 3.39.0 each step that is due is carried out once, in the order of the phases, and a person does the rest")
    func wholePath() async throws {
        // Each of them has its Redis on another machine.
        let settings = [
            "c1": "stack: go, services: remote", "c2": "stack: go, services: remote", "c3": "edition: cat, stack: go, services: remote",
        ]
        try await Operator.at("c1:deb9:go:3.22.0", "c2:rpm:go:3.22.0", "c3:deb9:cat:go:3.25.0", hosts: settings) { person, lab in
            let paths = [
                LongPath(edition: .core, isOld: true, host: try lab["c1"]), LongPath(edition: .core, isOld: true, host: try lab["c2"]),
                LongPath(edition: .cat, isOld: false, host: try lab["c3"]),
            ]
            for path in paths {
                try await path.host.offer("3.39.0")
                try await path.prepare()
            }

            let scripts = try CatalogueScripts()
            let plan = try await plan(person, to: "3.39.0")
            for path in paths {
                let steps = plan[path.host.name].steps.filter { $0.origin != nil }
                #expect(steps.map(\.id) == path.steps, "\(path.host.name)")
                #expect(steps.filter { $0.kind == "job" }.map(\.id) == path.automatic)
                for step in steps where step.kind == "job" {
                    #expect(try step.script == scripts.script(of: step.id), "what was tried on hosts is what is planned: \(step.id)")
                }
            }

            let run = try await upgrade(person, to: "3.39.0", "--waves", "3", "--parked-place", "keep") { running in
                for step in LongPath.manual {
                    for path in paths {
                        try await running.waitFor("\(path.host.name): \(step) waits for a person")
                        let begun = try await jobs(on: path.host)
                        #expect(
                            begun == path.steps.prefix { $0 != step }.filter { path.automatic.contains($0) }, "\(path.host.name): \(step)")
                        try await path.act(step)
                    }
                    let number = try #require(running.talk.split(separator: "\n").first { $0.hasPrefix("run ") }?.dropFirst(4))
                    for path in paths {
                        try await person.fleet("confirm", String(number), path.host.name, step, "--by", "ana").ended(0)
                    }
                }
            }
            #expect(run.outcomes == ["c1": "upgraded", "c2": "upgraded", "c3": "upgraded"])
            for path in paths {
                let steps = run[path.host.name].steps
                let phases = steps.map(\.id).split { ["packages", "canopsinit", "restart"].contains($0) }
                #expect(phases.map { $0.filter { $0.hasPrefix("3.") } } == path.phases, "\(path.host.name)")
                #expect(steps.allSatisfy { $0.tries == 1 })
                #expect(try await jobs(on: path.host) == path.automatic, "\(path.host.name)")
                #expect(try await path.host.installed("canopsis-engines-go").hasPrefix("3.39.0"))
                try await path.check()
                try await path.repeatJobs()
            }
        }
    }

    /// The steps of releases that a host has had, in their order.
    private func jobs(on host: LabHost) async throws -> [String] {
        let jobs = try await host.jobs().compactMap { $0.split(separator: "/").last }.sorted()
        return jobs.map { String($0.drop { $0 != "-" }.dropFirst()) }.filter { $0.hasPrefix("3.") }
    }

    // MARK: what a person types

    private func plan(_ person: Operator, to target: String) async throws -> PlanDocumentForTests {
        let plan = try await person.fleet("plan", "--to", target, "--output", "json")
        plan.ended(0)
        return try plan.document(PlanDocumentForTests.self)
    }

    /// Upgrades every host of the inventory; the run has to succeed.
    private func upgrade(
        _ person: Operator, to target: String, _ more: String..., meanwhile: (Running) async throws -> Void = { _ in }
    ) async throws -> RunDocument {
        let arguments = ["upgrade", "--to", target, "--yes", "--output", "json"] + more
        let upgrade = try await person.fleet(arguments, limit: .seconds(300), meanwhile: meanwhile)
        upgrade.ended(0)
        return try upgrade.document(RunDocument.self)
    }
}

/// What Fleet runs for the steps of the catalogue it has inside.
struct CatalogueScripts {
    private let steps: [String: ReleaseStep]

    /// Reads the catalogue.
    init() throws {
        let steps = try BuiltInCatalogue.read().releases.flatMap(\.steps)
        self.steps = Dictionary(steps.map { ($0.id, $0) }) { first, _ in first }
    }

    /// The steps Fleet can do without a person.
    var automatic: [String] { steps.values.filter(\.isAutomatic).map(\.id) }

    /// The shell text that does a step.
    func script(of id: String) throws -> String {
        switch steps[id]?.work {
        case .shell(let text): text
        case .mongo(let text): DatabaseScript(text).shellText
        case .edit(let edit): edit.shellText
        case .influx, nil: throw Trouble("nothing in the catalogue does \(id)")
        }
    }
}
