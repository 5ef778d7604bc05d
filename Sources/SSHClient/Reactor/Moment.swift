// libssh2's header declares timespec as well; which of the two the compiler takes depends on the order of the files.
import CSSH2
import Glibc

/// A point on the monotonic clock.
struct Moment: Comparable, Sendable {
    private var nanoseconds: UInt64

    static let never = Moment(nanoseconds: .max)

    static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    static func after(_ delay: Duration) -> Moment { now.adding(delay) }

    static func < (one: Moment, other: Moment) -> Bool { one.nanoseconds < other.nanoseconds }

    func adding(_ delay: Duration) -> Moment {
        let (seconds, attoseconds) = delay.components
        guard seconds >= 0, seconds < 1_000_000_000 else { return seconds < 0 ? self : .never }
        return Moment(nanoseconds: nanoseconds + UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000))
    }

    /// The time from this moment to a later one; zero if it has passed.
    func distance(to later: Moment) -> Duration {
        later.nanoseconds > nanoseconds ? .nanoseconds(Int64(clamping: later.nanoseconds - nanoseconds)) : .zero
    }

    /// What `epoll_wait` takes: whole milliseconds, rounded up so that it doesn't wake too early; -1 for never.
    func pollTimeout(from now: Moment) -> Int32 {
        guard self != .never else { return -1 }
        guard self > now else { return 0 }
        return Int32(clamping: (nanoseconds - now.nanoseconds + 999_999) / 1_000_000)
    }
}
