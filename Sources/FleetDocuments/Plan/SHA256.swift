import CCrypto

/// The SHA-256 of some bytes as 64 hexadecimal digits.
func sha256(of bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    let worked = EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
    precondition(worked == 1 && count == 32, "libcrypto has no SHA-256")
    let digits = Array("0123456789abcdef".utf8)
    let hexadecimal = digest.prefix(32).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: hexadecimal, as: UTF8.self)
}
