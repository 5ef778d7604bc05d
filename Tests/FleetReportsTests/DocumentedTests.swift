import Foundation
import Testing

@Suite("The published JSON as documented")
struct DocumentedTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    private func documentation() throws -> String {
        try String(contentsOf: Self.folder.appendingPathComponent("../../docs/json.md").standardizedFileURL, encoding: .utf8)
    }

    private func goldenFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.folder.path + "/Golden").filter { $0.hasSuffix(".json") }
            .map { try String(contentsOf: Self.folder.appendingPathComponent("Golden/\($0)"), encoding: .utf8) }
    }

    @Test("every example is a piece of what Fleet prints")
    func examples() throws {
        let golden = try goldenFiles()
        let examples = try documentation().components(separatedBy: "```json\n").dropFirst()
            .map { $0.components(separatedBy: "\n```")[0] }
        #expect(examples.count >= 8)
        for example in examples { #expect(golden.contains { $0.contains(example) }, "\(example)") }
    }

    @Test("every key Fleet prints is described")
    func keys() throws {
        let text = try documentation()
        // The keys of these are outcomes, the labels of an inventory, and gates.
        let named = ["counts", "labels", "limits", "overrides"]
        for golden in try goldenFiles() {
            func walk(_ value: Any, under parent: String) {
                if let object = value as? [String: Any] {
                    for (key, inner) in object {
                        if !named.contains(parent) { #expect(text.contains("`\(key)`"), "the key \(key) is not described") }
                        walk(inner, under: key)
                    }
                }
                for inner in value as? [Any] ?? [] { walk(inner, under: parent) }
            }
            walk(try JSONSerialization.jsonObject(with: Data(golden.utf8)), under: "")
        }
    }
}
