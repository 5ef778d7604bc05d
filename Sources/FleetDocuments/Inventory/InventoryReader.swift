import FleetCore

/// A host with the place that declares it.
struct DeclaredHost {
    var host: Host
    var file: String
    var line: Int
    /// Whether nothing is wrong with its entry, so that what it says can be compared with others.
    var isSound: Bool
}

/// Walks through one inventory file and gathers hosts and mistakes.
///
/// The file is itself a group without a name: `defaults`, `hosts` and `groups` mean the same on every level.
struct InventoryReader {
    let path: String
    let folder: Folder
    private(set) var hosts: [DeclaredHost] = []
    /// Where step files of add-ons are named.
    private(set) var addOnReferences: [AddOnReference] = []
    /// What is called at moments of a run, and the line that begins it; nil if the file says nothing of it.
    private(set) var hooks: (byEvent: [HookEvent: Hook], line: Int)?
    private(set) var problems: [Problem] = []

    init(path: String, home: String) {
        self.path = path
        folder = Folder(of: path, home: home)
    }

    /// Reads the text of the file.
    mutating func read(_ text: String) {
        do throws(Problem) {
            let document = try YAMLDocument(text, path: path)
            problems += document.problems
            readGroup(document.root, called: "The inventory", in: [], under: HostSettings())
            if hosts.isEmpty, problems.isEmpty { problems.append(.emptyInventory(path)) }
        } catch {
            problems.append(error)
        }
    }

    private mutating func readGroup(_ value: YAMLValue, called name: String, in groups: [String], under outer: HostSettings) {
        guard let entries = uniqueEntries(of: value, called: name, write: "`hosts:` and the hosts below it, indented") else { return }
        var settings = outer
        for entry in entries where entry.key == "defaults" {
            settings = readSettings(entry.value, called: "`defaults`", ofOneHost: false).over(outer)
        }
        for entry in entries {
            switch entry.key {
            case "defaults": break
            case "hosts": readHosts(entry.value, in: groups, under: settings)
            case "groups": readGroups(entry.value, in: groups, under: settings)
            case "hooks" where groups.isEmpty: readHooks(entry)
            default: refuse(entry, allowed: ["defaults", "groups"] + (groups.isEmpty ? ["hooks"] : []) + ["hosts"])
            }
        }
    }

    private mutating func readGroups(_ value: YAMLValue, in outer: [String], under settings: HostSettings) {
        let entries = uniqueEntries(of: value, called: "`groups`", write: "each group as `NAME:` with its `hosts:` below it") ?? []
        for entry in entries {
            if HostName(entry.key) == nil {
                problems.append(.badName(entry.key, code: "bad-group-name", what: "group", at: entry.line, in: path))
            }
            let groups = outer.contains(entry.key) ? outer : outer + [entry.key]
            readGroup(entry.value, called: "The group `\(entry.key)`", in: groups, under: settings)
        }
    }

    private mutating func readHooks(_ entry: YAMLEntry) {
        var reader = HooksReader(path: path, folder: folder)
        hooks = (reader.hooks(entry), entry.line)
        problems += reader.problems
    }

    private mutating func readHosts(_ value: YAMLValue, in groups: [String], under outer: HostSettings) {
        // A name that is given twice is found with all other hosts of the inventory.
        for entry in entries(of: value, called: "`hosts`", write: "each host as `NAME: {address: ...}`") ?? [] {
            let before = problems.count
            let settings = readSettings(entry.value, called: "The host `\(entry.key)`", ofOneHost: true).over(outer)
            if let what = settings.web.whatIsMissing { problems.append(.halfALogin(what, at: entry.line, in: path)) }
            guard let names = range(entry.key, at: entry.line) else { continue }
            let addresses = addresses(for: names, settings: settings)
            for (index, name) in names.texts.enumerated() {
                guard let name = HostName(name) else {
                    problems.append(.badName(name, code: "bad-host-name", what: "host", at: entry.line, in: path))
                    break
                }
                let address = addresses.map { $0[index] } ?? name.text
                hosts.append(
                    DeclaredHost(
                        host: settings.host(named: name, at: address, in: groups), file: path, line: entry.line,
                        isSound: problems.count == before))
            }
        }
    }

