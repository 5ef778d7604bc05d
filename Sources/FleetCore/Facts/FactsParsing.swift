extension HostFacts {
    /// Reads the output of ``FactsScript``; `hostKey` is the fingerprint of the key the connection was made with.
    ///
    /// Nothing a host says is trusted: names and versions have the characters such names can have, or they are not taken. A
    /// section that cannot be understood leaves its fact unknown and is named in ``HostFacts/unread``. Output without its
    /// last marker, and a host that does not say which machine it is, give no facts at all. `probes` are those of the script.
    public static func parse(
        _ output: [UInt8], nonce: String, hostKey: String, probes: [FileProbe] = []
    ) throws(FactsError) -> HostFacts {
        let output = try FactsOutput(output, nonce: nonce)
        let machineID = try parseMachineID(output)
        let isRoot = try parseIsRoot(output)

        var unread: [FactsError] = []
        func value<Value>(or unknown: Value, _ read: (FactsOutput) throws(FactsError) -> Value) -> Value {
            do { return try read(output) } catch {
                unread.append(error)
                return unknown
            }
        }
        let manager = value(or: nil, parseManager)
        let packages = value(or: nil, parsePackages)
        return HostFacts(
            identity: HostIdentity(machineID: machineID, hostKey: hostKey),
            system: value(or: OperatingSystem(id: "", version: "", name: "unknown"), parseSystem),
            architecture: value(or: "", parseArchitecture),
            packageManager: manager,
            systemdVersion: value(or: nil, parseSystemd),
            logindKills: (try? output.line("systemd")) == "absent, logind kills",
            hasDatabaseClient: ["present": true, "absent": false][(try? output.line("database-client")) ?? ""],
            isRoot: isRoot,
            installed: packages?.filter(\.isProduct) ?? [],
            offer: value(or: .couldNotTell("the answer of the package manager could not be understood")) { output throws(FactsError) in
                try parseOffer(output, of: manager)
            },
            versionFile: value(or: nil, parseVersionFile),
            units: value(or: [], parseUnits),
            freeBytes: value(or: [:]) { output throws(FactsError) in
                try parseFree(output, section: "disk").mapValues { $0 * 1024 }
            },
            selinux: value(or: .unknown, parseSELinux),
            packageLockHolder: parseLock(output),
            brokenPackages: parseBroken(output),
            heldPackages: output.words("held").filter { Package(checkedName: $0[...], version: "0") != nil },
            otherPackages: packages?.filter { !$0.isProduct } ?? [],
            hasCatModules: value(or: nil, parseCatModules),
            bootID: value(or: nil, parseBootID),
            memory: value(or: nil, parseMemory),
            clock: value(or: nil) { output throws(FactsError) in try parseSeconds(output, section: "clock") },
            lockHolder: value(or: nil, parseHostLock),
            planning: output.words("offer").first == "status\tnot-asked" ? nil : PlanningFacts.parse(output) { unread.append($0) },
            probes: value(or: [:]) { output throws(FactsError) in try parseProbes(output, of: probes) },
            unread: unread)
    }
}

// MARK: who the host is

private func parseMachineID(_ output: FactsOutput) throws(FactsError) -> String {
    let text = try output.line("machine-id")
    guard text.utf8.count == 32, text.utf8.allSatisfy(isLowerHex) else { throw FactsError(section: "machine-id", problem: .malformed) }
    return text
}

private func parseIsRoot(_ output: FactsOutput) throws(FactsError) -> Bool {
    guard let user = number(try output.line("id")) else { throw FactsError(section: "id", problem: .malformed) }
    return user == 0
}

private func parseBootID(_ output: FactsOutput) throws(FactsError) -> String? {
    let text = try output.line("boot-id")
    guard text.utf8.count == 36, text.utf8.allSatisfy({ isLowerHex($0) || $0 == UInt8(ascii: "-") }) else {
        throw FactsError(section: "boot-id", problem: .malformed)
    }
    return text
}

// MARK: the system

private func parseSystem(_ output: FactsOutput) throws(FactsError) -> OperatingSystem {
    var values: [String: String] = [:]
    for line in try output.lines("os-release") {
        guard let split = line.firstIndex(of: "=") else { continue }
        values[String(line[..<split])] = unquoted(line[line.index(after: split)...])
    }
    guard let id = values["ID"] else { throw FactsError(section: "os-release", problem: .empty) }
    let version = values["VERSION_ID"] ?? ""
    guard isWord(id, upTo: 64), version.isEmpty || isWord(version, upTo: 64) else {
        throw FactsError(section: "os-release", problem: .malformed)
    }
    return OperatingSystem(id: id, version: version, name: String((values["PRETTY_NAME"] ?? id).prefix(100)).escapedForTerminal())
}

