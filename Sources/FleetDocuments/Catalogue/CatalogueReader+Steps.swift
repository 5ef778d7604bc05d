import FleetCore

extension CatalogueReader {
    private static let stepKeys = [
        "id", "phase", "kind", "title", "text", "when", "script", "edit", "idempotent", "engines_stopped", "optional", "blocking",
        "obsolete_from", "limit",
    ]

    /// Reads one step of a release.
    mutating func step(_ value: YAMLValue, of release: CanopsisVersion) -> ReleaseStep? {
        let write = "`id: \(release)-NAME` and the other keys below it"
        guard var fields = fields(value, called: "A step", allowed: Self.stepKeys, write: write) else { return nil }
        let id = id(required("id", of: fields), of: release)
        if let id { fields.name = "The step \(id)" }
        let phase: StepPhase? = choice(required("phase", of: fields), of: "phase")
        let kind: StepKind? = choice(required("kind", of: fields), of: "kind")
        let title = line(required("title", of: fields), of: "title")
        let text = required("text", of: fields)?.text
        let conditions = conditions(fields["when"])
        let flags = ["idempotent", "engines_stopped", "optional", "blocking"].map { flag($0, of: fields) }
        let obsoleteFrom = obsolete(fields, of: release)
        let limit = limit(optional("limit", of: fields))
        guard let id, let phase, let kind, let title, let text else { return nil }
        let step = ReleaseStep(
            id: id, phase: phase, kind: kind, title: title, text: text, conditions: conditions, work: work(fields, of: kind),
            isIdempotent: flags[0], requiresEnginesStopped: flags[1], isOptional: flags[2], isBlocking: flags[3],
            obsoleteFrom: obsoleteFrom, limit: limit ?? ReleaseStep.usualLimit)
        if step.isBlocking, step.isAutomatic {
            problems.append(
                .contradiction(
                    "\(fields.name) blocks, and Fleet could do it.", at: fields["blocking"]?.line ?? fields.line, in: path,
                    remedy: "Make it a `manual` step or a `notice`, or leave out `blocking`."))
        }
        return step
    }

    private mutating func id(_ found: (text: String, line: Int)?, of release: CanopsisVersion) -> String? {
        guard let found else { return nil }
        let name = found.text.dropFirst("\(release)-".count)
        let isName = name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || "-.".utf8.contains($0) }
        if found.text.hasPrefix("\(release)-"), (1...60).contains(name.utf8.count), isName { return found.text }
        problems.append(
            .badEntry(
                found.text, of: "id", at: found.line, in: path,
                remedy: "Write `\(release)-` and a name of small letters, digits, `-` and `.`."))
        return nil
    }

    private mutating func obsolete(_ fields: CatalogueFields, of release: CanopsisVersion) -> CanopsisVersion? {
        guard let version = version(optional("obsolete_from", of: fields), of: "obsolete_from") else { return nil }
        if version > release { return version }
        problems.append(
            .contradiction(
                "\(fields.name) is needless from \(version), and \(release) asks for it.", at: fields["obsolete_from"]?.line ?? fields.line,
                in: path, remedy: "Name a later release, or leave the step out."))
        return nil
    }
}

// MARK: - What steps of releases and of add-ons have in common

extension ShapeReader {
    /// How long a step may take; nil if it does not say, or wrongly.
    mutating func limit(_ found: (text: String, line: Int)?) -> Duration? {
        guard let found else { return nil }
        if let limit = Duration(found.text) { return limit }
        problems.append(
            .badEntry(found.text, of: "limit", at: found.line, in: path, remedy: "Write a whole number and a unit: `90s`, `10m`."))
        return nil
    }

    /// What carries a step out; its kind decides in which language its script is.
    mutating func work(_ fields: CatalogueFields, of kind: StepKind) -> StepWork? {
        let edit = fields["edit"].flatMap { readEdit($0.value) }
        let script = optional("script", of: fields)?.text
        if let entry = fields["edit"], kind != .configEdit || fields["script"] != nil {
            let what = kind == .configEdit ? "a `script` as well" : "the kind \(kind.rawValue)"
            problems.append(
                .contradiction(
                    "\(fields.name) has an `edit` and \(what).", at: entry.line, in: path,
                    remedy: "An `edit` is what a step of the kind config-edit does, and all it does."))
        }
        switch kind {
        case .notice:
            if let entry = fields["script"] {
                problems.append(
                    .contradiction(
                        "\(fields.name) is a notice and has a `script`.", at: entry.line, in: path,
                        remedy: "Choose the kind of what the script does, or put it into `text`."))
            }
            return nil
        case .configEdit:
            if let edit { return .edit(edit) }
            return script.map { .shell($0) }
        case .manual, .rabbitmq: return script.map { .shell($0) }
        case .shell, .mongo, .influx:
            guard let script else {
                if fields["script"] == nil {
                    problems.append(.missingKey("script", of: fields.name, at: fields.line, in: path))
                }
                return nil
            }
            return kind == .mongo ? .mongo(script) : kind == .influx ? .influx(script) : .shell(script)
        }
    }