    /// One address for each name, or nil if none is given or something is wrong with them.
    private mutating func addresses(for names: NameRange, settings: HostSettings) -> [String]? {
        guard let (text, line) = settings.address, let addresses = range(text, at: line) else { return nil }
        guard addresses.count == names.count else {
            problems.append(.unequalRanges(names, addresses, at: line, in: path))
            return nil
        }
        let texts = addresses.texts
        guard texts.allSatisfy(Address.isValid) else {
            problems.append(.badValue(text, of: "address", at: line, in: path, remedy: Address.remedy(for: text)))
            return nil
        }
        return texts
    }

    private mutating func range(_ text: String, at line: Int) -> NameRange? {
        do throws(NameRange.Mistake) {
            return try NameRange(text)
        } catch {
            problems.append(.badRange(text, error, at: line, in: path))
            return nil
        }
    }
}

// MARK: - Settings

extension InventoryReader {
    private mutating func readSettings(_ value: YAMLValue, called name: String, ofOneHost: Bool) -> HostSettings {
        var settings = HostSettings()
        for entry in uniqueEntries(of: value, called: name, write: "`key: value` pairs, such as `{address: acme-1.example.net}`") ?? [] {
            guard let key = HostSettings.Key(rawValue: entry.key) else {
                refuse(entry, allowed: HostSettings.Key.allCases.map(\.rawValue))
                continue
            }
            if key == .overrides, !ofOneHost {
                problems.append(.overridesForMany(at: entry.line, in: path))
                continue
            }
            read(entry, as: key, into: &settings)
        }
        return settings
    }

    private mutating func read(_ entry: YAMLEntry, as key: HostSettings.Key, into settings: inout HostSettings) {
        if key == .addons {
            settings.addons = addons(entry)
            return
        }
        if key == .labels {
            settings.labels = labels(entry)
            return
        }
        if key == .web {
            settings.web = web(entry)
            return
        }
        if key == .overrides {
            settings.overrides = overrides(entry)
            return
        }
        guard let (text, line) = text(of: entry) else { return }
        switch key {
        case .address: settings.address = (text, line)
        case .port: settings.port = port(text, at: line)
        case .user: settings.user = user(text, at: line)
        case .identity: settings.identity = keyFile(text, at: line)
        case .knownHosts: settings.knownHosts = folder.resolved(text)
        case .become: settings.become = choice(text, of: key, at: line)
        case .edition: settings.edition = choice(text, of: key, at: line)
        case .stack: settings.stack = choice(text, of: key, at: line)
        case .packages: settings.packages = choice(text, of: key, at: line)
        case .accounts: settings.accounts = choice(text, of: key, at: line)
        case .services: settings.services = choice(text, of: key, at: line)
        case .customer: settings.customer = customer(text, at: line)
        case .settle: settings.settle = settle(text, at: line)
        case .addons, .labels, .overrides, .web: break
        }
    }

    private mutating func port(_ text: String, at line: Int) -> UInt16? {
        if !text.hasPrefix("0"), !text.hasPrefix("+"), let port = UInt16(text) { return port }
        problems.append(.badValue(text, of: "port", at: line, in: path, remedy: "Write a number from 1 to 65535."))
        return nil
    }

