/// A server's public key.
public struct HostKey: Hashable, Sendable {
    /// The key as SSH writes it: its type and its numbers.
    public let blob: [UInt8]
    /// The type the blob names, such as `ssh-ed25519`.
    public let type: String

    /// Reads a key; nil if the bytes don't begin with the name of a type.
    public init?(blob: [UInt8]) {
        var reader = WireReader(blob.prefix(256))
        guard let name = reader.string(), !name.isEmpty, name.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        self.blob = blob
        type = String(decoding: name, as: UTF8.self)
    }

    /// The fingerprint as OpenSSH shows it: `SHA256:` and base64 without padding.
    public var fingerprint: String { "SHA256:" + Base64.encode(Digest.sha256(blob), padded: false) }

    /// The line that enrols this key in a known_hosts file, without a line break.
    public func knownHostsLine(for endpoint: SSHEndpoint) -> String {
        "\(KnownHosts.name(of: endpoint)) \(type) \(Base64.encode(blob))"
    }
}

/// What the known_hosts files say about a key.
public enum HostKeyVerdict: Hashable, Sendable {
    /// The key is on file for this host.
    case match(KnownHosts.Place)
    /// Other keys are on file for this host, of this type or another one.
    case mismatch(recorded: [KnownHosts.Place])
    /// Nothing is on file for this host.
    case unknown
    /// The key is marked as revoked, whatever else is on file.
    case revoked(KnownHosts.Place)
    /// The caller's own check said no.
    case declined
}

extension HostKeyVerdict: CustomStringConvertible {
    /// A few words with file and line.
    public var description: String {
        switch self {
        case .match(let place): "on record at \(place)"
        case .mismatch(let places):
            "not the key on record at " + places.map { "\($0) (\($0.type))" }.joined(separator: ", ")
        case .unknown: "no key of this host is on record"
        case .revoked(let place): "revoked at \(place)"
        case .declined: "declined"
        }
    }
}

/// Who decides about a host's key, before any credential is sent.
public enum HostKeyPolicy: Sendable {
    /// Only a key that these files hold for the host.
    case onRecord(KnownHosts)
    /// The caller decides; the types are asked for first, in this order.
    case ask(preferring: [String] = [], @Sendable (HostKey) async -> HostKeyVerdict)
    /// Any key. An impostor will not be noticed.
    case trustAnyKey
}
