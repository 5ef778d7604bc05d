/// What is known of the note of a target.
public enum TargetNote: String, Hashable, Sendable, Codable {
    /// The catalogue says what it looked like.
    case described
    /// The catalogue has the release, and does not say what its note looked like.
    case notDescribed = "not-described"
    /// The catalogue does not have the release: no note of it is known.
    case noEntry = "no-entry"

    /// What a person has to know of it, as a sentence without a full stop; nil if the catalogue describes it.
    public func text(on target: CanopsisVersion) -> String? {
        switch self {
        case .described: nil
        case .notDescribed: "the catalogue does not say what the vendor's note on \(target) looked like"
        case .noEntry where target.isReleaseCandidate: "\(target) is a candidate of \(target.release), and has no note of its own"
        case .noEntry: "no note of the vendor on \(target) is known: what it asks for is not known either"
        }
    }
}

extension Catalogue {
    /// What is known of the note of a target.
    public func note(on target: CanopsisVersion) -> TargetNote {
        guard let release = release(target) else { return .noEntry }
        return release.note == nil ? .notDescribed : .described
    }
}
