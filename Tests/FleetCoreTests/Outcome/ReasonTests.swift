import FleetCore
import Testing

@Suite("A reason as a sentence")
struct ReasonTests {
    /// What the code that gives each reason passes with it, besides the words of a host.
    private static let parameters: [Reason.Code: [String: String]] = [
        .alreadyAtTarget: ["version": "3.26.0"], .majorUpgrade: ["from": "3.25.0", "to": "4.0.0"],
        .downgrade: ["from": "3.26.0", "to": "3.25.0"],
        .gateBlocked: ["gate": "root", "words": "not root"], .factsChanged: ["words": "x"], .identityChanged: ["words": "x"],
        .noPlaceLeft: ["label": "customer", "value": "acme", "holders": "acme-2 (failed)"],
        .stepAwaited: ["title": "clear the queue"], .stepConfirmed: ["person": "ana"],
        .stepSkipped: ["person": "ana", "note": "none here"],
        .approvalNeeded: ["wave": "2"], .approved: ["wave": "2", "person": "ana"],
        .hostLocked: ["holder": "ana"], .leftUnfinished: ["holder": "ana", "run": "20261123-142501-x7k2"], .stepRetried: ["person": "ana"],
        .hookFailed: ["words": "x"], .rolloutStopped: ["words": "x"], .jobExited: ["status": "2"],
        .jobOverdue: ["limit": "1h"], .jobEnded: ["limit": "1h"], .givenUp: ["person": "ana"],
        .versionNotReached: ["package": "canopsis-core", "found": "3.25.0-1", "target": "3.26.0"],
        .unitNotRunning: ["unit": "a.service", "state": "failed"], .unitNotRestarted: ["unit": "a.service"],
        .unitUnstable: ["unit": "a.service", "settle": "1m"], .webWrongVersion: ["found": "3.25.0", "target": "3.26.0"],
    ]

    @Test("nothing in it is left open", arguments: Reason.Code.allCases)
    func whole(code: Reason.Code) {
        let text = Reason(code, Self.parameters[code] ?? [:]).text
        #expect(!text.contains("?") && !text.isEmpty && text.last != "." && text.last != " " && text.last != ":")
    }

    @Test("nothing in it acts on a terminal, and it stays short", arguments: Reason.Code.allCases)
    func escaped(code: Reason.Code) {
        let hostile = "\u{1b}[2J\u{9b}\u{7}\n\r\t\u{202e}" + String(repeating: "x", count: 100_000)
        var parameters = (Self.parameters[code] ?? [:]).mapValues { _ in hostile }
        parameters["words"] = hostile
        let text = Reason(code, parameters).text
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || $0.value == 0x202e })
        #expect(text.utf8.count < 10_000)
    }
}