/// A value of os-release without the quotes around it; the escapes inside are left as they are, Fleet only shows such a text.
private func unquoted(_ text: Substring) -> String {
    guard text.count >= 2, let quote = text.first, quote == "\"" || quote == "'", text.last == quote else { return String(text) }
    return String(text.dropFirst().dropLast())
}

private func parseArchitecture(_ output: FactsOutput) throws(FactsError) -> String {
    let text = try output.line("architecture")
    guard isWord(text, upTo: 64) else { throw FactsError(section: "architecture", problem: .malformed) }
    return text
}

private func parseSystemd(_ output: FactsOutput) throws(FactsError) -> Int? {
    let text = try output.line("systemd")
    if text == "absent" || text == "absent, logind kills" { return nil }
    let words = text.split(separator: " ")
    guard words.count >= 2, words[0] == "systemd", let version = number(words[1].prefix { $0.isASCII && $0.isNumber }), version < 10_000
    else { throw FactsError(section: "systemd", problem: .malformed) }
    return Int(version)
}

func parseSeconds(_ output: FactsOutput, section: String) throws(FactsError) -> Int64? {
    guard let seconds = number(try output.line(section)) else { throw FactsError(section: section, problem: .malformed) }
    return seconds
}

private func parseMemory(_ output: FactsOutput) throws(FactsError) -> Memory? {
    var values: [Substring: Int64] = [:]
    for line in try output.lines("memory") {
        let words = line.split(separator: " ")
        guard words.count == 3, words[2] == "kB", let kilobytes = number(words[1]) else {
            throw FactsError(section: "memory", problem: .malformed)
        }
        values[words[0]] = kilobytes * 1024
    }
    guard let total = values["MemTotal:"] else { throw FactsError(section: "memory", problem: .empty) }
    return Memory(total: total, available: values["MemAvailable:"] ?? values["MemFree:"])
}

/// What is free by `df -P`, by path: kilobytes or inodes.
func parseFree(_ output: FactsOutput, section: String) throws(FactsError) -> [String: Int64] {
    var free: [String: Int64] = [:]
    for line in try output.lines(section) {
        let parts = line.split(separator: "\t", maxSplits: 1)
        guard let path = parts.first.map(String.init), HostFacts.diskPaths.contains(path) else {
            throw FactsError(section: section, problem: .malformed)
        }
        // The device's name may hold blanks, so the columns are counted from the one that ends in a percent sign.
        let words = (parts.count == 2 ? parts[1] : "").split(separator: " ")
        guard let capacity = words.firstIndex(where: { $0.last == "%" && number($0.dropLast()) != nil }), capacity > 0,
            let count = number(words[capacity - 1])
        else { continue }
        free[path] = count
    }
    return free
}

private func parseSELinux(_ output: FactsOutput) throws(FactsError) -> SELinuxMode {
    switch try output.line("selinux") {
    case "Disabled": .disabled
    case "Permissive": .permissive
    case "Enforcing": .enforcing
    case "unknown": .unknown
    default: throw FactsError(section: "selinux", problem: .malformed)
    }
}

// MARK: packages

private func parseManager(_ output: FactsOutput) throws(FactsError) -> PackageManager? {
    let text = try output.line("manager")
    if text == "none" { return nil }
    guard let manager = PackageManager(rawValue: text) else { throw FactsError(section: "manager", problem: .malformed) }
    return manager
}

/// The Canopsis packages whose files are on the host, in whatever state.
private func parsePackages(_ output: FactsOutput) throws(FactsError) -> [Package]? {
    var packages: [Package] = []
    var asked = false
    for line in try output.lines("packages") {
        switch line {
        case "asked yes": asked = true
        case "asked no": throw FactsError(section: "packages", problem: .empty)
        default:
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let status = fields[2].utf8.dropFirst().first else {
                throw FactsError(section: "packages", problem: .malformed)
            }
            // "Not installed" and "only its configuration is left": dpkg keeps such entries for ever.
            if status == UInt8(ascii: "n") || status == UInt8(ascii: "c") { continue }
            guard let package = Package(checkedName: fields[0], version: withoutEmptyEpoch(fields[1])) else {
                throw FactsError(section: "packages", problem: .malformed)
            }
            packages.append(package)
        }
    }
    guard asked else { throw FactsError(section: "packages", problem: .missing) }
    return packages.sorted()
}

/// rpm writes an epoch that is not there as `(none)`.
private func withoutEmptyEpoch(_ version: Substring) -> Substring {
    for prefix in ["(none):", "0:"] where version.hasPrefix(prefix) { return version.dropFirst(prefix.count) }
    return version
}

