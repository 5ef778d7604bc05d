import Foundation
import TestSupport
import Testing

/// What a plan refuses, and when a plan is no longer to be carried out.
@Suite("a plan for real hosts", .timeLimit(.minutes(30)))
struct PlanTests {
    @Test("what is not on offer, a downgrade and a major upgrade are blocked; a version nobody knows is a mistake")
    func refusedTargets() async throws {
        try await Operator.at("a1:deb9", "a2:rpm") { person, lab in
            for (target, code) in [("3.28.0", "gate-blocked"), ("3.24.0", "downgrade"), ("4.0.0", "major-upgrade")] {
                let plan = try await person.fleet("plan", "--to", target, "--output", "json")
                plan.ended(3)
                let document = try plan.document(PlanDocumentForTests.self)
                #expect(document.hosts.map(\.disposition) == ["blocked", "blocked"], "\(target)")
                #expect(document.hosts.map(\.reason?.code) == [code, code], "\(target)")
                #expect(document.waves.isEmpty)
                #expect(document.interrupted.isEmpty)
            }
            let upgrade = try await person.fleet("upgrade", "--to", "3.28.0", "--yes", "--output", "json")
            upgrade.ended(3)
            let run = try upgrade.document(RunDocument.self)
            #expect(run.counts == ["blocked": 2])
            #expect(run["a1"].reason?.text.contains("3.28.0 is not on offer") == true)

            for command in [["plan"], ["upgrade", "--yes"]] {
                let unknown = try await person.fleet(command + ["--to", "3.99.9", "--output", "json"])
                unknown.ended(2)
                #expect(try unknown.document(ErrorsDocument.self).codes == ["unknown-version"])
                #expect(unknown.stderr.contains("3.25.0, 3.26.0, 3.27.0"))
            }
            for host in lab.hosts {
                #expect(try await host.jobs().isEmpty, "\(host.name) was touched")
                #expect(try await host.installed().hasPrefix("3.25.0-1"))
            }
        }
    }

    @Test("an edited plan, a plan of yesterday's hosts, a question nobody can answer: nothing is touched")
    func notCarriedOut() async throws {
        try await Operator.at("a1:deb9", "a2:deb12") { person, lab in
            func expectUntouched() async throws {
                for host in lab.hosts { #expect(try await host.jobs().isEmpty, "\(host.name) was touched") }
            }
            try await person.fleet("plan", "--to", "3.26.0", "-o", "plan.json").ended(0)
            let file = person.folder + "/plan.json"
            let plan = try read(file)
            #expect(plan.contains("canoctl restart"))

            try write(plan.replacingOccurrences(of: "canoctl restart", with: "canoctl stop"), to: file)
            let edited = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json")
            edited.ended(2)
            #expect(try edited.document(ErrorsDocument.self).codes == ["plan-edited"])
            try write(plan, to: file)

            let unasked = try await person.fleet("upgrade", "plan.json", "--output", "json")
            unasked.ended(2)
            #expect(try unasked.document(ErrorsDocument.self).codes == ["not-confirmed"])
            #expect(unasked.stderr.contains("The service of each of 2 hosts would be interrupted"))
            let declined = try await person.fleet(answering: "", "upgrade", "plan.json")
            declined.ended(5)
            #expect(declined.stdout.contains("[y/N]"))
            #expect(declined.stdout.contains("Nothing was done."))
            let written = try FileManager.default.contentsOfDirectory(atPath: person.logs)
            #expect(written.allSatisfy { $0.hasPrefix("journal.sqlite") }, "there was no run")
            try await expectUntouched()

            try await lab["a2"].shell("apt-get -q update >/dev/null && apt-get -q -y install canopsis-core=3.26.0-1 >/dev/null </dev/null")
            let stale = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json")
            stale.ended(8)
            let errors = try stale.document(ErrorsDocument.self)
            #expect(errors.codes == ["plan-out-of-date"])
            #expect(errors.errors.first?.place == "a2")
            #expect(errors.errors.first?.what.contains("3.25.0-1 was installed, now canopsis-core 3.26.0-1") == true)
            try await expectUntouched()
            #expect(try await lab["a1"].installed() == "3.25.0-1")
            #expect(try await lab["a1"].canopsinitCalls().isEmpty)
        }
    }

    @Test("two entries of an inventory that are one machine are refused, by their names")
    func oneMachineTwice() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            try await host.shell("systemd-run --quiet --unit=second-sshd /usr/sbin/sshd -D -p 2222")
            let keys = try read(person.knownHosts)
            try write(keys + keys.replacingOccurrences(of: host.address, with: "[\(host.address)]:2222"), to: person.knownHosts)
            try write(try read(person.inventory) + "  b1: {address: \(host.address), port: 2222}\n", to: person.inventory)

            // systemd-run comes back before sshd listens.
            let deadline = ContinuousClock.now + .seconds(30)
            while try await person.fleet("exec", "-l", "b1", "--", "true").status != 0 {
                guard ContinuousClock.now < deadline else { throw Trouble("the second sshd does not listen") }
            }
            for command in [["plan"], ["upgrade", "--yes"]] {
                let result = try await person.fleet(command + ["--to", "3.26.0", "--output", "json"])
                result.ended(2)
                #expect(try result.document(ErrorsDocument.self).codes == ["same-machine"])
                #expect(result.stderr.contains("b1 and a1 are the same machine"))
            }
            #expect(try await host.jobs().isEmpty)
            try await person.fleet("plan", "-l", "!b1", "--to", "3.26.0").ended(0)
        }
    }
}
