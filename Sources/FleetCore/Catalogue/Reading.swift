/// All there is to read of one release before a host may take it: what the catalogue says, and the vendor's note if it was imported.
public struct ReleaseReading: Hashable, Sendable {
    /// The release.
    public var version: CanopsisVersion
    /// What the catalogue has of it; nil if it has no entry.
    public var release: Release?
    /// The vendor's note, whole; nil if none was imported.
    public var note: String?
    /// SHA-256 of all there is to read, 64 hexadecimal digits: another text has another one.
    public var sha256: String

    /// Creates the reading of a release.
    public init(version: CanopsisVersion, release: Release?, note: String?, sha256: String) {
        self.version = version
        self.release = release
        self.note = note
        self.sha256 = sha256
    }
}

/// Somebody's word that they have read all there is to read of a release.
public struct Acknowledgement: Hashable, Sendable, Codable {
    /// The release.
    public var version: CanopsisVersion
    /// SHA-256 of what they have read.
    public var sha256: String
    /// Who.
    public var person: String
    /// When, RFC 3339.
    public var at: String
    /// Until when it counts, RFC 3339; nil for as long as the text stays the same.
    public var until: String?

    /// Creates an acknowledgement.
    public init(version: CanopsisVersion, sha256: String, person: String, at: String, until: String? = nil) {
        self.version = version
        self.sha256 = sha256
        self.person = person
        self.at = at
        self.until = until
    }

    private func isOver(at now: Timestamp) -> Bool {
        guard let until else { return false }
        // What cannot be read as a time lets nobody pass.
        guard let end = Timestamp(until) else { return true }
        return end <= now
    }

    fileprivate func standing(of reading: ReleaseReading, at now: Timestamp) -> ReadingStanding {
        if sha256 != reading.sha256 { return .changed(self) }
        return isOver(at: now) ? .expired(self) : .read(self)
    }
}

/// Whether what there is to read of a release was read.
public enum ReadingStanding: Hashable, Sendable {
    /// Somebody has read just this text.
    case read(Acknowledgement)
    /// Somebody has read another text of the release, the last time then.
    case changed(Acknowledgement)
    /// Somebody has read it, and it counted until a time that has passed.
    case expired(Acknowledgement)
    /// Nobody said so.
    case unread

    /// The word for it in reports.
    public var word: String {
        switch self {
        case .read: "read"
        case .changed: "changed"
        case .expired: "expired"
        case .unread: "unread"
        }
    }

    /// The acknowledgement behind it, whether it still counts or not.
    public var acknowledgement: Acknowledgement? {
        switch self {
        case .read(let acknowledgement), .changed(let acknowledgement), .expired(let acknowledgement): acknowledgement
        case .unread: nil
        }
    }
}

/// What has to be read before hosts are upgraded, and whether somebody has.
public struct ReadingList: Hashable, Sendable {
    /// One release on the way of some host.
    public struct Entry: Hashable, Sendable {
        /// What there is to read.
        public var reading: ReleaseReading
        /// The hosts that pass the release, in the order of the inventory.
        public var hosts: [HostName]
        /// Whether it was read.
        public var standing: ReadingStanding

        /// Whether somebody has read just this text.
        public var isRead: Bool { if case .read = standing { true } else { false } }
    }

    /// The releases that some host passes and of which there is something to read, oldest first.
    public let entries: [Entry]

    /// Lists what hosts have to pass.
    ///
    /// - Parameters:
    ///   - ways: what is installed on each host that is to be upgraded.
    ///   - target: what they shall have.
    ///   - readings: all there is to read of any release.
    ///   - acknowledgements: who has read what, in the order in which they said so.
    ///   - now: the moment at which acknowledgements have to count.
    public init(
        _ ways: [(host: HostName, installed: CanopsisVersion)], to target: CanopsisVersion, readings: [ReleaseReading],
        acknowledgements: [Acknowledgement], now: Timestamp
    ) {
        let said = Dictionary(grouping: acknowledgements, by: \.version)
        entries = readings.sorted { $0.version < $1.version }.compactMap { reading in
            guard reading.version <= target.release else { return nil }
            let hosts = ways.filter { $0.installed < reading.version && $0.installed < target }.map(\.host)
            guard !hosts.isEmpty else { return nil }
            let standings = said[reading.version, default: []].map { $0.standing(of: reading, at: now) }
            let read = standings.last { if case .read = $0 { true } else { false } }
            return Entry(reading: reading, hosts: hosts, standing: read ?? standings.last ?? .unread)
        }
    }

    /// Lists what the hosts pass that a plan has work for.
    public init(of plan: Plan, readings: [ReleaseReading], acknowledgements: [Acknowledgement], now: Timestamp) {
        let ways = plan.hosts.compactMap { planned -> (host: HostName, installed: CanopsisVersion)? in
            guard case .upgrade = planned.disposition, let facts = planned.facts else { return nil }
            return (planned.host.name, facts.version)
        }
        self.init(ways, to: plan.target, readings: readings, acknowledgements: acknowledgements, now: now)
    }

    /// What nobody has read as it is now.
    public var unread: [Entry] { entries.filter { !$0.isRead } }

    /// Whose word it is that all of it was read, release by release.
    public var acknowledgements: [Acknowledgement] {
        entries.compactMap { if case .read(let acknowledgement) = $0.standing { acknowledgement } else { nil } }
    }
}