    private mutating func user(_ text: String, at line: Int) -> String? {
        let hasOddCharacters = text.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7f }
        if text.utf8.count <= 256, !text.hasPrefix("-"), !hasOddCharacters { return text }
        problems.append(.badValue(text, of: "user", at: line, in: path, remedy: "Write the name of an account, without spaces."))
        return nil
    }

    private mutating func customer(_ text: String, at line: Int) -> String? {
        if isShortLine(text) { return text }
        problems.append(.badValue(text, of: "customer", at: line, in: path, remedy: "Write at most 100 characters on one line."))
        return nil
    }

    private mutating func settle(_ text: String, at line: Int) -> Duration? {
        if let duration = Duration(text) { return duration }
        problems.append(
            .badValue(text, of: "settle", at: line, in: path, remedy: "Write a whole number and a unit: `90s`, `5m` or `500ms`."))
        return nil
    }

    private mutating func choice<Choice: RawRepresentable & CaseIterable>(_ text: String, of key: HostSettings.Key, at line: Int) -> Choice?
    where Choice.RawValue == String {
        if let choice = Choice(rawValue: text) { return choice }
        problems.append(
            .badChoice(text, of: key.rawValue, allowed: Choice.allCases.map(\.rawValue), at: line, in: path))
        return nil
    }

    private mutating func addons(_ entry: YAMLEntry) -> [String]? {
        switch entry.value {
        case .nothing: problems.append(.missingValue(entry.key, at: entry.line, in: path))
        case .text("none", _): return []
        case .list(let values, _) where !values.isEmpty:
            var files: [String] = []
            for value in values {
                guard case .text(let text, let line) = value, !text.isEmpty else {
                    problems.append(.noAddons("A step file is named by its path, this is \(value.kind).", at: value.line, in: path))
                    continue
                }
                let file = folder.canonical(text)
                if files.contains(file) {
                    problems.append(.noAddons("The step file `\(text.shortened)` is named twice.", at: line, in: path))
                } else {
                    files.append(file)
                    addOnReferences.append(AddOnReference(file: file, shown: shown(text), inventory: path, line: line))
                }
            }
            return files.isEmpty ? nil : files
        case .list(_, let line): problems.append(.noAddons("This list names no step file.", at: line, in: path))
        case .text(_, let line), .mapping(_, let line):
            problems.append(.noAddons("`addons` is `none` or a list of step files, this is \(entry.value.kind).", at: line, in: path))
        }
        return nil
    }

    /// A file beside this one as complaints name it: by the way to this one.
    private func shown(_ text: String) -> String {
        guard !text.hasPrefix("/"), !text.hasPrefix("~/"), let end = path.lastIndex(of: "/") else { return folder.shown(text) }
        return path[...end] + text
    }

    private mutating func labels(_ entry: YAMLEntry) -> [String: String] {
        if case .nothing = entry.value {
            problems.append(.missingValue(entry.key, at: entry.line, in: path))
            return [:]
        }
        var labels: [String: String] = [:]
        for label in uniqueEntries(of: entry.value, called: "`labels`", write: "names and texts, such as `labels: {site: paris}`") ?? [] {
            if label.key == Host.customerLabel {
                problems.append(.customerAsLabel(at: label.line, in: path))
            } else if HostName(label.key) == nil {
                problems.append(.badName(label.key, code: "bad-label-name", what: "label", at: label.line, in: path))
            } else if let (text, line) = text(of: label) {
                if isShortLine(text) {
                    labels[label.key] = text
                } else {
                    problems.append(
                        .badValue(text, of: "label", at: line, in: path, remedy: "Write at most 100 characters on one line."))
                }
            }
        }
        return labels
    }

    private mutating func web(_ entry: YAMLEntry) -> WebSettings {
        var web = WebSettings()
        if case .nothing = entry.value {
            problems.append(.missingValue(entry.key, at: entry.line, in: path))
            return web
        }
        let write = "`key: value` pairs, such as `web: {user: fleet, password_file: secrets/acme}`"
        for entry in uniqueEntries(of: entry.value, called: "`web`", write: write) ?? [] {
            guard let key = WebSettings.Key(rawValue: entry.key) else {
                let isPassword = entry.key.contains("password")
                problems.append(
                    isPassword
                        ? .passwordInClear(at: entry.line, in: path)
                        : .unknownKey(entry, allowed: WebSettings.Key.allCases.map(\.rawValue), in: path))
                continue
            }
            guard let (text, line) = text(of: entry) else { continue }
            switch key {
            case .url:
                web.address = WebAddress(text)
                if web.address == nil { problems.append(.badWebAddress(at: line, in: path)) }
            case .user: web.user = user(text, at: line)
            case .passwordFile:
                web.passwordFile = folder.resolved(text)
                if let problem = PasswordFile(folder.resolved(text)).problem(at: line, in: path) { problems.append(problem) }
            case .tls:
                web.tls = TLSPolicy(rawValue: text)
                if web.tls == nil {
                    problems.append(.badChoice(text, of: "tls", allowed: TLSPolicy.allCases.map(\.rawValue), at: line, in: path))
                }
            }
        }
        return web
    }

    private mutating func overrides(_ entry: YAMLEntry) -> [String: String] {
        if case .nothing = entry.value {
            problems.append(.missingValue(entry.key, at: entry.line, in: path))
            return [:]
        }
        let write = "gates and reasons, such as `overrides: {disk-space: the disk grows with use}`"
        var overrides: [String: String] = [:]
        for override in uniqueEntries(of: entry.value, called: "`overrides`", write: write) ?? [] {
            guard let gate = Preflight.Gate(rawValue: override.key), gate.isOverridable else {
                problems.append(.noOverride(override, in: path))
                continue
            }
            guard let (text, line) = text(of: override) else { continue }
            if isShortLine(text) {
                overrides[gate.rawValue] = text
            } else {
                problems.append(
                    .badValue(text, of: "override", at: line, in: path, remedy: "Write at most 100 characters on one line."))
            }
        }
        return overrides
    }

    /// Whether a text is fit to be shown in a table.
    private func isShortLine(_ text: String) -> Bool { text.count <= 100 && text.escapedForTerminal() == text }

    private mutating func keyFile(_ text: String, at line: Int) -> String? {
        let file = folder.resolved(text)
        if let problem = KeyFile(file).problem(at: line, in: path) { problems.append(problem) }
        return file
    }
}

