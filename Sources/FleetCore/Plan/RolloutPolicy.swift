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

    /// Creates a policy; the defaults are those of a run without options.
    public init(
        waves: [Share] = [.hosts(1), .percent(10)], atOnce: Int = 5, maxFailures: Share = .hosts(0), maxFailuresPerWave: Share? = nil,
        barrier: Bool = false
    ) {
        self.waves = waves
        self.atOnce = atOnce
        self.maxFailures = maxFailures
        self.maxFailuresPerWave = maxFailuresPerWave
        self.barrier = barrier
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
