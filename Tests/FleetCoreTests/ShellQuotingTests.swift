import FleetCore
import Subprocess
import TestSupport
import Testing

@Suite("Quoting for a shell")
struct ShellQuotingTests {
    @Test("every value reaches a command of a real shell as one unchanged word", arguments: ["sh", "dash", "bash"])
    func unchanged(shell: String) async throws {
        #expect(try await Self.words(printedBy: Self.printing, in: shell) == Self.words)
    }

    @Test("a script with quoted values can be quoted again for a shell within a shell")
    func nested() async throws {
        let script = "exec sh -c " + shellQuoted("exec sh -c " + shellQuoted(Self.printing))
        #expect(try await Self.words(printedBy: script, in: "sh") == Self.words)
    }

    @Test(
        "a quoted first word is a command's name, never an assignment, a keyword or an option",
        arguments: ["a=b", "if x", "{", "!", "~", "#"])
    func firstWord(value: String) async throws {
        let quoted = shellQuoted(value)
        #expect(quoted == "'\(value)'")
        let script = "PATH=/nonexistent; \(quoted) 2>/dev/null; printf '%s\\0' $?"
        #expect(try await Self.words(printedBy: script, in: "sh") == [Array("127".utf8)])
    }

    @Test("NUL, which no argument can carry, is left out", arguments: [("a\0b", "'ab'"), ("\0", "''"), ("\0'\0", #"''\'''"#)])
    func nul(value: String, expected: String) {
        #expect(shellQuoted(value) == expected)
    }

    @Test("a plain word stays readable", arguments: ["systemctl", "--no-pager", "/opt/canopsis/etc", "canopsis-core", "a:b@c+d,e_f.9"])
    func readable(value: String) {
        #expect(shellQuoted(value) == value)
    }

    /// What users, hosts and attackers may write, and a thousand drawn texts.
    private static let values: [String] = {
        var values = [
            "", " ", "  two  spaces  ", "'", "''", "'''", "\"", "\\", "\\\\", "\\'", "'\\''", "$HOME", "${HOME}", "$(id)", "`id`", "$'a'",
            "$$", "!!",
            "!$", "; id", "&& id", "| id", "& id", "> /dev/null", "< /etc/passwd", "<<EOF", "*", "?", "[a-z]", "{a,b}", "{1..3}", "~",
            "~root", "#x",
            "-n", "--", "-", "%s", "%d%n", "\\n", "\\0", "a=b", "=", "\n", "a\nb\n", "\n\n", "\t", "\r", "\r\n", "\u{1b}[31m", "\u{7f}",
            "\u{1}",
            "é", "e\u{301}", "日本語", "👩‍👩‍👧", "\u{202e}", "\u{feff}", "\u{fffd}", "\u{10ffff}",
            // One `Character` to Swift, a quote and something else to a shell.
            "'\u{301}; id #", "'\u{200d}; id #", "'\u{fe0f}$(id)", "\\\u{301}", "$\u{301}(id)", "\r\n'",
            String(repeating: "'", count: 1000), String(repeating: "\\", count: 999),
        ]
        var random = SeededGenerator(seed: 0)
        let alphabet = Array("'\"\\$`(){}[]<>|&;*?~#!%=-\n\t\r aé0\u{301}\u{200d}\u{1b}".unicodeScalars)
        for _ in 0..<1000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                text.unicodeScalars.append(alphabet[Int.random(in: alphabet.indices, using: &random)])
            }
            values.append(text)
        }
        return values
    }()

    /// The values as bytes: compared as text, two spellings of one character would be equal.
    private static let words = values.map { Array($0.utf8) }

    /// Prints every value with a NUL behind it.
    private static let printing = "printf '%s\\0' " + values.map(shellQuoted).joined(separator: " ")

    /// The words a script prints, each with a NUL behind it.
    private static func words(printedBy script: String, in shell: String) async throws -> [[UInt8]] {
        let result = try await Subprocess.run(
            .name(shell), arguments: ["-c", script], output: .bytes(limit: 1 << 20), error: .string(limit: 1 << 16))
        #expect(result.terminationStatus == .exited(0))
        #expect(result.standardError == "")
        return result.standardOutput.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
    }
}
