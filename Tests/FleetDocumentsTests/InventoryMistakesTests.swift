import FleetCore
import Foundation
import Glibc
import Testing

@testable import FleetDocuments

/// One section of `Fixtures/inventory-mistakes.txt`.
struct InventoryMistake: CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var complaints: String

    static let all: [InventoryMistake] = {
        guard let fixture = try? String(contentsOfFile: fixture("inventory-mistakes.txt"), encoding: .utf8) else { return [] }
        return fixture.components(separatedBy: "\n== ").dropFirst().map { section in
            let parts = ("\n" + section).components(separatedBy: "\n>>\n")
            let lines = parts[0].dropFirst().split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return InventoryMistake(
                testDescription: String(lines[0]), text: lines.count > 1 ? lines[1] + "\n" : "",
                complaints: parts.last?.trimmingCharacters(in: .newlines) ?? "")
        }
    }()
}

@Suite("Mistakes in an inventory")
struct InventoryMistakesTests {
    @Test("each has its place, its sentence and its remedy", arguments: InventoryMistake.all)
    func complaint(_ mistake: InventoryMistake) throws {
        let folder = try TemporaryFolder()
        try folder.write("not a key", to: "keys/open", permissions: 0o644)
        try folder.write(mistake.text)
        #expect(folder.complaints() == mistake.complaints)
    }

    @Test("the fixture was read")
    func fixtureIsThere() { #expect(InventoryMistake.all.count > 40) }

    @Test("all mistakes of a file are found in one reading, in the order of their lines")
    func allMistakes() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            defaults: {user: root, identity: none}
            groups:
              production:
                hosts:
                  acme-1: {adress: acme-1.example.net}
                  acme-[1:3]: {port: 70000}
                  acme-4: {edition: pro, edition: cat}
                  acme-5: {window: nights}
            """)
        let problems = try #require(throws: Problems.self) { try folder.inventory() }
        #expect(
            problems.all.map(\.code) == [
                "key-file-missing", "unknown-key", "duplicate-host", "bad-port", "duplicate-key", "bad-value", "key-not-built",
            ])
        let lines = problems.all.map { problem -> Int? in if case .file(_, let line) = problem.place { line } else { nil } }
        #expect(lines == [1, 5, 6, 6, 7, 7, 8])
    }

    @Test("a file that is not there")
    func missing() throws {
        let folder = try TemporaryFolder()
        #expect(folder.complaints(about: "none.yaml") == "none.yaml: There is no such file.\n    Check the path of the inventory.")
        try folder.write("hosts: {acme-1: }")
        #expect(folder.complaints(about: "fleet.yaml/x") == "fleet.yaml/x: There is no such file.\n    Check the path of the inventory.")
    }

    @Test("a file whose bytes cannot be read")
    func unreadable() {
        // Opens for everybody, root included, and fails at the first read.
        let problems = #expect(throws: Problems.self) { try InventoryFile("/proc/self/mem", home: "/none").read() }
        #expect(
            problems?.description == """
                /proc/self/mem: The inventory cannot be read. (Input/output error)
                    Check the file and the disk it is on.
                """)
    }

    @Test("a file that the account may not read")
    func forbidden() {
        // Root may read everything, so the system's answer is given here.
        #expect(
            TextFile(path: "a b.yaml", role: "inventory").unreadable(EACCES).description == """
                a b.yaml: The inventory cannot be read. (Permission denied)
                    Let your account read it: `ls -l 'a b.yaml'` shows who may.
                """)
    }

    @Test("a file of endless length")
    func endless() {
        let problems = #expect(throws: Problems.self) { try InventoryFile("/dev/zero", home: "/none").read() }
        #expect(problems?.description == "/dev/zero: The inventory is larger than 16 MB.\n    Check that this is the right file.")
    }

    @Test("a file that is not UTF-8")
    func notUTF8() throws {
        let folder = try TemporaryFolder()
        let text = Array("hosts:\n  acme-1: {customer: Soci".utf8) + [0xe9] + Array("t}\n".utf8)
        try Data(text).write(to: URL(fileURLWithPath: "\(folder.path)/fleet.yaml"))
        #expect(folder.complaints() == "fleet.yaml:2: The inventory has bytes that are not UTF-8 text.\n    Save it as UTF-8.")
    }

    @Test("a directory without an inventory in it")
    func emptyDirectory() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: }", to: "fleet/.hidden.yaml")
        try folder.write("hosts: {acme-1: }", to: "fleet/README.md")
        #expect(
            folder.complaints(about: "fleet")
                == "fleet: There is no *.yaml file in this directory.\n    Put inventories there, or name another directory or a file.")
    }

    @Test("a host in two files of a directory, and a file that is none")
    func twoFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: }", to: "fleet/a.yaml")
        try folder.write("hosts:\n  acme-2:\n  acme-1: {port: 23}", to: "fleet/b.yml")
        try folder.write("hosts: [", to: "fleet/c.yaml")
        #expect(
            folder.complaints(about: "fleet") == """
                fleet/b.yml:3: The host `acme-1` is in the inventory twice, first at fleet/a.yaml:1.
                    Keep one of the two, or give them different names.
                fleet/c.yaml:2: This is not YAML. (while parsing a flow node, did not find expected node content)
                    Look at this line and the one before: indent with spaces, never tabs, and put a space after each `:`.
                """)
    }

    @Test("a usual key that others can read, if a host would use it")
    func usualKeyOpen() throws {
        let folder = try TemporaryFolder()
        try folder.write("a key", to: "home/.ssh/id_ed25519", permissions: 0o640)
        try folder.write("hosts: {acme-1: }")
        #expect(
            folder.complaints() == """
                home/.ssh/id_ed25519: The key file `home/.ssh/id_ed25519` can be used by others (mode 0640).
                    chmod 600 home/.ssh/id_ed25519
                """)
        try folder.write("a key", to: "own", permissions: 0o600)
        try folder.write("hosts: {acme-1: {identity: own}}")
        #expect(folder.complaints() == "")
    }

    @Test("more keys given twice than one reading can find still end in a complaint")
    func manyDuplicates() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts:\n" + (1...60).map { "  acme-\($0): {port: 1, port: 2}\n" }.joined())
        #expect(folder.complaints() == "fleet.yaml:52: The key `port` is given twice in one mapping.\n    Keep one of the two.")
    }
}
