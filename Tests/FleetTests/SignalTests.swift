import Foundation
import TestSupport
import Testing

/// What signals do to a run: hosts are never left halfway by them.
@Suite("signals during an upgrade of real hosts", .timeLimit(.minutes(30)))
struct SignalTests {
    @Test("after SIGINT the host at work finishes and no other is begun; SIGHUP ends nothing")
    func interrupt() async throws {
        try await Operator.at("a1:deb9", "a2:deb12") { person, lab in
            try await lab["a1"].turn("canopsinit.sleep", to: "4")
            let result = try await person.fleet("upgrade", "--to", "3.26.0", "--waves", "1", "--yes", "--output", "json") { running in
                try await running.waitFor("a1: packages:")
                running.send(SIGHUP)
                try await running.waitFor("a1: canopsinit:")
                let status = try await person.fleet("status", "--output", "json")
                status.ended(0)
                let halfway = try status.document(RunDocument.self)
                #expect(halfway.outcome == "running")
                #expect(halfway.exit_status == nil)
                #expect(halfway.outcomes == ["a1": "running", "a2": "not_started"])
                running.send(SIGINT)
            }
            result.ended(130)
            let run = try result.document(RunDocument.self)
            #expect(run.outcome == "interrupted")
            #expect(run.outcomes == ["a1": "upgraded", "a2": "not_started"])
            #expect(run["a1"].steps.map(\.outcome) == UpgradeTests.steps.map { _ in "succeeded" })
            #expect(run["a2"].reason != nil)
            #expect(try await lab["a1"].canopsinitCalls() == [""])
            #expect(try await lab["a2"].jobs().isEmpty)
            #expect(try await lab["a2"].installed() == "3.25.0-1")

            let report = try await person.fleet("report")
            report.ended(0)
            #expect(report.stdout.contains("SIGINT"))
        }
    }

    @Test("after a second SIGTERM Fleet leaves at once; the job on the host goes on to its end, and nobody else begins there meanwhile")
    func leaveAtOnce() async throws {
        try await Operator.at("a1:deb12") { person, lab in
            let host = try lab["a1"]
            try await host.turn("canopsinit.sleep", to: "1000")
            let result = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json") { running in
                try await running.wait("canopsinit runs") { try await !host.canopsinitCalls().isEmpty }
                running.send(SIGTERM)
                try await Task.sleep(for: .milliseconds(200))
                running.send(SIGTERM)
            }
            result.ended(143)
            let run = try result.document(RunDocument.self)
            #expect(run.outcome == "interrupted")
            #expect(run.outcomes == ["a1": "unknown"])
            #expect(run["a1"].step("canopsinit")?.outcome == "unknown")
            #expect(run["a1"].step("restart") == nil)

            let other = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json")
            other.ended(7)
            let put = try other.document(RunDocument.self)["a1"]
            #expect(put.outcome == "deferred")
            #expect(put.reason?.text.contains(run.run) == true, "\(put.reason?.text ?? "")")
            #expect(put.steps.isEmpty)

            // The database step comes to its end by itself, whoever looks.
            #expect(try await host.lines(of: "/var/lib/canopsis-db/canopsinit.ended").isEmpty)
            try await host.shell("pkill -x -f 'sleep 1000'")
            try await host.shell(
                "i=0; while [ ! -e /var/lib/fleet/jobs/*/04-canopsinit/status ]; do i=$((i + 1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done"
            )
            #expect(try await host.shell("head -n 1 /var/lib/fleet/jobs/*/04-canopsinit/status") == "exited 0\n")
            #expect(try await host.canopsinitCalls() == [""])
            #expect(try await host.jobs() == Array(UpgradeTests.jobs(of: run.run).prefix(4)), "no further step, no other run")

            // Its own run goes on where it left, and does not repeat what ended meanwhile.
            let resumed = try await person.fleet("resume", run.run, "--yes", "--output", "json")
            resumed.ended(0)
            let finished = try resumed.document(RunDocument.self)
            #expect(finished.run == run.run)
            #expect(finished.outcomes == ["a1": "upgraded"])
            #expect(try await host.canopsinitCalls() == [""])
            #expect(
                try await host.jobs()
                    == UpgradeTests.jobs(of: run.run))
            let after = try await person.fleet("lock", "list", "--output", "json")
            after.ended(0)
            #expect(after.stdout.contains("\"free\""))
        }
    }

    @Test("a coordinator that was killed leaves a run that says so, and a job that goes on; nothing claims success")
    func killed() async throws {
        try await Operator.at("a1:deb9") { person, lab in
            let host = try lab["a1"]
            try await host.turn("canopsinit.sleep", to: "1000")
            let result = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json") { running in
                try await running.wait("canopsinit runs") { try await !host.canopsinitCalls().isEmpty }
                running.send(SIGKILL)
            }
            result.ended(128 + SIGKILL)
            #expect(result.stdout.isEmpty)

            let status = try await person.fleet("status", "--output", "json")
            status.ended(0)
            let run = try status.document(RunDocument.self)
            #expect(run.outcome == "incomplete")
            #expect(run.exit_status == 4)
            #expect(run.ended == nil)
            #expect(run.outcomes == ["a1": "unknown"])
            #expect(run["a1"].step("packages")?.outcome == "succeeded")
            let report = try await person.fleet("report")
            report.ended(0)
            #expect(report.stdout.replacingOccurrences(of: "\n  ", with: " ").contains("the coordinator is gone without having ended it"))
            #expect(try await host.shell("systemctl is-active 'fleet-*-04-canopsinit.service'") == "active\n")

            // It is taken up again while the job still runs, by a coordinator that is killed too, and then by one that may finish.
            let again = try await person.fleet("resume", "--yes") { running in
                try await running.waitFor("a1: connecting")
                running.send(SIGKILL)
            }
            again.ended(128 + SIGKILL)
            let resumed = try await person.fleet("resume", "--yes", "--output", "json") { running in
                try await running.waitFor("a1: connecting")
                try await host.shell("pkill -x -f 'sleep 1000'")
            }
            resumed.ended(0)
            #expect(try resumed.document(RunDocument.self).outcomes == ["a1": "upgraded"])
            #expect(try await host.canopsinitCalls() == [""])
            // The log holds each step once, and all that the host wrote.
            let log = try await person.fleet("logs", run.run, "a1", "--raw")
            log.ended(0)
            #expect(log.stdout.components(separatedBy: "==> canopsinit: ").count == 2)
            for (number, step) in [(2, "packages"), (4, "canopsinit")] {
                let output = try await host.shell("cat /var/lib/fleet/jobs/\(run.run)/0\(number)-\(step)/output")
                #expect(log.stdout.components(separatedBy: output).count == 2, "the output of \(step) is not there once")
            }
            let nothing = try await person.fleet("resume", "--yes")
            nothing.ended(0)
            #expect(nothing.stderr.contains("Nothing is left to do"))
        }
    }
}
