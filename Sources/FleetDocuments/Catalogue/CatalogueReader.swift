import FleetCore

/// A release with the place that declares it.
struct DeclaredRelease {
    var release: Release
    var file: String
    var line: Int
}

/// Walks through one file of a catalogue and gathers releases and mistakes.
///
/// The file is one release, or a list of releases.
struct CatalogueReader: ShapeReader {
    let path: String
    private(set) var releases: [DeclaredRelease] = []
    var problems: [Problem] = []

    init(path: String) { self.path = path }

    /// Reads the text of the file.
    mutating func read(_ text: String) {
        do throws(Problem) {
            let document = try YAMLDocument(text, path: path)
            problems += document.problems
            if case .list(let values, _) = document.root {
                for value in values { readRelease(value) }
            } else {
                readRelease(document.root)
            }
        } catch {
            problems.append(error)
        }
    }

    private mutating func readRelease(_ value: YAMLValue) {
        let allowed = ["version", "published", "note", "withdrawn", "steps"]
        guard let fields = fields(value, called: "A release", allowed: allowed, write: "`version: 3.38.0` and the other keys below it")
        else { return }
        guard let version = version(required("version", of: fields), of: "version") else { return }
        let published = date(optional("published", of: fields))
        let release = Release(
            version: version, published: published, note: fields["note"].flatMap { note($0.value, published: published) },
            withdrawals: list(fields["withdrawn"], write: "each reason as `- reason: ...`").compactMap { withdrawal($0) },
            steps: list(fields["steps"], write: "each step as `- id: ...`").compactMap { step($0, of: version) })
        releases.append(DeclaredRelease(release: release, file: path, line: fields.line))

        findDuplicates(in: fields["steps"])
    }

    /// A complaint about each id that is given twice, at its place.
    private mutating func findDuplicates(in entry: YAMLEntry?) {
        guard case .list(let values, _) = entry?.value else { return }
        var lines: [String: Int] = [:]
        for case .mapping(let entries, _) in values {
            guard let id = entries.first(where: { $0.key == "id" }), case .text(let text, let line) = id.value else { continue }
            if let first = lines[text] { problems.append(.duplicateStep(text, first: first, at: line, in: path)) }
            lines[text] = lines[text] ?? line
        }
    }

    private mutating func note(_ value: YAMLValue, published: String?) -> NoteFacts? {
        let allowed = ["procedure", "hidden_steps", "code_blocks"]
        let write = "`{procedure: standard, hidden_steps: false, code_blocks: 0}`"
        guard let fields = fields(value, called: "`note`", allowed: allowed, write: write) else { return nil }
        let procedure: NoteProcedure? = choice(required("procedure", of: fields), of: "procedure")
        let hidden = flag("hidden_steps", of: fields)
        guard let blocks = required("code_blocks", of: fields) else { return nil }
        guard blocks.text.utf8.count <= 4, let count = UInt(blocks.text) else {
            problems.append(.badEntry(blocks.text, of: "code_blocks", at: blocks.line, in: path, remedy: "Write a number, 0 or more."))
            return nil
        }
        return procedure.map { NoteFacts(published: published, procedure: $0, hasHiddenSteps: hidden, codeBlocks: Int(count)) }
    }

    private mutating func withdrawal(_ value: YAMLValue) -> Withdrawal? {
        guard let fields = fields(value, called: "A reason", allowed: ["reason", "when"], write: "`reason: ...`, and `when:` if need be")
        else { return nil }
        let conditions = conditions(fields["when"])
        return line(required("reason", of: fields), of: "reason").map { Withdrawal(reason: $0, conditions: conditions) }
    }

    private mutating func date(_ found: (text: String, line: Int)?) -> String? {
        guard let found else { return nil }
        if FrenchDate.all(in: [found.text]).first?.iso == found.text { return found.text }
        problems.append(.badEntry(found.text, of: "published", at: found.line, in: path, remedy: "Write a date such as 2020-03-19."))
        return nil
    }
}

extension Problem {
    fileprivate static func duplicateStep(_ id: String, first: Int, at line: Int, in path: String) -> Problem {
        Problem(
            code: "duplicate-step", what: "The step `\(id.shortened)` is given twice, first on line \(first).",
            place: .file(path, line: line), remedy: "Keep one of the two, or give it another id.")
    }
}
