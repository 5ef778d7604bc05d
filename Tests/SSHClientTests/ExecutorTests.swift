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
    private static func executors() throws -> [any TaskExecutor] {
        [QueueExecutor(), SSHTaskExecutor(on: try SSHServer.reactor.get())]
    }

    /// Such a task is put aside between looking at a socket and waiting for it, and must not miss what happens then.
    @Test("miss nothing that happens while they are put aside")
    func manySessions() async throws {
        try await SSHServer.with { server in
            for executor in try Self.executors() {
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<16 {
                        group.addTask(executorPreference: executor) {
                            try await server.withSession { session in
                                for _ in 0..<5 {
                                    guard try await Self.echoes(number, session) else { return false }
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

    /// Such a task is also put aside after it was told that it may go on; another one may then have gone first.
    @Test("don't get into each other's way on one session")
    func oneSession() async throws {
        try await SSHServer.with { server in
            for executor in try Self.executors() {
                try await server.withSession { session in
                    try await withThrowingTaskGroup(of: Bool.self) { group in
                        for number in 0..<8 {
                            group.addTask(executorPreference: executor) {
                                for _ in 0..<5 {
                                    guard try await Self.echoes(number, session) else { return false }
                                }
                                return true
                            }
                        }
                        for try await isRight in group { #expect(isRight) }
                    }
                }
            }
        }
    }

    private static func echoes(_ number: Int, _ session: SSHSession) async throws -> Bool {
        let result = try await session.run("echo \(number)", limits: CommandLimits(total: .seconds(20)))
        return result.ending == .exited(0) && result.stdout.text == "\(number)\n"
    }
}
