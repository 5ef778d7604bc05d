import FleetCore
import Foundation
import SSHClient

/// A file of trusted host keys that keys are enrolled in.
struct KnownHostsFile {
    /// Its path; the file need not exist.
    let path: String

    /// Puts keys on record. Lines that name exactly the same host with another key are taken out; everything else stays.
    func enrol(_ keys: [(HostKey, SSHEndpoint)]) throws {
        let old = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let names = Set(keys.map { KnownHosts.name(of: $0.1) })
        let kept = old.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            line.split(separator: " ").first.map { !names.contains(String($0)) } ?? true
        }
        var lines = kept.map(String.init)
        while lines.last == "" { lines.removeLast() }
        lines += keys.map { $0.0.knownHostsLine(for: $0.1) }

        let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(String(cString: strerror(errno))) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
            try file.synchronize()
        } catch {
            unlink(temporary)
            throw unwritable("\(error)")
        }
        guard rename(temporary, path) == 0 else {
            let cause = String(cString: strerror(errno))
            unlink(temporary)
            throw unwritable(cause)
        }
    }

    private func unwritable(_ cause: String) -> Problem {
        Problem(
            code: "known-hosts-unwritable", what: "The list of known hosts cannot be written.", place: .file(path, line: nil),
            remedy: "Mend its folder's permissions, or name another file with `known_hosts` in the inventory.", cause: cause)
    }
}
