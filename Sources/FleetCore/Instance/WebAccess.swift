/// Where the web interface of an instance is, and who logs in to see whether it works.
public struct WebAccess: Hashable, Sendable, Codable {
    /// Its address as the host itself has it.
    public var address: WebAddress
    /// The account that logs in; nil if nobody does.
    public var user: String?
    /// The file with that account's password, absolute. The password itself is in no value that is written down.
    public var passwordFile: String?
    /// What a certificate has to prove.
    public var tls: TLSPolicy

    /// Creates an access; without anything said it is the web server's own port, and nobody logs in.
    public init(address: WebAddress = .usual, user: String? = nil, passwordFile: String? = nil, tls: TLSPolicy = .verify) {
        self.address = address
        self.user = user
        self.passwordFile = passwordFile
        self.tls = tls
    }

    /// Whether somebody can log in.
    public var hasCredentials: Bool { user != nil && passwordFile != nil }
}

/// What the certificate of a web interface has to prove.
public enum TLSPolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// That it is for the name in the address, signed by somebody this machine trusts.
    case verify
    /// Nothing: the connection ends on the host, whose host key was checked.
    case trustHost = "trust-host"
}

/// The address of a web interface: `http://127.0.0.1:8082`, `https://acme.example.net/canopsis`.
///
/// Fleet always connects to the loopback address of the host itself, through the SSH connection. The name is what the front on the host
/// is asked for, and what its certificate is checked against.
public struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    /// Whether it is `https`.
    public let isSecure: Bool
    /// The name or IPv4 address, in small letters.
    public let host: String
    /// 1 ... 65535.
    public let port: UInt16
    /// What comes before every path: empty, or with a slash first and none last.
    public let prefix: String

    /// The web server's own port.
    ///
    /// - Source: Gunicorn of 3.x listens on 8082; port 80 is another program's, where there is one.
    public static let usual = WebAddress(isSecure: false, host: "127.0.0.1", port: 8082, prefix: "")

    private init(isSecure: Bool, host: String, port: UInt16, prefix: String) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.prefix = prefix
    }

    /// Nil unless the text is `http` or `https` with a name or IPv4 address, and perhaps a port and a path: no account, no query.
    public init?(_ text: String) {
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let host = parts.first.map({ $0.lowercased() }), Self.isName(host) else { return nil }
        var port: UInt16 = isSecure ? 443 : 80
        if parts.count == 2 {
            guard !parts[1].hasPrefix("0"), !parts[1].hasPrefix("+"), let given = UInt16(parts[1]) else { return nil }
            port = given
        }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path = path.dropLast() }
        guard path.utf8.allSatisfy({ Self.isAlphanumeric($0) || "-._~/".utf8.contains($0) }),
            !path.split(separator: "/").contains(where: { $0 == ".." || $0 == "." })
        else { return nil }
        self.init(isSecure: isSecure, host: host, port: port, prefix: String(path))
    }

    private static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count) && text.utf8.allSatisfy { isAlphanumeric($0) || "-.".utf8.contains($0) }
            && text.first != "-" && text.first != "." && text.last != "."
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
    }

    /// The name, with the port where it is not the usual one of the scheme.
    public var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }

    /// The address as it is written.
    public var description: String { "\(isSecure ? "https" : "http")://\(authority)\(prefix)" }
}

extension WebAddress: Codable {
    /// Reads it as it is written.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let address = WebAddress(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no address of a web interface")
        }
        self = address
    }

    /// Writes it as it is written.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Something that no text, log or report may hold: it shows itself as `***` and cannot be encoded.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Keeps a secret.
    public init(_ text: String) { self.text = text }

    /// The secret itself, for the one who sends it where it belongs.
    public func revealed() -> String { text }

    /// `***`.
    public var description: String { "***" }
    /// `***`.
    public var debugDescription: String { "***" }
    /// Nothing of it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
