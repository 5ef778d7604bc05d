/// What reading the facts of one host gave.
public enum FactReading: Hashable, Sendable {
    /// Its facts.
    case facts(HostFacts)
    /// It was not reached, or its answer could not be read.
    case failure(Reason)
}

extension Reason {
    /// Whether a host was reached and is as it must not be for an upgrade; it was not reached for any other reason why its
    /// facts are not known.
    public var isObjection: Bool { code == .noRoot || code == .factsUnreadable }
}
