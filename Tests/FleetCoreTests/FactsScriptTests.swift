import FleetCore
import Subprocess
import TestSupport
import Testing

@Suite("The script that reads the facts")
struct FactsScriptTests {
    private static let nonce = "0123456789abcdefghij"

    @Test(
        "runs in any POSIX shell here and gives facts that are understood",
        arguments: [["dash"], ["bash"], ["bash", "--posix"], ["sh"]])
    func runs(shell: [String]) async throws {
        let output = try await run(FactsScript.text(offer: false, nonce: Self.nonce), in: shell)
        let facts = try HostFacts.parse(output, nonce: Self.nonce, hostKey: "SHA256:x")
        #expect(facts.system.id == "debian")
        #expect(facts.packageManager == .apt)
        #expect(facts.offer == .notAsked)
        #expect(facts.freeBytes.count == HostFacts.diskPaths.count)
        #expect(facts.brokenPackages != nil)
        #expect(
            !facts.unread.contains {
                ["packages", "os-release", "disk", "memory", "boot-id", "architecture", "offer"].contains($0.section)
            })
    }

    @Test("a script that did not arrive as a whole runs none of its commands")
    func cutShort() async throws {
        let script = FactsScript.text(offer: true, nonce: Self.nonce)
        for part in 1..<20 {
            let cut = String(script.prefix(script.count * part / 20))
            let output = try await run(cut, in: ["sh"])
            #expect(output.isEmpty)
        }
    }

    @Test("asks the package manager for its sources only if it is told to")
    func offerOnly() {
        #expect(FactsScript.text(offer: false, nonce: Self.nonce).contains("OFFER=no "))
        #expect(FactsScript.text(offer: true, nonce: Self.nonce).contains("OFFER=yes "))
    }

    private func run(_ script: String, in shell: [String]) async throws -> [UInt8] {
        _ = brokenPipesAreIgnored
        return try await Subprocess.run(
            .name(shell[0]), arguments: .init(Array(shell.dropFirst()) + ["-s"]), input: .string(script),
            output: .bytes(limit: 1 << 20), error: .discarded
        ).standardOutput
    }
}
