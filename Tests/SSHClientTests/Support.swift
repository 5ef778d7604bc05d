import Glibc
import SSHClient
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What a local command prints and how it ends.
func output(of words: [String], in server: SSHServer) async throws -> (text: String, status: UInt8) {
    let outcome = try await run(
        .path(FilePath(words[0])), arguments: Arguments(Array(words.dropFirst())), input: .none,
        output: .string(limit: 1 << 20), error: .discarded)
    guard case .exited(let status) = outcome.terminationStatus else { return (outcome.standardOutput, 255) }
    return (outcome.standardOutput, UInt8(truncatingIfNeeded: status))
}

func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

/// The memory this process has in use.
func residentBytes() -> Int {
    let words = ((try? read("/proc/self/statm")) ?? "").split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
}

extension CommandEnding {
    func expectSuccess(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(self == .exited(0), sourceLocation: sourceLocation)
    }
}
