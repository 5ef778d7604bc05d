import Dispatch
import FleetCore
import FleetDocuments
import FleetJournal
import FleetReports
import FleetRollout
import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// Calls hooks as processes of this machine, each in a process group of its own, and keeps what they write in `hooks.txt`.
struct HookPrograms: HookRunner {
    /// The folder of the runs, absolute.
    let logs: String
    /// The folder of this run.
    let folder: RunFolder
    private let log: HookLog

    init(logs: String, folder: RunFolder) {
        self.logs = logs
        self.folder = folder
        log = HookLog(in: folder)
    }

    /// How long a program has to end after it was asked to; then it is killed.
    private static let grace = Swift.Duration.seconds(5)

    func run(_ hook: Hook, _ call: HookCall) async -> HookEnding {
        let began = ContinuousClock.now
        let output = HookOutput()
        let (how, isOverdue) = await carryOut(hook, call, into: output)
        let seconds = Int((ContinuousClock.now - began).components.seconds)
        let ending =
            switch how {
            case _ where isOverdue: HookEnding(.timedOut, seconds: seconds)
            case _ where Task.isCancelled: HookEnding(.failed, seconds: seconds, words: "ended, for Fleet was told to leave")
            case .ended(.exited(0)): HookEnding(.ok, exit: 0, seconds: seconds)
            case .ended(.exited(let status)): HookEnding(.failed, exit: Int(status), seconds: seconds)
            case .ended(.signaled(let signal)): HookEnding(.failed, seconds: seconds, words: "signal \(signal)")
            case .notStarted(let words): HookEnding(.failed, seconds: seconds, words: words)
            case .timeOver: HookEnding(.failed, seconds: seconds, words: "nobody knows how it ended")
            }
        let heading =
            "==> \(HookMoment(call.event, wave: call.wave, host: call.host, policy: hook.onFailure).text) at "
            + "\(Timestamp.now()): \(ending.text)\n"
        do { try await log.append(heading, output.text) } catch {
            return HookEnding(.failed, exit: ending.exit, seconds: seconds, words: "hooks.txt could not be written")
        }
        return ending
    }

    private enum How: Sendable {
        case ended(TerminationStatus)
        case notStarted(String)
        case timeOver
    }

    /// Starts the program and waits for its end, or ends it with its whole group once its time is over.
    private func carryOut(_ hook: Hook, _ call: HookCall, into output: HookOutput) async -> (How, isOverdue: Bool) {
        let process = StartedProcess()
        let ended: (How, isOverdue: Bool) = await withTaskGroup(of: How.self) { group in
            group.addTask {
                do {
                    return .ended(try await start(hook, call, into: output) { process.started($0) })
                } catch { return .notStarted("\(error)") }
            }
            group.addTask {
                try? await Task.sleep(for: hook.limit)
                return .timeOver
            }
            guard let first = await group.next() else { return (.timeOver, false) }
            group.cancelAll()
            guard case .timeOver = first, let second = await group.next() else { return (first, false) }
            // The wait is over early when Fleet is told to leave.
            return (second, !Task.isCancelled)
        }
        // What the program left in its group does not outlive the program's time, nor the run that is left.
        if ended.isOverdue || Task.isCancelled { await process.endGroup(within: Self.grace) }
        output.close()
        return ended
    }

    private func start(
        _ hook: Hook, _ call: HookCall, into output: HookOutput, started: @escaping @Sendable (pid_t) -> Void
    ) async throws -> TerminationStatus {
        guard let word = hook.command.first, let program = HookProgram(word).found else {
            throw Problem(code: "bad-hook-command", what: "there is no such program", remedy: "")
        }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: Self.grace)]
        return try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(Array(hook.command.dropFirst())), environment: environment(call),
            platformOptions: options,
            input: .fileDescriptor(Self.file(holding: HookInput(call).text()), closeAfterSpawningProcess: true),
            output: .fileDescriptor(try output.writingEnd(), closeAfterSpawningProcess: true),
            error: .fileDescriptor(try output.writingEnd(), closeAfterSpawningProcess: true)
        ) { execution in
            started(execution.processIdentifier.value)
        }.terminationStatus
    }

    /// What the program is told in variables: these, and nothing else of the coordinator's own.
    private func environment(_ call: HookCall) -> Subprocess.Environment {
        var variables: [Subprocess.Environment.Key: String] = [
            "FLEET_EVENT": call.event.rawValue, "FLEET_RUN": call.run.text, "FLEET_TARGET": call.target.description,
            "FLEET_WAVE": call.wave.map(String.init) ?? "", "FLEET_HOST": call.host?.text ?? "", "FLEET_OUTCOME": call.outcome ?? "",
            "FLEET_LOGS": logs,
        ]
        let own = ProcessInfo.processInfo.environment
        for name in ["PATH", "HOME", "LANG"] {
            if let value = own[name] { variables[.init(stringLiteral: name)] = value }
        }
        return .custom(variables)
    }

    /// A file without a name that holds this text: unlike a pipe it can be left unread.
    private static func file(holding text: String) throws -> FileDescriptor {
        guard let file = tmpfile() else { throw Errno(rawValue: errno) }
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count, fflush(file) == 0 else { throw Errno(rawValue: errno) }
        let copy = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0)
        guard copy >= 0, lseek(copy, 0, SEEK_SET) == 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: copy)
    }
}