// MARK: - Shapes

extension InventoryReader {
    /// The entries of a mapping, nothing counting as an empty one; nil, and a problem, for anything else.
    private mutating func entries(of value: YAMLValue, called name: String, write: String) -> [YAMLEntry]? {
        switch value {
        case .nothing: return []
        case .mapping(let entries, _): return entries
        case .text, .list:
            problems.append(.wrongShape(name, wants: "a mapping", not: value, in: path, write: write))
            return nil
        }
    }

    /// As ``entries(of:called:write:)``, each key once.
    private mutating func uniqueEntries(of value: YAMLValue, called name: String, write: String) -> [YAMLEntry]? {
        var firstLines: [String: Int] = [:]
        return entries(of: value, called: name, write: write)?.filter { entry in
            guard let first = firstLines[entry.key] else {
                firstLines[entry.key] = entry.line
                return true
            }
            problems.append(.duplicateKey(entry, first: first, in: path))
            return false
        }
    }

    private mutating func text(of entry: YAMLEntry) -> (String, line: Int)? {
        switch entry.value {
        case .text(let text, let line) where !text.isEmpty: return (text, line)
        case .text, .nothing: problems.append(.missingValue(entry.key, at: entry.line, in: path))
        case .list, .mapping:
            problems.append(
                .wrongShape("`\(entry.key)`", wants: "a single value", not: entry.value, in: path, write: "`\(entry.key): VALUE`"))
        }
        return nil
    }

    private mutating func refuse(_ entry: YAMLEntry, allowed: [String]) {
        let isToCome = HostSettings.keysToCome.contains(entry.key)
        problems.append(isToCome ? .keyNotBuilt(entry, in: path) : .unknownKey(entry, allowed: allowed, in: path))
    }
}
