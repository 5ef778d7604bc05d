import Glibc

/// Lets a few in at a time; the others wait in order.
public final class Turnstile: @unchecked Sendable {
    private var free: Int
    private var waiting: [UnsafeContinuation<Void, Never>] = []
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    /// Lets this many in at a time.
    public init(_ count: Int) {
        free = count
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Waits for a place.
    public func enter() async {
        await withUnsafeContinuation { continuation in
            let mayEnter = locked {
                guard free == 0 else {
                    free -= 1
                    return true
                }
                waiting.append(continuation)
                return false
            }
            if mayEnter { continuation.resume() }
        }
    }

    /// Gives the place to the next.
    public func leave() {
        let next: UnsafeContinuation<Void, Never>? = locked {
            if waiting.isEmpty {
                free += 1
                return nil
            }
            return waiting.removeFirst()
        }
        next?.resume()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