    private mutating func readEdit(_ value: YAMLValue) -> ConfigEdit? {
        let keys = ["file", "section", "line"]
        guard let fields = fields(value, called: "`edit`", allowed: keys, write: "`{file: /PATH, section: NAME, line: \"KEY=VALUE\"}`"),
            let file = required("file", of: fields), let section = required("section", of: fields),
            let line = required("line", of: fields)
        else { return nil }
        if let edit = ConfigEdit(file: file.text, section: section.text, line: line.text) { return edit }
        problems.append(
            .badEntry(
                "\(file.text), [\(section.text)], \(line.text)", of: "edit", at: fields.line, in: path,
                remedy: "Write an absolute path, a section without brackets, and a setting that begins its line."))
        return nil
    }
}

// MARK: - Conditions

/// What a condition is about, with the keys it may have besides.
private let conditionKeys: [(key: String, others: [String])] = [
    ("system", ["versions"]), ("edition", []), ("stack", []), ("install", []), ("unit", ["is"]), ("file", ["contains", "lacks"]),
    ("comes_from_before", []),
]

extension ShapeReader {
    /// The conditions of a step or a withdrawal; none if it has none.
    mutating func conditions(_ entry: YAMLEntry?) -> [StepCondition] {
        list(entry, write: "each condition as `- {stack: go}`").compactMap { condition($0) }
    }

    private mutating func condition(_ value: YAMLValue) -> StepCondition? {
        let subjects = conditionKeys.map(\.key)
        guard case .mapping(let entries, let place) = value else {
            problems.append(
                .wrongShape("A condition", wants: "a mapping", not: value, in: path, write: "`{stack: go}`, or another of its kind"))
            return nil
        }
        let named = entries.map(\.key).filter { subjects.contains($0) }
        guard let subject = named.first, Set(named).count == 1 else {
            let unknown = entries.filter { !subjects.contains($0.key) }
            if named.isEmpty, !unknown.isEmpty {
                problems += unknown.map { .unknownKey($0, allowed: subjects, in: path) }
            } else {
                problems.append(
                    .contradiction(
                        "A condition is about one thing, this one about "
                            + (named.isEmpty ? "none." : named.joined(separator: " and ") + "."),
                        at: place, in: path, remedy: "Write each as an entry of its own, one of \(subjects.joined(separator: ", "))."))
            }
            return nil
        }
        let allowed = [subject] + (conditionKeys.first { $0.key == subject }?.others ?? [])
        guard let fields = fields(value, called: "A condition", allowed: allowed, write: "`{stack: go}`") else { return nil }
        let found = required(subject, of: fields)
        switch subject {
        case "system":
            let versions = versions(fields["versions"])
            return line(found, of: subject).map { .system(id: $0, versions: versions) }
        case "edition": return choice(found, of: subject).map { .edition($0) }
        case "stack": return choice(found, of: subject).map { .stack($0) }
        case "install": return choice(found, of: subject).map { .install($0) }
        case "unit":
            let state: UnitCondition? = choice(required("is", of: fields), of: "is")
            guard let pattern = unitPattern(found), let state else { return nil }
            return .unit(pattern: pattern, state)
        case "file": return fileCondition(found, fields)
        default: return version(found, of: subject).map { .comesFrom(before: $0) }
        }
    }

    private mutating func versions(_ entry: YAMLEntry?) -> [String] {
        list(entry, write: "`versions: [\"7\"]`").compactMap { value in
            line(text(of: YAMLEntry(key: "versions", line: value.line, value: value)), of: "versions")
        }
    }

    private mutating func unitPattern(_ found: (text: String, line: Int)?) -> String? {
        guard let found else { return nil }
        if found.text.hasPrefix("canopsis-"), found.text.hasSuffix(".service") { return found.text }
        problems.append(
            .badEntry(
                found.text, of: "unit", at: found.line, in: path,
                remedy: "Write `canopsis-...service`, with `*` and `?` where need be: no other unit is looked at."))
        return nil
    }

    private mutating func fileCondition(_ file: (text: String, line: Int)?, _ fields: CatalogueFields) -> StepCondition? {
        let (contains, lacks) = (optional("contains", of: fields), optional("lacks", of: fields))
        guard let file, let text = contains ?? lacks, contains == nil || lacks == nil else {
            if file != nil, fields["contains"] == nil && fields["lacks"] == nil || contains != nil && lacks != nil {
                problems.append(
                    .contradiction(
                        "A condition on a file says one of `contains` and `lacks`.", at: fields.line, in: path,
                        remedy: "Write `{file: /PATH, contains: \"TEXT\"}` or `{file: /PATH, lacks: \"TEXT\"}`."))
            }
            return nil
        }
        guard let probe = FileProbe(path: file.text, text: text.text) else {
            problems.append(
                .badEntry(file.text, of: "file", at: file.line, in: path, remedy: "Write an absolute path, and a text on one line."))
            return nil
        }
        return contains == nil ? .fileLacks(probe) : .fileContains(probe)
    }
}
