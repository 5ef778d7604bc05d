import FleetCore
import FoundationEssentials
import Glibc

/// A folder with the vendor's release notes, or a checkout that has one somewhere in it.
///
/// Notes are files named after their release, `3.26.0.md` or `22.10.1.md`. Nothing is written, and no link is followed out of the folder.
public struct NotesFolder: Sendable {
    /// The folder, as given.
    public var path: String

    /// Names a folder.
    public init(_ path: String) { self.path = path }

    /// The notes of a folder.
    public struct Contents: Hashable, Sendable {
        /// What was read, in the order of the versions.
        public var notes: [ReadNote]
        /// Files named like notes that are none, in the same order.
        public var unread: [UnreadNote]
        /// How many other files lie beside them.
        public var ignored: Int
    }

    /// The most bytes a note may have.
    public static let mostBytes = 1 << 20
    /// The vendor's name for the folder of the notes.
    static let name = "notes-de-version"
    /// How deep a checkout is searched for it, and how many folders are looked into.
    static let (deepest, mostFolders) = (8, 20_000)

    /// Reads every note.
    ///
    /// - Throws: `folder-missing`, `not-a-folder`, `folder-unreadable`, `no-notes`.
    public func read() throws(Problem) -> Contents {
        guard let status = FileStatus(of: path) else {
            throw Problem(
                code: "folder-missing", what: "There is no such directory.", place: .file(path, line: nil),
                remedy: "Name a checkout of the vendor's notes, or the directory in it that has the files X.Y.Z.md.")
        }
        guard status.isDirectory else {
            throw Problem(
                code: "not-a-folder", what: "This is not a directory.", place: .file(path, line: nil),
                remedy: "Name the directory that has the notes.")
        }
        var files = try files(in: path)
        if files.notes.isEmpty {
            files.others = 0
            for folder in try foldersOfNotes() {
                let found = try self.files(in: folder)
                files.notes += found.notes
                files.others += found.others
            }
        }
        guard !files.notes.isEmpty else {
            throw Problem(
                code: "no-notes", what: "There is no note here: no file named X.Y.Z.md, and no directory `\(Self.name)` that has one.",
                place: .file(path, line: nil), remedy: "Name a checkout of the vendor's notes, or the directory of the notes in it.")
        }
        return contents(of: files.notes.sorted { ($0.version, $0.path) < ($1.version, $1.path) }, others: files.others)
    }

    private struct File {
        var version: CanopsisVersion
        var path: String
    }

    private func contents(of files: [File], others: Int) -> Contents {
        var contents = Contents(notes: [], unread: [], ignored: others)
        let root = Self.realPath(path) ?? path
        var first: [CanopsisVersion: String] = [:]
        for file in files {
            if let other = first.updateValue(first[file.version] ?? file.path, forKey: file.version) {
                let flaw = NoteFlaw(code: .duplicate, text: "\(other) is about the same release")
                contents.unread.append(UnreadNote(version: file.version, path: file.path, flaws: [flaw]))
                continue
            }
            switch Self.read(file, within: root) {
            case .success(let note): contents.notes.append(note)
            case .failure(let unread): contents.unread.append(unread.note)
            }
        }
        return contents
    }

    private struct Unread: Error {
        var note: UnreadNote
    }

    private static func read(_ file: File, within root: String) -> Result<ReadNote, Unread> {
        func failure(_ code: NoteFlaw.Code, _ text: String, line: Int? = nil) -> Result<ReadNote, Unread> {
            let flaw = NoteFlaw(code: code, line: line, text: text)
            return .failure(Unread(note: UnreadNote(version: file.version, path: file.path, flaws: [flaw])))
        }
        guard let real = realPath(file.path) else { return failure(.unreadable, "it is a link to nothing") }
        guard real.hasPrefix(root == "/" ? root : root + "/") else { return failure(.outside, "it is a link out of the directory") }
        // A pipe would be waited for.
        guard FileStatus(of: real)?.isRegular == true else { return failure(.unreadable, "it is not a regular file") }
        let bytes: [UInt8]
        do throws(Problem) {
            bytes = try TextFile(path: real, role: "note", most: mostBytes).readBytes()
        } catch {
            guard error.code != "file-too-big" else { return failure(.tooLarge, "it is larger than 1 MiB") }
            return failure(.unreadable, "it cannot be read: \(error.cause ?? error.what)")
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            let valid = String(decoding: bytes, as: UTF8.self).utf8
            let line = zip(valid, bytes).prefix { $0 == $1 && $1 != 0 }.count { $0.0 == UInt8(ascii: "\n") } + 1
            return failure(.notText, "its bytes are not text in UTF-8", line: line)
        }
        let reading = NoteReading(of: text)
        guard let version = reading.version else {
            return .failure(Unread(note: UnreadNote(version: file.version, path: file.path, flaws: reading.flaws)))
        }
        guard version == file.version else { return failure(.otherTitle, "its title is about \(version)") }
        return .success(
            ReadNote(
                version: version, path: file.path, sha256: sha256(of: bytes), facts: reading.facts, reasons: reading.reasons,
                flaws: reading.flaws, text: text))
    }

    // MARK: Looking for files

    private func files(in folder: String) throws(Problem) -> (notes: [File], others: Int) {
        var (notes, others): ([File], Int) = ([], 0)
        for name in try names(in: folder) {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if name.hasSuffix(".md"), let version = CanopsisVersion(name.dropLast(3)), version.preview == nil {
                notes.append(File(version: version, path: path))
            } else if FileStatus(of: path)?.isDirectory != true {
                others += 1
            }
        }
        return (notes, others)
    }

    /// The folders of notes in a checkout, each above the ones below it. Links are not followed.
    private func foldersOfNotes() throws(Problem) -> [String] {
        var found: [String] = []
        var waiting = [(path: path, depth: 0)]
        var looked = 0
        while let next = waiting.popLast(), looked < Self.mostFolders {
            looked += 1
            // A folder that may not be looked into has no notes for us.
            guard let names = try? names(in: next.path) else { continue }
            for name in names.reversed() where !name.hasPrefix(".") {
                let path = next.path.hasSuffix("/") ? next.path + name : "\(next.path)/\(name)"
                guard Self.isFolder(path) else { continue }
                if name == Self.name { found.append(path) }
                if next.depth < Self.deepest { waiting.append((path, next.depth + 1)) }
            }
        }
        return found.sorted()
    }

    private func names(in folder: String) throws(Problem) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw Problem(
                code: "folder-unreadable", what: "The directory cannot be read.", place: .file(folder, line: nil),
                remedy: "Let your account read it: `ls -ld \(shellQuoted(folder))` shows who may.", cause: "\(error)")
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
