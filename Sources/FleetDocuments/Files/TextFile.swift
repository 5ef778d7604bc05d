import FleetCore
import Glibc

/// A text file as a person names it: reading says what is wrong in a person's words.
struct TextFile {
    /// The path as given; problems repeat it as it is.
    let path: String
    /// What the file is to Fleet, such as `inventory`.
    let role: String
    /// The most bytes the file may have.
    var most = 16 * 1024 * 1024

    /// The whole text, which must be UTF-8.
    func read() throws(Problem) -> String {
        let bytes = try readBytes()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let valid = String(decoding: bytes, as: UTF8.self).utf8
            let line = zip(valid, bytes).prefix { $0 == $1 }.count { $0.0 == UInt8(ascii: "\n") } + 1
            throw Problem(
                code: "not-utf8", what: "The \(role) has bytes that are not UTF-8 text.", place: .file(path, line: line),
                remedy: "Save it as UTF-8.")
        }
        return text
    }

    /// The whole contents.
    func readBytes() throws(Problem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw unreadable(errno)
            }
            bytes += buffer[..<count]
            guard bytes.count <= most else {
                throw Problem(
                    code: "file-too-big", what: "The \(role) is larger than \(most / 1024 / 1024) MB.", place: .file(path, line: nil),
                    remedy: "Check that this is the right file.")
            }
        }
    }

    /// The problem behind an error number of `open` or `read`.
    func unreadable(_ number: CInt) -> Problem {
        switch number {
        case ENOENT, ENOTDIR:
            Problem(
                code: "file-missing", what: "There is no such file.", place: .file(path, line: nil),
                remedy: "Check the path of the \(role).")
        case EISDIR:
            Problem(
                code: "file-is-directory", what: "This is a directory.", place: .file(path, line: nil),
                remedy: "Name a file, not a directory.")
        case EACCES, EPERM:
            Problem(
                code: "file-unreadable", what: "The \(role) cannot be read.", place: .file(path, line: nil),
                remedy: "Let your account read it: `ls -l \(shellQuoted(path))` shows who may.", cause: String(cString: strerror(number)))
        default:
            Problem(
                code: "file-unreadable", what: "The \(role) cannot be read.", place: .file(path, line: nil),
                remedy: "Check the file and the disk it is on.", cause: String(cString: strerror(number)))
        }
    }
}

/// What `stat` says about a path, links followed.
struct FileStatus {
    /// Whether it is a directory.
    let isDirectory: Bool
    /// Whether it is a regular file.
    let isRegular: Bool
    /// The permissions, such as `0o600`.
    let permissions: mode_t

    /// Nil if there is nothing at the path, or nothing that may be looked at.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        isRegular = status.st_mode & S_IFMT == S_IFREG
        permissions = status.st_mode & 0o7777
    }
}
