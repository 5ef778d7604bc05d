extension PlanningFacts {
    /// Reads the sections that are there only where somebody asks what is on offer; each that cannot be understood is given to `note`.
    static func parse(_ output: FactsOutput, note: (FactsError) -> Void) -> PlanningFacts {
        func value<Value>(or unknown: Value, _ read: (FactsOutput) throws(FactsError) -> Value) -> Value {
            do { return try read(output) } catch {
                note(error)
                return unknown
            }
        }
        return PlanningFacts(
            freeInodes: value(or: [:]) { output throws(FactsError) in try parseFree(output, section: "inodes") },
            clockAtEnd: value(or: nil) { output throws(FactsError) in try parseSeconds(output, section: "clock-end") },
            clockOffset: nil,
            rebootReasons: value(or: nil, parseReboot),
            containers: value(or: nil, parseContainers),
            services: value(or: nil, parseServices),
            conffiles: value(or: nil, parseConffiles),
            redis: value(or: .unknown, parseRedis),
            database: value(or: .couldNotTell("its answer could not be understood"), parseDatabase))
    }
}

private func malformed(_ section: String) -> FactsError { FactsError(section: section, problem: .malformed) }

/// The lines of a section before its last, which says that all of it was asked.
private func asked(_ output: FactsOutput, _ section: String) throws(FactsError) -> ArraySlice<String> {
    let lines = try output.lines(section)
    guard lines.last == "asked" else { throw FactsError(section: section, problem: .empty) }
    return lines.dropLast()
}

private func parseReboot(_ output: FactsOutput) throws(FactsError) -> [String]? {
    var reasons: [String] = []
    for line in try asked(output, "reboot") {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        if line == "required" {
            reasons.append("the system says so (/run/reboot-required)")
        } else if fields.count == 3, fields[0] == "kernel", isKernel(fields[1]), isKernel(fields[2]) {
            reasons.append("kernel \(fields[1]) runs, \(fields[2]) is installed")
        } else {
            throw malformed("reboot")
        }
    }
    return reasons
}

private func isKernel(_ text: String) -> Bool {
    (1...80).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "._-+~".utf8.contains($0) }
}

private func parseContainers(_ output: FactsOutput) throws(FactsError) -> ContainerSigns? {
    var signs = ContainerSigns()
    var isAsked = false
    for line in try output.lines("containers") {
        switch line {
        case "docker absent", "docker asked": isAsked = true
        case "docker silent": (isAsked, signs.isSilent) = (true, true)
        default:
            let fields = line.split(separator: "\t", maxSplits: 1).map(String.init)
            guard fields.count == 2, fields[1].utf8.count <= 300 else { throw malformed("containers") }
            switch fields[0] {
            case "image": signs.images.append(words(fields[1], upTo: 200))
            case "file" where fields[1].hasPrefix("/"): signs.files.append(fields[1])
            default: throw malformed("containers")
            }
        }
    }
    guard isAsked, signs.images.count <= 20, signs.files.count <= 20 else { throw malformed("containers") }
    return signs
}

private func parseServices(_ output: FactsOutput) throws(FactsError) -> ServiceAddresses? {
    func isMachine(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || ".:_%-".utf8.contains($0) }
    }
    var addresses = ServiceAddresses()
    for line in try asked(output, "services") {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        switch (fields.first, fields.count) {
        case ("service", 3) where fields[1].hasPrefix("/") && fields[1].utf8.count <= 300 && isMachine(fields[2]):
            addresses.entries.append(.init(file: fields[1], host: fields[2]))
        case ("own", 2) where isMachine(fields[1]): addresses.own.insert(fields[1])
        case ("listed", 3) where isMachine(fields[1]) && isMachine(fields[2]):
            addresses.listed[fields[1], default: []].insert(fields[2])
        default: throw malformed("services")
        }
    }
    return addresses
}

private func parseConffiles(_ output: FactsOutput) throws(FactsError) -> Conffiles? {
    var conffiles = Conffiles()
    for line in try asked(output, "conffiles") {
        let fields = line.split(separator: "\t", maxSplits: 1).map(String.init)
        guard fields.count == 2, fields[1].hasPrefix("/"), fields[1].utf8.count <= 300 else { throw malformed("conffiles") }
        switch fields[0] {
        case "edited": conffiles.edited.append(fields[1])
        case "left": conffiles.leftOver.append(fields[1])
        default: throw malformed("conffiles")
        }
    }
    guard conffiles.edited.count <= 200, conffiles.leftOver.count <= 100 else { throw FactsError(section: "conffiles", problem: .tooLong) }
    return Conffiles(edited: conffiles.edited.sorted(), leftOver: conffiles.leftOver.sorted())
}

private func parseRedis(_ output: FactsOutput) throws(FactsError) -> RedisVersion {
    let text = try output.line("redis")
    if text == "absent" { return .absent }
    guard let major = text.split(separator: ".").first.flatMap({ number($0) }), major < 1000 else { throw malformed("redis") }
    return .major(Int(major))
}

private func parseDatabase(_ output: FactsOutput) throws(FactsError) -> DatabaseState {
    let lines = try output.lines("database")
    guard let last = lines.last, last.hasPrefix("status "), let status = number(last.dropFirst(7)) else { throw malformed("database") }
    var answers: [Substring: Substring] = [:]
    for line in lines where line.hasPrefix("fleet ") {
        let fields = line.dropFirst(6).split(separator: " ", maxSplits: 1)
        guard fields.count == 2, answers[fields[0]] == nil else { throw malformed("database") }
        answers[fields[0]] = fields[1]
    }
    if status == DatabaseScript.done { return .answered(try marks(answers)) }
    let said = lines.dropLast().last { $0.hasPrefix("failed: ") }.map { String($0.dropFirst(8)) } ?? lines.dropLast().last
    let reason = words(said ?? "the MongoDB client gave no reason", upTo: 300)
    // What `timeout` ends with when it had to end something.
    if status == 124 || status == 137 { return .silent("no answer within \(DatabaseQuestion.seconds) s") }
    return answers["at"] == "connect" || answers["at"] == "ping" ? .silent(reason) : .couldNotTell(reason)
}

private func marks(_ answers: [Substring: Substring]) throws(FactsError) -> DatabaseMarks {
    func text(_ name: Substring) throws(FactsError) -> String? {
        guard let answer = answers[name] else { throw malformed("database") }
        if answer == "none" { return nil }
        let inner = answer.dropFirst().dropLast()
        guard answer.count >= 2, answer.first == "\"", answer.last == "\"", inner.utf8.count <= 40,
            inner.utf8.allSatisfy({ $0.isASCIILetterOrDigit || "._-".utf8.contains($0) })
        else { throw malformed("database") }
        return inner.isEmpty ? nil : String(inner)
    }
    guard let initialized = answers["initialized"], initialized == "yes" || initialized == "no" else { throw malformed("database") }
    return DatabaseMarks(
        isInitialized: initialized == "yes", version: try text("version").flatMap { CanopsisVersion($0) }, edition: try text("edition"),
        stack: try text("stack"))
}
