import FleetCore
import Glibc

/// A file with a private key: it must be there, and for its owner alone.
struct KeyFile {
    /// Absolute.
    let path: String

    init(_ path: String) { self.path = path }

    /// What is wrong with the file, as a complaint about the line that names it.
    func problem(at line: Int, in inventory: String) -> Problem? {
        guard let status = FileStatus(of: path) else {
            let cause = errno
            return cause == ENOENT || cause == ENOTDIR
                ? .keyFileMissing(path, at: line, in: inventory)
                : TextFile(path: path, role: "key file").unreadable(cause)
        }
        guard !status.isDirectory else { return .keyFileIsNoFile(path, at: line, in: inventory) }
        return openness(of: status, at: .file(inventory, line: line))
    }

    /// The key of a user who names none: the first of OpenSSH's usual files that is there.
    static func usual(in home: String) -> KeyFile? {
        ["id_ed25519", "id_ecdsa"].map { KeyFile("\(home)/.ssh/\($0)") }.first { FileStatus(of: $0.path)?.isRegular == true }
    }

    /// What is wrong with a file no line names.
    var problem: Problem? {
        FileStatus(of: path).flatMap { openness(of: $0, at: .file(path, line: nil)) }
    }

    private func openness(of status: FileStatus, at place: Problem.Place) -> Problem? {
        guard status.permissions & 0o077 != 0 else { return nil }
        let permissions = "0" + String(status.permissions, radix: 8)
        return .keyFileOpen(path, permissions: permissions, at: place)
    }
}
