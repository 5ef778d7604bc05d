@preconcurrency import Dispatch
import FleetRollout
import Foundation

/// SIGINT, SIGTERM and `fleet abort` as a stream of names, and SIGHUP kept from ending the run: a closed laptop must not.
final class StopSignals: Sendable {
    /// `INT`, `TERM` or ``RolloutRunner/abortRequest``, each time one comes.
    let names: AsyncStream<String>
    /// How `fleet abort` asks the process that carries a run out to start nothing new: no signal of a terminal's, so it never counts
    /// as a second Ctrl-C.
    static let abort = SIGUSR1

    private let sources: [any DispatchSourceSignal]

    /// Takes the signals over from here on.
    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        names = stream
        signal(SIGHUP, SIG_IGN)
        // A pipe whose reader has gone must not end a run half-way either.
        signal(SIGPIPE, SIG_IGN)
        sources = [(SIGINT, "INT"), (SIGTERM, "TERM"), (Self.abort, RolloutRunner.abortRequest)].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(name) }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
