/// How a remote command ended, as far as the host said.
///
/// Only ``exited(_:)`` and ``killed(signal:)`` are statements by the host. libssh2 1.10 answers status 0 also when the host
/// said nothing, so a 0 counts only if the remote shell has confirmed it.
///
/// - Source: RFC 4254, section 6.10; libssh2 issue 2515.
public enum CommandEnding: Hashable, Sendable {
    /// It ran to its end and reported this status; a shell reports 128 + n for a command that signal n ended.
    case exited(UInt8)
    /// A signal ended the shell itself. The name has no `SIG` prefix, as on the wire.
    case killed(signal: String)
    /// The channel closed without a word, or we stopped waiting: the command may still be running.
    case unreported

    /// Whether the host said that the command ran and succeeded.
    public var isSuccess: Bool { self == .exited(0) }
}

/// What a command printed, as much of it as was to be kept.
public struct BoundedOutput: Hashable, Sendable {
    /// How much is kept: the first bytes and the last ones.
    public struct Bound: Hashable, Sendable {
        /// How many bytes of the beginning.
        public var head: Int
        /// How many bytes of the end.
        public var tail: Int

        /// Keeps this many bytes of the beginning and of the end.
        public init(head: Int, tail: Int) {
            self.head = max(0, head)
            self.tail = max(0, tail)
        }

        /// Half a megabyte of each.
        public static let standard = Bound(head: 512 * 1024, tail: 512 * 1024)
    }

    /// The beginning; everything, if nothing was dropped.
    public private(set) var head: [UInt8] = []
    /// How many bytes between beginning and end were not kept.
    public private(set) var dropped = 0

    private let bound: Bound
    private var recent: [UInt8] = []

    /// Keeps nothing yet.
    public init(_ bound: Bound = .standard) { self.bound = bound }

    /// The end, if the beginning does not hold everything.
    public var tail: ArraySlice<UInt8> { recent.suffix(bound.tail) }

    /// What was kept, without a sign of what was dropped.
    public var bytes: [UInt8] { recent.isEmpty ? head : head + tail }

    /// What was kept as text; bytes that aren't UTF-8 become U+FFFD.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes the next bytes.
    public mutating func append(_ bytes: [UInt8]) {
        guard !head.isEmpty || bytes.count > bound.head else {
            head = bytes
            return
        }
        let room = bound.head - head.count
        head.append(contentsOf: bytes.prefix(room))
        guard bytes.count > room else { return }
        let before = min(recent.count, bound.tail)
        recent.append(contentsOf: bytes.dropFirst(room))
        dropped += max(0, before + bytes.count - room - bound.tail)
        // Moved seldom, so each byte is moved about once.
        if recent.count > 2 * bound.tail + 65536 { recent.removeFirst(recent.count - bound.tail) }
    }

    /// Equal if the same was kept and the same amount dropped.
    public static func == (one: BoundedOutput, other: BoundedOutput) -> Bool {
        one.head == other.head && one.tail == other.tail && one.dropped == other.dropped
    }

    /// Hashes what is compared.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(head)
        hasher.combine(tail)
        hasher.combine(dropped)
    }
}

/// What became of a command.
public struct CommandResult: Hashable, Sendable {
    /// How it ended.
    public var ending: CommandEnding
    /// What it printed.
    public var stdout: BoundedOutput
    /// What it printed as errors.
    public var stderr: BoundedOutput
    /// Why the ending is unreported, if the connection broke or a limit was reached; nil if the host just said nothing.
    public var failure: SSHError?
}
