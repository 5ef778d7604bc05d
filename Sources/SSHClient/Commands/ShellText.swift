/// Turns commands into text that any login shell passes on unchanged to `/bin/sh`.
enum ShellText {
    /// One word for a POSIX shell.
    static func word(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// One word for a POSIX shell, csh or fish.
    ///
    /// Inside single quotes csh still sees `!` and fish `\`, so those stand outside, each behind a backslash. Line breaks
    /// can't be written so that all agree; ``encoded(_:)`` takes them out before.
    static func wordForAnyShell(_ text: String) -> String {
        var result: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "!"):
                result += [UInt8(ascii: "'"), UInt8(ascii: "\\"), byte, UInt8(ascii: "'")]
            default: result.append(byte)
            }
        }
        result.append(UInt8(ascii: "'"))
        return String(decoding: result, as: UTF8.self)
    }

    /// A POSIX shell expression that yields the command, free of line breaks and other control characters.
    static func encoded(_ command: String) -> String {
        guard command.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            // eval would take a leading dash for an option.
            return word(command.hasPrefix("-") ? " " + command : command)
        }
        var escaped = ""
        for scalar in command.unicodeScalars {
            switch scalar.value {
            case 0x5c: escaped += "\\\\"
            case 0..<0x20, 0x7f:
                let digits = String(scalar.value, radix: 8)
                escaped += "\\0" + String(repeating: "0", count: 3 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return "\"$(printf %b " + word(escaped) + ")\""
    }
}

/// The words that the remote shell prints around a command, so that its output and its ending can be told from noise.
///
/// Before the command it prints ``begin`` on both streams: what stands before that was printed by login scripts. After a
/// command that ended with status 0 it prints ``end`` on stderr, since libssh2 1.10 can't tell a status 0 from none.
struct Markers {
    let begin: String
    let end: String

    init() {
        let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
        begin = nonce + "<"
        end = ">" + nonce
    }

    /// Runs a command in a subshell of `/bin/sh`, whatever the login shell is.
    func wrap(_ command: String) -> String {
        wrap(evaluating: ShellText.encoded(command), "")
    }

    /// Reads a script from stdin and runs it, its own stdin at its end; refuses one that did not arrive whole.
    func wrapScript() -> String {
        let check = "t=$(cat);case $t in *'\(end)') ;;*) exit 125;;esac;exec </dev/null;"
        return wrap(evaluating: "\"unset t;$t\"", check)
    }

    /// The script as it goes through stdin.
    func mark(script: String) -> String { script + "\n#" + end }

    private func wrap(evaluating text: String, _ preparation: String) -> String {
        let shell =
            preparation + "printf %s '\(begin)';printf %s '\(begin)' >&2;(eval \(text));s=$?;"
            + "[ $s = 0 ]&&printf %s '\(end)' >&2;exit $s"
        return "exec /bin/sh -c " + ShellText.wordForAnyShell(shell)
    }
}
