import FleetCore

/// Reads the step file of one add-on: steps in the form a release has them, and a check for each.
struct AddOnReader: ShapeReader {
    let path: String
    var problems: [Problem] = []

    init(path: String) { self.path = path }

    /// Reads the text of the file; nil if it has no name or is none at all.
    mutating func read(_ text: String) -> AddOn? {
        do throws(Problem) {
            let document = try YAMLDocument(text, path: path)
            problems += document.problems
            return addOn(document.root)
        } catch {
            problems.append(error)
            return nil
        }
    }

    private mutating func addOn(_ value: YAMLValue) -> AddOn? {
        let write = "`name: acme-dashboards` and `steps:` below it"
        guard let fields = fields(value, called: "An add-on", allowed: ["name", "steps"], write: write),
            let name = name(required("name", of: fields))
        else { return nil }
        guard let entry = fields["steps"] else {
            problems.append(.missingKey("steps", of: "The add-on \(name)", at: fields.line, in: path))
            return nil
        }
        let values = list(entry, write: "each step as `- id: ...`")
        if case .list(let values, let line) = entry.value, values.isEmpty { problems.append(.missingValue("steps", at: line, in: path)) }
        var lines: [String: Int] = [:]
        let steps = values.compactMap { value -> AddOnStep? in
            guard let step = step(value, of: name) else { return nil }
            if let first = lines[step.work.id] {
                problems.append(.duplicateAddOnStep(step.work.id, first: first, at: value.line, in: path))
            }
            lines[step.work.id] = lines[step.work.id] ?? value.line
            return step
        }
        return AddOn(name: name, steps: steps)
    }

    private mutating func name(_ found: (text: String, line: Int)?) -> String? {
        guard let found else { return nil }
        let bytes = found.text.utf8
        if (1...32).contains(bytes.count), bytes.allSatisfy({ Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }),
            bytes.first.map({ $0 >= UInt8(ascii: "a") }) == true, !found.text.hasPrefix("to-")
        {
            return found.text
        }
        problems.append(
            .badEntry(
                found.text, of: "name", at: found.line, in: path,
                remedy: "Write 1 to 32 small letters, digits and `-`, a letter first, and no `to-` at the beginning."))
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) }

    // MARK: Steps

    private static let stepKeys = [
        "id", "phase", "kind", "title", "text", "when", "script", "edit", "idempotent", "engines_stopped", "limit", "check",
    ]

    /// What a step of an add-on may be. What Fleet cannot do is a step for a person, and what is only to know is no step.
    private enum Kind: String, CaseIterable {
        case shell, mongo
        case configEdit = "config-edit"
        case manual

        var ofRelease: StepKind {
            switch self {
            case .shell: .shell
            case .mongo: .mongo
            case .configEdit: .configEdit
            case .manual: .manual
            }
        }
    }

    private mutating func step(_ value: YAMLValue, of addOn: String) -> AddOnStep? {
        guard var fields = fields(value, called: "A step", allowed: Self.stepKeys, write: "`id: NAME` and the other keys below it") else {
            return nil
        }
        let id = id(required("id", of: fields))
        if let id { fields.name = "The step \(id)" }
        let phase: StepPhase? = choice(required("phase", of: fields), of: "phase")
        let kind: Kind? = choice(required("kind", of: fields), of: "kind")
        let title = line(required("title", of: fields), of: "title")
        let text = kind == .manual ? required("text", of: fields)?.text : optional("text", of: fields)?.text ?? ""
        let conditions = conditions(fields["when"])
        let flags = ["idempotent", "engines_stopped"].map { flag($0, of: fields) }
        let limit = limit(optional("limit", of: fields))
        let check = optional("check", of: fields)?.text
        guard let id, let phase, let kind, let title, let text else { return nil }
        for key in ["script", "edit", "check", "limit", "idempotent", "engines_stopped"] where kind == .manual && fields[key] != nil {
            problems.append(
                .contradiction(
                    "\(fields.name) is done by a person and has `\(key)`.", at: fields[key]?.line ?? fields.line, in: path,
                    remedy: "Put what the person does and looks at into `text`, or choose another kind."))
        }
        let work = kind == .manual ? nil : self.work(fields, of: kind.ofRelease)
        if kind == .configEdit, fields["script"] == nil, fields["edit"] == nil {
            problems.append(.missingKey("edit", of: fields.name, at: fields.line, in: path))
        }
        return AddOnStep(
            work: ReleaseStep(
                id: "\(addOn).\(id)", phase: phase, kind: kind.ofRelease, title: title, text: text, conditions: conditions, work: work,
                isIdempotent: flags[0], requiresEnginesStopped: flags[1], limit: limit ?? ReleaseStep.usualLimit),
            check: check)
    }

    private mutating func id(_ found: (text: String, line: Int)?) -> String? {
        guard let found else { return nil }
        let bytes = found.text.utf8
        if (1...40).contains(bytes.count), bytes.first.map(Self.isAlphanumeric) == true,
            bytes.allSatisfy({ Self.isAlphanumeric($0) || ".-".utf8.contains($0) })
        {
            return found.text
        }
        problems.append(
            .badEntry(
                found.text, of: "id", at: found.line, in: path,
                remedy: "Write 1 to 40 small letters, digits, `-` and `.`, a letter or a digit first."))
        return nil
    }
}

extension Problem {
    fileprivate static func duplicateAddOnStep(_ id: String, first: Int, at line: Int, in path: String) -> Problem {
        Problem(
            code: "duplicate-step", what: "The step `\(id)` is given twice, first on line \(first).", place: .file(path, line: line),
            remedy: "Keep one of the two, or give it another id.")
    }
}
