import FleetCore

/// What has to be read before hosts are upgraded: what `fleet notes show` prints.
///
/// A release is shown once for all hosts that pass it, with those of its steps that some of them need or may need.
public struct ReadingReport: Sendable {
    /// A host, and what it passes.
    public struct Way: Sendable {
        /// The host.
        public var host: HostName
        /// The releases on its way, with what they ask of it.
        public var path: ReleasePath
        /// Whether it has a client for its database, without which Fleet does no step there.
        public var hasDatabaseClient: Bool

        /// Creates the way of a host.
        public init(host: HostName, path: ReleasePath, hasDatabaseClient: Bool = true) {
            self.host = host
            self.path = path
            self.hasDatabaseClient = hasDatabaseClient
        }
    }

    private let target: CanopsisVersion
    private let ways: [Way]
    private let reading: ReadingList
    private let silent: [(host: HostName, reason: Reason)]
    private let showsAll: Bool

    /// Reports on what has to be read.
    ///
    /// - Parameters:
    ///   - ways: the hosts with something to pass, in the order of the inventory.
    ///   - reading: the releases on these ways.
    ///   - silent: hosts whose facts could not be read.
    ///   - showsAll: whether what no host needs is shown as well.
    public init(
        to target: CanopsisVersion, ways: [Way], reading: ReadingList, silent: [(host: HostName, reason: Reason)], showsAll: Bool = false
    ) {
        self.target = target
        self.ways = ways
        self.reading = reading
        self.silent = silent
        self.showsAll = showsAll
    }

    /// 0, or 4 if some host could not be asked.
    public var exitStatus: ExitStatus { silent.isEmpty ? .done : .unreachable }

    /// The whole text for people, with a line feed at the end.
    public func text(_ style: Style) -> String {
        var sections = reading.entries.map { section(of: $0, style) }
        if reading.entries.isEmpty, !ways.isEmpty { sections.append(["There is nothing to read on the way to \(target)."]) }
        if ways.isEmpty { sections.append(["No host passes a release on the way to \(target)."]) }
        for (host, reason) in silent {
            sections.append("\(host) could not be asked, so nothing is shown for it: \(reason.text)".wrapped(indent: 0, hanging: 4))
        }
        let unread = reading.unread.map(\.reading.version.description)
        if !unread.isEmpty {
            sections.append(["Once these are read:", "    fleet notes ack \(unread.joined(separator: " ")) --by NAME"])
        }
        return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private func section(of entry: ReadingList.Entry, _ style: Style) -> [String] {
        let release = entry.reading.release
        let published = release?.published.map { ", published \($0)" } ?? ""
        var lines = [style.paint("Canopsis \(entry.reading.version)\(published)", .heading)]
        lines += "passed by \(HostSet.folded(entry.hosts)); \(entry.standing.text)".wrapped(indent: 2, hanging: 4)
        for withdrawal in release?.withdrawals ?? [] {
            let who = withdrawal.conditions.map(\.text).joined(separator: ", ")
            lines += "must not be taken\(who.isEmpty ? "" : " (\(who))"): \(withdrawal.reason)".escapedForTerminal().wrapped(
                indent: 2, hanging: 4
            )
            .map { style.paint($0, .bad) }
        }
        let steps = steps(of: entry)
        for step in steps { lines += [""] + self.lines(of: step, style) }
        if steps.isEmpty, release != nil { lines += ["", "  These hosts need nothing beyond the standard procedure."] }
        let left = (release?.steps.count ?? 0) - steps.count
        if left > 0 {
            lines += ["", "  \(counted(left, "step")) for other hosts \(left == 1 ? "is" : "are") left out; --all shows everything."]
        }
        if release == nil { lines += ["", "  Fleet's catalogue has no entry for this release: only a person knows what it asks for."] }
        if let note = entry.reading.note {
            lines += ["", "  The vendor's note:"]
            // A carriage return with its line feed is one character, and one line's end.
            lines += note.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "  | \($0)".escapedForTerminal() }
        }
        return lines
    }

    // MARK: The steps of a release

    private struct Shown {
        var step: ReleaseStep
        var needing: [HostName]
        var notKnown: [HostName]
        var because: [String]
        /// The hosts on which Fleet does it.
        var byFleet: [HostName] = []

        /// Whether Fleet does it on every host that surely needs it, and some host does.
        var isDoneByFleet: Bool { !needing.isEmpty && byFleet == needing }
    }

    /// What the hosts on the way need of a release, each step once.
    private func steps(of entry: ReadingList.Entry) -> [Shown] {
        (entry.reading.release?.steps ?? []).compactMap { step in
            var shown = Shown(step: step, needing: [], notKnown: [], because: [])
            for way in ways {
                guard let resolved = way.path.steps.first(where: { $0.step.id == step.id && $0.release == entry.reading.version }) else {
                    continue
                }
                switch resolved.resolution {
                case .applies(let facts):
                    (shown.needing, shown.because) = (shown.needing + [way.host], shown.because + facts)
                    if resolved.isDoneByFleet(withDatabaseClient: way.hasDatabaseClient) { shown.byFleet.append(way.host) }
                case .unknown(let facts): (shown.notKnown, shown.because) = (shown.notKnown + [way.host], shown.because + facts)
                case .doesNotApply, .obsolete, .duplicate: continue
                }
            }
            var seen: Set<String> = []
            shown.because.removeAll { !seen.insert($0).inserted }
            return shown.needing.isEmpty && shown.notKnown.isEmpty && !showsAll ? nil : shown
        }
    }

