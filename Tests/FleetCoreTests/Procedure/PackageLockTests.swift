import FleetCore
import Foundation
import Testing

@Suite("Waiting for the package manager's lock, in a real shell")
struct PackageLockTests {
    /// The part of a step's script that waits, with the files of a folder in place of the host's, and as much patience as given.
    private static func waiting(_ manager: PackageManager, at place: JobPlace, seconds: Int) throws -> String {
        let script = UpgradePackages(manager: manager, packages: [], scope: .canopsis).script.shellText
        let end = try #require(script.range(of: "\nawait_lock\n")).upperBound
        return String(script[..<end]).replacing("/var/", with: place.root + "/var/").replacing("-ge 600", with: "-ge \(seconds)")
            .replacing("after 600 s", with: "after \(seconds) s") + "echo went on\n"
    }

    private static func make(_ file: String) throws {
        let url = URL(fileURLWithPath: file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: url)
    }

    /// A process that holds a record lock on a file, as apt-get does, until the closure is through.
    private static func holding(_ file: String, at place: JobPlace, _ body: (String) async throws -> Void) async throws {
        try make(file)
        let program = """
            exec perl -MFcntl -e '$0 = "some-apt"; open(F, "+<", $ARGV[0]) or die; my $whole = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0); \
            fcntl(F, F_SETLK, $whole) or die; open(P, ">", "$ARGV[0].pid"); print P $$; close P; sleep 60' "\(file)" >/dev/null 2>&1 </dev/null
            """
        try await place.bash("(\(program)) & until [ -s \"\(file).pid\" ]; do sleep 0.01; done")
        let pid = try String(contentsOfFile: file + ".pid", encoding: .utf8)
        let result = await Result { try await body(pid) }
        try await place.bash("kill \(pid)")
        try result.get()
    }

    @Test("nobody has it: the step goes on without a word", arguments: [PackageManager.apt, .yum], JobPlace.Shell.allCases)
    func free(manager: PackageManager, shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            try Self.make(place.root + "/var/lib/dpkg/lock")
            let said = try await place.run(try Self.waiting(manager, at: place, seconds: 0))
            #expect(String(decoding: said, as: UTF8.self) == "went on\n")
        }
    }

    @Test(
        "a process has it for good: it is named, the step fails with its name, and nothing that follows runs",
        arguments: JobPlace.Shell.allCases)
    func held(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            for (manager, file) in [(PackageManager.apt, "/var/lib/apt/lists/lock"), (.yum, "/var/lib/rpm/.rpm.lock")] {
                try await Self.holding(place.root + file, at: place) { pid in
                    let said = String(decoding: try await place.run(try Self.waiting(manager, at: place, seconds: 2)), as: UTF8.self)
                    #expect(
                        said == """
                            waiting for process \(pid) (some-apt), which has the package manager's lock
                            process \(pid) (some-apt) still has the package manager's lock after 2 s; the step goes no further

                            """)
                }
            }
        }
    }

    @Test("a process that yum's file names counts only while it lives and is a package manager")
    func onFile() async throws {
        try await JobPlace.with { place in
            let file = place.root + "/var/run/yum.pid"
            try Self.make(file)
            try await place.bash("(exec sleep 60 >/dev/null 2>&1 </dev/null) & echo $! >\"$0/other\"")
            let other = try String(contentsOfFile: place.root + "/other", encoding: .utf8)
            for pid in ["999999999\n", other, "no number"] {
                try Data(pid.utf8).write(to: URL(fileURLWithPath: file))
                let said = String(decoding: try await place.run(try Self.waiting(.yum, at: place, seconds: 0)), as: UTF8.self)
                #expect(said == "went on\n")
            }
            try await place.bash("kill $(cat \"$0/other\")")
            try await place.bash("(exec -a yum-of-a-test sleep 60 >/dev/null 2>&1 </dev/null) & echo $! >\"\(file)\"")
            let said = String(decoding: try await place.run(try Self.waiting(.yum, at: place, seconds: 0)), as: UTF8.self)
            #expect(said.contains("(yum-of-a-test 60) still has"), "\(said)")
            try await place.bash("kill $(cat \"\(file)\")")
        }
    }
}

extension Result where Failure == any Error {
    /// The result of an asynchronous piece of work.
    fileprivate init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}
