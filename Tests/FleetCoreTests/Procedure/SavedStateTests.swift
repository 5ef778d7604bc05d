import FleetCore
import Foundation
import Testing

@Suite("The state of a host, saved in a real shell")
struct SavedStateTests {
    /// Runs the script with folders of the test's own in place of the host's.
    private static func save(_ run: RunID, at place: JobPlace) async throws -> SavedState.Answer? {
        let nonce = JobPlace.nonce()
        let script = SavedState.script(run: run, nonce: nonce).replacing("/var/lib/fleet", with: place.ground.home)
            .replacing("set -- opt/canopsis/etc", with: "set -- \(place.root.dropFirst())/opt/canopsis/etc")
            .replacing("/opt/canopsis/etc ]", with: "\(place.root)/opt/canopsis/etc ]")
            .replacing("/etc/systemd/system/canopsis*", with: "\(place.root)/etc/systemd/system/canopsis*")
        return SavedState.answer(in: try await place.run(script), run: run, nonce: nonce)
    }

    private static func prepare(_ place: JobPlace) async throws {
        try await place.bash(
            """
            mkdir -p "$0/lib" "$0/opt/canopsis/etc/common" "$0/etc/systemd/system/canopsis-engine@a.service.d"
            echo secret >"$0/opt/canopsis/etc/common/mongo_store.conf"
            echo override >"$0/etc/systemd/system/canopsis-engine@a.service.d/own.conf"
            """)
    }

    @Test("holds configuration, overrides and packages, for root's eyes only; what it was comes back", arguments: JobPlace.Shell.allCases)
    func contents(shell: JobPlace.Shell) async throws {
        try await JobPlace.with(shell) { place in
            try await Self.prepare(place)
            let run = try #require(RunID("20260101-000000-test"))
            guard case .saved(let state) = try await Self.save(run, at: place) else {
                Issue.record("not saved")
                return
            }
            #expect(state.bytes > 0)
            let folder = "\(place.ground.home)/saved/\(run)"
            let modes = try await place.bash("stat -c %a '\(place.ground.home)/saved' '\(folder)' '\(folder)'/*")
            #expect(modes == "700\n700\n600\n600\n600\n")
            #expect(try await place.bash("grep -c = '\(folder)/packages'") != "0\n")

            // What is saved is what was there the first time, whatever is there by now.
            try await place.bash("echo spoilt >\"$0/opt/canopsis/etc/common/mongo_store.conf\"; rm -r \"$0/etc/systemd/system\"/*")
            guard case .saved = try await Self.save(run, at: place) else {
                Issue.record("not saved")
                return
            }
            try await place.bash("tar -C / -xzf '\(folder)/configuration.tar.gz'")
            #expect(
                try await place.bash("cat \"$0/opt/canopsis/etc/common/mongo_store.conf\" \"$0\"/etc/systemd/system/*/*")
                    == "secret\noverride\n")
        }
    }

    @Test("of five runs stays, the newest by the host's own clock; that of this run always, whatever its name")
    func old() async throws {
        try await JobPlace.with { place in
            try await Self.prepare(place)
            // Runs of a coordinator whose clock was ahead.
            for number in 1...6 {
                try await place.bash(
                    "mkdir -p \"$0/lib/fleet/saved/20990101-00000\(number)-aaaa\"; touch -d '\(number) hours' \"$0\"/lib/fleet/saved/*\(number)-aaaa"
                )
            }
            let run = try #require(RunID("20260101-000000-test"))
            guard case .saved(let state) = try await Self.save(run, at: place) else {
                Issue.record("not saved")
                return
            }
            #expect(state.bytes > 0)
            let left = try await place.bash("ls \"$0/lib/fleet/saved\"").split(separator: "\n").map(String.init)
            #expect(left.contains(run.text))
            #expect(left.count == 6 && left.contains("20990101-000006-aaaa") && !left.contains("20990101-000001-aaaa"))
        }
    }

    @Test("comes back by commands that a person can type as they are: packages at their versions, then the configuration")
    func wayBack() {
        let folder = "/var/lib/fleet/saved/20260101-000000-test"
        let packages = [Package(name: "canopsis-engines-go", version: "3.25.0-1"), Package(name: "canopsis-core", version: "3.25.0-1")]
        #expect(
            SavedState(folder: folder, bytes: 1, manager: .apt, packages: packages).wayBack == [
                "apt-get install 'canopsis-core=3.25.0-1' 'canopsis-engines-go=3.25.0-1'",
                "tar -C / -xzf \(folder)/configuration.tar.gz", "systemctl daemon-reload",
            ])
        #expect(
            SavedState(folder: folder, bytes: 1, manager: .yum, packages: [Package(name: "canopsis-core", version: "3.25.0-1.el7")]).wayBack
                .first == "yum downgrade canopsis-core-3.25.0-1.el7")
        #expect(SavedState(folder: folder, bytes: 1).wayBack.count == 2, "notes of before")
    }
}
