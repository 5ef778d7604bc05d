import FleetCore
import Foundation

/// One stored output of the facts script; see Fixtures/Facts/README.md for where each is from.
struct FactsFixture {
    static let nonce = "Abcdef0123456789"
    static let hostKey = "SHA256:x"
    static let all = [
        "debian12-lab", "debian8-lab-go", "centos7-lab", "centos7-dead-source", "debian12-dead-source", "debian12-locked",
        "debian12-half-configured",
        "debian12-not-root", "centos7-from-documentation", "debian8-from-documentation",
    ]

    var bytes: [UInt8]

    init(_ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/Facts")
        bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("\(name).txt")))
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func facts() throws -> HostFacts { try HostFacts.parse(bytes, nonce: Self.nonce, hostKey: Self.hostKey) }

    /// The facts after one section has been given other lines.
    func facts(with section: String, saying lines: String) throws -> HostFacts {
        let marker = "@\(Self.nonce) "
        let parts = text.components(separatedBy: marker).map { $0.hasPrefix("\(section)\n") ? "\(section)\n\(lines)\n" : $0 }
        return try HostFacts.parse(Array(parts.joined(separator: marker).utf8), nonce: Self.nonce, hostKey: Self.hostKey)
    }
}
