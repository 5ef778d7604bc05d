import Dispatch
import SSHClient
import TestSupport
import Testing

/// Another place for tasks to run than Swift's own threads.
private final class QueueExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "preferred")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

@Suite("Tasks that prefer another executor")
struct ExecutorTests {
    /// Such a task is put aside between looking at a socket and waiting for it, and must not miss what happens then.
    @Test("miss nothing that happens while they change threads")
    func preferredExecutor() async throws {
        try await SSHServer.with { server in
            let executor = QueueExecutor()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<16 {
                    group.addTask(executorPreference: executor) {
                        try await server.withSession { session in
                            for _ in 0..<5 {
                                let result = try await session.run("echo \(number)", limits: CommandLimits(total: .seconds(20)))
                                guard result.ending == .exited(0), result.stdout.text == "\(number)\n" else { return false }
                            }
                            return true
                        }
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }
}
