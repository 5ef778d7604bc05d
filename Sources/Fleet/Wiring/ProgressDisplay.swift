import FleetCore
import FleetJournal
import FleetReports
import Foundation

/// Shows a run under way on stderr: a region that is redrawn on a terminal, plain time-stamped lines otherwise.
actor ProgressDisplay {
    private let waves: Int
    private let isLive: Bool
    private var record: RunRecord?
    /// How wide each line of the live region is, in columns.
    private var drawn: [Int] = []
    private var ticker: Task<Void, Never>?
    private var interruptions = 0

    /// Creates a display for a plan with that many waves; live only where stderr is a terminal that can move its cursor.
    init(waves: Int) {
        self.waves = waves
        isLive = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Begins to show elapsed times on a terminal.
    func start() {
        guard isLive else { return }
        ticker = Task {
            while !Task.isCancelled {
                redraw()
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Shows what an event changed.
    func show(_ event: RunEvent, record: RunRecord, at: String) {
        self.record = record
        guard var line = ProgressView.line(for: event, in: record, waves: waves) else { return }
        if case .interrupted(let signal) = event {
            interruptions += 1
            if interruptions > 1 { line = ProgressView.leaving(signal) }
        }
        guard isLive else { return Console.say(ProgressView.stamped(line, at: at)) }
        switch event {
        case .hostStarted, .stepIntended: return
        case .stepEnded(_, _, let outcome, _, _, _) where outcome == .succeeded: return
        default:
            erase()
            Console.say(line)
            redraw()
        }
    }

    /// Takes the live region away; the report follows.
    func stop() {
        ticker?.cancel()
        erase()
        record = nil
    }

    private func redraw() {
        guard isLive, let record else { return }
        erase()
        let (columns, rows) = Self.size
        let lines = ProgressView.live(record, waves: waves, now: .now(), width: columns - 1, mostLines: max(3, rows - 2))
        Console.say(lines.joined(separator: "\n"))
        drawn = lines.map(\.count)
    }

    /// Takes the region away. A terminal that was made narrower shows a line in several rows, and the echo of a Ctrl-C
    /// leaves the cursor in the middle of one.
    private func erase() {
        guard !drawn.isEmpty else { return }
        let columns = Self.size.columns
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / columns) }
        Console.say("\r\u{1b}[\(rows)A\u{1b}[J", ending: "")
        drawn = []
    }

    private static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
