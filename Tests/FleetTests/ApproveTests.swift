import Foundation
import TestSupport
import Testing

/// A run that a person allows wave by wave.
@Suite("an upgrade of real hosts with approvals", .timeLimit(.minutes(30)))
struct ApproveTests {
    @Test("ends before each wave but the first; only an approval and a resume begin the next")
    func approve() async throws {
        let settings = ["a1": "customer: acme, labels: {site: paris}", "a2": "customer: acme", "a3": "customer: globex"]
        try await Operator.at("a1:deb12", "a2:deb12", "a3:deb12", hosts: settings) { person, lab in
            let planned = try await person.fleet(
                "plan", "--to", "3.26.0", "--waves", "1,2", "--approve", "--spread", "customer", "--limits", "site=1", "-o", "plan.json",
                "--output", "json")
            planned.ended(0)
            let plan = try planned.document(PlanDocumentForTests.self)
            #expect(plan.approve && plan.spread == "customer" && plan.limits == ["site": 1] && plan.pause == nil)

            let first = try await person.fleet("upgrade", "plan.json", "--yes", "--output", "json")
            first.ended(6)
            let run = try first.document(RunDocument.self)
            #expect(run.outcome == "waiting")
            #expect(run.outcomes == ["a1": "upgraded", "a2": "waiting", "a3": "waiting"])
            #expect(run["a2"].reason?.code == "approval-needed")
            #expect(first.stderr.contains("wave 2 of 2 waits for an approval"))
            let report = try await person.fleet("report")
            report.ended(0)
            #expect(report.stdout.contains("fleet approve \(run.run)"))

            let early = try await person.fleet("resume", run.run, "--yes", "--output", "json")
            early.ended(6)
            #expect(try early.document(RunDocument.self).outcomes == run.outcomes)
            #expect(early.stderr.contains("until wave 2 is approved"))
            for name in ["a2", "a3"] {
                #expect(try await lab[name].jobs().isEmpty, "\(name) was touched")
                #expect(try await lab[name].installed() == "3.25.0-1")
            }

            let approval = try await person.fleet("approve", run.run, "--by", "Zoé")
            approval.ended(0)
            #expect(approval.stderr.contains("is approved by Zoé"))
            let twice = try await person.fleet("approve", run.run)
            twice.ended(2)
            #expect(twice.stderr.contains("is approved already, by Zoé"))
            let status = try await person.fleet("status", run.run, "--output", "json")
            status.ended(0)
            #expect(try status.document(RunDocument.self)["a3"].reason?.code == "approved")
            #expect(try read(person.logs + "/\(run.run)/events.jsonl").contains(#""approved":{"by":"Zoé","wave":2}"#))

            let rest = try await person.fleet("resume", run.run, "--yes", "--output", "json")
            rest.ended(0)
            #expect(try rest.document(RunDocument.self).outcomes == ["a1": "upgraded", "a2": "upgraded", "a3": "upgraded"])
            for host in lab.hosts {
                #expect(try await host.installed() == "3.26.0-1")
                #expect(try await host.canopsinitCalls() == [""])
            }
            let over = try await person.fleet("approve", run.run)
            over.ended(2)
            #expect(over.stderr.contains("No wave of run \(run.run) waits for an approval"))
        }
    }
}
