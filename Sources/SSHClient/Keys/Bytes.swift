import CCrypto

/// The few encodings that key files and known_hosts need, without Foundation.
enum Base64 {
    static func encode(_ bytes: [UInt8], padded: Bool = true) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = Int(EVP_EncodeBlock(&text, bytes, Int32(bytes.count)))
        var end = count
        while !padded, end > 0, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        return String(decoding: text[..<end], as: UTF8.self)
    }

    /// The bytes, or nil if the text isn't base64 with its padding.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard !characters.isEmpty, characters.count % 4 == 0 else { return nil }
        let padding = characters.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes = [UInt8](repeating: 0, count: characters.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, characters, Int32(characters.count))
        guard count >= padding else { return nil }
        return Array(bytes[..<(Int(count) - padding)])
    }
}

enum Digest {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(bytes, bytes.count, &digest)
        return digest
    }

    static func hmacSHA1(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        var length = UInt32(digest.count)
        HMAC(EVP_sha1(), key, Int32(key.count), bytes, bytes.count, &digest, &length)
        return digest
    }
}

/// Reads what SSH writes: numbers in network order, strings with their length before them.
struct WireReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

    mutating func skip(_ count: Int) -> Bool {
        guard rest.count >= count else { return false }
        rest.removeFirst(count)
        return true
    }

    mutating func number() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest.removeFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func string() -> [UInt8]? {
        guard let count = number(), count <= rest.count else { return nil }
        defer { rest.removeFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }

    mutating func text() -> String? {
        string().map { String(decoding: $0, as: UTF8.self) }
    }
}
