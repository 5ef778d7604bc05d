import Foundation

/// A JSON document that Fleet publishes.
protocol Document: Decodable {
    /// Its keys as `docs/json.md` lists them.
    static var form: Form { get }
}

/// The keys an object must have, all of them and no other, and the forms of the objects within.
struct Form: Sendable {
    var keys: Set<String>
    var within: [String: Form] = [:]

    init(_ keys: String, within: [String: Form] = [:]) {
        self.keys = Set(keys.split(separator: " ").map(String.init))
        self.within = within
    }

    /// What is missing or undocumented.
    func complaints(about value: Any, at place: String) -> [String] {
        switch value {
        case is NSNull: return []
        case let list as [Any]: return list.enumerated().flatMap { complaints(about: $1, at: "\(place)[\($0)]") }
        case let object as [String: Any]:
            let found = Set(object.keys)
            var complaints = keys.subtracting(found).sorted().map { "\(place) lacks \($0)" }
            complaints += found.subtracting(keys).sorted().map { "\(place) has \($0), which is not documented" }
            for (key, form) in within {
                if let value = object[key] { complaints += form.complaints(about: value, at: "\(place).\(key)") }
            }
            return complaints
        default: return ["\(place) is \(value), not an object"]
        }
    }

    static let reason = Form("code text")
    static let acknowledgement = Form("version sha256 by at until")
    static let finding = Form("gate remedy text verdict")
}

struct ReasonDocument: Decodable {
    var code: String
    var text: String
}

/// A run: `fleet report RUN`, `fleet upgrade`, `fleet status RUN`.
struct RunDocument: Document {
    static let form = Form(
        "schema run target purpose started ended outcome exit_status counts downtime notes hooks hosts",
        within: [
            "downtime": Form("median_seconds max_seconds"), "notes": .acknowledgement,
            "hooks": Form("event wave host outcome exit policy seconds"),
            "hosts": Form(
                "name address wave outcome reason from to started ended reconnecting_since downtime_seconds earlier_downtime_seconds"
                    + " warnings saved steps",
                within: [
                    "reason": .reason, "warnings": .reason, "saved": Form("folder bytes way_back"),
                    "steps": Form("id tries title outcome exit reason started ended instruction", within: ["reason": .reason]),
                ]),
        ])

    struct Host: Decodable {
        var name: String
        var address: String
        var wave: Int?
        var outcome: String
        var reason: ReasonDocument?
        var from: String?
        var to: String?
        var started: String?
        var ended: String?
        var downtime_seconds: Double?
        var earlier_downtime_seconds: Double?
        var warnings: [ReasonDocument] = []
        var steps: [Step]

        func step(_ id: String) -> Step? { steps.first { $0.id == id } }
    }

    struct Hook: Decodable {
        var event: String
        var wave: Int?
        var host: String?
        var outcome: String?
        var exit: Int?
        var policy: String
    }

    struct Step: Decodable {
        var id: String
        var tries: Int
        var title: String
        var outcome: String?
        var exit: Int?
        var reason: ReasonDocument?
        var started: String?
        var ended: String?
    }

    struct Note: Decodable {
        var version: String
        var by: String
    }

    struct Downtime: Decodable {
        var median_seconds: Double
        var max_seconds: Double
    }

    var schema: Int
    var run: String
    var target: String?
    var started: String?
    var ended: String?
    var outcome: String
    var exit_status: Int?
    var counts: [String: Int]
    var downtime: Downtime?
    var notes: [Note]
    var hooks: [Hook]
    var hosts: [Host]

    /// The outcome of every host by name.
    var outcomes: [String: String] { Dictionary(hosts.map { ($0.name, $0.outcome) }) { first, _ in first } }

    /// One host; an empty one with the outcome `absent` if it is not there, so that a test goes on.
    subscript(name: String) -> Host {
        hosts.first { $0.name == name } ?? Host(name: name, address: "", outcome: "absent", steps: [])
    }
}

/// `fleet check`.
struct CheckDocument: Document {
    static let form = Form(
        "schema target exit_status hosts",
        within: [
            "hosts": Form(
                "name address verdict reason version class system offered edition stack findings",
                within: ["reason": .reason, "system": Form("id name version"), "findings": .finding])
        ])

    struct Host: Decodable {
        var name: String
        var verdict: String
        var reason: ReasonDocument?
        var version: String?
        var offered: [String]?
        var findings: [Finding]

        func finding(_ gate: String) -> Finding? { findings.first { $0.gate == gate } }
    }

    struct Finding: Decodable {
        var gate: String
        var verdict: String
        var text: String
        var remedy: String
    }

    var target: String?
    var exit_status: Int
    var hosts: [Host]

    subscript(name: String) -> Host { hosts.first { $0.name == name } ?? Host(name: name, verdict: "absent", findings: []) }
}

/// `fleet plan`.
struct PlanDocumentForTests: Document {
    static let form = Form(
        "schema digest created target at_once max_failures budget pause approve spread parked_place step_by_step limits hooks interrupted"
            + " waves notes hosts",
        within: [
            "notes": Form("version sha256 state by at until hosts"), "hooks": Form("event command limit on_failure"),
            "waves": Form("number hosts"),
            "hosts": Form(
                "name address disposition wave reason from class findings steps",
                within: [
                    "reason": .reason, "findings": .finding,
                    "steps": Form("id title kind limit script origin because instruction repeatable"),
                ]),
        ])

    struct Host: Decodable {
        var name: String
        var disposition: String
        var reason: ReasonDocument?
        var findings: [CheckDocument.Finding]
        var steps: [Step] = []
    }

