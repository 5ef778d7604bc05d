import FleetCore
import Foundation

/// Says that a process carries a run out at this moment: an open-file lock on `<folder>/<run>/.lock`.
///
/// The kernel lets go of it however the process ends, so a run whose lock nobody holds has no coordinator. A child does not
/// inherit it over `exec`. Looking does not take it, so a look never gets in a coordinator's way.
public final class RunLock: Sendable {
    /// The process that holds a run, as it wrote itself down.
    public struct Holder: Hashable, Sendable, Codable {
        /// The process id.
        public var pid: Int32
        /// `/proc/sys/kernel/random/boot_id` of the machine it runs on.
        public var boot: String
        /// The machine's name.
        public var machine: String
        /// When it took the run, RFC 3339.
        public var since: String
    }

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Lets go of the run.
    deinit {
        // A child that is just being started may hold a copy of the descriptor: closing ours alone would not free the run.
        var free = Self.wholeFile()
        free.l_type = Int16(F_UNLCK)
        _ = fcntl(descriptor, OpenFileLock.set, &free)
        close(descriptor)
    }

    /// Takes a run for this process; making its folder (0700) if need be.
    ///
    /// - Throws: `run-held` if another process has it, `journal-unwritable` if the file can't be written.
    public static func acquire(_ run: RunID, in folder: String, now: Timestamp = .now()) throws(Problem) -> RunLock {
        let path = path(of: run, in: folder)
        let file = JournalFile(path: path)
        do {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(run)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw file.unwritable("The run's folder can't be made.", cause: error.localizedDescription)
        }
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw file.unwritable("The run's lock can't be opened.", cause: String(cString: strerror(errno)))
        }
        let lock = RunLock(descriptor: descriptor)
        var wanted = wholeFile()
        guard fcntl(descriptor, OpenFileLock.set, &wanted) == 0 else {
            let cause = errno
            guard cause == EAGAIN || cause == EACCES else {
                throw file.unwritable("The run can't be locked.", cause: String(cString: strerror(cause)))
            }
            let holder = holder(of: run, in: folder).map { "process \($0.pid) on \($0.machine), since \($0.since)" }
            throw Problem(
                code: "run-held", what: "Another process carries this run out.", place: .argument(run.text),
                remedy: "Watch it with `fleet status \(run)`.", cause: holder)
        }
        let text = (try? JSONEncoder().encode(Holder.current(since: now))).map { Array($0) + [UInt8(ascii: "\n")] } ?? []
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            throw file.unwritable("The run's lock can't be written.", cause: String(cString: strerror(errno)))
        }
        return lock
    }

    /// Whether some process carries this run out; false if the lock file is missing or can't be read.
    public static func isHeld(_ run: RunID, in folder: String) -> Bool {
        let descriptor = open(path(of: run, in: folder), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var asked = wholeFile()
        return fcntl(descriptor, OpenFileLock.get, &asked) == 0 && asked.l_type != Int16(F_UNLCK)
    }

    /// Who wrote itself down last as the run's process; nil if nobody did. It may be gone: see ``isHeld(_:in:)``.
    public static func holder(of run: RunID, in folder: String) -> Holder? {
        guard let text = FileManager.default.contents(atPath: path(of: run, in: folder)), text.count < 4096 else { return nil }
        return try? JSONDecoder().decode(Holder.self, from: text)
    }

    private static func path(of run: RunID, in folder: String) -> String { "\(folder)/\(run)/.lock" }

    private static func wholeFile() -> flock {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }
}

extension RunLock.Holder {
    /// Whether it is a process of this machine since it was started: its number means that process then.
    public var isOfThisBoot: Bool { boot == Self.current(since: Timestamp.now()).boot }

    /// This process.
    fileprivate static func current(since now: Timestamp) -> Self {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let machine = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        return Self(
            pid: getpid(), boot: String(decoding: boot, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines),
            machine: machine, since: now.description)
    }
}

/// Commands of fcntl(2) that the C library shows only with `_GNU_SOURCE`; the same number on every Linux.
private enum OpenFileLock {
    static let get: Int32 = 36
    static let set: Int32 = 37
}
