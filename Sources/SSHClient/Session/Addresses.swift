import Glibc

/// A socket address of a server.
struct Address: Sendable {
    private var storage: sockaddr_storage
    private var length: socklen_t
    let family: Int32

    fileprivate init(_ info: addrinfo) {
        storage = sockaddr_storage()
        length = info.ai_addrlen
        family = info.ai_family
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: info.ai_addr, count: min(Int(length), bytes.count)))
        }
    }

    /// Begins to connect; answers what `connect` says, 0 or an `errno`.
    func connect(_ descriptor: Int32) -> Int32 {
        withUnsafeBytes(of: storage) { bytes in
            guard let start = bytes.baseAddress else { return EINVAL }
            return Glibc.connect(descriptor, start.assumingMemoryBound(to: sockaddr.self), length) == 0 ? 0 : errno
        }
    }
}

enum Addresses {
    typealias Answer = Result<[Address], SSHError>

    /// The address, if the host is written as one; this never blocks.
    static func literal(_ endpoint: SSHEndpoint) -> [Address]? {
        try? look(up: endpoint, flags: AI_NUMERICHOST | AI_NUMERICSERV).get()
    }

    /// Asks the system's resolver on a thread of its own, since it blocks for as long as it likes.
    static func resolve(_ endpoint: SSHEndpoint, _ answer: @escaping @Sendable (Answer) -> Void) {
        resolver.add { answer(look(up: endpoint, flags: AI_NUMERICSERV)) }
    }

    private static func look(up endpoint: SSHEndpoint, flags: Int32) -> Answer {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        guard code == 0, let list else {
            let words = code == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(code))
            return .failure(.unresolvable(endpoint.host, SSHError.Cause(code: code, words: words)))
        }
        defer { freeaddrinfo(list) }
        return .success(sequence(first: list, next: { $0.pointee.ai_next }).map { Address($0.pointee) })
    }

    private static let resolver = BlockingThreads(most: 8)
}

/// A few threads for what blocks.
///
/// They end when there is nothing to do.
final class BlockingThreads: @unchecked Sendable {
    private let most: Int
    private let lock = Lock()
    private var waiting: [@Sendable () -> Void] = []
    private var running = 0

    init(most: Int) { self.most = most }

    func add(_ work: @escaping @Sendable () -> Void) {
        let needsThread = lock.withLock {
            waiting.append(work)
            guard running < most else { return false }
            running += 1
            return true
        }
        if needsThread, !startThread() { runAll() }
    }

    private func startThread() -> Bool {
        var thread = pthread_t()
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            guard let context else { return nil }
            Unmanaged<BlockingThreads>.fromOpaque(context).takeRetainedValue().runAll()
            return nil
        }
        let context = Unmanaged.passRetained(self)
        guard pthread_create(&thread, nil, start, context.toOpaque()) == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func runAll() {
        while true {
            let next: (@Sendable () -> Void)? = lock.withLock {
                guard !waiting.isEmpty else {
                    running -= 1
                    return nil
                }
                return waiting.removeFirst()
            }
            guard let next else { return }
            next()
        }
    }
}