private func parseBroken(_ output: FactsOutput) -> [String]? {
    let lines = output.words("broken")
    guard lines.first == "asked yes" else { return nil }
    return lines.dropFirst().prefix(60).map { words($0.split { $0 == "\t" || $0 == " " }.joined(separator: " "), upTo: 300) }
}

private func parseLock(_ output: FactsOutput) -> String? {
    guard let line = output.words("lock").first else { return nil }
    let fields = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let process = number(fields[0]) else { return "a process that could not be named" }
    let command = words(fields[2].split(separator: " ").joined(separator: " "), upTo: 200)
    return "process \(process) (\(command.isEmpty ? "unknown" : command)), lock \(words(String(fields[1]), upTo: 100))"
}

/// Whose lock it is. One that cannot be read is a lock in use: nobody may take the host for free.
private func parseHostLock(_ output: FactsOutput) throws(FactsError) -> LockHolder? {
    let line: String
    do { line = try output.line("host-lock") } catch {
        guard error.problem != .missing else { throw error }
        return LockHolder(words: "unreadable")
    }
    return line == "free" || line == "unknown" ? nil : LockHolder(words: line)
}

private func parseVersionFile(_ output: FactsOutput) throws(FactsError) -> CanopsisVersion? {
    let lines = try output.lines("version-file")
    if lines == ["absent"] { return nil }
    guard let first = lines.first, lines != ["unreadable"] else { throw FactsError(section: "version-file", problem: .empty) }
    let words = first.split { !($0.isASCII && ($0.isNumber || $0 == ".")) }
    guard let version = words.lazy.compactMap({ CanopsisVersion($0) }).first else {
        throw FactsError(section: "version-file", problem: .malformed)
    }
    return version
}

private func parseCatModules(_ output: FactsOutput) throws(FactsError) -> Bool? {
    switch try output.line("cat-modules") {
    case "yes": true
    case "no": false
    case "unknown": nil
    default: throw FactsError(section: "cat-modules", problem: .malformed)
    }
}

// MARK: the offer

private func parseOffer(_ output: FactsOutput, of manager: PackageManager?) throws(FactsError) -> Offer {
    switch output.words("offer").first {
    case nil: throw FactsError(section: "offer", problem: .missing)
    case "status\tnot-asked": return .notAsked
    case "status\tfailed":
        let said = output.words("offer").dropFirst().map { line in
            words(String(line.drop { $0 != "\t" }.drop { $0 == "\t" }), upTo: 400)
        }
        let text = said.filter { !$0.isEmpty }.joined(separator: "; ")
        return .couldNotTell(text.isEmpty ? "the package manager gave no reason" : words(text, upTo: 1500))
    case "status\tread":
        let lines = Array(try output.lines("offer").dropFirst())
        guard lines.reduce(0, { $0 + $1.utf8.count + 1 }) < 262_144 else { throw FactsError(section: "offer", problem: .tooLong) }
        switch manager {
        case .apt: return .packages(try parseMadison(lines))
        case .yum: return .packages(try parseYumList(lines))
        case nil: throw FactsError(section: "offer", problem: .malformed)
        }
    default: throw FactsError(section: "offer", problem: .malformed)
    }
}

/// `apt-cache madison`: ` canopsis-core | 3.26.0-1 | https://... stable/main amd64 Packages`; sources of source code are left out.
private func parseMadison(_ lines: [String]) throws(FactsError) -> [Package] {
    var packages: Set<Package> = []
    for line in lines {
        let fields = line.split(separator: "|", maxSplits: 2).map { $0.split(separator: " ") }
        guard fields.count == 3, let name = fields[0].first, let version = fields[1].first,
            let package = Package(checkedName: name, version: version)
        else { throw FactsError(section: "offer", problem: .malformed) }
        if fields[2].last == "Packages" { packages.insert(package) }
    }
    return packages.sorted()
}

/// `yum list available --showduplicates`: three words for each package, broken into lines anywhere when a line gets long.
private func parseYumList(_ lines: [String]) throws(FactsError) -> [Package] {
    let tables = lines.split(whereSeparator: { $0.lowercased().hasSuffix(" packages") })
    let headings = lines.filter { $0.lowercased().hasSuffix(" packages") }
    // What stands before the first heading is talk of plug-ins.
    let hasTalk = lines.first.map { !$0.lowercased().hasSuffix(" packages") } ?? false
    var packages: Set<Package> = []
    for (heading, table) in zip(headings, hasTalk ? tables.dropFirst() : tables[...]) where heading.lowercased() == "available packages" {
        let words = table.joined(separator: " ").split(separator: " ")
        guard words.count.isMultiple(of: 3) else { throw FactsError(section: "offer", problem: .malformed) }
        for start in stride(from: 0, to: words.count, by: 3) {
            guard let dot = words[start].lastIndex(of: "."),
                let package = Package(checkedName: words[start][..<dot], version: withoutEmptyEpoch(words[start + 1]))
            else { throw FactsError(section: "offer", problem: .malformed) }
            packages.insert(package)
        }
    }
    return packages.sorted()
}

