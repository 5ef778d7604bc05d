/// What a step does, and the look at what became of it: one script, so that the step succeeds only if both do.
public struct CheckedScript: Hashable, Sendable {
    /// What the step does.
    public let script: String
    /// What has to end with 0 afterwards.
    public let check: String

    /// Joins the two.
    public init(_ script: String, check: String) {
        self.script = script
        self.check = check
    }

    /// The shell text. Each part has a shell of its own, so that an `exit` in the first does not pass the second over.
    public var text: String {
        """
        (
        \(Self.line(script)))
        status=$?
        if [ "$status" -ne 0 ]; then exit "$status"; fi
        (
        \(Self.line(check)))
        status=$?
        if [ "$status" -ne 0 ]; then echo "the check of this step failed" >&2; fi
        exit "$status"

        """
    }

    /// The text with a line feed at its end, so that a comment on its last line ends there.
    private static func line(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}
