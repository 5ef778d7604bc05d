import FleetCore
import FleetRollout
import Foundation
import FoundationNetworking
import SSHClient

/// One request to the web interface of a host, which is asked on the host's own loopback address, through its SSH session.
///
/// FoundationNetworking on Linux checks a certificate against the name it connects to, which here is that of the local end of the
/// forward; so `https` goes through ``CurlRequest``.
struct WebRequest {
    /// Where the web interface is.
    let web: WebAccess
    /// The path with its leading slash.
    let path: String
    /// What is posted, JSON; nil for a GET. Never written down.
    var body: [UInt8]?
    /// How long it may take in all.
    let limit: Duration

    /// How much of a body is kept, in bytes.
    static let mostBytes = 1 << 16

    /// Asks. The session forwards a port of our loopback address for as long as that takes.
    func answer(through session: SSHSession) async -> WebAnswer {
        do {
            let forward = try await session.forward(to: "127.0.0.1", port: web.address.port)
            let answer =
                web.address.isSecure
                ? await CurlRequest(web: web, path: path, body: body, limit: limit).answer(localPort: forward.port)
                : await ask(localPort: forward.port)
            await forward.close()
            return answer
        } catch { return .none("\(error)") }
    }

    private func ask(localPort: UInt16) async -> WebAnswer {
        guard let address = URL(string: "http://127.0.0.1:\(localPort)\(web.address.prefix)\(path)") else { return .none("no address") }
        let settings = URLSessionConfiguration.ephemeral
        settings.timeoutIntervalForRequest = limit.inSeconds
        settings.timeoutIntervalForResource = limit.inSeconds
        settings.httpShouldSetCookies = false
        var request = URLRequest(url: address)
        request.setValue(web.address.authority, forHTTPHeaderField: "Host")
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(body)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        return await withCheckedContinuation { continuation in
            let client = URLSession(configuration: settings, delegate: Receiver(continuation), delegateQueue: nil)
            client.dataTask(with: request).resume()
            client.finishTasksAndInvalidate()
        }
    }

    /// Keeps the client from a proxy of this machine, whom requests to a loopback address, and the passwords in them, do not concern.
    ///
    /// FoundationNetworking leaves that to the variables its libcurl reads. To be called before anything else runs.
    static func leaveProxiesAlone() { setenv("no_proxy", "*", 1) }
}

/// Takes one answer in: no more of its body than is kept, and a redirect as the answer it is.
private final class Receiver: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    // URLSession calls a delegate on one queue, one call at a time.
    private var continuation: CheckedContinuation<WebAnswer, Never>?
    private var body: [UInt8] = []

    init(_ continuation: CheckedContinuation<WebAnswer, Never>) { self.continuation = continuation }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) { completionHandler(nil) }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        body += data.prefix(WebRequest.mostBytes - body.count)
        guard body.count >= WebRequest.mostBytes else { return }
        finish(with: dataTask.response)
        dataTask.cancel()
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let error else { return finish(with: task.response) }
        end(.none((error as? URLError)?.localizedDescription ?? "\(error)"))
    }

    private func finish(with response: URLResponse?) {
        guard let status = (response as? HTTPURLResponse)?.statusCode else { return end(.none("no HTTP answer")) }
        end(.answered(status: status, body: body))
    }

    private func end(_ answer: WebAnswer) {
        continuation?.resume(returning: answer)
        continuation = nil
    }
}
