import CSSH2

/// One channel of a session and what came over it.
///
/// Only for the reactor's thread, inside driven calls.
final class Channel: @unchecked Sendable {
    enum Stream: Int32 {
        case stdout = 0
        case stderr = 1
    }

    /// What is fetched ahead of the reader for each stream.
    ///
    /// A stream that nobody reads stalls the command there.
    static let mostAhead = 256 * 1024
    /// How much the server may send before we say that it was read.
    static let window: UInt32 = 256 * 1024

    let pointer: OpaquePointer
    private(set) var hasEnded = false
    var hasClosed = false
    private let wire: Wire

    private var arrived: (stdout: [[UInt8]], stderr: [[UInt8]]) = ([], [])
    private var ahead = (stdout: 0, stderr: 0)
    private var filters: (stdout: MarkerFilter, stderr: MarkerFilter)?

    private var input: [UInt8] = []
    private var written = 0
    private var endsInput = false
    private var hasEndedInput = false
    private var hasMoved = false
    private var fetched = 0

    init(_ pointer: OpaquePointer, markers: Markers?, on wire: Wire) {
        self.pointer = pointer
        self.wire = wire
        filters = markers.map {
            (MarkerFilter(begin: $0.begin, end: nil), MarkerFilter(begin: $0.begin, end: $0.end))
        }
    }

    /// Whether the remote shell said that the command ended with status 0.
    var isConfirmed: Bool { filters?.stderr.hasEnded ?? false }

    /// Whether all input has been taken, its end included if that was asked for.
    var hasTakenInput: Bool { written == input.count && (!endsInput || hasEndedInput) || hasEnded }

    func hasRoom(_ stream: Stream) -> Bool { count(stream) < Self.mostAhead }

    func count(_ stream: Stream) -> Int { stream == .stdout ? ahead.stdout : ahead.stderr }

    /// Sets what is to be written next; the previous input must have been taken.
    func give(_ bytes: [UInt8], ending: Bool) {
        input = bytes
        written = 0
        endsInput = endsInput || ending
    }

    func take(_ stream: Stream) -> [UInt8]? {
        guard count(stream) > 0 else { return nil }
        let chunk = stream == .stdout ? arrived.stdout.removeFirst() : arrived.stderr.removeFirst()
        if stream == .stdout { ahead.stdout -= chunk.count } else { ahead.stderr -= chunk.count }
        return chunk
    }

    /// Takes input to the server and output from it, as much as goes without waiting.
    ///
    /// Answers 1 if anything moved or the end is reached, "again" if nothing did, or a libssh2 error.
    func step() -> Int {
        guard !hasEnded else { return 1 }
        hasMoved = false
        for move in [pushInput, fetchOutput] {
            let answer = move()
            if answer < 0 { return answer }
        }
        if libssh2_channel_eof(pointer) == 1 {
            hasEnded = true
            finishFilters()
            return 1
        }
        return hasMoved ? 1 : Self.again
    }

    private static let again = Int(LIBSSH2_ERROR_EAGAIN)

    private func pushInput() -> Int {
        // A command that has stopped reading would never give room again.
        guard written < input.count || endsInput && !hasEndedInput, libssh2_channel_eof(pointer) == 0 else { return 0 }
        while written < input.count {
            guard wire.hasSentAll else { return 0 }
            let count = input.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                return libssh2_channel_write_ex(pointer, 0, rest.baseAddress?.assumingMemoryBound(to: CChar.self), rest.count)
            }
            guard count > 0 else { return count == Self.again ? 0 : count }
            written += count
            hasMoved = true
        }
        if endsInput, !hasEndedInput {
            let answer = Int(libssh2_channel_send_eof(pointer))
            guard answer == 0 else { return answer == Self.again ? 0 : answer }
            hasEndedInput = true
            hasMoved = true
        }
        return 0
    }

    private func fetchOutput() -> Int {
        // Reading on either stream lets the server send more on both, so a full one stops both.
        while hasRoom(.stdout), hasRoom(.stderr) {
            let before = fetched
            for stream in [Stream.stdout, .stderr] {
                let answer = read(stream)
                if answer < 0 { return answer }
            }
            if fetched == before { break }
        }
        return 0
    }

    private func read(_ stream: Stream) -> Int {
        let scratch = wire.reactor.scratch
        let start = scratch.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = libssh2_channel_read_ex(pointer, stream.rawValue, start, scratch.count)
        // No bytes without the end of the stream is "again" as well.
        guard count > 0 else { return count == Self.again ? 0 : count }
        fetched &+= count
        hasMoved = true
        let bytes = [UInt8](UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        guard filters != nil else {
            keep(bytes, of: stream)
            return 0
        }
        keep((stream == .stdout ? filters?.stdout.pass(bytes) : filters?.stderr.pass(bytes)) ?? [], of: stream)
        return 0
    }

    private func keep(_ chunk: [UInt8], of stream: Stream) {
        guard !chunk.isEmpty else { return }
        if stream == .stdout {
            arrived.stdout.append(chunk)
            ahead.stdout += chunk.count
        } else {
            arrived.stderr.append(chunk)
            ahead.stderr += chunk.count
        }
    }

    private func finishFilters() {
        keep(filters?.stdout.finish() ?? [], of: .stdout)
        keep(filters?.stderr.finish() ?? [], of: .stderr)
    }
}
