import FleetCore
import Foundation
import Subprocess
import Testing

@Suite("The edit of a configuration file")
struct ConfigEditTests {
    private static let line = "canopsis.webcore.services.playlist=1"

    /// A shell, and the awk that is found first.
    struct Tools: CustomTestStringConvertible {
        var shell: [String]
        var awk: String?
        var testDescription: String { shell.joined(separator: " ") + (awk.map { " with \($0)" } ?? "") }

        static let all = [
            Tools(shell: ["sh"]), Tools(shell: ["dash"]), Tools(shell: ["bash"]), Tools(shell: ["bash", "--posix"]),
            Tools(shell: ["dash"], awk: "busybox awk"),
        ]
    }

    /// What a file was, and what it is afterwards; nil for left alone.
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var before: String
        var after: String?

        static let all = [
            Case(
                testDescription: "at the end of a section in the middle, before the blank lines and comments of the next",
                before: "[server]\nport=8082\n\n[webservices]\na=1\nb = 1\n\n# the UI\n[ui]\nurl=/\n",
                after: "[server]\nport=8082\n\n[webservices]\na=1\nb = 1\n\(line)\n\n# the UI\n[ui]\nurl=/\n"),
            Case(testDescription: "at the end of the file", before: "[webservices]\na=1\n", after: "[webservices]\na=1\n\(line)\n"),
            Case(
                testDescription: "behind a last line without an end", before: "[webservices]\na=1", after: "[webservices]\na=1\n\(line)\n"),
            Case(
                testDescription: "in an empty section, and one at the end without a line end", before: "[webservices]",
                after: "[webservices]\n\(line)\n"),
            Case(testDescription: "no empty line is lost", before: "\n\n[webservices]\n\n\n", after: "\n\n[webservices]\n\(line)\n\n\n"),
            Case(
                testDescription: "a comment and another section's line do not count",
                before: "[other]\n\(line)\n[webservices]\n#\(line)\n; \(line)\na=1\n",
                after: "[other]\n\(line)\n[webservices]\n#\(line)\n; \(line)\na=1\n\(line)\n"),
            Case(
                testDescription: "behind a value of several lines, which do not count",
                before: "[webservices]\na=1\n  \(line)\n[x]\n", after: "[webservices]\na=1\n  \(line)\n\(line)\n[x]\n"),
            Case(
                testDescription: "every other byte stays: ends of DOS, bytes that are no UTF-8, back-slashes, tabs",
                before: "\u{feff}# \\n é\t \r\n[webservices]\r\na=\\1&%s\r\n[x]\r\nb=2",
                after: "\u{feff}# \\n é\t \r\n[webservices]\r\na=\\1&%s\r\n\(line)\n[x]\r\nb=2"),
            Case(
                testDescription: "a section that is there twice is one", before: "[webservices]\na=1\n[x]\n[webservices]\nb=1\n[y]\n",
                after: "[webservices]\na=1\n[x]\n[webservices]\nb=1\n\(line)\n[y]\n"),
            Case(
                testDescription: "a name that only begins alike", before: "[webservices]\n\(line)0\n\(line).x=1\n",
                after: nil),
            Case(testDescription: "there already", before: "[webservices]\n\(line)\n[x]\n", after: nil),
            Case(
                testDescription: "there in another spelling", before: "[webservices]\nCanopsis.webcore.services.playlist = 1 \r\n",
                after: nil),
            Case(testDescription: "somebody gave it another value", before: "[webservices]\nplay=0\n\(line.dropLast())0\n", after: nil),
        ]
    }

    @Test("puts the line where it belongs, changes nothing else, and nothing the second time", arguments: Tools.all, Case.all)
    func edits(tools: Tools, example: Case) async throws {
        let folder = try Folder()
        let file = try folder.write(example.before)
        let edit = try #require(ConfigEdit(file: file, section: "webservices", line: Self.line))
        for _ in 0..<2 {
            let ending = try await folder.run(edit.shellText, tools)
            #expect(ending.status.isSuccess, "\(ending.errors)")
            #expect(try folder.text(of: file) == Array((example.after ?? example.before).utf8))
            #expect(try folder.names == [URL(fileURLWithPath: file).lastPathComponent])
        }
    }

    @Test("fails with words, and changes nothing, without the section", arguments: Tools.all)
    func noSection(tools: Tools) async throws {
        let folder = try Folder()
        let before = "[web]\n# [webservices]\n x [webservices]\n[[webservices]]\n[webservicesx]\n"
        let file = try folder.write(before)
        let edit = try #require(ConfigEdit(file: file, section: "webservices", line: Self.line))
        let ending = try await folder.run(edit.shellText, tools)
        #expect(!ending.status.isSuccess)
        #expect(ending.errors == "\(file) has no section [webservices]\n")
        #expect(try folder.text(of: file) == Array(before.utf8))
    }

    @Test("fails with words without the file, and does not make one", arguments: Tools.all)
    func noFile(tools: Tools) async throws {
        let folder = try Folder()
        let edit = try #require(ConfigEdit(file: "\(folder.path)/none.conf", section: "x", line: "a=1"))
        let ending = try await folder.run(edit.shellText, tools)
        #expect(!ending.status.isSuccess)
        #expect(ending.errors == "there is no file \(folder.path)/none.conf\n")
        #expect(try folder.names == [])
    }

    @Test("keeps owner and mode, and a link stays a link to the same file")
    func keeps() async throws {
        let folder = try Folder()
        let file = try folder.write("[x]\n", to: "real.conf")
        let setup = """
            set -e; cd \(folder.path); chmod 640 real.conf; if [ "$(id -u)" = 0 ]; then chown 12:34 real.conf; fi
            stat -c '%a %u %g' real.conf; ln -s real.conf link.conf
            """
        let before = try await folder.run(setup, Tools.all[0])
        let edit = try #require(ConfigEdit(file: "\(folder.path)/link.conf", section: "x", line: "a=1"))
        #expect(try await folder.run(edit.shellText, Tools.all[0]).status.isSuccess)
        let after = try await folder.run("cd \(folder.path); stat -c '%a %u %g' real.conf; readlink link.conf", Tools.all[0])
        #expect(after.output == before.output + "real.conf\n")
        #expect(try folder.text(of: file) == Array("[x]\na=1\n".utf8))
    }

    @Test("takes names and values as they are, whatever they mean to a shell or to awk")
    func quoting() async throws {
        let folder = try Folder()
        let file = try folder.write("[a'b\"$(id) \\n]\nx=1\n", to: "it's a $(file) \\t &.conf")
        let edit = try #require(ConfigEdit(file: file, section: "a'b\"$(id) \\n", line: "k'\"\\t&$x=`id` \\1 %s é"))
        for tools in Tools.all {
            let ending = try await folder.run(edit.shellText, tools)
            #expect(ending.status.isSuccess, "\(ending.errors)")
            #expect(try folder.text(of: file) == Array("[a'b\"$(id) \\n]\nx=1\nk'\"\\t&$x=`id` \\1 %s é\n".utf8))
        }
    }

    @Test(
        "what is no setting is refused",
        arguments: [
            ("etc/x", "s", "a=1"), ("/etc/x", "", "a=1"), ("/etc/x", "a]", "a=1"), ("/etc/x", "s", ""), ("/etc/x", "s", "#a=1"),
            ("/etc/x", "s", ";a=1"), ("/etc/x", "s", "[a]"), ("/etc/x", "s", " a=1"), ("/etc/x", "s", "a=1\nb=2"), ("/etc\n/x", "s", "a=1"),
            ("/etc/x", "s", "\ta=1"),
        ])
    func refused(file: String, section: String, line: String) {
        #expect(ConfigEdit(file: file, section: section, line: line) == nil)
    }

    /// A folder with one file to edit.
    struct Folder: ~Copyable {
        let path: String
        private let tools: String

        init() throws {
            let home = FileManager.default.temporaryDirectory.path + "/fleet-edit-\(UUID().uuidString)"
            (path, tools) = (home + "/etc", home + "/bin")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path) }

        func write(_ text: String, to name: String = "webserver.conf") throws -> String {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
            return "\(path)/\(name)"
        }

        func text(of file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file))) }

        var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }

        func run(_ script: String, _ with: Tools) async throws -> (status: TerminationStatus, output: String, errors: String) {
            var search = "/usr/sbin:/usr/bin:/sbin:/bin"
            if let awk = with.awk {
                let file = tools + "/awk"
                try Data("#!/bin/sh\nexec \(awk) \"$@\"\n".utf8).write(to: URL(fileURLWithPath: file))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
                search = tools + ":" + search
            }
            let result = try await Subprocess.run(
                .name(with.shell[0]), arguments: .init(Array(with.shell.dropFirst()) + ["-c", script]),
                environment: .inherit.updating(["PATH": search]), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            return (result.terminationStatus, result.standardOutput, result.standardError)
        }
    }
}
