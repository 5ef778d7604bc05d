import FleetCore
import Glibc

/// Reads the hooks of an inventory.
struct HooksReader: ShapeReader {
    let path: String
    var problems: [Problem] = []
    private let folder: Folder

    init(path: String, folder: Folder) {
        self.path = path
        self.folder = folder
    }

    /// The hooks below the key.
    mutating func hooks(_ entry: YAMLEntry) -> [HookEvent: Hook] {
        let events = HookEvent.allCases.map(\.rawValue)
        let write = "`before_run: {command: [./notify, begin]}`"
        guard let fields = fields(entry.value, called: "`hooks`", allowed: events, write: write) else { return [:] }
        var hooks: [HookEvent: Hook] = [:]
        for event in HookEvent.allCases {
            if let entry = fields[event.rawValue] { hooks[event] = hook(entry, at: event) }
        }
        return hooks
    }

    private mutating func hook(_ entry: YAMLEntry, at event: HookEvent) -> Hook? {
        let allowed = ["command", "limit", "on_failure"]
        let write = "`{command: [./notify, begin]}`"
        guard let fields = fields(entry.value, called: "`\(entry.key)`", allowed: allowed, write: write) else { return nil }
        let limit = limit(optional("limit", of: fields))
        let policy: HookPolicy? = choice(optional("on_failure", of: fields), of: "on_failure")
        guard let command = command(fields) else { return nil }
        return Hook(command: command, limit: limit ?? Hook.usualLimit, onFailure: policy ?? event.usualPolicy)
    }

    private mutating func command(_ fields: CatalogueFields) -> [String]? {
        guard let entry = fields["command"] else {
            problems.append(.missingKey("command", of: fields.name, at: fields.line, in: path))
            return nil
        }
        if case .list(let values, let line) = entry.value, values.isEmpty {
            problems.append(.missingValue("command", at: line, in: path))
        }
        var words: [String] = []
        for value in list(entry, write: "the program and its arguments, no shell reads them: `command: [./notify, begin]`") {
            guard case .text(let text, let line) = value, !text.utf8.contains(0) else {
                problems.append(.wrongShape("A word of `command`", wants: "a text", not: value, in: path, write: "`\"\"` for an empty one"))
                return nil
            }
            if words.isEmpty {
                let program = HookProgram(text.contains("/") ? folder.resolved(text) : text)
                if let what = program.whatIsWrong {
                    problems.append(
                        Problem(code: "bad-hook-command", what: what, place: .file(path, line: line), remedy: program.remedy))
                }
                words.append(program.name)
            } else {
                words.append(text)
            }
        }
        return words.isEmpty ? nil : words
    }
}

/// A program that a hook names.
public struct HookProgram: Hashable, Sendable {
    /// An absolute path, or a name without a slash.
    public let name: String

    /// Names a program.
    public init(_ name: String) { self.name = name }

    /// Why it cannot be started, as a sentence; nil if it can, as far as one can tell beforehand.
    public var whatIsWrong: String? {
        guard name.contains("/") else {
            return found == nil ? "There is no program `\(name.shortened)` in PATH." : nil
        }
        guard let status = FileStatus(of: name) else { return "There is no program `\(name.shortened)`." }
        guard status.isRegular else { return "The program `\(name.shortened)` is not a file." }
        return access(name, X_OK) == 0 ? nil : "The program `\(name.shortened)` may not be executed."
    }

    /// What to do about it, as a sentence.
    public var remedy: String {
        guard name.contains("/") else { return "Correct the name, or write a path with a slash: `./\(name.shortened)`." }
        return FileStatus(of: name)?.isRegular == true
            ? "chmod +x \(shellQuoted(name))"
            : "Correct the path: it is relative to the inventory's folder, `~/` is your home."
    }

    /// Where it is; nil if it is nowhere.
    public var found: String? {
        if name.contains("/") { return name }
        guard let folders = getenv("PATH").map({ String(cString: $0) }) else { return nil }
        return folders.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileStatus(of: $0)?.isRegular == true && access($0, X_OK) == 0
        }
    }
}

extension Problem {
    static func hooksTwice(first: Place, at place: Place) -> Problem {
        Problem(
            code: "duplicate-hooks", what: "The inventory has `hooks` twice, first at \(first).", place: place,
            remedy: "Keep one of the two: hooks are for the whole inventory.")
    }
}
