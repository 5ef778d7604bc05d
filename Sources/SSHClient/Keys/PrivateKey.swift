import CCrypto
import Glibc

/// What is wrong with a private key file.
public enum PrivateKeyFlaw: Hashable, Sendable {
    /// There is no such file.
    case missing
    /// It can't be read; the number is the `errno`.
    case unreadable(errno: Int32)
    /// Its permissions let others read it.
    case exposed(mode: UInt32)
    /// A passphrase protects it, which is not supported yet.
    case encrypted
    /// Its kind, such as RSA, is not supported yet.
    case unsupported(kind: String)
    /// It is no private key; a public key or something else.
    case notAKey
}

extension PrivateKeyFlaw: CustomStringConvertible {
    /// A few words on what is wrong.
    public var description: String {
        switch self {
        case .missing: "there is no such file"
        case .unreadable(let code): "it can't be read: \(String(cString: strerror(code)))"
        case .exposed(let mode): "others can read it (mode \(String(mode, radix: 8))); it must be 600 or 400"
        case .encrypted: "it is protected by a passphrase, which is not supported yet"
        case .unsupported(let kind): "\(kind) keys are not supported yet; use Ed25519 or ECDSA"
        case .notAKey: "it is not a private key"
        }
    }
}

/// A private key in memory, read once and used for every login.
public struct PrivateKey: Sendable {
    /// Where it came from, for messages.
    public let path: String
    /// The file as it is, and a NUL that libssh2 needs behind it.
    let text: [UInt8]
    /// The key ready for use, if libssh2 need not read it anew for each login.
    let signer: Ed25519Signer?

    /// Reads an unencrypted Ed25519 or ECDSA key that only its owner can read.
    public init(file path: String) throws(SSHError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .privateKey(path: path, errno == ENOENT ? .missing : .unreadable(errno: errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .privateKey(path: path, .unreadable(errno: errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .privateKey(path: path, .notAKey) }
        guard status.st_mode & 0o077 == 0 else { throw .privateKey(path: path, .exposed(mode: status.st_mode & 0o777)) }
        try self.init(text: try FileBytes.read(descriptor, path), from: path)
    }

    /// Takes the text of a key file; the name is for messages.
    public init(text: [UInt8], from path: String) throws(SSHError) {
        if let flaw = Self.flaw(of: text) { throw .privateKey(path: path, flaw) }
        self.path = path
        self.text = text + [0]
        signer = Ed25519Signer(text: text)
    }

    private static func flaw(of text: [UInt8]) -> PrivateKeyFlaw? {
        guard !text.contains(0), let (label, body) = armored(text) else { return .notAKey }
        switch label {
        case "-----BEGIN OPENSSH PRIVATE KEY-----": return flawOfOpenSSH(Base64.decode(body.joined()) ?? [])
        case "-----BEGIN PRIVATE KEY-----": return flawOfPKCS8(Base64.decode(body.joined()) ?? [])
        case "-----BEGIN EC PRIVATE KEY-----": return body.contains { $0.hasPrefix("Proc-Type:") } ? .encrypted : nil
        case "-----BEGIN ENCRYPTED PRIVATE KEY-----": return .encrypted
        case "-----BEGIN RSA PRIVATE KEY-----": return .unsupported(kind: "RSA")
        case "-----BEGIN DSA PRIVATE KEY-----": return .unsupported(kind: "DSA")
        default: return .notAKey
        }
    }

    /// The line that begins a key, and those up to its end.
    fileprivate static func armored(_ text: [UInt8]) -> (label: String, body: [String])? {
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") }) else { return nil }
        return (lines[start], Array(lines[(start + 1)...].prefix { !$0.hasPrefix("-----") }))
    }

    /// - Source: OpenSSH, PROTOCOL.key.
    private static func flawOfOpenSSH(_ bytes: [UInt8]) -> PrivateKeyFlaw? {
        var reader = WireReader(bytes)
        guard bytes.starts(with: Array("openssh-key-v1\0".utf8)), reader.skip(15), let cipher = reader.text(),
            reader.string() != nil, reader.string() != nil, reader.number() != nil, let publicKey = reader.string(),
            let type = HostKey(blob: publicKey)?.type
        else { return .notAKey }
        // The kind first: a passphrase is no reason to keep an RSA key.
        switch type {
        case "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
            return cipher == "none" ? nil : .encrypted
        case "ssh-rsa": return .unsupported(kind: "RSA")
        default: return .unsupported(kind: type)
        }
    }

    /// - Source: RFC 5208; the algorithm's object identifier follows within the first bytes.
    private static func flawOfPKCS8(_ bytes: [UInt8]) -> PrivateKeyFlaw? {
        func names(_ identifier: [UInt8]) -> Bool {
            let head = bytes.prefix(32)
            return head.indices.contains { head[$0...].starts(with: identifier) }
        }
        if names([0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]) { return nil }
        if names([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) { return .unsupported(kind: "RSA") }
        if names([0x06, 0x03, 0x2b, 0x65, 0x70]) { return .unsupported(kind: "Ed25519 in PKCS#8 form") }
        return .notAKey
    }
}

/// An Ed25519 key as libcrypto holds it, made once and used for every login.
///
/// libssh2 would read the file's text twice for each login and work out the public key each time.
final class Ed25519Signer: @unchecked Sendable {
    /// The public key as SSH writes it.
    let publicKey: [UInt8]
    private let key: OpaquePointer

    /// Reads an unencrypted key in OpenSSH's form; nil for any other.
    ///
    /// - Source: OpenSSH, PROTOCOL.key; RFC 8709.
    init?(text: [UInt8]) {
        guard let bytes = PrivateKey.armored(text).flatMap({ Base64.decode($0.body.joined()) }) else { return nil }
        var reader = WireReader(bytes)
        guard bytes.starts(with: Array("openssh-key-v1\0".utf8)), reader.skip(15), reader.text() == "none",
            reader.string() != nil, reader.string() != nil, reader.number() == 1, let publicKey = reader.string(),
            let secret = reader.string()
        else { return nil }
        var inner = WireReader(secret)
        guard let check = inner.number(), inner.number() == check, inner.text() == "ssh-ed25519", inner.string() != nil,
            let pair = inner.string(), pair.count == 64,
            let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, pair, 32)
        else { return nil }
        self.publicKey = publicKey
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// The signature, in memory of `malloc` that libssh2 frees; nil if libcrypto fails.
    func sign(_ data: UnsafeBufferPointer<UInt8>) -> UnsafeMutableBufferPointer<UInt8>? {
        var length = 64
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1, let memory = malloc(length) else { return nil }
        let signature = memory.assumingMemoryBound(to: UInt8.self)
        guard EVP_DigestSign(context, signature, &length, data.baseAddress, data.count) == 1 else {
            free(memory)
            return nil
        }
        return UnsafeMutableBufferPointer(start: signature, count: length)
    }

    /// What libssh2 calls for a signature; it hands back the signer it was given.
    static let callback:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, UnsafeMutablePointer<Int>?,
            UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> Int32 = { _, signature, length, data, count, context in
            guard let signer = context?.pointee.map({ Unmanaged<Ed25519Signer>.fromOpaque($0).takeUnretainedValue() }),
                let made = signer.sign(UnsafeBufferPointer(start: data, count: count))
            else { return -1 }
            signature?.pointee = made.baseAddress
            length?.pointee = made.count
            return 0
        }
}

/// What proves to a server who we are.
public enum Credential: Sendable {
    /// An unencrypted key.
    case key(PrivateKey)
}
