import FleetCore
import FoundationEssentials

/// What the login page's own request answers. Only the version is taken: up to 3.45.0 the rest can hold LDAP settings.
enum LoginInfo {
    private struct Answer: Decodable {
        var version: String
    }

    /// The version in the JSON body; nil if there is none.
    static func version(in body: [UInt8]) -> CanopsisVersion? {
        (try? JSONDecoder().decode(Answer.self, from: Data(body))).flatMap { CanopsisVersion($0.version) }
    }
}
