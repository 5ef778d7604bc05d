import Foundation
import TestSupport
import Testing

/// The coordinator is killed with SIGKILL right after an event came to the disk, one run for each event.
///
/// A sample of the events by default; all of them with `FLEET_KILL_POINTS=all`, as `scripts/soak --kill-points` does, or those
/// that it names: `FLEET_KILL_POINTS=12,61`.
@Suite("a coordinator killed at an event of the journal", .timeLimit(.minutes(60)))
struct KillPointTests {
    /// More events than an undisturbed run of two hosts writes, progress left out; checked by the run after the last one.
    private static let mostEvents = 64
    /// As many events an undisturbed run writes at least.
    private static let fewestEvents = 56
    static let points: [Int] =
        switch ProcessInfo.processInfo.environment["FLEET_KILL_POINTS"] {
        case nil: [1, 12, 25, 38, 54, mostEvents]
        case "all": Array(1...mostEvents)
        case let list?: list.split(separator: ",").compactMap { Int($0) }
        }

    @Test("fleet resume finishes the run: every effect once on each host, the outcome right, the logs whole", arguments: points)
    func killed(after events: Int) async throws {
        try await Operator.at("a1:deb12", "a2:deb9") { person, lab in
            var doomed = person
            doomed.variables["FLEET_DIE_AFTER_EVENTS"] = "\(events)"
            let first = try await doomed.fleet("upgrade", "--to", "3.26.0", "--waves", "2", "--yes", "--output", "json")
            if events == Self.mostEvents {
                first.ended(0)
            } else {
                // The last events are those of a run that is over: it may have ended before it could be killed.
                #expect(
                    first.status == 128 + SIGKILL || (events > Self.fewestEvents && first.status == 0), "event \(events): \(first.status)")
            }
            let resumed = try await person.fleet("resume", "--yes", "--output", "json")
            resumed.ended(0)
            let run = try resumed.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded"])
            for host in lab.hosts {
                #expect(run[host.name].steps.map(\.tries) == UpgradeTests.steps.map { _ in 1 }, "event \(events), \(host.name)")
                #expect(try await host.installed() == "3.26.0-1")
                #expect(try await host.canopsinitCalls().count == 1, "event \(events), \(host.name)")
                #expect(try await host.lines(of: "/var/log/fleet-lab/canoctl.count").count == 1, "event \(events), \(host.name)")
                #expect(
                    try await host.jobs()
                        == UpgradeTests.jobs(of: run.run))
                try await person.expectWholeLog(of: host, in: run.run)
                #expect(try await host.shell("ls /var/lib/fleet").contains("lock") == false)
            }
            // What the last line of the run says is what the hosts say.
            let report = try await person.fleet("report")
            #expect(report.stdout.contains("2 hosts: 2 upgraded"))
        }
    }
}
