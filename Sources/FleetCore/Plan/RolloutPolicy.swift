/// The rules of a rollout: how many, how fast, and when to stop.
public struct RolloutPolicy: Hashable, Sendable, Codable {
    /// The sizes of the waves; the last entry repeats until every host has a wave.
    public var waves: [Share]
    /// How many hosts are at work at the same moment, 1 or more.
    public var atOnce: Int
    /// How many hosts may fail in the run; one more stops it.
    public var maxFailures: Share
    /// How many hosts may fail in one wave; nil for no limit besides that of the run.
    public var maxFailuresPerWave: Share?
    /// Whether the next group of `atOnce` hosts waits for the slowest of the one before, instead of a sliding window.
    public var barrier: Bool
    /// How long to wait between two waves; 0 s for no wait.
    public var pause: Duration
    /// Whether each wave but the first waits until a person approves it.
    public var approve: Bool
    /// Whose hosts are never at work two at a time; nil for no such rule.
    public var spread: Spread?
    /// For each label, how many hosts with the same value of it may be at work at the same moment, 1 or more.
    public var limits: [String: Int]
    /// What becomes of a host's place while it waits for a person.
    public var parkedPlace: ParkedPlace
    /// The versions that hosts are brought to, one after the other, before the target; rising, and none for the direct way.
    public var stepByStep: [CanopsisVersion]

    /// What becomes of the place of a host that waits for a person to do a step.
    public enum ParkedPlace: String, Hashable, Sendable, Codable, CaseIterable {
        /// The host leaves the run for now, and the next has its place.
        case free
        /// The host keeps its place, and the run goes on with it as soon as somebody has answered.
        case keep
    }

    /// A rule that keeps hosts that belong together from being at work together.
    public enum Spread: String, Hashable, Sendable, Codable, CaseIterable {
        /// Never two hosts of one customer.
        case customer
    }

    /// Creates a policy; the defaults are those of a run without options.
    public init(
        waves: [Share] = [.hosts(1), .percent(10)], atOnce: Int = 5, maxFailures: Share = .hosts(0), maxFailuresPerWave: Share? = nil,
        barrier: Bool = false, pause: Duration = .zero, approve: Bool = false, spread: Spread? = nil, limits: [String: Int] = [:],
        parkedPlace: ParkedPlace = .free, stepByStep: [CanopsisVersion] = []
    ) {
        self.waves = waves
        self.atOnce = atOnce
        self.maxFailures = maxFailures
        self.maxFailuresPerWave = maxFailuresPerWave
        self.barrier = barrier
        self.pause = pause
        self.approve = approve
        self.spread = spread
        self.limits = limits
        self.parkedPlace = parkedPlace
        self.stepByStep = stepByStep
    }

    /// The limits by label, ``spread`` being one of them: at most one host of a customer.
    public var labelLimits: [String: Int] {
        spread == .customer ? limits.merging([Host.customerLabel: 1]) { _, spread in spread } : limits
    }

    /// A complaint about each rule that goes by a label none of the selected hosts has: nothing would come of it.
    public func unknownLabels(among hosts: [Host]) -> [Problem] {
        let known = hosts.reduce(into: Set<String>()) { $0.formUnion($1.labelNames) }.sorted()
        func unknown(_ label: String, _ argument: String) -> Problem? {
            guard !known.contains(label) else { return nil }
            let guess = nearest(to: label, among: known).map { "Did you mean `\($0)`? " } ?? ""
            return Problem(
                code: "unknown-label", what: "No selected host has the label `\(label)`.", place: .argument(argument),
                remedy: guess + (known.isEmpty ? "They have none." : "They have: \(known.joined(separator: ", "))."))
        }
        return (spread.flatMap { unknown($0.rawValue, "--spread") }.map { [$0] } ?? [])
            + limits.keys.sorted().compactMap { unknown($0, "--limits") }
    }
}

/// A number of hosts, or a part of a number of hosts.
public enum Share: Hashable, Sendable {
    /// That many.
    case hosts(Int)
    /// 0 ... 100 percent.
    case percent(Int)

    /// Reads `5` or `20%`; nil for anything else, negative numbers and more than 100 % included.
    public init?(_ text: some StringProtocol) {
        let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number <= 100_000 else {
            return nil
        }
        if text.hasSuffix("%") {
            guard number <= 100 else { return nil }
            self = .percent(number)
        } else {
            self = .hosts(number)
        }
    }

    /// How many hosts this is of `count`: a percentage is cut down to whole hosts.
    public func hosts(of count: Int) -> Int {
        switch self {
        case .hosts(let number): number
        case .percent(let percent): count * percent / 100
        }
    }
}

extension Share: Codable, CustomStringConvertible {
    /// `5` or `20%`.
    public var description: String {
        switch self {
        case .hosts(let number): "\(number)"
        case .percent(let percent): "\(percent)%"
        }
    }

    /// Reads a share from a single string.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let share = Share(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a number or a percentage"))
        }
        self = share
    }

    /// Writes the share as a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
