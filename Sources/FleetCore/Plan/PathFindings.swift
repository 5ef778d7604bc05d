/// What preflight says of the way to a target, besides what it says of the host: `fleet check` and `fleet plan` say the same.
public enum PathFindings {
    /// What the releases on the path of a host mean for it, and what `canopsinit` does to its accounts.
    public static func findings(on path: ReleasePath, host: Host, facts: HostFacts) -> [GateFinding] {
        guard path.installed < path.target else { return [] }
        var findings = path.withdrawals.map { withdrawal in
            GateFinding(
                gate: "release-withdrawn", verdict: withdrawal.verdict == .holds ? .block : .warn,
                text: "\(path.target) must not be taken: \(withdrawal.text)", remedy: "take another release")
        }
        let warning = GuardAccounts.warning(for: path.target)
        let restores = "say `accounts: restore` in the inventory, and Fleet gives them back"
        switch host.accounts {
        case .stop where !GuardAccounts.resetFields(by: path.target).isEmpty:
            findings.append(
                GateFinding(
                    gate: "accounts", verdict: .block, text: "\(warning); the inventory says to stop then", remedy: restores))
        case .restore where facts.hasDatabaseClient ?? true, .stop where facts.hasDatabaseClient ?? true: break
        case .restore, .stop:
            findings.append(
                GateFinding(
                    gate: "accounts", verdict: .warn, text: "\(warning), and there is no MongoDB client to save them with",
                    remedy: "install one, or set the accounts anew by hand: the run waits for that"))
        case .keepReset:
            findings.append(
                GateFinding(
                    gate: "accounts", verdict: .warn, text: "\(warning); the inventory says to leave it so", remedy: restores))
        }
        return findings
    }

    /// A target without a note may ask for more than the standard procedure.
    public static func unknownNote(of target: CanopsisVersion, in catalogue: Catalogue) -> [GateFinding] {
        let note = catalogue.note(on: target)
        guard note == .noEntry, let text = note.text(on: target) else { return [] }
        return [
            GateFinding(gate: "release-note", verdict: .warn, text: text, remedy: "ask the vendor what this release needs, or take another")
        ]
    }
}
