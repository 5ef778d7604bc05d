import FleetCore
import Testing

@Suite("How long a service was down")
struct DowntimeTests {
    private static func record(_ events: [(Int64, RunEvent)]) throws -> RunRecord {
        let id = try #require(RunID("20261123-142501-x7k2"))
        let stamped = events.enumerated().map { place, event in
            StampedEvent(
                sequence: Int64(place + 1), at: Timestamp(milliseconds: 1_795_443_901_000 + event.0 * 1000).description, event: event.1)
        }
        return RunRecord(id: id, events: stamped, isAlive: false)
    }

    private static func host() throws -> HostName { try #require(HostName("a")) }

    @Test("is from the first unit stopped to the first good login after it, whatever was watched for longer")
    func measured() throws {
        let host = try Self.host()
        let record = try Self.record([
            (10, .stepIntended(host: host, step: .restart, title: "")), (12, .stepStarted(host: host, step: .restart)),
            (20, .stepEnded(host: host, step: .restart, outcome: .succeeded, exit: 0, reason: nil)),
            (21, .stepIntended(host: host, step: .verify, title: "")),
            (
                90,
                .stepEnded(
                    host: host, step: .verify, outcome: .succeeded, exit: nil, reason: nil,
                    verified: VerifiedInstance(servedAfterMilliseconds: 3500))
            ),
        ])
        #expect(record[host]?.downtime == .milliseconds(12500))
        #expect(record[host]?.downSince == nil)
    }

    @Test("begins with the engines where they are stopped before, and goes on over a restart that failed and is tried again")
    func overTries() throws {
        let host = try Self.host()
        let stop = try #require(StepID(rawValue: "stop-engines-1"))
        let failed: [(Int64, RunEvent)] = [
            (5, .stepStarted(host: host, step: stop)), (12, .stepStarted(host: host, step: .restart)),
            (21, .stepIntended(host: host, step: .verify, title: "")),
            (
                90,
                .stepEnded(
                    host: host, step: .verify, outcome: .failed, exit: nil, reason: Reason(.webNotAnswering), verified: VerifiedInstance())
            ),
        ]
        let down = try Self.record(failed)
        #expect(down[host]?.downtime == nil, "nobody knows how long it will be")
        #expect(down[host]?.downSince != nil)
        let again = try Self.record(
            failed + [
                (100, .stepRepeated(host: host, step: .restart, because: Reason(.stepRetried))),
                (101, .stepStarted(host: host, step: .restart)), (110, .stepIntended(host: host, step: .verify, title: "")),
                (
                    120,
                    .stepEnded(
                        host: host, step: .verify, outcome: .succeeded, exit: nil, reason: nil,
                        verified: VerifiedInstance(servedAfterMilliseconds: 1000))
                ),
            ])
        #expect(again[host]?.downtime == .seconds(106))
    }

    @Test("is added up over the versions a host is brought to one after the other, without the time between them")
    func stepByStep() throws {
        let host = try Self.host()
        let stop = CanopsisVersion(3, 27, 0)
        func served(_ at: Int64, _ step: StepID) -> (Int64, RunEvent) {
            (
                at,
                .stepEnded(
                    host: host, step: step, outcome: .succeeded, exit: nil, reason: nil,
                    verified: VerifiedInstance(servedAfterMilliseconds: 0))
            )
        }
        let verify = StepID.verify.onTheWay(to: stop)
        let record = try Self.record([
            (0, .stepStarted(host: host, step: StepID.restart.onTheWay(to: stop))), (4, .stepIntended(host: host, step: verify, title: "")),
            served(70, verify), (200, .stepStarted(host: host, step: .restart)),
            (206, .stepIntended(host: host, step: .verify, title: "")), served(270, .verify),
        ])
        #expect(record[host]?.downtime == .seconds(10))
    }

    @Test("of a run has a median and a most, and none where nothing was measured")
    func ofRun() {
        #expect(Downtime(of: []) == nil)
        #expect(Downtime(of: [.seconds(9), .seconds(1), .seconds(2)])?.median == .seconds(2))
        let even = Downtime(of: [.seconds(4), .seconds(1), .seconds(9), .seconds(2)])
        #expect(even?.median == .seconds(3) && even?.most == .seconds(9))
    }
}
