import FleetCore
import Testing

@Suite("The lock of a host that is taken over")
struct TakeOverTests {
    private static let nonce = "fleet0123456789abcdef"

    @Test("tells the units that ran before the first touch, and takes nothing else for one")
    func units() {
        let said = """
            a banner
            \(Self.nonce) unit canopsis-engine@dynamic-alerts.service
            \(Self.nonce) unit ../../etc/passwd
            \(Self.nonce) unit canopsis-x;reboot.service
            canopsis-engine@other.service
            \(Self.nonce) unit canopsis-webserver.service

            \(Self.nonce) taken

            """
        #expect(
            HostLock.answer(in: Array(said.utf8), nonce: Self.nonce)
                == .taken(running: ["canopsis-engine@dynamic-alerts.service", "canopsis-webserver.service"]))
    }

    @Test("is written with the units of now, for whoever takes the work over later")
    func script() throws {
        let lock = HostLock(run: try #require(RunID("20260101-000000-test")), person: "me", machine: "here", planDigest: "digest")
        let script = lock.takeScript(nonce: Self.nonce, takingOver: nil, running: ["canopsis-engine@a\\x2db.service"])
        #expect(script.contains(#"'canopsis-engine@a\x2db.service'"#))
        #expect(script.contains("units"))
    }
}
