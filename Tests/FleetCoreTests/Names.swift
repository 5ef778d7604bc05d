import FleetCore
import Testing

/// What `fleet` exits with; Testing has a type of the same name.
typealias ExitStatus = FleetCore.ExitStatus

/// A host name of a test; a wrong one fails the test.
func host(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> HostName {
    try #require(HostName(text), sourceLocation: sourceLocation)
}

/// `h1`, `h2` ... as many as asked for.
func hosts(_ count: Int) -> [HostName] {
    (0..<count).compactMap { HostName("h\($0 + 1)") }
}
