import FleetCore
import FoundationEssentials

/// A plan on disk: JSON that people can read and that says when it was edited.
///
/// Besides the plan it has `digest`, the SHA-256 of everything else in the spelling of RFC 8785. Spaces and the order of keys may
/// change, nothing else may.
public struct PlanFile: Sendable {
    /// The path of the file, as given.
    public var path: String

    /// Names a plan file.
    public init(_ path: String) { self.path = path }

    /// The digest of a plan, as its file would have it: 64 hexadecimal digits.
    public static func digest(of plan: Plan) -> String { digest(of: members(of: plan)) }

    /// The text of a plan's file, its digest included.
    public static func text(of plan: Plan) -> String {
        var members = members(of: plan)
        members["digest"] = .text(digest(of: members))
        return JSONValue.object(members).prettyText
    }

    /// Writes the plan, readable by its owner alone; a file that was there is replaced as a whole.
    public func write(_ plan: Plan) throws(Problem) {
        try AtomicFile(path: path, role: "plan file").write(Self.text(of: plan))
    }

    /// Reads the plan; refuses one that was edited after Fleet wrote it, or that this Fleet does not understand.
    public func read() throws(Problem) -> Plan {
        try plan(in: TextFile(path: path, role: "plan file").read())
    }

    /// Reads a plan from the text of its file, kept elsewhere; `path` is what problems name.
    public func plan(in text: String) throws(Problem) -> Plan {
        var members = try readMembers(text)
        try checkSchema(of: members)
        guard case .text(let digest)? = members.removeValue(forKey: "digest"), digest == Self.digest(of: members) else {
            throw Problem(
                code: "plan-edited", what: "The plan was changed after Fleet wrote it: its digest does not fit.",
                place: .file(path, line: nil), remedy: "Make a new one with `fleet plan`; what it does is set by its options.")
        }
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(PlanDocument.self, from: Data(JSONValue.object(members).canonicalText.utf8)).plan
        } catch {
            throw notAPlan(cause: Self.words(of: error))
        }
    }

    private func readMembers(_ text: String) throws(Problem) -> [String: JSONValue] {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            throw Problem(
                code: "not-json", what: "This is not JSON, so it is not a plan.", place: .file(path, line: nil),
                remedy: "Name a file that `fleet plan -o FILE` wrote.", cause: Self.words(of: error))
        }
        guard case .object(let members) = value else { throw notAPlan(cause: "not an object") }
        return members
    }

    private func checkSchema(of members: [String: JSONValue]) throws(Problem) {
        guard case .number(let schema)? = members["schema"], case .text(let fleet)? = members["fleet"] else {
            throw notAPlan(cause: "no `schema` or no `fleet`")
        }
        guard Plan.readableSchemas.contains(schema) else {
            let age = schema > Plan.currentSchema ? "newer" : "older"
            throw Problem(
                code: "plan-schema",
                what: "The plan has form \(schema), written by Fleet \(fleet); this Fleet reads no form above \(Plan.currentSchema).",
                place: .file(path, line: nil),
                remedy: "Its Fleet is \(age): use that one, or make a new plan with this one.")
        }
    }

    private func notAPlan(cause: String) -> Problem {
        Problem(
            code: "not-a-plan", what: "This is not a plan.", place: .file(path, line: nil),
            remedy: "Name a file that `fleet plan -o FILE` wrote.", cause: cause)
    }

    private static func members(of plan: Plan) -> [String: JSONValue] {
        do {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return try JSONDecoder().decode([String: JSONValue].self, from: encoder.encode(PlanDocument(plan)))
        } catch {
            preconditionFailure("a plan is made of texts and whole numbers: \(error)")
        }
    }

    private static func digest(of members: [String: JSONValue]) -> String {
        sha256(of: Array(JSONValue.object(members).canonicalText.utf8))
    }

    private static func words(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let context: DecodingError.Context? =
            switch error {
            case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
                context
            @unknown default: nil
            }
        guard let context else { return "\(error)" }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        let cause = context.underlyingError.map { " \($0)" } ?? ""
        return (path.isEmpty ? "" : "\(path): ") + context.debugDescription + cause
    }
}
