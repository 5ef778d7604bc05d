import FleetCore
import Foundation
import Subprocess
import TestSupport
import Testing

/// Runs the script against a real apt in a mount namespace of its own: its `/etc/apt`, `/var/lib` and `/var/cache` are made
/// for the test and gone with it, dpkg's database is the machine's, read only.
@Suite("What a real apt offers, read through an index of Fleet's own")
struct FactsOfferTests {
    @Test("the offer is read, no hook runs, and nothing is left outside Fleet's folder")
    func offer() async throws {
        let run = try await Namespace.run(sourcesOfSecondRun: "deb [trusted=yes] file:/mnt/repo ./")

        let expected = ["3.25.0-1", "3.26.0-1"].map { Package(name: "canopsis-core", version: $0) }
        #expect(run.first.offer == .packages(expected))
        #expect(run.second.offer == .packages(expected))
        #expect(run.first.unread.filter { $0.section == "offer" }.isEmpty)
        #expect(run.left == ["/var/lib/fleet 700", "/var/lib/fleet/index 700"])
    }

    @Test("a source that stopped answering is told, even if its index was read a moment ago")
    func stale() async throws {
        // Nothing listens on port 9 of the loopback here.
        let run = try await Namespace.run(sourcesOfSecondRun: "deb [trusted=yes] http://user:secret@127.0.0.1:9/canopsis ./")

        #expect(run.first.offer != run.second.offer)
        guard case .couldNotTell(let words) = run.second.offer else {
            Issue.record("\(run.second.offer)")
            return
        }
        #expect(words.contains("127.0.0.1:9") && !words.contains("secret"))
        #expect(run.left == ["/var/lib/fleet 700", "/var/lib/fleet/index 700"])
    }

    @Test("one dead source among good ones is enough to tell nothing")
    func oneOfTwo() async throws {
        let run = try await Namespace.run(sourcesOfSecondRun: "deb [trusted=yes] file:/mnt/repo ./\ndeb http://127.0.0.1:9/x stable main")
        #expect({ if case .couldNotTell = run.second.offer { true } else { false } }())
    }
}

private enum Namespace {
    struct Outcome {
        var first: HostFacts
        var second: HostFacts
        /// What lies in the folders apt writes to, Fleet's own contents and dpkg's left out.
        var left: [String]
    }

    static func run(sourcesOfSecondRun sources: String) async throws -> Outcome {
        let nonce = "0123456789abcdefghij"
        let script = FactsScript.text(offer: true, nonce: nonce)
        let divider = "----------"
        let setUp = """
            set -e
            mount -t tmpfs none /mnt
            mkdir /mnt/dpkg /mnt/repo
            mount --bind /var/lib/dpkg /mnt/dpkg
            mount -o remount,bind,ro /mnt/dpkg
            mount -t tmpfs none /var/lib
            mkdir /var/lib/dpkg
            mount --bind /mnt/dpkg /var/lib/dpkg
            mount -t tmpfs none /var/cache
            mount -t tmpfs none /etc/apt
            mkdir /etc/apt/apt.conf.d /etc/apt/sources.list.d /etc/apt/preferences.d /etc/apt/trusted.gpg.d
            for hook in Pre-Invoke Post-Invoke Post-Invoke-Success; do
                echo "APT::Update::$hook { \\"touch /var/cache/hook\\"; };"
            done >/etc/apt/apt.conf.d/99hooks
            echo 'APT::Update::Post-Invoke { "touch /var/cache/hook"; };' >/etc/apt/apt.conf
            for version in 3.25.0-1 3.26.0-1; do
                printf 'Package: canopsis-core\\nVersion: %s\\nArchitecture: all\\nMaintainer: x\\nFilename: ./x.deb\\nSize: 1\\nSHA256: %064d\\n\\n' $version 1
            done >/mnt/repo/Packages
            echo 'deb [trusted=yes] file:/mnt/repo ./' >/etc/apt/sources.list
            printf '%s\\n' \(shellQuoted(script)) >/mnt/script
            sh -s </mnt/script
            echo; echo '\(divider)'
            printf '%s\\n' \(shellQuoted(sources)) >/etc/apt/sources.list
            sh -s </mnt/script
            echo; echo '\(divider)'
            find /var/lib /var/cache -mindepth 1 '(' -path /var/lib/dpkg -o -path '/var/lib/fleet/index/*' ')' -prune -o -printf '%p %m\\n'
            """
        // Whoever is not root is it in a user namespace of their own.
        let arguments = geteuid() == 0 ? ["-m"] : ["-r", "-m"]
        _ = brokenPipesAreIgnored
        let result = try await Subprocess.run(
            .name("unshare"), arguments: .init(arguments + ["sh", "-s"]), input: .string(setUp), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16))
        let output = result.standardOutput
        let parts = output.components(separatedBy: "\n\(divider)\n")
        try #require(parts.count == 3, "\(result.standardError)\(output)")
        func facts(_ text: String) throws -> HostFacts { try HostFacts.parse(Array(text.utf8), nonce: nonce, hostKey: "SHA256:x") }
        return Outcome(
            first: try facts(parts[0]), second: try facts(parts[1]), left: parts[2].split(separator: "\n").map(String.init).sorted())
    }
}
