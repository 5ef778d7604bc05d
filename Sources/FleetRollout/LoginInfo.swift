import FleetCore
import FoundationEssentials

/// What the login page's own request answers. Version, edition and stack are taken and nothing else: up to 3.45.0 the rest can hold
/// LDAP settings.
enum LoginInfo {
    /// Answers without credentials and reads the database; there since 3.15.0.
    static let path = "/api/internal/login/login_info"

    private struct Answer: Decodable {
        var version: String
        var edition: String?
        var stack: String?
    }

    /// What the JSON body says; nil if there is no version in it.
    static func declared(in body: [UInt8]) -> DeclaredInstance? {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)), let version = CanopsisVersion(answer.version) else {
            return nil
        }
        func word(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : String($0.prefix(40)) } }
        return DeclaredInstance(version: version, edition: word(answer.edition), stack: word(answer.stack))
    }
}

extension LoginReading {
    /// Where an account logs in.
    ///
    /// - Source: `webcore/services/auth.py` of 3.26.0: with `json_response` the reply is 200 with the account's `authkey`, or 403; without
    ///   it, and for accounts that are not Canopsis's own, it is a redirect, whatever the password.
    public static let path = "/auth"

    /// The body of a login. It holds the password: it is sent, and goes nowhere else.
    public static func body(user: String, password: Secret) -> [UInt8] {
        struct Login: Encodable {
            var username: String
            var password: String
            var json_response = true
        }
        let encoded = try? JSONEncoder().encode(Login(username: user, password: password.revealed()))
        return encoded.map { Array($0) } ?? []
    }

    /// How a login went by its reply. The authkey in it is looked at and dropped.
    public init(replied answer: WebAnswer) {
        struct Reply: Decodable {
            var authkey: String?
            var success: Bool?
        }
        switch answer {
        case .none(let words): self = .noAnswer(words)
        case .answered(200, let body):
            let reply = try? JSONDecoder().decode(Reply.self, from: Data(body))
            self =
                reply?.authkey?.isEmpty == false && reply?.success != false
                ? .accepted : .refused("HTTP status 200, and the answer is not that of a login")
        case .answered(let status, _) where (300..<400).contains(status): self = .refused("a redirect (HTTP status \(status))")
        case .answered(let status, _) where status >= 500: self = .noAnswer("HTTP status \(status)")
        case .answered(let status, _): self = .refused("HTTP status \(status)")
        }
    }
}
