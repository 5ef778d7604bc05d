import Foundation
import TestSupport
import Testing

/// Runs that are left and taken up again, by the same person or another, on real hosts. `docs/reliability.md` has the table.
@Suite("runs taken up again on real hosts", .timeLimit(.minutes(30)))
struct DurabilityTests {
    /// A coordinator is killed while the `canopsinit` of its one host runs, which then goes on until its `sleep 1000` is ended.
    private static func leaveInCanopsinit(_ host: LabHost, _ person: Operator) async throws {
        try await host.turn("canopsinit.sleep", to: "1000")
        let first = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json") { running in
            try await running.wait("canopsinit runs") { try await !host.canopsinitCalls().isEmpty }
            running.send(SIGKILL)
        }
        first.ended(128 + SIGKILL)
    }

    /// How often the new package was configured on a host, counted when that begins.
    private static func configured(_ host: LabHost) async throws -> Int {
        try await host.lines(of: "/var/log/fleet-lab/postinst.count").count { $0.contains(" canopsis-core 3.26.0 ") }
    }

    @Test(
        "killed while three hosts are in their packages, two through sudo, /tmp noexec: resume from a copy of the logs finishes them"
    )
    func threeInPackages() async throws {
        let sudo = "user: ops, become: sudo"
        try await Operator.at("a1:deb12", "a2:deb9", "a3:rpm", hosts: ["a2": sudo, "a3": sudo]) { person, lab in
            for host in lab.hosts {
                try await host.turn("postinst.sleep", to: "12")
                try await host.shell("mount -t tmpfs -o noexec,nosuid,nodev tmpfs /tmp")
            }
            let first = try await person.fleet("upgrade", "--to", "3.26.0", "--waves", "3", "--yes", "--output", "json") { running in
                try await running.wait("every host is in its packages") {
                    for host in lab.hosts where try await Self.configured(host) == 0 { return false }
                    return true
                }
                running.send(SIGKILL)
            }
            first.ended(128 + SIGKILL)

            // Another machine has a copy of the logs, a key and a list of host keys at places of its own.
            try await person.shell(
                "cp -r '\(person.logs)' '\(person.folder)/copy' && mv '\(person.knownHosts)' '\(person.folder)/elsewhere'")
            let resumed = try await person.fleet(
                "resume", "--yes", "--output", "json", "--logs", person.folder + "/copy", "--known-hosts", person.folder + "/elsewhere",
                "--identity", Lab.identityFile, limit: .seconds(300))
            resumed.ended(0)
            let run = try resumed.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded", "a3": "upgraded"])
            for host in lab.hosts {
                #expect(run[host.name].steps.map(\.tries) == UpgradeTests.steps.map { _ in 1 })
                #expect(try await Self.configured(host) == 1, "\(host.name): its packages were begun again")
                #expect(try await host.canopsinitCalls() == [""])
                #expect(try await host.lines(of: "/var/log/fleet-lab/canoctl.count").count == 1)
            }
            // The events are those of the journal, though the first coordinator was killed between two writes.
            let events = try read("\(person.folder)/copy/\(run.run)/events.jsonl").split(separator: "\n")
            let sequences = try events.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])["sequence"] as? Int
            }
            #expect(sequences == Array(1...events.count))
        }
    }

    @Test(
        "fleet abort, said twice, lets the hosts at work finish and ends the run with 5; no second process carries it out meanwhile"
    )
    func abort() async throws {
        try await Operator.at("a1:deb12", "a2:deb9") { person, lab in
            try await lab["a1"].turn("canopsinit.sleep", to: "1000")
            let result = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "1", "--reason", "la mise à jour d'été", "--yes", "--output", "json"
            ) { running in
                try await running.wait("canopsinit runs") { try await !lab["a1"].canopsinitCalls().isEmpty }
                let second = try await person.fleet("resume", "--yes")
                second.ended(2)
                #expect(second.stderr.contains("Another process carries this run out"), "\(second.stderr)")
                let locks = try await person.fleet("lock", "list")
                #expect(locks.stdout.replacing("\n    ", with: " ").contains("upgrade to 3.26.0, la mise à jour d'été"), "\(locks.stdout)")
                for _ in 0..<2 { try await person.fleet("abort", Self.latest(person), "--yes").ended(0) }
                try await lab["a1"].shell("pkill -x -f 'sleep 1000'")
            }
            result.ended(5)
            let run = try result.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "not_started"])
            #expect(try await lab["a2"].jobs().isEmpty)
            let report = try await person.fleet("report")
            #expect(
                report.stdout.contains("for: la mise à jour d'été") && report.stdout.contains("an operator asked to stop"),
                "\(report.stdout)")
        }
    }

    private static func latest(_ person: Operator) throws -> String {
        try #require(try FileManager.default.contentsOfDirectory(atPath: person.logs).filter { $0.first == "2" }.max())
    }

    @Test("--lock-wait waits for the other run and takes the host then; without it the host is put off and its holder named")
    func lockWait() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            try await host.turn("canopsinit.sleep", to: "1000")
            let plan = try await person.fleet("plan", "--to", "3.26.0", "-o", "plan.json")
            plan.ended(0)
            let result = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json") { running in
                try await running.wait("canopsinit runs") { try await !host.canopsinitCalls().isEmpty }
                let put = try await person.fleet(
                    "upgrade", "-i", person.inventory, "--to", "3.26.0", "--yes", "--output", "json", "--logs", "other")
                put.ended(7)
                // It begins when the first run is through, from what that one left.
                async let waiting = person.fleet(
                    "upgrade", "-i", person.inventory, "--to", "3.27.0", "--lock-wait", "2m", "--yes", "--output", "json", "--logs", "third"
                )
                try await Task.sleep(for: .seconds(3))
                try await host.turn("canopsinit.sleep", to: "0")
                try await host.shell("pkill -x -f 'sleep 1000'")
                let waited = try await waiting
                waited.ended(0)
                #expect(try waited.document(RunDocument.self)["a1"].to == "3.27.0")
                #expect(try await host.canopsinitCalls().count == 2, "each run once")
            }
            result.ended(0)
            #expect(try result.document(RunDocument.self).outcomes == ["a1": "upgraded"])
        }
    }

    @Test("a lock is broken only where nobody is at work, on a person's word, which the host and the journal keep")
    func lockBreak() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            try await Self.leaveInCanopsinit(host, person)
            let kept = try await person.fleet("lock", "break", "--yes")
            kept.ended(7)
            #expect(kept.stderr.contains("kept: "), "\(kept.stderr)")
            try await host.shell("pkill -x -f 'sleep 1000'")
            try await host.shell(
                "i=0; while [ ! -e /var/lib/fleet/jobs/*/04-canopsinit/status ]; do i=$((i + 1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done"
            )
            try await host.shell("touch -d '1 hour ago' /var/lib/fleet/lock/holder")
            let broken = try await person.fleet("lock", "break", "--yes")
            broken.ended(0)
            #expect(try await host.shell("cat /var/lib/fleet/broken-locks").contains("broken by "))
            #expect(try await person.fleet("history").stdout.contains("fleet lock break"))
            // The run that was broken off finds its host free, and still does nothing twice.
            let resumed = try await person.fleet("resume", "--yes", "--output", "json")
            resumed.ended(0)
            #expect(try await host.canopsinitCalls() == [""])
        }
    }

    @Test("a host that was made anew since its run was left is not touched: its key is refused, and trusted, it is blocked")
    func reinstalled() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            try await Self.leaveInCanopsinit(host, person)
            // Another machine at the same address.
            try await host.shell(
                "rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key; "
                    + "echo 0123456789abcdef0123456789abcdef >/etc/machine-id; rm -rf /var/lib/fleet; systemctl restart ssh")
            let refused = try await person.fleet("resume", "--yes", "--reconnect", "1s", "--output", "json")
            refused.ended(4)
            #expect(try refused.document(RunDocument.self)["a1"].reason?.code == "host-key-refused")
            let key = try await host.shell("cut -d ' ' -f 1-2 /etc/ssh/ssh_host_ed25519_key.pub")
            try TestSupport.write("\(host.address) \(key)", to: person.knownHosts)
            let blocked = try await person.fleet("resume", "--yes", "--output", "json")
            blocked.ended(3)
            let run = try blocked.document(RunDocument.self)
            #expect(run["a1"].outcome == "blocked")
            #expect(run["a1"].reason?.code == "identity-changed")
            #expect(try await host.jobs().isEmpty, "the new machine was touched")
        }
    }
}
