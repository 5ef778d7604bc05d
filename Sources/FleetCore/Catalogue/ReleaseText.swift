extension Release {
    /// All there is to read of the release, the same each time: who has read it has read just this.
    ///
    /// Commands are indented by four spaces. An edit is told in words, so that the way it is done may change.
    public var textToRead: String {
        let heading = "Canopsis \(version)" + (published.map { ", published \($0)" } ?? "")
        let warnings = withdrawals.map { withdrawal in
            "Must not be taken" + Self.who(withdrawal.conditions) + ": " + withdrawal.reason
        }
        return ([heading] + warnings + steps.map(\.textToRead)).joined(separator: "\n\n") + "\n"
    }

    fileprivate static func who(_ conditions: [StepCondition]) -> String {
        conditions.isEmpty ? "" : " (" + conditions.map(\.text).joined(separator: ", ") + ")"
    }
}

extension ReleaseStep {
    /// All there is to read of the step.
    fileprivate var textToRead: String {
        var traits = [kind.rawValue, phase.text]
        if isBlocking { traits.append("blocks the upgrade") }
        if isOptional { traits.append("optional") }
        if requiresEnginesStopped { traits.append("engines stopped") }
        if let obsoleteFrom { traits.append("needless from \(obsoleteFrom)") }
        var lines = ["\(id): \(title)", traits.joined(separator: ", ") + Release.who(conditions)]
        lines += Self.lines(of: text)
        switch work {
        case .edit(let edit): lines.append("    " + edit.text)
        case .shell(let script), .mongo(let script), .influx(let script):
            lines += Self.lines(of: script).map { $0.isEmpty ? "" : "    " + $0 }
        case nil: break
        }
        return lines.joined(separator: "\n")
    }

    /// The lines of a text without the empty ones at its end.
    private static func lines(of text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }
}
