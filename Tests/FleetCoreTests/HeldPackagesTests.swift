import FleetCore
import Testing

@Suite("A package on hold")
struct HeldPackagesTests {
    /// What the package manager's gate says of a host at 3.25.0 where these packages are on hold.
    private func verdict(_ held: String, to target: CanopsisVersion?) throws -> GateFinding.Verdict? {
        let marker = "@\(FactsFixture.nonce) "
        let text = try FactsFixture("debian12-lab").text
            .replacing("\(marker)cat-modules", with: "\(marker)held\n\(held)\n\n\(marker)cat-modules")
        let facts = try HostFacts.parse(Array(text.utf8), nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey)
        let host = Host(name: try #require(HostName("acme-1")), address: "127.0.0.1", addons: [])
        return Preflight.findings(facts, host: host, target: target).first { $0.gate == "package-manager" }?.verdict
    }

    @Test("blocks an upgrade: apt would leave it where it is and end with 0")
    func blocks() throws {
        #expect(try verdict("canopsis-core", to: CanopsisVersion(3, 26, 0)) == .block)
        #expect(try verdict("canopsis-core", to: nil) == .warn)
    }

    @Test("says nothing at the target, and an add-on's says nothing at all")
    func passes() throws {
        #expect(try verdict("canopsis-core", to: CanopsisVersion(3, 25, 0)) == .pass)
        #expect(try verdict("canopsis-addon", to: CanopsisVersion(3, 26, 0)) == .pass)
    }
}
