import FleetCore
import FleetRollout
import Foundation
import Subprocess

/// One request over TLS by this machine's `curl`, which can connect to the local end of a forward and check the certificate against
/// another name all the same.
///
/// Everything it is told stands in its configuration on standard input: no argument of a process has anything of it.
struct CurlRequest {
    /// Where the web interface is.
    let web: WebAccess
    /// The path with its leading slash.
    let path: String
    /// What is posted, JSON; nil for a GET.
    let body: [UInt8]?
    /// How long it may take in all.
    let limit: Duration

    /// Asks through a port of our loopback address.
    func answer(localPort: UInt16) async -> WebAnswer {
        do {
            let outcome = try await Subprocess.run(
                .name("curl"), arguments: ["--disable", "--config", "-"], input: .string(configuration(localPort: localPort)),
                output: .bytes(limit: 2 * WebRequest.mostBytes), error: .string(limit: 1 << 14))
            let output = outcome.standardOutput
            // The status is a line of its own at the end, written by curl itself.
            guard case .exited(0) = outcome.terminationStatus, let end = output.lastIndex(of: UInt8(ascii: "\n")),
                let status = Int(String(decoding: output[output.index(after: end)...], as: UTF8.self))
            else { return .none(words(of: outcome.standardError)) }
            return .answered(status: status, body: Array(output[..<end].prefix(WebRequest.mostBytes)))
        } catch { return .none("curl could not be run for an https address: \(error)") }
    }

    private func words(of errors: String) -> String {
        // What follows the first line is advice on curl's own options.
        let line = errors.split(whereSeparator: \.isNewline).first.map(String.init) ?? "curl said nothing"
        return String(line.prefix(300))
    }

    private func configuration(localPort: UInt16) -> String {
        let address = web.address
        var lines = [
            "url = \(quoted("https://\(address.host):\(address.port)\(address.prefix)\(path)"))",
            "connect-to = \(quoted("\(address.host):\(address.port):127.0.0.1:\(localPort)"))",
            "header = \(quoted("Host: \(address.authority)"))", #"proto = "=https""#, #"noproxy = "*""#, "silent", "show-error",
            "max-time = \(max(1, Int(limit.inSeconds)))", #"write-out = "\n%{http_code}""#,
        ]
        if web.tls == .trustHost { lines.append("insecure") }
        if let body {
            lines += [
                "header = \(quoted("Content-Type: application/json"))", "data-binary = \(quoted(String(decoding: body, as: UTF8.self)))",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// One value of curl's configuration.
    ///
    /// - Source: curl(1), `--config`: within quotes a backslash escapes `\\`, `"`, `t`, `n`, `r` and `v`.
    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }
}
