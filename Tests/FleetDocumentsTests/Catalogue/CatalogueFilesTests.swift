import FleetCore
import Foundation
import Testing

@testable import FleetDocuments

/// One section of `Fixtures/catalogue-mistakes.txt`.
struct CatalogueMistake: CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var complaints: String

    static let all: [CatalogueMistake] = {
        guard let fixture = try? String(contentsOfFile: fixture("catalogue-mistakes.txt"), encoding: .utf8) else { return [] }
        return fixture.components(separatedBy: "\n== ").dropFirst().map { section in
            let parts = section.components(separatedBy: "\n>>\n")
            let lines = parts[0].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return CatalogueMistake(
                testDescription: String(lines[0]), text: lines.count > 1 ? lines[1] + "\n" : "",
                complaints: parts.last?.trimmingCharacters(in: .newlines) ?? "")
        }
    }()
}

extension TemporaryFolder {
    /// What reading a catalogue complains about, the folder's own path left out; empty if it is read.
    fileprivate func catalogueComplaints(about name: String = "own.yaml") -> String {
        do throws(Problems) {
            _ = try CatalogueFiles("\(path)/\(name)").read()
            return ""
        } catch {
            return error.description.replacingOccurrences(of: "\(path)/", with: "")
        }
    }
}

@Suite("Files of a catalogue")
struct CatalogueFilesTests {
    @Test("every key means what it says")
    func everyKey() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            version: 3.38.0
            published: 2020-03-19
            note: {procedure: more, hidden_steps: true, code_blocks: 12}
            withdrawn:
              - reason: Broken.
              - reason: Broken on CentOS.
                when: [{system: centos, versions: ["7", "8"]}, {system: debian}]
            steps:
              - id: 3.38.0-all
                phase: after_init
                kind: mongo
                title: A title
                text: |
                  Some
                  text.
                when:
                  - {edition: cat}
                  - {stack: go}
                  - {install: docker}
                  - {unit: "canopsis-engine-go@*.service", is: active}
                  - {file: /etc/a, contains: "x y"}
                  - {file: /etc/a, lacks: z}
                  - {comes_from_before: 3.13.0}
                script: |
                  db.a.find()
                idempotent: true
                engines_stopped: true
                optional: true
                obsolete_from: 3.39.0
                limit: 90s
              - {id: 3.38.0-edit, phase: after_packages, kind: config-edit, title: t, text: t, edit: {file: /a, section: s, line: "b=1"}}
              - {id: 3.38.0-shell, phase: after_restart, kind: shell, title: t, text: t, script: "true"}
              - {id: 3.38.0-influx, phase: before_packages, kind: influx, title: t, text: t, script: DROP}
              - {id: 3.38.0-notice, phase: before_packages, kind: notice, title: t, text: t, blocking: true}
              - {id: 3.38.0-words, phase: before_packages, kind: config-edit, title: t, text: t, idempotent: false}
            """, to: "own.yaml")
        let release = try #require(try CatalogueFiles("\(folder.path)/own.yaml").read().releases.first)
        #expect(release.version == CanopsisVersion(3, 38, 0) && release.published == "2020-03-19")
        #expect(release.note == NoteFacts(published: "2020-03-19", procedure: .more, hasHiddenSteps: true, codeBlocks: 12))
        #expect(
            release.withdrawals == [
                Withdrawal(reason: "Broken."),
                Withdrawal(
                    reason: "Broken on CentOS.",
                    conditions: [.system(id: "centos", versions: ["7", "8"]), .system(id: "debian", versions: [])]),
            ])
        let (x, z) = (try #require(FileProbe(path: "/etc/a", text: "x y")), try #require(FileProbe(path: "/etc/a", text: "z")))
        #expect(
            release.steps.first
                == ReleaseStep(
                    id: "3.38.0-all", phase: .afterInit, kind: .mongo, title: "A title", text: "Some\ntext.\n",
                    conditions: [
                        .edition(.cat), .stack(.go), .install(.docker), .unit(pattern: "canopsis-engine-go@*.service", .active),
                        .fileContains(x), .fileLacks(z), .comesFrom(before: CanopsisVersion(3, 13, 0)),
                    ],
                    work: .mongo("db.a.find()\n"), isIdempotent: true, requiresEnginesStopped: true, isOptional: true,
                    obsoleteFrom: CanopsisVersion(3, 39, 0), limit: .seconds(90)))
        let edit = try #require(ConfigEdit(file: "/a", section: "s", line: "b=1"))
        #expect(release.steps.dropFirst().map(\.work) == [.edit(edit), .shell("true"), .influx("DROP"), nil, nil])
        #expect(release.steps.map(\.isAutomatic) == [true, true, true, true, false, false])
        #expect(release.steps[1].limit == ReleaseStep.usualLimit && release.steps[4].isBlocking)
    }

    @Test("a file can hold a list of releases, and a directory is one catalogue")
    func several() throws {
        let folder = try TemporaryFolder()
        try folder.write("- {version: 4.0.0}\n- {version: 3.48.1}", to: "own/b.yaml")
        try folder.write("version: 3.5.0", to: "own/a.yml")
        try folder.write("not: read", to: "own/.hidden.yaml")
        try folder.write("not: read", to: "own/README.md")
        let catalogue = try CatalogueFiles("\(folder.path)/own").read()
        #expect(catalogue.releases.map(\.version.description) == ["3.5.0", "3.48.1", "4.0.0"])
    }

    @Test("each mistake has its place, its sentence and its remedy", arguments: CatalogueMistake.all)
    func mistake(_ mistake: CatalogueMistake) throws {
        let folder = try TemporaryFolder()
        try folder.write(mistake.text, to: "own.yaml")
        #expect(folder.catalogueComplaints() == mistake.complaints)
    }

    @Test("the fixture was read")
    func fixtureIsThere() { #expect(CatalogueMistake.all.count > 20) }

    @Test("a release in two files, and files that cannot be read, are found in one reading")
    func twoFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("version: 3.5.0", to: "own/a.yaml")
        try folder.write("- version: 3.6.0\n- version: 3.5.0", to: "own/b.yaml")
        try folder.write("version: [", to: "own/c.yaml")
        #expect(
            folder.catalogueComplaints(about: "own") == """
                own/b.yaml:2: The release 3.5.0 is given twice, first at own/a.yaml:1.
                    Keep one of the two.
                own/c.yaml:2: This is not YAML. (while parsing a flow node, did not find expected node content)
                    Look at this line and the one before: indent with spaces, never tabs, and put a space after each `:`.
                """)
    }

    @Test("a catalogue that is not there, and a directory without one")
    func missing() throws {
        let folder = try TemporaryFolder()
        #expect(
            folder.catalogueComplaints(about: "none.yaml") == "none.yaml: There is no such file.\n    Check the path of the catalogue.")
        try folder.write("", to: "empty/README.md")
        #expect(
            folder.catalogueComplaints(about: "empty")
                == "empty: There is no *.yaml file in this directory.\n    Put releases there, or name another directory or a file.")
    }
}
