import Foundation
import TestSupport
import Testing

/// Hosts that pass many releases at once: each gets what its edition and stack need, at the right moment.
@Suite("an upgrade of real hosts over many releases", .timeLimit(.minutes(30)))
struct ReleasePathTests {
    private static let accounts = """
        db.default_rights.find({_id: {$in: ['root', 'canopsis']}}).sort({_id: 1}).forEach(function (user) {
            print([user._id, user.shadowpasswd, user.authkey, user.mail, user.enable].join(' '));
        });
        """

    /// The names of the jobs a host has of a run, in their order.
    private static func jobs(on host: LabHost, of run: String) async throws -> [String] {
        try await host.shell("ls /var/lib/fleet/jobs/\(run) | grep -E '^[0-9]+-' | sed 's/^[0-9]*-//'")
            .split(separator: "\n").map(String.init)
    }

    @Test(
        "from 3.25.0 to 3.38.0 a go/cat host gets its steps and a core/python host does not; a step for a person survives kill -9, and the accounts are what they were"
    )
    func manyReleases() async throws {
        let settings = ["a2": "edition: cat, stack: go"]
        try await Operator.at("a1", "a2:cat:go", hosts: settings) { person, lab in
            let (plain, rich) = (try lab["a1"], try lab["a2"])
            for host in lab.hosts { try await host.offer("3.25.0", "3.38.0") }
            let before = try await [plain.database(Self.accounts), rich.database(Self.accounts)]
            #expect(before[0].contains("root ") && before[0].contains("canopsis "))

            let first = try await person.fleet(
                "upgrade", "--to", "3.38.0", "--waves", "2", "--yes", "--output", "json", limit: .seconds(400))
            first.ended(6)
            let run = try first.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "waiting"])
            #expect(run["a2"].reason?.code == "step-awaited")
            let report = try await person.fleet("report")
            #expect(report.stdout.contains("fleet confirm \(run.run) a2 3.32.0-influx-stat"))

