import CSSH2
import Glibc

/// A socket and those who wait for it.
///
/// Only for the reactor's thread.
class Watched: @unchecked Sendable {
    let reactor: SSHReactor
    var ticket: UInt64 = .max
    private(set) var descriptor: Int32 = -1

    // What the kernel last said. While it is false, asking again would only cost a system call.
    var isReadable = false
    var isWritable = false
    private(set) var hasHungUp = false

    /// Moves on with everything that may be waited for. A waiter that saw an older one doesn't begin to wait, since a task may
    /// be put aside between looking and waiting.
    private(set) var version = 0
    private var waiters: [Waiter] = []
    private var alarm = Moment.never

    init(_ reactor: SSHReactor) { self.reactor = reactor }

    var isOpen: Bool { descriptor >= 0 }

    /// Takes over a descriptor; the caller keeps it if this answers false.
    func open(_ descriptor: Int32) -> Bool {
        guard reactor.watch(descriptor, for: self) else { return false }
        self.descriptor = descriptor
        (isReadable, isWritable, hasHungUp) = (false, false, false)
        return true
    }

    /// Closes the descriptor and wakes all who wait for it.
    func closeDescriptor() {
        assert(reactor.isCurrent, "only for the reactor's thread")
        guard isOpen else { return }
        close(descriptor)
        descriptor = -1
        wakeAll()
    }

    /// The kernel reports a change.
    func changed(_ events: UInt32) {
        let ending = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue
        if events & ending != 0 { hasHungUp = true }
        if events & (EPOLLIN.rawValue | ending) != 0 { isReadable = true }
        if events & (EPOLLOUT.rawValue | ending) != 0 { isWritable = true }
        wakeAll()
    }

    func alarmRang(_ now: Moment) {
        guard alarm <= now else { return }
        alarm = .never
        let due = waiters.filter { $0.deadline <= now }
        waiters.removeAll { $0.deadline <= now }
        for waiter in due {
            waiter.verdict = .limit
            waiter.resume()
        }
        setAlarm()
    }

    func wakeAll() {
        version &+= 1
        guard !waiters.isEmpty else { return }
        // Resuming a task only queues it, so nobody is added meanwhile.
        for waiter in waiters { waiter.resume() }
        waiters.removeAll(keepingCapacity: true)
    }

    /// Wakes those who looked before these bytes came in: somebody else's call may have read what they wait for.
    func wake(olderThan receives: Int) {
        version &+= 1
        guard waiters.contains(where: { $0.receives < receives }) else { return }
        let older = waiters.filter { $0.receives < receives }
        waiters.removeAll { $0.receives < receives }
        for waiter in older { waiter.resume() }
    }

    func remove(_ waiter: Waiter) {
        waiters.removeAll { $0 === waiter }
    }

    func add(_ waiter: Waiter) {
        assert(reactor.isCurrent, "only for the reactor's thread")
        guard waiter.version == version else { return waiter.resume() }
        waiters.append(waiter)
        if waiter.deadline < alarm { setAlarm() }
    }

    private func setAlarm() {
        let earliest = waiters.reduce(Moment.never) { min($0, $1.deadline) }
        guard earliest < alarm else { return }
        alarm = earliest
        reactor.ring(self, at: earliest)
    }
}

/// One operation that waits on the reactor's thread, for as long as the operation lasts.
final class Waiter: @unchecked Sendable {
    enum Verdict { case goOn, limit, cancelled }

    let deadline: Moment
    var verdict = Verdict.goOn
    /// How many receives the session had made when this one last looked.
    var receives = 0
    private let watched: Watched
    fileprivate var version: Int
    private var continuation: UnsafeContinuation<Void, Never>?

    /// Make it in the same breath as the look that found nothing: what changes after that is not missed.
    init(on watched: Watched, until deadline: Moment) {
        self.watched = watched
        self.deadline = deadline
        version = watched.version
    }

    /// Notes that everything up to now has been seen.
    func look() { version = watched.version }

    /// Waits until the descriptor changes, the time is up or the task is cancelled; returns at once if one has happened.
    ///
    /// The actor is named by the caller: a closure that doesn't mention its actor isn't isolated to it, and would go on on
    /// another thread.
    func park(isolation: isolated any Actor) async {
        guard verdict == .goOn else { return }
        await withUnsafeContinuation { continuation in
            self.continuation = continuation
            watched.add(self)
        }
    }

    func cancel() {
        if verdict == .goOn { verdict = .cancelled }
        watched.remove(self)
        resume()
    }

    func resume() {
        guard let waiting = continuation else { return }
        continuation = nil
        waiting.resume()
    }
}
