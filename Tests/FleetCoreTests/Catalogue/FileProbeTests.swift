import FleetCore
import Foundation
import Subprocess
import TestSupport
import Testing

@Suite("Looking for texts in files of a host")
struct FileProbeTests {
    private static let nonce = "0123456789abcdefghij"

    @Test("a real shell answers each question by what is in the file, and only reads regular files", arguments: ["dash", "bash", "sh"])
    func answers(shell: String) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fleet it's $(probe)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("[ui]\nurl=/a*b\n-e x'y $(id)\n".utf8).write(to: URL(fileURLWithPath: folder + "/a.conf"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/link.conf", withDestinationPath: "a.conf")

        func probe(_ name: String, _ text: String) throws -> FileProbe {
            try #require(FileProbe(path: folder + "/" + name, text: text))
        }
        let expected: [(FileProbe, ProbeAnswer)] = [
            (try probe("a.conf", "[ui]"), .present), (try probe("a.conf", "a*b"), .present), (try probe("a.conf", "a.b"), .absent),
            (try probe("a.conf", "-e x'y $(id)"), .present), (try probe("a.conf", "-v"), .absent),
            (try probe("link.conf", "url="), .present),
            (try probe("none.conf", "x"), .noFile), (try probe("", "x"), .noFile),
        ]
        let probes = expected.map(\.0)
        _ = brokenPipesAreIgnored
        let output = try await Subprocess.run(
            .name(shell), arguments: ["-s"], input: .string(FactsScript.text(offer: false, nonce: Self.nonce, probes: probes)),
            output: .bytes(limit: 1 << 20), error: .discarded
        ).standardOutput
        let facts = try HostFacts.parse(output, nonce: Self.nonce, hostKey: "SHA256:x", probes: probes)
        for (probe, answer) in expected { #expect(facts.probes[probe] == answer, "\(probe.path) \(probe.text)") }
        #expect(!facts.unread.contains { $0.section == "probes" })
    }

    @Test("a script without questions has no such section, and none is expected")
    func none() throws {
        #expect(!FactsScript.text(offer: false, nonce: Self.nonce).contains("probe"))
        #expect(try FactsFixture("debian12-lab").facts().probes.isEmpty)
    }

    @Test(
        "answers that are not of the form they must have are not believed",
        arguments: [
            ("", FactsError.Problem.empty), ("0 present", .malformed), ("0 present\n1 absent\n2 absent", .malformed),
            ("1 present\n0 absent", .malformed), ("0 present\n1 yes", .malformed), ("0 present\n1 absent x", .malformed),
            ("0 present\n1  absent", .malformed), ("0 present\n-1 absent", .malformed),
        ])
    func strict(lines: String, problem: FactsError.Problem) throws {
        let facts = try parse(lines)
        #expect(facts.probes.isEmpty)
        #expect(facts.unread.contains(FactsError(section: "probes", problem: problem)))
    }

    @Test("what the host could not read is not known")
    func unknown() throws {
        let facts = try parse("0 unknown\n1 no-file")
        #expect(facts.probes == [try probes()[1]: .noFile])
        #expect(!facts.unread.contains { $0.section == "probes" })
    }

    @Test("without the section the answers are missing, and the other facts are there")
    func missing() throws {
        let fixture = try FactsFixture("debian12-lab")
        let facts = try HostFacts.parse(fixture.bytes, nonce: FactsFixture.nonce, hostKey: "SHA256:x", probes: probes())
        #expect(facts.unread.contains(FactsError(section: "probes", problem: .missing)))
        #expect(facts.installedVersion != nil)
    }

    @Test(
        "a question is an absolute path and a text on one line",
        arguments: [
            ("a", "x"), ("", "x"), ("/a", ""), ("/a", "x\ny"), ("/a\n", "x"), ("/a", "x\0"), ("/a", String(repeating: "x", count: 513)),
        ])
    func refused(path: String, text: String) {
        #expect(FileProbe(path: path, text: text) == nil)
    }

    private func probes() throws -> [FileProbe] {
        [try #require(FileProbe(path: "/a", text: "x")), try #require(FileProbe(path: "/b", text: "y"))]
    }

    private func parse(_ lines: String) throws -> HostFacts {
        let fixture = try FactsFixture("debian12-lab")
        let end = "@\(FactsFixture.nonce) end"
        let text = fixture.text.replacingOccurrences(of: end, with: "@\(FactsFixture.nonce) probes\n\(lines)\n\(end)")
        return try HostFacts.parse(Array(text.utf8), nonce: FactsFixture.nonce, hostKey: "SHA256:x", probes: probes())
    }
}
