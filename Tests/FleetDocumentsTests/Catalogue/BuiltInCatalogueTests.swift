import FleetCore
import Foundation
import Subprocess
import TestSupport
import Testing

@testable import FleetDocuments

@Suite("The catalogue the program comes with")
struct BuiltInCatalogueTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Sources/FleetDocuments/Catalogue/Releases").standardizedFileURL.path

    @Test("nothing is wrong with any of its files")
    func sound() throws {
        let problems: [Problem]
        do throws(Problems) {
            _ = try CatalogueFiles(Self.folder).read()
            problems = []
        } catch {
            problems = error.all
        }
        #expect(problems.isEmpty, "\(Problems(problems))")
    }

    @Test("what is in the program is what is in the folder, file by file")
    func embedded() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
        #expect(BuiltInCatalogue.files.map(\.name) == names)
        for (name, text) in BuiltInCatalogue.files {
            let onDisk = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
            #expect(text == onDisk, "\(name)")
        }
        let (builtIn, read) = (try BuiltInCatalogue.read(), try CatalogueFiles(Self.folder).read())
        #expect(builtIn == read)
    }

    @Test("a file has the one release it is named after")
    func names() throws {
        for (name, text) in BuiltInCatalogue.files {
            let catalogue = try CatalogueFiles.catalogue(of: [(name, text)])
            #expect(catalogue.releases.map { "\($0.version).yaml" } == [name])
        }
    }

    /// What the vendor announced of 3.x from November 2018 to November 2020.
    private static let announced: [CanopsisVersion] = {
        let third: [Int: [Int]] = [13: [0, 1, 2], 18: [0, 1], 39: [0, 1], 43: [1], 44: [0, 1]]
        return (5...48).flatMap { second in (third[second] ?? [0]).map { CanopsisVersion(3, second, $0) } }
    }()

    @Test("every release of 3.x is in it and no other, each with its date and what its note looked like")
    func complete() throws {
        let releases = try BuiltInCatalogue.read().releases.filter { $0.version.major == 3 }
        #expect(releases.map(\.version) == Self.announced)
        for release in releases { #expect(release.note != nil && release.published != nil, "\(release.version)") }
    }

    @Test(
        "a note with a standard procedure and steps or warnings elsewhere is recorded as one that hides them",
        arguments: ["3.28.0", "3.43.1", "3.44.0", "3.44.1", "3.45.0", "3.46.0", "24.04.1", "24.04.2", "24.04.3"])
    func hidden(_ text: String) throws {
        let release = try BuiltInCatalogue.read().release(try #require(CanopsisVersion(text)))
        #expect(
            release?.note == NoteFacts(published: release?.published, procedure: .standard, hasHiddenSteps: true, codeBlocks: 0))
    }

    @Test("an entry whose note asks for nothing has nothing to tell")
    func nothing() throws {
        for release in try BuiltInCatalogue.read().releases {
            guard let note = release.note, note.procedure == .standard, !note.hasHiddenSteps else { continue }
            #expect(release.steps.isEmpty && note.codeBlocks == 0, "\(release.version)")
        }
    }

    @Test("each step has an id of its own that begins with its release")
    func ids() throws {
        let catalogue = try BuiltInCatalogue.read()
        let steps = catalogue.releases.flatMap { release in release.steps.map { (release.version, $0) } }
        #expect(Set(steps.map(\.1.id)).count == steps.count)
        for (version, step) in steps { #expect(step.id.hasPrefix("\(version)-")) }
    }

    @Test("nothing of a release with a migration guide is automatic, and its guide blocks")
    func guides() throws {
        let catalogue = try BuiltInCatalogue.read()
        for release in catalogue.releases where release.version.major >= 4 {
            #expect(release.steps.filter(\.isAutomatic).isEmpty, "\(release.version)")
        }
        for guide in MigrationGuide.all {
            let release = try #require(catalogue.release(guide.release))
            #expect(release.steps.contains { $0.isBlocking && $0.phase == .beforePackages }, "\(guide.release)")
        }
    }

    @Test("a step is needless only from a release the catalogue has")
    func obsolete() throws {
        let catalogue = try BuiltInCatalogue.read()
        for step in catalogue.releases.flatMap(\.steps) {
            guard let version = step.obsoleteFrom else { continue }
            #expect(catalogue.release(version) != nil, "\(step.id): \(version)")
        }
    }

    @Test("every shell script can be read by the shells hosts have", arguments: ["sh", "dash", "bash"])
    func shell(shell: String) async throws {
        let steps = try BuiltInCatalogue.read().releases.flatMap(\.steps)
        var count = 0
        for step in steps {
            switch step.work {
            case .shell(let script): try await check(script, of: step.id, in: shell)
            case .edit(let edit): try await check(edit.shellText, of: step.id, in: shell)
            case .mongo, .influx, nil: continue
            }
            count += 1
        }
        #expect(count > 20)
    }

    private func check(_ script: String, of id: String, in shell: String) async throws {
        _ = brokenPipesAreIgnored
        let result = try await Subprocess.run(
            .name(shell), arguments: ["-n"], input: .string(script), output: .discarded, error: .string(limit: 1 << 16))
        #expect(result.terminationStatus.isSuccess, "\(id): \(result.standardError)")
        #expect(result.standardError == "", "\(id)")
    }

    @Test("statements for a database are there, and hold no password")
    func statements() throws {
        for step in try BuiltInCatalogue.read().releases.flatMap(\.steps) {
            guard case .mongo(let script) = step.work else { continue }
            #expect(script.contains("db."), "\(step.id)")
            #expect(!script.contains("PASSWORD"), "\(step.id)")
        }
    }

    @Test("a host that goes from 3.22 to 3.39 gets all of the steps, each once, and nothing for others")
    func path() throws {
        let host = Host(name: try #require(HostName("acme-1")), address: "127.0.0.1", edition: .core, stack: .go)
        let facts = HostFacts(
            identity: HostIdentity(machineID: "0", hostKey: "SHA256:x"),
            system: OperatingSystem(id: "centos", version: "7", name: "CentOS"), architecture: "x86_64", packageManager: .yum,
            systemdVersion: 219, isRoot: true, installed: [Package(name: "canopsis-core", version: "3.22.0-1.el7")], offer: .notAsked,
            versionFile: nil, units: [], freeBytes: [:], selinux: .disabled, packageLockHolder: nil, brokenPackages: [])
        let catalogue = try BuiltInCatalogue.read()
        let path = ReleasePath(
            through: catalogue, from: CanopsisVersion(3, 22, 0), to: CanopsisVersion(3, 39, 0), facts: facts, host: host)
        #expect(path.releases == Self.announced.filter { CanopsisVersion(3, 22, 0) < $0 && $0 <= CanopsisVersion(3, 39, 0) })
        #expect(path.releasesWithoutEntry.isEmpty && path.withdrawals.isEmpty && path.targetNote == .described)
        let carriedOut = path.steps.filter(\.isCarriedOut).map(\.step.id)
        #expect(carriedOut.contains("3.23.0-engine-watcher") && carriedOut.contains("3.39.0-engine-fifo"))
        #expect(!carriedOut.contains { $0.contains("debian") || $0.hasSuffix("-docker") || $0.hasSuffix("-cat") })
        #expect(path.steps.contains { $0.blocks && $0.step.id == "3.39.0-redis5" })
    }
}
