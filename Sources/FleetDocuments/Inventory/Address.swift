import Glibc

/// The rules for the address of a host.
enum Address {
    /// Whether it can be looked up or connected to: a host name, an IPv4 or an IPv6 address.
    static func isValid(_ text: String) -> Bool {
        text.contains(":") ? bytes(ofIPv6: text) != nil : isHostName(text)
    }

    /// What to do about an address that is not valid.
    static func remedy(for text: String) -> String {
        if text.contains("@") { return "Give the account with `user`." }
        if text.contains(":") { return "Give the port with `port`; an IPv6 address is written without brackets." }
        return "Write a host name, an IPv4 or an IPv6 address."
    }

    /// The form in which two spellings of one address are equal.
    static func canonical(_ text: String) -> String {
        bytes(ofIPv6: text).map { "\($0)" } ?? text.lowercased()
    }

    private static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253 && !text.hasPrefix("-")
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.utf8.allSatisfy { byte in
                        switch byte {
                        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
                        default: false
                        }
                    }
            }
    }

    /// The sixteen bytes and the zone after `%`; nil if it is no IPv6 address.
    private static func bytes(ofIPv6 text: String) -> [String]? {
        guard text.contains(":") else { return nil }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !isHostName(String(parts[1])) { return nil }
        var address = in6_addr()
        guard inet_pton(AF_INET6, String(parts[0]), &address) == 1 else { return nil }
        return withUnsafeBytes(of: address) { $0.map { String($0, radix: 16) } } + parts.dropFirst().map { "%" + $0 }
    }
}
