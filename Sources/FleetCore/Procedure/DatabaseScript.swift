/// JavaScript for the database of Canopsis, as shell text that runs on the host as root with whatever MongoDB client is there.
///
/// The client reads it from standard input, with the credentials of the host's own `mongo_store.conf`: no argument of a process and
/// no output has them. In the script `db` is the database of Canopsis; what it throws fails the step. Keep to ECMAScript 5, which the
/// client of MongoDB 3.6 surely understands.
///
/// - Source: `mongo_store.conf` of the packages (`[DATABASE]` with `db_uri`, or `host`, `port`, `db`, `user`, `pwd`).
public struct DatabaseScript: Hashable, Sendable {
    /// What runs in the client.
    public var javaScript: String

    /// Creates a script.
    public init(_ javaScript: String) { self.javaScript = javaScript }

    /// Where the host keeps the address and the credentials.
    public static let settings = "/opt/canopsis/etc/common/mongo_store.conf"

    /// The status with which the client says that the script came to its end. A client ends with 0 also when nothing ran: what it reads
    /// from standard input it reads line by line, and goes on after a line that failed.
    static let done = 57

    /// The whole as shell text.
    public var shellText: String {
        """
        \(Self.client)
        feed() {
            \(Self.credentials)
            cat <<'END-OF-SCRIPT'
        \(lines.joined(separator: "\n"))
        END-OF-SCRIPT
        }
        \(Self.run("feed"))

        """
    }

    /// Shell text that finds the client, and says so where there is none.
    static let client = #"""
        set -u
        LC_ALL=C; export LC_ALL
        client=$(command -v mongo || command -v mongosh) || { echo "there is no MongoDB client on this host"; exit 1; }
        settings=/opt/canopsis/etc/common/mongo_store.conf
        [ -r "$settings" ] || { echo "$settings cannot be read: where is the database?"; exit 1; }
        """#

    /// Shell text that prints a line of JavaScript with address and credentials.
    static let credentials = #"""
        setting() {
            sed -n -e '/^\[DATABASE\]/,/^\[[^D]/s/^[[:space:]]*'"$1"'[[:space:]]*=[[:space:]]*//p' "$settings" | head -n 1 |
                sed -e 's/[[:space:]]*$//' -e 's/[\\"]/\\&/g' | tr -d '\r\n'
        }
        printf 'var fleet = {uri: "%s", host: "%s", port: "%s", db: "%s", user: "%s", pwd: "%s"}, fleetScript = "";\n' "$(setting db_uri)" \
            "$(setting host)" "$(setting port)" "$(setting db)" "$(setting user)" "$(setting pwd)"
        """#

    /// Shell text that has the client read what a function prints, and judges how it ended.
    static func run(_ function: String) -> String {
        """
        \(function) | "$client" --quiet --norc --nodb
        status=$?
        case $status in
        \(done)) exit 0 ;;
        0)
            echo "the MongoDB client ended before the script did"
            exit 1
            ;;
        *) exit "$status" ;;
        esac
        """
    }

    /// The script for a client that reads line by line: each line a statement of its own, none of them long.
    var lines: [String] { Self.pieces(of: javaScript).map { "void (fleetScript += \"\($0)\");" } + [Self.ending] }

    /// The expression that connects to the database.
    static let connection =
        "connect(fleet.uri || ((fleet.host || \"localhost\") + \":\" + (fleet.port || \"27017\") + \"/\" + (fleet.db || \"canopsis\")))"
    /// The statement that logs in where the settings have a user.
    static let login =
        "if (!fleet.uri && fleet.user && !db.auth(fleet.user, fleet.pwd)) { throw new Error(\"the database refuses the login\"); }"

    private static let ending =
        "try { var db = \(connection); \(login) "
        + "eval(fleetScript); quit(\(done)); } catch (problem) { print(\"failed: \" + (problem.message || problem)); quit(1); }"

    /// The text as parts of string literals of at most some 900 bytes, in ASCII.
    static func pieces(of text: String) -> [String] {
        var pieces = [""]
        for unit in text.utf16 {
            if pieces[pieces.count - 1].utf8.count >= 900 { pieces.append("") }
            switch unit {
            case 0x22, 0x5c: pieces[pieces.count - 1] += "\\" + String(UnicodeScalar(UInt8(unit)))
            case 0x0a: pieces[pieces.count - 1] += "\\n"
            case 0x20...0x7e: pieces[pieces.count - 1] += String(UnicodeScalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                pieces[pieces.count - 1] += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return pieces
    }
}