            let onPlain = try await Self.jobs(on: plain, of: run.run)
            #expect(
                onPlain == [
                    "check-database", "3.38.0-shadowpass-rename", "packages", "3.29.0-ticketapi-module", "save-accounts", "canopsinit",
                    "restore-accounts", "daemon-reload", "restart", "3.32.0-pbehavior-templates",
                ])
            let onRich = try await Self.jobs(on: rich, of: run.run)
            for step in ["3.29.0-autodeclaretickets", "3.31.0-go-engines-vars", "3.33.0-dynamic-infos-module", "3.34.0-enable-engines"] {
                #expect(onRich.contains(step) && !onPlain.contains(step), "\(step)")
            }
            #expect(onRich.firstIndex(of: "3.38.0-shadowpass-rename").map { $0 < (onRich.firstIndex(of: "packages") ?? 0) } == true)
            let stopped = try #require(onRich.firstIndex(of: "stop-engines-1"))
            let started = try #require(onRich.firstIndex(of: "start-engines-1"))
            #expect(onRich[stopped...started].contains("3.34.0-rabbitmq-init"))
            #expect(!onRich.contains("3.34.0-start"), "nothing after the step that waits was begun")

            // Taken up again, killed while it waits or at its look, and taken up once more: the step waits as before.
            let killed = try await person.fleet("resume", run.run, "--yes") { running in
                try await running.waitFor("a2: connecting")
                running.send(SIGKILL)
            }
            killed.ended(128 + SIGKILL)
            let still = try await person.fleet("resume", run.run, "--yes", "--output", "json")
            still.ended(6)
            #expect(try still.document(RunDocument.self)["a2"].reason?.code == "step-awaited")

            try await person.fleet("confirm", run.run, "a1", "3.32.0-influx-stat", "--by", "ana").ended(2)
            try await person.fleet("confirm", run.run, "a2", "3.32.0-influx-stat", "--by", "ana", "--note", "rebuilt").ended(0)
            let last = try await person.fleet("resume", run.run, "--yes", "--output", "json", limit: .seconds(300))
            last.ended(0)
            let document = try last.document(RunDocument.self)
            #expect(document.outcomes == ["a1": "upgraded", "a2": "upgraded"])

            #expect(try await [plain.database(Self.accounts), rich.database(Self.accounts)] == before)
            #expect(try await rich.shell("cat /opt/canopsis/VERSION.txt").contains("3.38.0"))
            let calls = try await rich.shell("wc -l </var/lib/canopsis-db/canopsinit.count")
            #expect(calls.trimmingCharacters(in: .whitespacesAndNewlines) == "1", "canopsinit ran once")
            // No secret left the host.
            let secrets = before.joined(separator: " ").split(whereSeparator: \.isWhitespace).map(String.init).filter { $0.count >= 36 }
            #expect(secrets.count >= 4)
            for file in try FileManager.default.subpathsOfDirectory(atPath: person.folder + "/logs") {
                guard let data = FileManager.default.contents(atPath: person.folder + "/logs/" + file) else { continue }
                let text = String(decoding: data, as: UTF8.self)
                #expect(!secrets.contains { text.contains($0) }, "\(file)")
            }
            #expect(try await rich.shell("cat /var/log/fleet-lab/mongo.count").contains(" -p") == false)
            #expect(try await rich.shell("ls /var/lib/fleet/jobs/\(run.run)/accounts-3.38.0 2>&1 || true").contains("No such file"))
        }
    }

    @Test("a database that lost its marker since the plan stops a host before anything is changed; a wrong edition does, too")
    func wouldBeWiped() async throws {
        try await Operator.at("b1", "b2", hosts: ["b2": "edition: core"]) { person, lab in
            let (unmarked, wrong) = (try lab["b1"], try lab["b2"])
            try await person.fleet("plan", "--to", "3.26.0", "--waves", "2", "--max-failures", "2", "-o", "plan.json").ended(0)
            try await unmarked.database("db.initialized.remove({})")
            try await wrong.database("db.configuration.update({_id: 'canopsis_version'}, {$set: {edition: 'cat'}})")
            let run = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json")
            run.ended(3)
            let document = try run.document(RunDocument.self)
            for (host, words) in [("b1", "would take the database for a new one"), ("b2", "the database says edition cat")] {
                #expect(document.outcomes[host] == "failed")
                #expect(document[host].reason?.text.contains(words) == true, "\(document[host].reason?.text ?? "-")")
            }
            for host in lab.hosts {
                #expect(try await host.shell("cat /opt/canopsis/VERSION.txt").contains("3.25.0"))
                #expect(try await host.shell("cat /var/lib/canopsis-db/canopsinit.count 2>/dev/null | wc -l").hasPrefix("0"))
            }
        }
    }

    @Test(
        "below 3.27.0 canopsinit resets all of an account, and it is what it was; a deleted account is not made anew, behind a login as well"
    )
    func restored() async throws {
        try await Operator.at("d1", "d2:rpm") { person, lab in
            let (deleted, locked) = (try lab["d1"], try lab["d2"])
            try await deleted.database("db.default_rights.remove({_id: 'canopsis'})")
            try await locked.turn("mongo.auth", to: "yes")
            let before = try await [deleted.database(Self.accounts), locked.database(Self.accounts)]
            #expect(!before[0].contains("canopsis ") && before[1].contains("canopsis "))
            let run = try await person.fleet("upgrade", "--to", "3.26.0", "--waves", "2", "--yes", "--output", "json")
            run.ended(0)
            #expect(try await [deleted.database(Self.accounts), locked.database(Self.accounts)] == before)
        }
    }

    @Test("step by step a host is brought to each version with the whole procedure, and one that is not on offer keeps it out")
    func stepByStep() async throws {
        try await Operator.at("g1", "g2:rpm") { person, lab in
            let hosts = (try lab["g1"], try lab["g2"])
            for host in lab.hosts { try await host.offer("3.25.0", "3.27.0", "3.29.0") }
            let before = try await [hosts.0.database(Self.accounts), hosts.1.database(Self.accounts)]
            let missing = try await person.fleet("plan", "--to", "3.29.0", "--step-by-step", "3.27.0,3.28.0", "--output", "json")
            missing.ended(3)
            #expect(try missing.document(PlanDocumentForTests.self)["g1"].reason?.text.contains("3.28.0") == true)
            try await person.fleet("plan", "--to", "3.29.0", "--step-by-step", "3.29.0").ended(2)
            try await person.fleet("plan", "--to", "3.29.0", "--step-by-step", "3.27.0", "--waves", "2", "-o", "plan.json").ended(0)

            let run = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json", limit: .seconds(400))
            run.ended(0)
            let document = try run.document(RunDocument.self)
            #expect(document.outcomes == ["g1": "upgraded", "g2": "upgraded"])
            let own = ["check-database", "packages", "save-accounts", "canopsinit", "restore-accounts", "daemon-reload", "restart"]
            for host in lab.hosts {
                let jobs = try await Self.jobs(on: host, of: document.run)
                #expect(jobs.filter { $0.hasPrefix("to-3.27.0.") } == own.map { "to-3.27.0." + $0 }, "\(host.name)")
                #expect(jobs.filter(own.contains) == own, "\(host.name)")
                #expect(jobs.contains("3.29.0-ticketapi-module"), "\(host.name)")
                #expect(try await host.canopsinitCalls().count == 2, "\(host.name)")
                #expect(try await host.shell("cat /opt/canopsis/VERSION.txt").contains("3.29.0"), "\(host.name)")
            }
            #expect(try await [hosts.0.database(Self.accounts), hosts.1.database(Self.accounts)] == before)
        }
    }

    @Test("a host without a client for its database waits for a person, whose answer a run that keeps its place takes by itself")
    func noClient() async throws {
        try await Operator.at("c1:no-mongo", "c2:no-mongo") { person, lab in
            let first = try await person.fleet("upgrade", "-l", "c1", "--to", "3.26.0", "--yes", "--output", "json")
            first.ended(6)
            let document = try first.document(RunDocument.self)
            #expect(document["c1"].reason?.code == "step-awaited")
            try await person.fleet("skip", document.run, "c1", "restore-accounts").ended(2)
            try await person.fleet("skip", document.run, "c1", "restore-accounts", "--note", "a test host", "--by", "ana").ended(0)
            let resumed = try await person.fleet("resume", document.run, "--yes", "--output", "json")
            resumed.ended(0)
            #expect(try resumed.document(RunDocument.self).outcomes == ["c1": "upgraded"])

            let kept = try await person.fleet(
                "upgrade", "-l", "c2", "--to", "3.26.0", "--parked-place", "keep", "--yes", "--output", "json"
            ) { running in
                try await running.waitFor("restore-accounts waits for a person")
                let run = try await person.fleet("status", "--output", "json").document(RunDocument.self)
                #expect(run.outcome == "running")
                try await person.fleet("confirm", run.run, "c2", "restore-accounts", "--by", "ana").ended(0)
            }
            kept.ended(0)
            #expect(try kept.document(RunDocument.self).outcomes == ["c2": "upgraded"])
            #expect(try await lab["c2"].canopsinitCalls().count == 1)
        }
    }
}
