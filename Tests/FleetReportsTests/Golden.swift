import Foundation
import Testing

/// Compares a text with the file of this name in `Golden/`.
///
/// With `FLEET_WRITE_GOLDEN=1` in the environment the files are written anew and every comparison fails, so that a
/// run that writes can't be mistaken for one that tests.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/\(name)")
    if ProcessInfo.processInfo.environment["FLEET_WRITE_GOLDEN"] == "1" {
        try Data(text.utf8).write(to: file)
        Issue.record("wrote Golden/\(name)", sourceLocation: sourceLocation)
        return
    }
    let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == golden, "differs from Golden/\(name)", sourceLocation: sourceLocation)
}

/// Expects that no line is wider than 80 columns (a command to copy may be) and that nothing in it can act on a terminal.
func expectFitsPage(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        #expect(line.count <= 80 || line.hasPrefix("    fleet "), "\(line.prefix(200))", sourceLocation: sourceLocation)
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) }, sourceLocation: sourceLocation)
        #expect(line.last != " ", "blank at the end: \(line)", sourceLocation: sourceLocation)
    }
}
