@preconcurrency import Dispatch
import Foundation

/// SIGINT and SIGTERM as a stream of names, and SIGHUP kept from ending the run: a closed laptop must not.
final class StopSignals: Sendable {
    /// `INT` or `TERM`, each time one comes.
    let names: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    /// Takes the signals over from here on.
    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        names = stream
        signal(SIGHUP, SIG_IGN)
        // A pipe whose reader has gone must not end a run half-way either.
        signal(SIGPIPE, SIG_IGN)
        sources = [(SIGINT, "INT"), (SIGTERM, "TERM")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(name) }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
