import FleetCore
import Testing

@Suite("Where a web interface is")
struct WebAccessTests {
    private static let addresses: [(String, secure: Bool, host: String, port: UInt16, prefix: String, authority: String)] = [
        ("http://127.0.0.1:8082", false, "127.0.0.1", 8082, "", "127.0.0.1:8082"),
        ("http://localhost", false, "localhost", 80, "", "localhost"),
        ("https://Acme.example.net/", true, "acme.example.net", 443, "", "acme.example.net"),
        ("https://acme.example.net:8443/canopsis/", true, "acme.example.net", 8443, "/canopsis", "acme.example.net:8443"),
        ("http://acme:443/a/b-c_d.e~f", false, "acme", 443, "/a/b-c_d.e~f", "acme:443"),
    ]

    @Test("an address is read in its parts", arguments: addresses.indices)
    func parts(_ index: Int) throws {
        let expected = Self.addresses[index]
        let address = try #require(WebAddress(expected.0))
        #expect(address.isSecure == expected.secure)
        #expect(address.host == expected.host && address.port == expected.port)
        #expect(address.prefix == expected.prefix && address.authority == expected.authority)
        #expect(WebAddress(address.description) == address)
    }

    @Test(
        "what is more or less than that is refused",
        arguments: [
            "", "acme", "acme:8082", "ftp://acme", "http://", "http://:80", "http://acme:", "http://acme:0", "http://acme:08",
            "http://acme:65536", "http://acme:+1", "http://acme:1:2", "http://root:secret@acme", "http://acme/?x=1", "http://acme/#x",
            "http://acme/a b", "http://acme/../x", "http://acme/./x", "http://[::1]:80", "http://-acme", "http://.acme", "http://acme.",
            "http://acme/é", "http://acme\n", "HTTP://acme",
        ])
    func refused(_ text: String) { #expect(WebAddress(text) == nil) }

    @Test("a secret shows itself in no description, dump or interpolation")
    func secret() {
        let secret = Secret("lab-root")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            #expect(!text.contains("lab-root"), "\(text)")
        }
        #expect(secret.revealed() == "lab-root")
    }
}