/// What one hook writes, the first part of it. It is read as it comes, so that a program that writes much is not held up; a process
/// that outlives the program does not keep anybody waiting.
private final class HookOutput: Sendable {
    /// How many bytes of one call are kept.
    private static let most = 64 << 10

    private struct State {
        var kept: [UInt8] = []
        var dropped = 0
        var reading: (any DispatchSourceRead)?
        var writing: FileDescriptor?
    }

    private let state = Mutex(State())

    /// A descriptor for the program to write to.
    func writingEnd() throws -> FileDescriptor {
        try state.withLock { state in
            if let writing = state.writing { return try writing.duplicate() }
            let pipe = try FileDescriptor.pipe()
            for end in [pipe.readEnd, pipe.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
            _ = fcntl(pipe.readEnd.rawValue, F_SETFL, O_NONBLOCK)
            let reading = DispatchSource.makeReadSource(fileDescriptor: pipe.readEnd.rawValue)
            reading.setEventHandler { [weak self] in self?.take() }
            reading.setCancelHandler { try? pipe.readEnd.close() }
            reading.activate()
            state.reading = reading
            state.writing = pipe.writeEnd
            return try pipe.writeEnd.duplicate()
        }
    }

    /// Takes what is there; at the end of all output, or once nobody listens any more, nothing.
    private func take() {
        state.withLock { state in
            guard let reading = state.reading else { return }
            var buffer = [UInt8](repeating: 0, count: Self.most)
            let count = read(Int32(reading.handle), &buffer, buffer.count)
            if count == 0 { reading.cancel() }
            guard count > 0 else { return }
            let part = buffer[..<count].prefix(max(0, Self.most - state.kept.count))
            state.kept += part
            state.dropped += count - part.count
        }
    }

    /// Takes what is there and listens no more.
    func close() {
        try? state.withLock { state in
            defer { state.writing = nil }
            return state.writing
        }?.close()
        // As much as is kept of one call, and as much again: what still comes then is from a process that was left behind.
        for _ in 0..<2 { take() }
        state.withLock { state in
            state.reading?.cancel()
            state.reading = nil
        }
    }

    /// What was kept, and how much was not.
    var text: [UInt8] {
        state.withLock { state in
            var text = state.kept
            if !text.isEmpty, text.last != 0x0a { text.append(0x0a) }
            return state.dropped > 0 ? text + Array("... and more that is not kept\n".utf8) : text
        }
    }
}

/// The process of a hook, which leads a group of its own.
private final class StartedProcess: Sendable {
    private let number = Mutex<pid_t?>(nil)

    func started(_ process: pid_t) { number.withLock { $0 = process } }

    /// Waits for the end of what is left of the group, which was asked to end, and kills it if it does not come; nothing if it never
    /// began. A task that is cancelled waits as well.
    func endGroup(within grace: Swift.Duration) async {
        guard let group = number.withLock({ $0 }) else { return }
        let deadline = ContinuousClock.now + grace
        while kill(-group, 0) == 0 {
            if ContinuousClock.now >= deadline {
                kill(-group, SIGKILL)
                return
            }
            // Of its own, so that the cancellation of this task does not end the pause.
            await Task.detached { try? await Task.sleep(for: .milliseconds(50)) }.value
        }
    }
}

/// The file `hooks.txt` of a run.
private actor HookLog {
    private let folder: RunFolder
    private var file: FileHandle?

    init(in folder: RunFolder) { self.folder = folder }

    func append(_ heading: String, _ text: [UInt8]) throws {
        let open = try file ?? folder.appending("hooks.txt")
        file = open
        try open.write(contentsOf: Data(heading.utf8) + Data(text))
    }
}
