import FleetCore
import Testing

@Suite("Exit statuses")
struct ExitStatusTests {
    /// Signal, 1, 2, 8, 5, 3, 4, 7, 6, 0.
    private static let order: [ExitStatus] = [
        .interrupted, .terminated, .internalError, .usage, .planOutOfDate, .stopped, .failed, .unreachable, .deferred, .waiting, .done,
    ]

    @Test("each status has its place in the order of precedence")
    func complete() {
        #expect(Set(Self.order) == Set(ExitStatus.allCases))
        #expect(Self.order.map(\.rawValue) == [130, 143, 1, 2, 8, 5, 3, 4, 7, 6, 0])
    }

    @Test("of several statuses the one of higher precedence wins, in whatever order they come", arguments: order.indices)
    func precedence(place: Int) {
        let lower = Self.order[place...]
        #expect(ExitStatus.first(of: lower) == Self.order[place])
        #expect(ExitStatus.first(of: lower.reversed()) == Self.order[place])
        for other in lower { #expect(ExitStatus.first(of: [other, Self.order[place]]) == Self.order[place]) }
    }

    @Test("nothing to choose from is done")
    func nothing() {
        #expect(ExitStatus.first(of: []) == .done)
    }

    @Test(
        "a host's outcome asks for its status",
        arguments: [
            (.notStarted, 0), (.skipped, 0), (.upgraded, 0), (.failed, 3), (.blocked, 3), (.unreachable, 4), (.unknown, 4), (.running, 4),
            (.aborted, 5), (.waiting, 6), (.deferred, 7),
        ] as [(HostOutcome, Int32)])
    func outcomes(outcome: HostOutcome, status: Int32) {
        #expect(ExitStatus(outcome).rawValue == status)
    }

    @Test("only a host that is at the target, or was never begun, asks for success")
    func success() {
        #expect(HostOutcome.allCases.filter { ExitStatus($0) == .done } == [.notStarted, .skipped, .upgraded])
    }
}
