import Foundation
import TestSupport
import Testing

/// Add-ons of customers and hooks of the operator, on real hosts.
@Suite("add-ons and hooks on real hosts", .timeLimit(.minutes(30)))
struct AddOnTests {
    /// Writes a step file beside the inventory.
    private static func write(_ text: String, as name: String, of person: Operator) throws {
        try FileManager.default.createDirectory(atPath: person.folder + "/add-ons", withIntermediateDirectories: true)
        try TestSupport.write(text, to: person.folder + "/add-ons/" + name)
    }

    /// Adds hooks for every moment to the inventory: a program that writes down when it is called, and fails where it is told to.
    private static func addHooks(to person: Operator, failing: String = "") throws {
        let program = person.folder + "/count"
        try TestSupport.write(
            """
            #!/bin/sh
            echo "$FLEET_EVENT $FLEET_WAVE $FLEET_HOST $FLEET_OUTCOME" >>"\(person.folder)/calls"
            cat >/dev/null
            if [ "$FLEET_EVENT" = "\(failing)" ]; then echo no >&2; exit 3; fi

            """, to: program)
        chmod(program, 0o755)
        let events = ["before_run", "after_run", "before_wave", "after_wave", "before_host", "after_host"]
        try TestSupport.write(
            try read(person.inventory) + "hooks:\n" + events.map { "  \($0): {command: [./count]}\n" }.joined(), to: person.inventory)
    }

    private static func calls(_ person: Operator) throws -> [String] {
        try read(person.folder + "/calls").split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    }

    @Test(
        "a plan carries an add-on's steps out where they belong, without its file; hooks are called in order")
    func carriedOut() async throws {
        try await Operator.at("a1:deb9", "a2:rpm", hosts: ["a1": "addons: [add-ons/acme.yaml]"]) { person, lab in
            try Self.write(
                """
                name: acme-dashboards
                steps:
                  - id: before
                    phase: before_packages
                    kind: shell
                    title: keep the version
                    script: cat /opt/canopsis/VERSION.txt >/srv/before; echo noted >/srv/acme
                  - id: reload
                    phase: after_restart
                    kind: shell
                    title: reload the dashboards
                    script: |
                      echo reloaded >>/srv/acme
                      exit 0
                    idempotent: false
                    check: grep -c . /srv/acme
                  - {id: cat, phase: after_restart, kind: shell, title: not here, script: "touch /srv/cat", when: [{edition: cat}]}
                """, as: "acme.yaml", of: person)
            try Self.addHooks(to: person)
            try await person.fleet("plan", "--to", "3.26.0", "--waves", "1", "-o", "plan.json").ended(0)
            try FileManager.default.removeItem(atPath: person.folder + "/add-ons")
            let upgrade = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json", limit: .seconds(400))
            upgrade.ended(0)
            let run = try upgrade.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded"])
            let own = run["a1"].steps.map(\.id).filter { $0.hasPrefix("acme-dashboards.") }
            #expect(own == ["acme-dashboards.before", "acme-dashboards.reload"])
            #expect(run["a1"].step("acme-dashboards.reload")?.outcome == "succeeded")
            #expect(!run["a2"].steps.contains { $0.id.contains("acme") })
            #expect(try await lab["a1"].shell("cat /srv/acme") == "noted\nreloaded\n")
            #expect(try await lab["a1"].shell("cat /srv/before").contains("3.25.0"))
            #expect(try await lab["a1"].shell("ls /srv/cat 2>&1 || true").contains("No such file"))
            #expect(try await lab["a2"].shell("ls /srv/acme 2>&1 || true").contains("No such file"))
            let calls = [
                "before_run", "before_wave 1", "before_host 1 a1", "after_host 1 a1 upgraded", "after_wave 1", "before_wave 2",
                "before_host 2 a2", "after_host 2 a2 upgraded", "after_wave 2", "after_run succeeded",
            ]
            #expect(try Self.calls(person) == calls)
            #expect(run.hooks.count == 10 && run.hooks.allSatisfy { $0.outcome == "ok" && $0.exit == 0 })
        }
    }

    @Test("an add-on whose check fails makes the host failed at that step; once its cause is mended, the run is finished")
    func checkFails() async throws {
        try await Operator.at("b1:deb12", hosts: ["b1": "addons: [add-ons/sla.yaml]"]) { person, lab in
            try Self.write(
                """
                name: sla
                steps:
                  - {id: look, phase: after_init, kind: shell, title: see to it, script: "echo done", check: "test -e /srv/mended"}
                """, as: "sla.yaml", of: person)
            let first = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
            first.ended(3)
            let run = try first.document(RunDocument.self)
            let step = try #require(run["b1"].steps.last)
            #expect(run["b1"].outcome == "failed" && step.id == "sla.look" && step.outcome == "failed" && step.exit == 1)
            #expect(step.reason?.text.contains("the check of this step failed") == true)
            let report = try await person.fleet("report")
            #expect(report.stdout.contains("b1 failed, step sla.look (see to it)"))
            #expect(try await !lab["b1"].jobs().contains { $0.contains("restart") }, "a host that failed a step takes no further step")

            try await lab["b1"].shell("touch /srv/mended")
            let retry = try await person.fleet("retry", "--yes", "--output", "json")
            retry.ended(0)
            #expect(try retry.document(RunDocument.self).outcomes == ["b1": "upgraded"])
        }
    }

    @Test(
        "a hook that fails before the run touches no host, one that fails before a host holds it back, and a host that says nothing is blocked"
    )
    func refused() async throws {
        try await Operator.at("c1:deb12") { person, lab in
            let plain = try read(person.inventory)
            try Self.addHooks(to: person, failing: "before_run")
            let first = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
            first.ended(5)
            let run = try first.document(RunDocument.self)
            #expect(run.outcomes == ["c1": "not_started"] && run["c1"].reason?.code == "rollout-stopped")
            #expect(try Self.calls(person) == ["before_run", "after_run stopped"])

            try TestSupport.write(plain, to: person.inventory)
            try Self.addHooks(to: person, failing: "before_host")
            let second = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
            second.ended(5)
            let host = try second.document(RunDocument.self)["c1"]
            #expect(host.outcome == "not_started" && host.reason?.code == "hook-failed")

            try TestSupport.write(plain.replacingOccurrences(of: "addons: none, ", with: ""), to: person.inventory)
            let third = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
            third.ended(3)
            let blocked = try third.document(RunDocument.self)["c1"]
            #expect(blocked.outcome == "blocked" && blocked.reason?.text.contains("does not say what add-ons") == true)

            #expect(try await lab["c1"].jobs().isEmpty)
            #expect(try await lab["c1"].installed().hasPrefix("3.25.0-1"))
            #expect(try await lab["c1"].shell("ls /var/lib/fleet/lock 2>&1 || true").contains("No such file"))
        }
    }
}
