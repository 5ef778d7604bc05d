import FleetCore
import Glibc

/// Writes a file so that its path holds the old contents or the new ones, whole, whatever happens in between.
struct AtomicFile {
    /// The path as given; problems repeat it as it is.
    let path: String
    /// What the file is to Fleet, such as `plan file`.
    let role: String

    /// Writes the text for the owner's eyes only (mode 0600); it is on the disk when this returns.
    func write(_ text: String) throws(Problem) {
        try refuseSpecialFile()
        let temporary = "\(folder)/.\(name).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(errno) }
        var failure = Self.write(Array(text.utf8), to: descriptor)
        if failure == nil, fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0, failure == nil { failure = errno }
        if failure == nil, rename(temporary, path) != 0 { failure = errno }
        if let failure {
            unlink(temporary)
            throw unwritable(failure)
        }
        try syncFolder()
    }

    /// A rename would put a file in the place of a device such as `/dev/null`.
    private func refuseSpecialFile() throws(Problem) {
        guard let status = FileStatus(of: path), !status.isRegular else { return }
        throw Problem(
            code: status.isDirectory ? "file-is-directory" : "file-is-special",
            what: status.isDirectory ? "This is a directory." : "This is not a regular file.", place: .file(path, line: nil),
            remedy: status.isDirectory
                ? "Name a file in it for the \(role)." : "Name a regular file for the \(role), or one that is not there yet.")
    }

    /// Without this the new name may be gone after a power cut.
    private func syncFolder() throws(Problem) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unwritable(errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw unwritable(errno) }
    }

    private var folder: String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    private var name: Substring { path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...] }

    private func unwritable(_ number: CInt) -> Problem {
        let remedy =
            switch number {
            case ENOENT, ENOTDIR: "Make the directory first: mkdir -p \(shellQuoted(folder))"
            case EACCES, EPERM, EROFS: "Choose a directory your account may write to."
            case ENOSPC, EDQUOT: "Free some space, or choose another disk."
            default: "Check the directory and the disk it is on."
            }
        return Problem(
            code: "file-unwritable", what: "The \(role) cannot be written.", place: .file(path, line: nil), remedy: remedy,
            cause: String(cString: strerror(number)))
    }

    /// The error number, or nil if every byte was written.
    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            rest = rest.dropFirst(count)
        }
        return nil
    }
}
