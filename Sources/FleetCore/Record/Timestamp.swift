/// A moment in UTC, to the millisecond, as Fleet writes it in files: `2026-11-23T14:25:01.250Z`.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64

    /// Creates a moment; anything outside the years 1970 ... 9999 becomes the nearer end of them.
    public init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, 0), 253_402_300_799_999)
    }

    /// Reads RFC 3339 in UTC, with or without a fraction of a second; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 32, bytes[bytes.count - 1] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        let marks: [(Int, Unicode.Scalar)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard marks.allSatisfy({ bytes[$0.0] == UInt8(ascii: $0.1) }),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19),
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), bytes.count > 21, number(20..<bytes.count - 1) != nil else { return nil }
            let digits = bytes[20..<min(23, bytes.count - 1)].map { Int64($0 - 0x30) } + [0, 0]
            fraction = digits[0] * 100 + digits[1] * 10 + digits[2]
        }
        let days = Self.days(year: year, month: month, day: day)
        self.init(milliseconds: (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction)
    }

    /// `2026-11-23T14:25:01.250Z`.
    public var description: String {
        let (date, time) = parts
        return "\(date.year)-\(Self.padded(date.month, 2))-\(Self.padded(date.day, 2))T"
            + "\(Self.padded(time.hour, 2)):\(Self.padded(time.minute, 2)):\(Self.padded(time.second, 2))."
            + "\(Self.padded(milliseconds % 1000, 3))Z"
    }

    /// `20261123-142501`: the first two parts of a run's id.
    public var compact: String {
        let (date, time) = parts
        return "\(date.year)\(Self.padded(date.month, 2))\(Self.padded(date.day, 2))-"
            + "\(Self.padded(time.hour, 2))\(Self.padded(time.minute, 2))\(Self.padded(time.second, 2))"
    }

    /// Orders by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// How long it is from `start` until this moment; nothing if the clock went backwards.
    public func duration(since start: Timestamp) -> Duration {
        .milliseconds(max(0, milliseconds - start.milliseconds))
    }

    private var parts: (date: (year: Int64, month: Int64, day: Int64), time: (hour: Int64, minute: Int64, second: Int64)) {
        let seconds = milliseconds / 1000
        return (Self.date(days: seconds / 86_400), (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60))
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar.
    ///
    /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`, for years from 1970 on.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The inverse of ``days(year:month:day:)``.
    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }
}

extension RunID {
    /// The id of a run that begins at this moment, told apart from others of the same second by four random characters.
    public init(at moment: Timestamp, using generator: inout some RandomNumberGenerator) {
        let letters = Array("0123456789abcdefghijklmnopqrstuvwxyz")
        let suffix = String((0..<4).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
        self.init(trusted: "\(moment.compact)-\(suffix)")
    }
}
