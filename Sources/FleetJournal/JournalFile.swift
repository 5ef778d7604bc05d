import FleetCore
import Foundation
import GRDB

/// The file of a journal on disk: made for its owner alone, and left as it is if it is something else.
struct JournalFile {
    /// Where it is.
    var path: String

    /// Makes the folder (0700) and the file (0600) if they are missing; SQLite gives `-wal` and `-shm` the file's own mode.
    func create(in folder: String) throws(Problem) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw unwritable("The folder for run output can't be made.", cause: "\(error.localizedDescription)")
        }
        // Made without opening it: closing a descriptor of this file would let go of the locks that SQLite holds on it for
        // another journal of this process (fcntl(2): POSIX locks go with any descriptor).
        guard mknod(path, S_IFREG | 0o600, 0) == 0 else {
            guard errno == EEXIST else { throw unwritable("The journal can't be made.", cause: String(cString: strerror(errno))) }
            return
        }
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }

    /// Refuses what SQLite should not even open: a missing or unreadable file, a folder, a pipe.
    ///
    /// Whether a regular file is a journal is SQLite's to say; it alters nothing that it does not take for a database.
    func check() throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let cause = errno
            guard cause == ENOENT || cause == ENOTDIR else { throw unreadable(cause) }
            throw Problem(
                code: "journal-missing", what: "There is no journal here: no run was recorded in this folder.",
                place: .file(path, line: nil),
                remedy: "Name the folder of the runs with `--logs DIR` or the variable FLEET_LOGS.")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw notAJournal("it is not a regular file") }
        guard access(path, R_OK) == 0 else { throw unreadable(errno) }
    }

    /// Waits for every other process that is opening a journal of this folder; closing the descriptor ends the turn.
    func takeTurn(in folder: String, patience: Duration) throws(Problem) -> Int32 {
        let limit = ContinuousClock.now + patience
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(errno) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let cause = errno
            guard cause == EWOULDBLOCK || cause == EINTR, ContinuousClock.now < limit else {
                close(descriptor)
                throw cause == EWOULDBLOCK ? locked(nil) : unreadable(cause)
            }
            usleep(5000)
        }
        return descriptor
    }

    private func locked(_ cause: String?) -> Problem {
        Problem(
            code: "journal-locked", what: "Another process holds the journal and did not let go of it.",
            place: .file(path, line: nil), remedy: "See who has it open (`fuser \(path)`) and try again.", cause: cause)
    }

    /// Takes everybody else's rights away from a journal that was made with wider ones.
    func keepPrivate() {
        for ending in ["", "-wal", "-shm"] {
            var status = stat()
            guard stat(path + ending, &status) == 0, status.st_mode & 0o077 != 0, status.st_uid == geteuid() else { continue }
            chmod(path + ending, 0o600)
        }
    }

    private func unreadable(_ cause: Int32) -> Problem {
        Problem(
            code: "journal-unreadable", what: "The journal can't be read.", place: .file(path, line: nil),
            remedy: "Read it as the account that ran Fleet, or choose another folder with `--logs DIR`.",
            cause: String(cString: strerror(cause)))
    }

    func notAJournal(_ cause: String?) -> Problem {
        Problem(
            code: "journal-invalid", what: "This file is not a journal of Fleet, or it is damaged. It was left as it is.",
            place: .file(path, line: nil),
            remedy: "Move it aside to begin a new journal, or choose another folder with `--logs DIR`.", cause: cause)
    }

    func unwritable(_ what: String, cause: String) -> Problem {
        Problem(
            code: "journal-unwritable", what: what, place: .file(path, line: nil),
            remedy: "Make the folder writable and see that its disk has room, or choose another folder with `--logs DIR`.",
            cause: cause)
    }

    /// What a failure of SQLite means for a person.
    func problem(_ error: any Error, doing: String) -> Problem {
        if let problem = error as? Problem { return problem }
        guard let error = error as? DatabaseError else {
            return Problem(
                code: "journal-damaged", what: "The journal holds an entry that can't be read. It was left as it is.",
                place: .file(path, line: nil), remedy: "Use the version of Fleet that wrote it.", cause: "\(error)")
        }
        let cause = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: return notAJournal(cause)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return locked(cause)
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_AUTH:
            return unwritable("The journal can't \(doing).", cause: cause)
        case .SQLITE_CONSTRAINT:
            return Problem(
                code: "journal-refused", what: "The journal refused an event that must not be.", place: .file(path, line: nil),
                remedy: "This is a mistake in Fleet: please report it with the run's events.", cause: cause)
        default:
            return Problem(
                code: "journal-failed", what: "The journal could not \(doing).", place: .file(path, line: nil),
                remedy: "See the cause; the journal was left as it is.", cause: cause)
        }
    }
}
