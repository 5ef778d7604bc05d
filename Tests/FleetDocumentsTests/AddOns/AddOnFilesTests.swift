import FleetCore
import Foundation
import Testing

@testable import FleetDocuments

/// One section of `Fixtures/add-on-mistakes.txt`.
struct AddOnMistake: CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var complaints: String

    static let all: [AddOnMistake] = {
        guard let fixture = try? String(contentsOfFile: fixture("add-on-mistakes.txt"), encoding: .utf8) else { return [] }
        return fixture.components(separatedBy: "\n== ").dropFirst().map { section in
            let parts = section.components(separatedBy: "\n>>\n")
            let lines = parts[0].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return AddOnMistake(
                testDescription: String(lines[0]), text: lines.count > 1 ? lines[1] + "\n" : "",
                complaints: parts.last?.trimmingCharacters(in: .newlines) ?? "")
        }
    }()
}

@Suite("Step files of add-ons")
struct AddOnFilesTests {
    private static let step = "steps: [{id: one, phase: after_restart, kind: shell, title: t, script: \"true\"}]"

    @Test("every key means what it says, and hosts have the names of their add-ons in the order of the inventory")
    func everyKey() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            name: acme-dashboards
            steps:
              - id: reload
                phase: after_restart
                kind: shell
                title: Reload the dashboards
                text: For a person.
                when: [{stack: go}, {file: /etc/acme, contains: dashboards}]
                script: |
                  systemctl reload acme
                idempotent: true
                engines_stopped: true
                limit: 90s
                check: systemctl is-active acme
              - {id: 2.view, phase: before_packages, kind: mongo, title: t, script: db.x.find()}
              - {id: line, phase: after_packages, kind: config-edit, title: t, edit: {file: /a, section: s, line: "b=1"}}
              - {id: look, phase: after_init, kind: manual, title: t, text: Look at it.}
            """, to: "add-ons/acme.yaml")
        try folder.write("name: other\n" + Self.step, to: "add-ons/other.yaml")
        try folder.write(
            """
            defaults: {addons: [add-ons/acme.yaml]}
            hosts:
              acme-1:
              acme-2: {addons: none}
              acme-3: {addons: [add-ons/other.yaml, ./add-ons/../add-ons/acme.yaml]}
            """)
        let inventory = try folder.inventory()
        #expect(inventory.hosts.map(\.addons) == [["acme-dashboards"], [], ["other", "acme-dashboards"]])
        #expect(inventory.addOns.map(\.name) == ["acme-dashboards", "other"])
        let steps = try #require(inventory.addOns.first).steps
        let probe = try #require(FileProbe(path: "/etc/acme", text: "dashboards"))
        #expect(
            steps.first
                == AddOnStep(
                    work: ReleaseStep(
                        id: "acme-dashboards.reload", phase: .afterRestart, kind: .shell, title: "Reload the dashboards",
                        text: "For a person.", conditions: [.stack(.go), .fileContains(probe)], work: .shell("systemctl reload acme\n"),
                        isIdempotent: true, requiresEnginesStopped: true, limit: .seconds(90)),
                    check: "systemctl is-active acme"))
        let edit = try #require(ConfigEdit(file: "/a", section: "s", line: "b=1"))
        #expect(steps.dropFirst().map(\.work.id) == ["acme-dashboards.2.view", "acme-dashboards.line", "acme-dashboards.look"])
        #expect(steps.dropFirst().map(\.work.work) == [.mongo("db.x.find()"), .edit(edit), nil])
        #expect(steps.dropFirst().allSatisfy { $0.check == nil && !$0.work.isIdempotent && $0.work.limit == ReleaseStep.usualLimit })
        #expect(inventory.addOns.flatMap(\.probes) == [probe])
    }

    @Test("a host that says nothing of add-ons has nothing said of them, which is not the same as none")
    func nothingSaid() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts:\n  acme-1:\n  acme-2: {addons: none}")
        #expect(try folder.inventory().hosts.map(\.addons) == [nil, []])
    }

    @Test("each mistake has its place, its sentence and its remedy", arguments: AddOnMistake.all)
    func mistake(_ mistake: AddOnMistake) throws {
        let folder = try TemporaryFolder()
        try folder.write(mistake.text, to: "add-ons/own.yaml")
        // Two hosts name the file, and what is wrong in it is told once.
        try folder.write("hosts:\n  acme-1: {addons: [add-ons/own.yaml]}\n  acme-2: {addons: [add-ons/own.yaml]}")
        #expect(folder.complaints() == mistake.complaints)
    }

    @Test("the fixture was read")
    func fixtureIsThere() { #expect(AddOnMistake.all.count > 10) }

    @Test("files that are not there, and one name in two files, are told with the place that is to be mended")
    func files() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b"] { try folder.write("name: acme\n" + Self.step, to: "add-ons/\(name).yaml") }
        try folder.write(
            "hosts:\n  acme-1: {addons: [add-ons/a.yaml, add-ons/b.yaml]}\n  acme-2:\n    addons:\n      - gone.yaml\n      - add-ons\n")
        #expect(
            folder.complaints()
                == """
                fleet.yaml:5: There is no step file `FOLDER/gone.yaml`.
                    Correct the path: it is relative to the inventory's folder, `~/` is your home.
                fleet.yaml:6: There is no step file `FOLDER/add-ons`.
                    Correct the path: it is relative to the inventory's folder, `~/` is your home.
                add-ons/b.yaml:1: The add-on `acme` is in two files, the other is add-ons/a.yaml.
                    Give one of the two another name.
                """.replacingOccurrences(of: "FOLDER/", with: ""))
    }
}
