import FleetCore
import TestSupport
import Testing

@Suite("The watch over units after a restart")
struct UnitWatchTests {
    private static let settle = Duration.seconds(10)

    private static func unit(
        _ name: String = "a", started: Int64, process: Int = 7, active: String = "active", sub: String = "running"
    ) -> UnitState {
        UnitState(
            name: name, load: "loaded", active: active, sub: sub, file: "enabled", result: "success",
            mainPID: active == "active" ? process : 0, startedMicroseconds: started)
    }

    private static func watch(_ before: [UnitState] = [unit(started: 1)]) -> UnitWatch { UnitWatch(before: before, settle: settle) }

    @Test("is good once a new process has been the same for the settle time, and stays so")
    func good() {
        var watch = Self.watch()
        let restarted = Self.unit(started: 2)
        let unstable = UnitWatch.Verdict.waiting(Reason(.unitUnstable, ["unit": "a", "settle": "10s"]))
        #expect(watch.look([restarted], at: .seconds(0)) == unstable)
        #expect(watch.look([restarted], at: .milliseconds(9999)) == unstable)
        #expect(watch.look([restarted], at: .seconds(10)) == .good)
        #expect(watch.look([restarted], at: .seconds(11)) == .good)
    }

    @Test("a unit that keeps its old start time was not restarted, for however long it runs")
    func keepsRunning() {
        var watch = Self.watch()
        for second in 0...1000 {
            #expect(watch.look([Self.unit(started: 1)], at: .seconds(second)) == .waiting(Reason(.unitNotRestarted, ["unit": "a"])))
        }
    }

    /// States of the unit that are not running, and what is said of them.
    private static let states: [(UnitState?, String)] = [
        (nil, "not known to systemd"), (unit(started: 2, active: "inactive", sub: "dead"), "inactive, dead, success"),
        (unit(started: 2, active: "activating", sub: "auto-restart"), "activating, auto-restart, success"),
        (unit(started: 2, active: "active", sub: "exited"), "active, exited, success"),
        (unit(started: 2, process: 0), "active, running, success"),
    ]

    @Test("a unit that does not run is waited for, and told with its state", arguments: states.indices)
    func down(_ index: Int) {
        let (state, words) = Self.states[index]
        var watch = Self.watch()
        for second in [0, 20, 1000] {
            let verdict = watch.look(state.map { [$0] } ?? [], at: .seconds(second))
            #expect(verdict == .waiting(Reason(.unitNotRunning, ["unit": "a", "state": words])))
        }
    }

    @Test("a failed unit is taken at its word after five seconds in a row")
    func failed() {
        var watch = Self.watch()
        let failed = Self.unit(started: 2, active: "failed", sub: "failed")
        func isBad(_ verdict: UnitWatch.Verdict) -> Bool { if case .bad(unit: "a", _) = verdict { true } else { false } }
        #expect(!isBad(watch.look([failed], at: .seconds(0))))
        #expect(!isBad(watch.look([failed], at: .milliseconds(4999))))
        // Somebody starts it again, slowly: the count begins anew.
        #expect(!isBad(watch.look([Self.unit(started: 2, active: "activating", sub: "start")], at: .seconds(6))))
        #expect(!isBad(watch.look([failed], at: .seconds(7))))
        #expect(isBad(watch.look([failed], at: .seconds(12))))
    }

    @Test("a crash loop that looks active in every look is found at the fifth restart")
    func loop() {
        var watch = Self.watch()
        for turn in 0..<5 {
            let verdict = watch.look([Self.unit(started: Int64(turn + 2), process: turn + 10)], at: .seconds(turn))
            #expect(verdict == .waiting(Reason(.unitUnstable, ["unit": "a", "settle": "10s"])))
        }
        let verdict = watch.look([Self.unit(started: 7, process: 15)], at: .seconds(5))
        #expect(verdict == .bad(unit: "a", Reason(.unitUnstable, ["unit": "a", "settle": "10s", "words": "restarted 5 times"])))
    }

    @Test("a unit that reloads often has not been restarted often, but has to be stable anew")
    func reloading() {
        var watch = Self.watch()
        for second in 0..<40 {
            let unit = Self.unit(started: 2, active: second % 2 == 0 ? "active" : "reloading")
            guard case .waiting = watch.look([unit], at: .seconds(second)) else {
                Issue.record("not waiting at \(second) s")
                return
            }
        }
    }

    @Test("what did not run before is not expected, and not blamed, whatever it does")
    func downBefore() {
        let before = [
            Self.unit("a", started: 1), Self.unit("b", started: 1, active: "inactive", sub: "dead"), Self.unit("c", started: 0, process: 0),
        ]
        var watch = Self.watch(before)
        #expect(watch.expected == ["a"])
        for second in 0..<30 {
            let units = [
                Self.unit("a", started: 2), Self.unit("b", started: Int64(second + 9), process: second + 1),
                Self.unit("c", started: 1, active: "failed", sub: "failed"), Self.unit("d", started: 4, active: "failed", sub: "failed"),
            ]
            let verdict = watch.look(units, at: .seconds(second))
            #expect(verdict == (second < 10 ? .waiting(Reason(.unitUnstable, ["unit": "a", "settle": "10s"])) : .good))
        }
    }

    @Test("without a unit that ran before everything is good at once")
    func nothingRan() {
        var watch = Self.watch([])
        #expect(watch.look([], at: .zero) == .good)
    }

    @Test("in any history it is good only for new processes that stayed, and blames only what ran before", arguments: 0..<500)
    func histories(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let names = ["a", "b", "c"].prefix(Int.random(in: 1...3, using: &random))
        let before = names.map { Self.unit($0, started: 100, process: 1, active: random.chance(80) ? "active" : "inactive") }
        let ran = Set(before.filter(\.isRunning).map(\.name))
        var watch = UnitWatch(before: before, settle: Self.settle)
        var now = Duration.zero
        var units = before
        /// Since when each unit was seen as it is in every look.
        var since: [String: (unit: UnitState, time: Duration)] = [:]
        for _ in 0..<60 {
            now += .milliseconds(Int.random(in: 1...4000, using: &random))
            for index in units.indices where random.chance(12) {
                let fresh = Int64.random(in: 101...1_000_000, using: &random)
                units[index] = random.pick(
                    Self.unit(units[index].name, started: fresh, process: Int.random(in: 2...9999, using: &random)),
                    Self.unit(units[index].name, started: fresh, active: "failed", sub: "failed"),
                    Self.unit(units[index].name, started: fresh, active: "activating", sub: "auto-restart"), before[index])
            }
            for unit in units where since[unit.name]?.unit != unit { since[unit.name] = (unit, now) }
            switch watch.look(units, at: now) {
            case .good:
                for name in ran {
                    guard let seen = since[name] else { continue }
                    #expect(seen.unit.isRunning && seen.unit.startedMicroseconds != 100 && now - seen.time >= Self.settle, "\(name)")
                }
            case .waiting(let reason):
                #expect(ran.contains(reason.parameters["unit"] ?? "?"))
                let isGood = ran.allSatisfy { name in
                    since[name].map { $0.unit.isRunning && $0.unit.startedMicroseconds != 100 && now - $0.time >= Self.settle } ?? false
                }
                #expect(!isGood)
            case .bad(let unit, let reason):
                #expect(ran.contains(unit) && reason.parameters["unit"] == unit)
                return
            }
        }
    }
}
