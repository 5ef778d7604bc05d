/// A line that one section of an INI file has to have.
///
/// It is put behind the last setting of the section. A file that has the line there is left alone, and so is one that gives the key
/// another value there: that is somebody's decision, and the vendor's own commands leave it as well.
public struct ConfigEdit: Hashable, Sendable, Codable {
    /// The file, absolute.
    public let file: String
    /// The name of the section, without brackets.
    public let section: String
    /// The whole line.
    public let line: String

    /// Creates an edit; nil unless the path is absolute, the section could be one, and the line is a setting: no comment, no
    /// header, not indented.
    public init?(file: String, section: String, line: String) {
        guard file.hasPrefix("/"), file.isPlainLine, section.isPlainLine, !section.contains("]"), line.isPlainLine,
            let first = line.first, !"#;[ ".contains(first)
        else { return nil }
        self.file = file
        self.section = section
        self.line = line
    }

    /// Reads an edit that was written as its three texts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let file = try container.decode(String.self, forKey: .file)
        let section = try container.decode(String.self, forKey: .section)
        let line = try container.decode(String.self, forKey: .line)
        guard let edit = ConfigEdit(file: file, section: section, line: line) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not an edit of a file"))
        }
        self = edit
    }

    /// The edit for a person: `/etc/x.conf, section [ui]: url=/`.
    public var text: String { "\(file), section [\(section)]: \(line)" }

    /// What does it on a host, as root: changes nothing the second time.
    ///
    /// awk only says where the line belongs, and `head` and `tail` copy the rest, so every other byte stays: awk of Debian 8 (mawk
    /// 1.3.3) has no character classes and ends what it prints in a newline. The file is written aside with owner, mode and label of
    /// the old one, and then renamed over it.
    public var shellText: String {
        """
        set -eu
        LC_ALL=C; export LC_ALL
        file=\(shellQuoted(file)) section=\(shellQuoted(section)) line=\(shellQuoted(line))

        """ + Self.script
    }

    private static let script = #"""
        fail() { printf '%s\n' "$*" >&2; exit 1; }
        [ -f "$file" ] || fail "there is no file $file"
        place=$(SECTION=$section LINE=$line awk '
            function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t\r]+$/, "", text); return text }
            function key(text) { return tolower(trim(substr(text, 1, index(text, "=") - 1))) }
            function value(text) { return trim(substr(text, index(text, "=") + 1)) }
            BEGIN { wanted = ENVIRON["LINE"]; hasKey = index(wanted, "=") > 1 }
            /^\[[^]]+\]/ {
                inside = substr($0, 2, index($0, "]") - 2) == ENVIRON["SECTION"]
                if (inside) last = NR
                next
            }
            !inside || /^[ \t\r]*$/ || /^[ \t]*[#;]/ { next }
            { last = NR }
            # An indented line belongs to the setting above it.
            /^[ \t]/ { next }
            trim($0) == trim(wanted) { present = 1 }
            hasKey && index($0, "=") && key($0) == key(wanted) {
                if (value($0) == value(wanted)) present = 1; else other = 1
            }
            END {
                if (!last) print "no-section"
                else if (present) print "present"
                else if (other) print "other"
                else print last
            }' <"$file")
        case $place in
        present)
            echo "$file has the line: nothing to change"
            exit 0
            ;;
        other)
            echo "$file gives ${line%%=*} another value: left as it is"
            exit 0
            ;;
        no-section) fail "$file has no section [$section]" ;;
        *[!0-9]* | "") fail "$file could not be read" ;;
        esac
        target=$(readlink -f -- "$file")
        new=$(mktemp "$target.XXXXXX")
        trap 'rm -f -- "$new"' EXIT
        cp -a -- "$target" "$new"
        {
            head -n "$place" "$target"
            # The last line of a file may lack its end.
            if [ "$(head -n "$place" "$target" | tail -c 1 | wc -l)" -eq 0 ]; then echo; fi
            printf '%s\n' "$line"
            tail -n "+$((place + 1))" "$target"
        } >"$new"
        sync
        mv -f -- "$new" "$target"
        printf '%s\n' "$file: added $line to section [$section]"

        """#
}