// MARK: units

private func parseUnits(_ output: FactsOutput) throws(FactsError) -> [UnitState] {
    var lines = try output.lines("units")[...]
    if lines.first == "absent" { return [] }
    guard lines.first != "failed" else { throw FactsError(section: "units", problem: .empty) }
    guard let first = lines.popFirst(), first.hasPrefix("listed "), let listed = number(first.dropFirst(7)), listed <= 300 else {
        throw FactsError(section: "units", problem: .malformed)
    }
    let properties = [
        "Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "MainPID", "ExecMainStartTimestampMonotonic",
    ]
    let blocks = try lines.split(separator: "next").map { lines throws(FactsError) in try unitProperties(lines, of: properties) }
    guard blocks.count == listed else { throw FactsError(section: "units", problem: .missing) }
    var units: [String: UnitState] = [:]
    for block in blocks {
        guard let unit = unit(of: block) else { throw FactsError(section: "units", problem: .malformed) }
        // A unit with two names is shown once for each of them.
        units[unit.name] = unit
    }
    return units.values.sorted { $0.name < $1.name }
}

private func unitProperties(_ lines: ArraySlice<String>, of known: [String]) throws(FactsError) -> [String: String] {
    var block: [String: String] = [:]
    for line in lines {
        guard let split = line.firstIndex(of: "="), case let name = String(line[..<split]), known.contains(name), block[name] == nil
        else { throw FactsError(section: "units", problem: .malformed) }
        block[name] = String(line[line.index(after: split)...])
    }
    return block
}

private func unit(of block: [String: String]) -> UnitState? {
    func state(_ name: String) -> String? {
        guard let text = block[name] else { return "" }
        return text.utf8.count <= 64 && text.utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }) ? text : nil
    }
    guard let name = block["Id"], isUnitName(name), let load = state("LoadState"), let active = state("ActiveState"), !active.isEmpty,
        let sub = state("SubState"), let file = state("UnitFileState"), let result = state("Result"),
        let process = number(block["MainPID"] ?? "0"), let started = number(block["ExecMainStartTimestampMonotonic"] ?? "0")
    else { return nil }
    return UnitState(
        name: name, load: load, active: active, sub: sub, file: file, result: result, mainPID: Int(process), startedMicroseconds: started)
}

// MARK: characters

extension Package {
    /// A package of Canopsis by what a host says; nil unless both words have only the characters such words can have.
    init?(checkedName name: Substring, version: Substring) {
        func isSign(_ byte: UInt8, of signs: StaticString) -> Bool { signs.description.utf8.contains(byte) }
        guard name.hasPrefix("canopsis"), name.utf8.count <= 100,
            name.utf8.allSatisfy({ $0.isASCIILetterOrDigit || isSign($0, of: "+-._") }),
            let first = version.utf8.first, first.isASCIIDigit, version.utf8.count <= 100,
            version.utf8.allSatisfy({ $0.isASCIILetterOrDigit || isSign($0, of: ".+-~:_^") })
        else { return nil }
        self.init(name: String(name), version: String(version))
    }
}

func isUnitName(_ text: String) -> Bool {
    text.hasPrefix("canopsis-") && text.hasSuffix(".service") && text.utf8.count <= 255
        && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || ":_.\\@-".utf8.contains($0) }
}

private func isWord(_ text: String, upTo longest: Int) -> Bool {
    (1...longest).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "._-".utf8.contains($0) }
}

private func isLowerHex(_ byte: UInt8) -> Bool { byte.isASCIIDigit || (0x61...0x66).contains(byte) }

/// A number of at most 15 digits, so that no sum of a few can overflow.
func number(_ text: some StringProtocol) -> Int64? {
    (1...15).contains(text.utf8.count) && text.utf8.allSatisfy(\.isASCIIDigit) ? Int64(text) : nil
}

/// A host's own words: cut to so many bytes, and without the login that an address may hold (`https://user:password@...`).
func words(_ text: String, upTo longest: Int) -> String {
    var pieces = text.split(separator: "/", omittingEmptySubsequences: false)
    for place in pieces.indices.dropFirst(2) where pieces[place - 1].isEmpty && pieces[place - 2].hasSuffix(":") {
        let authority = pieces[place].prefix { $0 != " " }
        guard let at = authority.lastIndex(of: "@") else { continue }
        pieces[place] = "***" + pieces[place][at...]
    }
    let kept = pieces.joined(separator: "/")
    guard kept.utf8.count > longest else { return kept }
    return String(decoding: kept.utf8.prefix(longest), as: UTF8.self) + " ..."
}
