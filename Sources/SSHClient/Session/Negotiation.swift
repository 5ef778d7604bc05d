import CSSH2

/// Why client and server could not agree on algorithms.
public struct NegotiationFailure: Hashable, Sendable {
    /// The lists both sides must share a name in.
    public enum List: String, Hashable, Sendable, CaseIterable {
        /// How keys are exchanged.
        case keyExchange = "key exchange"
        /// The host key's kind and signature.
        case hostKey = "host key"
        /// Encryption towards the server.
        case cipherOut = "cipher (to the server)"
        /// Encryption towards us.
        case cipherIn = "cipher (from the server)"
        /// Integrity towards the server.
        case macOut = "MAC (to the server)"
        /// Integrity towards us.
        case macIn = "MAC (from the server)"
    }

    /// The list with nothing in common.
    public var list: List
    /// What the server offers there.
    public var offered: [String]
    /// What this side can do.
    public var supported: [String]

    /// Whether a libssh2 of 1.11 or later could talk to this server.
    public var isLimitOfOldLibssh2: Bool { advice != nil }

    private var advice: String? {
        switch list {
        case .hostKey where offered.contains { $0.hasPrefix("rsa-sha2-") }:
            "The server has only an RSA host key, and libssh2 before 1.11 knows no RSA signature newer than SHA-1. "
                + "Give it an Ed25519 or ECDSA host key (ssh-keygen -A)."
        case .macOut where offered.contains { $0.hasSuffix("-etm@openssh.com") },
            .macIn where offered.contains { $0.hasSuffix("-etm@openssh.com") }:
            "The server takes only encrypt-then-MAC, which libssh2 before 1.11 can't do. Allow hmac-sha2-256 there."
        case .cipherOut where offered.contains { $0.contains("gcm@") }, .cipherIn where offered.contains { $0.contains("gcm@") }:
            "The server takes only AES-GCM or ChaCha20, which libssh2 before 1.11 can't do. Allow aes256-ctr there."
        default: nil
        }
    }
}

extension NegotiationFailure: CustomStringConvertible {
    /// A sentence with what the server offers and, where there is one, the way out.
    public var description: String {
        "no \(list.rawValue) algorithm in common: the server offers only \(offered.joined(separator: ", "))"
            + (advice.map { ". " + $0 } ?? "")
    }
}

/// What a server says in the clear before keys are exchanged: its identification and its lists of algorithms.
///
/// libssh2 answers every failed negotiation with the same code; this is how the reason is found out.
struct Overture {
    private var bytes: [UInt8] = []
    private static let limit = 8192

    mutating func append(_ new: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: new.prefix(max(0, Self.limit - bytes.count)))
    }

    /// Whether the server has named itself.
    var hasIdentification: Bool { identificationEnd != nil }

    /// What the server said instead of naming itself.
    var words: String {
        String(String(decoding: bytes.prefix(255), as: UTF8.self).map { $0.isASCII && ($0.asciiValue ?? 0) >= 32 ? $0 : " " })
            .split(separator: " ").joined(separator: " ")
    }

    private var identificationEnd: Int? {
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if bytes[start...].starts(with: Array("SSH-".utf8)) { return end + 1 }
            start = end + 1
        }
        return nil
    }

    /// The server's lists, in the order of the protocol.
    ///
    /// - Source: RFC 4253, sections 6 and 7.1.
    var lists: [NegotiationFailure.List: [String]]? {
        guard let start = identificationEnd else { return nil }
        var reader = WireReader(bytes[start...])
        let keyExchangeInit: UInt8 = 20
        guard reader.number() != nil, reader.skip(1), bytes.count > start + 5, bytes[start + 5] == keyExchangeInit,
            reader.skip(1 + 16)
        else { return nil }
        var lists: [NegotiationFailure.List: [String]] = [:]
        for list in NegotiationFailure.List.allCases {
            guard let names = reader.text() else { return nil }
            lists[list] = names.split(separator: ",").map(String.init)
        }
        return lists
    }

    /// The first list in which a session shares nothing with the server.
    func failure(of session: OpaquePointer) -> NegotiationFailure? {
        guard let lists else { return nil }
        for list in NegotiationFailure.List.allCases {
            let supported = Self.supported(list, by: session)
            let offered = lists[list, default: []]
            if !supported.isEmpty, !offered.contains(where: supported.contains) {
                return NegotiationFailure(list: list, offered: offered, supported: supported)
            }
        }
        return nil
    }

    static func supported(_ list: NegotiationFailure.List, by session: OpaquePointer) -> [String] {
        let method =
            switch list {
            case .keyExchange: LIBSSH2_METHOD_KEX
            case .hostKey: LIBSSH2_METHOD_HOSTKEY
            case .cipherOut: LIBSSH2_METHOD_CRYPT_CS
            case .cipherIn: LIBSSH2_METHOD_CRYPT_SC
            case .macOut: LIBSSH2_METHOD_MAC_CS
            case .macIn: LIBSSH2_METHOD_MAC_SC
            }
        var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        let count = libssh2_session_supported_algs(session, method, &names)
        guard count > 0, let names else { return [] }
        defer { libssh2_free(session, names) }
        return (0..<Int(count)).compactMap { names[$0].map(String.init(cString:)) }
    }
}
