import Foundation
import TestSupport
import Testing

/// Rounds of random faults on real hosts. One round by default; `FLEET_SOAK_ROUNDS` and `FLEET_SOAK_SEED` as `scripts/soak` sets them.
@Suite("random faults, round after round", .timeLimit(.minutes(240)))
struct SoakTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let rounds = environment["FLEET_SOAK_ROUNDS"].flatMap(Int.init) ?? 1
    private static let seed = environment["FLEET_SOAK_SEED"].flatMap(Int.init) ?? 20

    /// What happens in a round, besides the upgrade.
    private enum Mishap: CaseIterable {
        case none, pulledCable, reset, refusal, slowLine, powerCut, reboot, killedCoordinator
    }

    @Test("no step is lost, doubled or misreported", arguments: 0..<rounds)
    func round(_ number: Int) async throws {
        let seed = Self.seed + number
        var random = SeededGenerator(seed: seed)
        let mishaps = (0..<2).map { _ in Mishap.allCases[Int.random(in: Mishap.allCases.indices, using: &random)] }
        let delays = (0..<2).map { _ in Int.random(in: 0...9000, using: &random) }
        let story = Comment(rawValue: "seed \(seed): \(mishaps) after \(delays) ms")
        try await Operator.at("a1:deb12", "a2:deb9") { person, lab in
            for host in lab.hosts {
                try await host.turn("canopsinit.sleep", to: "4")
                try await host.turn("postinst.sleep", to: "2")
            }
            let first = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "2", "--max-failures", "2", "--yes", "--output", "json", limit: .seconds(400)
            ) { running in
                try await running.waitFor("a1: connecting")
                let until = ContinuousClock.now
                for place in (0..<2).sorted(by: { delays[$0] < delays[$1] }) {
                    try await Task.sleep(until: until + .milliseconds(delays[place]))
                    try await Self.happen(mishaps[place], to: lab.hosts[place], running)
                }
            }
            var last = first
            for _ in 0..<3 where last.status != 0 {
                for host in lab.hosts { try await host.heal() }
                last = try await person.fleet("resume", "--yes", "--output", "json", limit: .seconds(400))
            }
            #expect(last.status == 0, "\(story.rawValue): \(last.stdout)\(last.stderr)")
            let run = try last.document(RunDocument.self)
            #expect(run.outcomes == ["a1": "upgraded", "a2": "upgraded"], story)
            for host in lab.hosts {
                #expect(try await host.installed() == "3.26.0-1", story)
                // A try that was cut off may have come to nothing, or to its very end: it is followed by a look and another try.
                let tries = run[host.name].step("canopsinit")?.tries ?? 0
                let (calls, ends) = (
                    try await host.canopsinitCalls().count, try await host.lines(of: "/var/lib/canopsis-db/canopsinit.ended").count
                )
                let wasCutOff = mishaps.contains(.powerCut) || mishaps.contains(.reboot)
                #expect(tries == 1 || wasCutOff, story)
                #expect(
                    (1...max(1, tries)).contains(calls) && (1...calls).contains(ends),
                    "\(story.rawValue): \(calls) calls, \(ends) ends, \(tries) tries")
                #expect(try await host.lines(of: "/var/log/fleet-lab/canoctl.count").count == run[host.name].step("restart")?.tries, story)
                #expect(try await host.shell("dpkg --audit").isEmpty, story)
                let jobs = try await host.jobs().filter { $0.contains("canopsinit") }
                #expect(jobs.count == run[host.name].step("canopsinit")?.tries, story)
                #expect(try await !host.shell("ls /var/lib/fleet").contains("lock\n"), story)
            }
        }
    }

    private static func happen(_ mishap: Mishap, to host: LabHost, _ running: Running) async throws {
        switch mishap {
        case .none: break
        case .pulledCable:
            try await host.cut()
            try await Task.sleep(for: .seconds(5))
            try await host.heal()
        case .reset: try await host.reset()
        case .refusal:
            try await host.refuse()
            try await host.reset()
            try await Task.sleep(for: .seconds(3))
            try await host.heal()
        case .slowLine: try await host.slow()
        case .powerCut:
            try await host.crash()
            try await host.start()
        case .reboot: try await host.reboot()
        case .killedCoordinator: running.send(SIGKILL)
        }
    }
}