    struct Step: Decodable {
        var id: String
        var kind: String
        var script: String
        var origin: String?
    }

    struct Wave: Decodable {
        var number: Int
        var hosts: [String]
    }

    struct Note: Decodable {
        var version: String
        var state: String
        var by: String?
    }

    var digest: String
    var pause: String?
    var approve: Bool
    var spread: String?
    var limits: [String: Int]
    var interrupted: [String]
    var waves: [Wave]
    var notes: [Note]
    var hosts: [Host]

    subscript(name: String) -> Host { hosts.first { $0.name == name } ?? Host(name: name, disposition: "absent", findings: []) }
}

/// `fleet exec`.
struct ExecDocument: Document {
    static let form = Form(
        "schema command exit_status groups hosts",
        within: [
            "groups": Form("hosts count ending exit"),
            "hosts": Form("name ending exit signal reason stdout stderr truncated", within: ["reason": .reason]),
        ])

    struct Group: Decodable, Equatable {
        var hosts: String
        var count: Int
        var ending: String
        var exit: Int?
    }

    struct Host: Decodable {
        var name: String
        var ending: String
        var exit: Int?
        var signal: String?
        var reason: ReasonDocument?
        var stdout: String
        var stderr: String
        var truncated: Bool
    }

    var command: String
    var exit_status: Int
    var groups: [Group]
    var hosts: [Host]
}

/// `fleet hosts list`.
struct HostsDocument: Document {
    static let form = Form(
        "schema hosts",
        within: [
            "hosts": Form(
                "name address port user identity known_hosts become edition stack packages customer labels addons accounts settle web groups",
                within: ["web": Form("url user password_file tls")])
        ])

    struct Host: Decodable {
        var name: String
        var port: Int
        var become: String
        var labels: [String: String]
        var addons: [String]?
        var groups: [String]
    }

    var hosts: [Host]
}

/// `fleet verify`.
struct VerifyDocument: Document {
    static let form = Form(
        "schema expected exit_status hosts",
        within: [
            "hosts": Form("name health reason version checks", within: ["reason": .reason, "checks": Form("subject health text")])
        ])

    struct Host: Decodable {
        var name: String
        var health: String
        var reason: ReasonDocument?
        var version: String?
        var checks: [Check]

        func check(_ subject: String) -> Check? { checks.first { $0.subject == subject } }
    }

    struct Check: Decodable {
        var subject: String
        var health: String
        var text: String
    }

    var expected: String?
    var exit_status: Int
    var hosts: [Host]

    subscript(name: String) -> Host { hosts.first { $0.name == name } ?? Host(name: name, health: "absent", checks: []) }
}

/// `fleet history`.
struct HistoryDocument: Document {
    static let form = Form(
        "schema runs", within: ["runs": Form("run kind target command person started ended outcome exit_status counts")])

    struct Run: Decodable {
        var run: String
        var kind: String?
        var target: String?
        var command: String?
        var person: String?
        var outcome: String
        var exit_status: Int?
        var counts: [String: Int]
    }

    var runs: [Run]
}

/// What is wrong, of any command that was asked for JSON and could not do its work.
struct ErrorsDocument: Document {
    static let form = Form("schema errors")

    struct Entry: Decodable {
        var code: String
        var what: String
        var place: String?
        var remedy: String
        var cause: String?
    }

    var errors: [Entry]
    var codes: [String] { errors.map(\.code) }
}

/// `fleet notes show`.
struct ReadingDocument: Document {
    static let form = Form(
        "schema target hosts unreachable notes",
        within: [
            "unreachable": Form("name reason", within: ["reason": .reason]),
            "notes": Form(
                "version published sha256 state by at until hosts steps note",
                within: [
                    "steps": Form("id title phase kind text script hosts perhaps because automatic optional blocking")
                ]),
        ])

    struct Note: Decodable {
        var version: String
        var state: String
        var hosts: [String]
        var steps: [Step]
    }

    struct Step: Decodable {
        var id: String
        var hosts: [String]
    }

    var target: String
    var notes: [Note]
}

/// `fleet notes import`.
struct NotesDocument: Document {
    static let form = Form(
        "schema exit_status ignored_files notes unread without_note",
        within: [
            "notes": Form(
                "version path sha256 date procedure_section hidden_steps code_blocks catalogue compared differences arrival"
                    + " imported_before reasons flaws",
                within: [
                    "differences": Form("fact in_catalogue in_note"), "reasons": Form("fact line rule excerpt"),
                    "flaws": Form("code line text"),
                ]),
            "unread": Form("version path flaws", within: ["flaws": Form("code line text")]),
            "without_note": Form("version in_span"),
        ])

    struct Note: Decodable {
        var version: String
        var date: String?
        var procedure_section: String
        var hidden_steps: Bool
        var code_blocks: Int
        var catalogue: String
        var differences: [Difference] = []
        var arrival: String
        var imported_before: String?
    }

    struct Difference: Decodable {
        var fact: String
        var in_catalogue: String?
        var in_note: String?
    }

    struct Unread: Decodable {
        var version: String
    }

    struct Lone: Decodable {
        var version: String
        var in_span: Bool
    }

    var schema: Int
    var exit_status: Int
    var ignored_files: Int
    var notes: [Note]
    var unread: [Unread]
    var without_note: [Lone]

    /// One note; an empty one with the catalogue `absent` if it is not there, so that a test goes on.
    subscript(version: String) -> Note {
        notes.first { $0.version == version }
            ?? Note(version: version, procedure_section: "", hidden_steps: false, code_blocks: -1, catalogue: "absent", arrival: "")
    }
}
