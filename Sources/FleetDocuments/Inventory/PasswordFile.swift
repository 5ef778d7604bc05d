import FleetCore
import Glibc

/// A file with a password alone, on one line: for its owner alone.
public struct PasswordFile: Sendable {
    /// Absolute.
    let path: String

    /// Names the file.
    public init(_ path: String) { self.path = path }

    /// The password.
    ///
    /// - Throws: what is wrong with the file; never anything of what it holds.
    public func read() throws(Problem) -> Secret {
        if let problem = FileStatus(of: path).flatMap({ openness(of: $0, at: .file(path, line: nil)) }) { throw problem }
        let bytes = try TextFile(path: path, role: "password file", most: 1 << 20).readBytes()
        var text = String(validating: bytes, as: UTF8.self) ?? ""
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        guard (1...1024).contains(text.utf8.count), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            throw .passwordFileUnfit(path, at: .file(path, line: nil))
        }
        return Secret(text)
    }

    /// What is wrong with the file, as a complaint about the line that names it.
    func problem(at line: Int, in inventory: String) -> Problem? {
        guard let status = FileStatus(of: path) else {
            let cause = errno
            return cause == ENOENT || cause == ENOTDIR
                ? .passwordFileMissing(path, at: line, in: inventory)
                : TextFile(path: path, role: "password file").unreadable(cause)
        }
        guard status.isRegular else { return .passwordFileUnfit(path, at: .file(inventory, line: line)) }
        if let problem = openness(of: status, at: .file(inventory, line: line)) { return problem }
        do {
            _ = try read()
            return nil
        } catch {
            return Problem(
                code: error.code, what: error.what, place: .file(inventory, line: line), remedy: error.remedy, cause: error.cause)
        }
    }

    private func openness(of status: FileStatus, at place: Problem.Place) -> Problem? {
        guard status.permissions & 0o077 != 0 else { return nil }
        return .passwordFileOpen(path, permissions: "0" + String(status.permissions, radix: 8), at: place)
    }
}
