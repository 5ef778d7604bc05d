import CSSH2
import Glibc

/// The one thread on which all sessions live: it waits for their sockets and is the executor of their actors.
///
/// Make one and use it for every session; it logs in some hundred hosts a second. It lasts as long as the process.
/// Code on it must not block.
public final class SSHReactor: SerialExecutor, @unchecked Sendable {
    /// Something to do on the reactor's thread.
    private enum Work {
        case job(UnownedJob)
        case step(UnownedJob, SSHTaskExecutor)
        case block(@Sendable () -> Void)
    }

    private struct Slot {
        var watched: Watched?
        var generation: UInt32 = 0
    }

    /// What tests do to a socket to make rare things happen at every step.
    package struct Faults: Sendable {
        /// The most bytes one send takes before the socket claims to be full.
        package var largestSend: Int?

        package init(largestSend: Int? = nil) { self.largestSend = largestSend }
    }

    let faults: Faults
    /// A place to read into, for code on the reactor's thread that copies out at once.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 16)

    private let poll: Int32
    private let bell: Int32
    private var thread = pthread_t()

    private let lock = Lock()
    // Guarded by the lock.
    private var inbox: [Work] = []
    private var isRinging = false

    // Only for the reactor's thread.
    private var own: [Work] = []
    private var slots: [Slot] = []
    private var vacant: [Int] = []
    private var alarms = Alarms()

    /// Starts the thread; fails only if the system has no descriptor or thread left.
    public convenience init() throws(SSHError) {
        try self.init(faults: Faults())
    }

    package init(faults: Faults) throws(SSHError) {
        guard libssh2IsReady else { throw .system(call: "libssh2_init", errno: 0) }
        self.faults = faults
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard poll >= 0, bell >= 0 else { throw .system(call: "epoll_create1", errno: errno) }
        var interest = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: .max))
        guard epoll_ctl(poll, EPOLL_CTL_ADD, bell, &interest) == 0 else { throw .system(call: "epoll_ctl", errno: errno) }
        // The thread waits for the lock, so it never runs before `thread` is set.
        let failure = lock.withLock {
            pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<SSHReactor>.fromOpaque(context).takeUnretainedValue().run()
                }, Unmanaged.passRetained(self).toOpaque())
        }
        guard failure == 0 else { throw .system(call: "pthread_create", errno: failure) }
    }

    var isCurrent: Bool { pthread_equal(pthread_self(), thread) != 0 }

    /// Takes a job of a session's actor.
    public func enqueue(_ job: consuming ExecutorJob) {
        submit(.job(UnownedJob(job)))
    }

    fileprivate func enqueue(_ job: consuming ExecutorJob, of executor: SSHTaskExecutor) {
        submit(.step(UnownedJob(job), executor))
    }

    /// Stops the process unless the caller runs on the reactor's thread.
    public func checkIsolated() {
        precondition(isCurrent, "must run on the reactor's thread")
    }

    /// Runs a block on the reactor's thread, after what is already waiting there.
    func submit(_ block: @escaping @Sendable () -> Void) {
        submit(.block(block))
    }

    private func submit(_ work: Work) {
        if isCurrent {
            own.append(work)
            return
        }
        let mustRing = lock.withLock {
            inbox.append(work)
            defer { isRinging = true }
            return !isRinging
        }
        if mustRing { eventfd_write(bell, 1) }
    }
}

// MARK: What is watched

extension SSHReactor {
    /// Gives a watched descriptor its place; alarms and events find it there until it is released.
    func admit(_ watched: Watched) {
        let index = vacant.popLast() ?? slots.count
        if index == slots.count { slots.append(Slot()) }
        slots[index].watched = watched
        watched.ticket = UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    func release(_ watched: Watched) {
        guard find(watched.ticket) === watched else { return }
        let index = Int(watched.ticket & 0xffff_ffff)
        slots[index].watched = nil
        slots[index].generation &+= 1
        vacant.append(index)
    }

    /// Watches a descriptor in both directions; it is told of every change, once.
    func watch(_ descriptor: Int32, for watched: Watched) -> Bool {
        let directions = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        var interest = epoll_event(events: directions, data: epoll_data_t(u64: watched.ticket))
        return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &interest) == 0
    }

    func ring(_ watched: Watched, at due: Moment) {
        alarms.add(watched.ticket, due: due)
    }

    private func find(_ ticket: UInt64) -> Watched? {
        let index = Int(ticket & 0xffff_ffff)
        guard index < slots.count, slots[index].generation == UInt32(ticket >> 32) else { return nil }
        return slots[index].watched
    }
}

// MARK: The loop

extension SSHReactor {
    private func run() -> Never {
        lock.withLock {}
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let capacity = 256
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        while true {
            // A few rounds, since a job usually leaves another; then the sockets get their turn.
            var rounds = 0
            while rounds < 4, runWaiting() { rounds += 1 }
            let now = Moment.now
            while let ticket = alarms.popDue(now) { find(ticket)?.alarmRang(now) }

            let timeout = own.isEmpty ? alarms.earliest.pollTimeout(from: now) : 0
            let count = epoll_wait(poll, events, Int32(capacity), timeout)
            guard count > 0 else { continue }
            for index in 0..<Int(count) {
                let ticket = events[index].data.u64
                if ticket == .max { answerBell() } else { find(ticket)?.changed(events[index].events) }
            }
        }
    }

    private func runWaiting() -> Bool {
        guard !own.isEmpty else { return false }
        var round: [Work] = []
        swap(&round, &own)
        for work in round {
            switch work {
            case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
            case .step(let job, let executor): job.runSynchronously(on: executor.asUnownedTaskExecutor())
            case .block(let block): block()
            }
        }
        // The storage goes back, so a quiet reactor allocates nothing.
        if own.isEmpty {
            round.removeAll(keepingCapacity: true)
            swap(&round, &own)
        }
        return true
    }

    private func answerBell() {
        var count = eventfd_t()
        eventfd_read(bell, &count)
        lock.withLock {
            own.append(contentsOf: inbox)
            inbox.removeAll(keepingCapacity: true)
            isRinging = false
        }
    }
}

/// Takes the steps of tasks on a reactor's thread, for tasks that do little but talk to sessions.
///
/// Give it to `withTaskExecutorPreference`: between two calls of a session such a task then wakes no other thread. What it
/// does itself must not block.
public final class SSHTaskExecutor: TaskExecutor {
    private let reactor: SSHReactor

    /// Uses the thread of a reactor.
    public init(on reactor: SSHReactor) { self.reactor = reactor }

    /// Takes a step of a task.
    public func enqueue(_ job: consuming ExecutorJob) { reactor.enqueue(job, of: self) }
}

/// libssh2's own start-up isn't thread-safe, so it happens once, here.
private let libssh2IsReady = libssh2_init(0) == 0