    private func lines(of shown: Shown, _ style: Style) -> [String] {
        let step = shown.step
        var lines = "\(step.id): \(step.title)".escapedForTerminal().wrapped(indent: 2, hanging: 4).map { style.paint($0, .heading) }
        var traits = [step.phase.text]
        if step.kind == .notice {
            traits.append("to know")
        } else if shown.byFleet.isEmpty {
            traits.append(step.isOptional ? "nobody does it unless somebody wants to" : "a person does it")
        } else {
            traits.append(shown.isDoneByFleet ? "Fleet does it" : "Fleet does it on \(HostSet.folded(shown.byFleet))")
        }
        if !shown.notKnown.isEmpty, step.kind != .notice { traits.append("a person decides where it is not known whether it is needed") }
        if step.isBlocking { traits.append("blocks the upgrade until a person has decided") }
        if step.isOptional { traits.append("optional") }
        if step.requiresEnginesStopped { traits.append("engines stopped") }
        lines += traits.joined(separator: ", ").wrapped(indent: 4)
        var who: [String] = []
        if !shown.needing.isEmpty { who.append("for \(HostSet.folded(shown.needing))") }
        if !shown.notKnown.isEmpty { who.append("perhaps for \(HostSet.folded(shown.notKnown))") }
        if who.isEmpty { who.append("for none of these hosts") }
        let because = shown.because.isEmpty ? "" : ": " + shown.because.joined(separator: "; ")
        lines += (who.joined(separator: ", ") + because).escapedForTerminal().wrapped(indent: 4, hanging: 6)
        lines += step.text.split(separator: "\n").flatMap { String($0).escapedForTerminal().wrapped(indent: 4) }
        // Commands are shown as they run: a long line is not cut.
        lines += (step.work?.script ?? "").split(separator: "\n").map { "        " + String($0).escapedForTerminal() }
        return lines
    }

    // MARK: JSON

    /// The JSON text, with a line feed at the end.
    public func json() throws -> String {
        try JSONText.of(
            ReadingJSON(
                target: target.description, hosts: ways.map(\.host.text),
                unreachable: silent.map { ReadingJSON.Silent(name: $0.host.text, reason: ReasonJSON($0.reason)) },
                notes: reading.entries.map { entry in
                    ReadingJSON.Note(
                        entry,
                        steps: steps(of: entry).map { shown in
                            ReadingJSON.Step(
                                id: shown.step.id, title: shown.step.title.escapedForTerminal(), phase: shown.step.phase.rawValue,
                                kind: shown.step.kind.rawValue, text: shown.step.text.escapedForTerminal(keepingNewlines: true),
                                script: shown.step.work?.script, hosts: shown.needing.map(\.text), perhaps: shown.notKnown.map(\.text),
                                because: shown.because.map { $0.escapedForTerminal() }, automatic: shown.isDoneByFleet,
                                optional: shown.step.isOptional, blocking: shown.step.isBlocking)
                        })
                }))
    }
}

extension ReadingStanding {
    /// Whether it was read, for a line of a report: `read by ana on 2026-11-23`.
    var text: String {
        let who = acknowledgement.map { "by \($0.person) on \($0.at.prefix(10))".escapedForTerminal() } ?? ""
        switch self {
        case .read(let acknowledgement):
            return "read \(who)" + (acknowledgement.until.map { ", counts until \(shown($0))" } ?? "")
        case .changed: return "not read: the text has changed since it was read \(who)"
        case .expired(let acknowledgement): return "not read: it was read \(who), and that counted until \(shown(acknowledgement.until))"
        case .unread: return "not read"
        }
    }
}

/// A release on the way of some host, and whether it was read.
struct NoteToReadJSON: Encodable {
    var version: String
    var sha256: String
    var state: String
    @OrNull var by: String?
    @OrNull var at: String?
    @OrNull var until: String?
    var hosts: [String]

    init(_ entry: ReadingList.Entry) {
        version = entry.reading.version.description
        sha256 = entry.reading.sha256
        state = entry.standing.word
        let acknowledgement = entry.standing.acknowledgement
        by = acknowledgement?.person.escapedForTerminal()
        at = acknowledgement?.at
        until = acknowledgement?.until
        hosts = entry.hosts.map(\.text)
    }
}

private struct ReadingJSON: Encodable {
    struct Silent: Encodable {
        var name: String
        var reason: ReasonJSON
    }

    struct Step: Encodable {
        var id: String
        var title: String
        var phase: String
        var kind: String
        var text: String
        @OrNull var script: String?
        var hosts: [String]
        var perhaps: [String]
        var because: [String]
        var automatic: Bool
        var optional: Bool
        var blocking: Bool
    }

    struct Note: Encodable {
        var version: String
        @OrNull var published: String?
        var sha256: String
        var state: String
        @OrNull var by: String?
        @OrNull var at: String?
        @OrNull var until: String?
        var hosts: [String]
        var steps: [Step]
        @OrNull var note: String?

        init(_ entry: ReadingList.Entry, steps: [Step]) {
            let standing = NoteToReadJSON(entry)
            version = standing.version
            published = entry.reading.release?.published
            (sha256, state, by, at, until) = (standing.sha256, standing.state, standing.by, standing.at, standing.until)
            hosts = standing.hosts
            self.steps = steps
            note = entry.reading.note?.escapedForTerminal(keepingNewlines: true)
        }
    }

    var schema = JSONReport.schema
    var target: String
    var hosts: [String]
    var unreachable: [Silent]
    var notes: [Note]
}
