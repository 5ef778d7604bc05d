import FleetCore
import FleetRollout
import Foundation
import FoundationNetworking
import SSHClient

/// One request to a web server that listens on a host's own loopback address, through the host's SSH session.
struct WebRequest {
    /// The path with its leading slash.
    let path: String
    /// How long it may take in all.
    let limit: Duration

    /// How much of a body is kept, in bytes.
    static let mostBytes = 1 << 16

    /// Asks. The session forwards a port of our loopback address for as long as that takes.
    func answer(port: UInt16, through session: SSHSession) async -> WebAnswer {
        do {
            let forward = try await session.forward(to: "127.0.0.1", port: port)
            let answer = await ask(localPort: forward.port)
            await forward.close()
            return answer
        } catch { return .none("\(error)") }
    }

    private func ask(localPort: UInt16) async -> WebAnswer {
        guard let address = URL(string: "http://127.0.0.1:\(localPort)\(path)") else { return .none("no address") }
        let settings = URLSessionConfiguration.ephemeral
        settings.timeoutIntervalForRequest = limit.inSeconds
        settings.timeoutIntervalForResource = limit.inSeconds
        settings.httpShouldSetCookies = false
        settings.connectionProxyDictionary = [:]
        return await withCheckedContinuation { continuation in
            let client = URLSession(configuration: settings, delegate: Receiver(continuation), delegateQueue: nil)
            client.dataTask(with: address).resume()
            client.finishTasksAndInvalidate()
        }
    }
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
