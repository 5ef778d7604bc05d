/// Looks into the database before anything is changed: would `canopsinit` bring it to the new version, or wipe it?
///
/// Without its marker in the collection `initialized`, `canopsinit` drops five collections without asking; with another edition or stack
/// than the host has, it declares the wrong one.
///
/// - Source: `canopsis-filldb`, unchanged in substance from 3.18 to 3.44; fields `edition` and `stack` since 3.17 and 3.18.
public struct CheckDatabase: Hashable, Sendable {
    /// The edition the inventory declares.
    public var edition: Edition
    /// The stack the inventory declares.
    public var stack: Stack

    /// Creates the action.
    public init(edition: Edition, stack: Stack) {
        self.edition = edition
        self.stack = stack
    }

    /// The step as a plan holds it.
    public var step: PlannedStep {
        PlannedStep(
            id: .checkDatabase, title: "look whether canopsinit may run on this database",
            script: DatabaseScript(Self.javaScript(self)).shellText,
            limit: .seconds(120), kind: .job)
    }

    /// The look, shared with the step right before `canopsinit`.
    static func javaScript(_ declared: CheckDatabase) -> String {
        """
        if (!db.getCollection("initialized").findOne({_id: "initialized"})) {
            throw new Error("the document `initialized` is missing in the collection of that name: canopsinit would take the database for " +
                "a new one and drop collections. Look at the database; nothing was changed");
        }
        var declared = db.getCollection("configuration").findOne({_id: "canopsis_version"}) || {};
        [["edition", "\(declared.edition.rawValue)"], ["stack", "\(declared.stack.rawValue)"]].forEach(function (pair) {
            var found = declared[pair[0]];
            if (found && found !== pair[1]) {
                throw new Error("the database says " + pair[0] + " " + found + ", the inventory says " + pair[1] + ": mend the one that is wrong");
            }
        });

        """
    }
}

/// What becomes of the accounts `root` and `canopsis`, which `canopsinit` resets.
public enum AccountPolicy: String, Hashable, Sendable, Codable, CaseIterable {
    /// They are saved before and restored right after it.
    case restore
    /// They are left as `canopsinit` leaves them: with the vendor's passwords.
    case keepReset = "keep-reset"
    /// A host on which they would be reset is not upgraded.
    case stop
}

/// Saves the accounts `root` and `canopsis` before `canopsinit`, and gives them back what it reset.
///
/// The copy is in the run's folder on the host, 0600, and is removed once the accounts are as they were. Neither output nor journal
/// has anything of it.
///
/// - Source: `migration/rights.py`: password, authkey, mail and flags are reset below 3.27.0, the password alone below 3.38.0. A
///   deleted account is made anew, with the vendor's password, by each release of 3.x.
public struct GuardAccounts: Hashable, Sendable {
    /// The version of the `canopsinit` that will run.
    public var target: CanopsisVersion
    /// What the database has to say before it may.
    public var check: CheckDatabase

    /// Creates the action.
    public init(target: CanopsisVersion, check: CheckDatabase) {
        self.target = target
        self.check = check
    }

    /// The fields of an account that the target's `canopsinit` resets, as the database names them.
    public static func resetFields(by target: CanopsisVersion) -> [String] {
        if target < CanopsisVersion(3, 27, 0) { return ["shadowpasswd", "authkey", "mail", "enable", "external"] }
        return target < CanopsisVersion(3, 38, 0) ? ["shadowpasswd"] : []
    }

    /// What the target's `canopsinit` does to the accounts, as a sentence without a full stop.
    public static func warning(for target: CanopsisVersion) -> String {
        let deleted = "makes a deleted `canopsis` anew"
        switch resetFields(by: target).count {
        case 0: return "canopsinit of \(target) \(deleted), with the vendor's password"
        case 1: return "canopsinit of \(target) resets the passwords of `root` and `canopsis` to the vendor's, and \(deleted)"
        default:
            return "canopsinit of \(target) resets passwords, authkeys, mail and enabled flag of `root` and `canopsis`, and \(deleted)"
        }
    }

    /// The step before `canopsinit`.
    public var saving: PlannedStep {
        let look = """
            var saved = ["root", "canopsis"].map(function (name) {
                var account = db.default_rights.findOne({_id: name, crecord_type: "user"}), kept = {name: name, there: !!account, fields: {}};
                ["shadowpasswd", "authkey", "mail", "enable", "external"].forEach(function (field) {
                    if (account && account.hasOwnProperty(field)) { kept.fields[field] = account[field]; }
                });
                return kept;
            });
            print("saved " + JSON.stringify(saved));

            """
        let script = """
            \(DatabaseScript.client)
            umask 077
            kept=\(Job.runFolder)/accounts-\(target)
            if [ -s "$kept" ]; then
                echo "the accounts are saved already"
                exit 0
            fi
            feed() {
                \(DatabaseScript.credentials)
                cat <<'END-OF-SCRIPT'
            \(DatabaseScript(CheckDatabase.javaScript(check) + look).lines.joined(separator: "\n"))
            END-OF-SCRIPT
            }
            (
            \(DatabaseScript.run("feed"))
            ) >"$kept.said"
            status=$?
            grep -v '^saved ' "$kept.said"
            sed -n 's/^saved //p' "$kept.said" >"$kept.new"
            rm -f "$kept.said"
            if [ "$status" != 0 ] || ! [ -s "$kept.new" ]; then
                rm -f "$kept.new"
                echo "the accounts root and canopsis could not be saved; nothing was changed by this step"
                exit 1
            fi
            dd if=/dev/null of="$kept.new" conv=notrunc,fsync 2>/dev/null
            mv -f "$kept.new" "$kept" || exit 1
            echo "saved the accounts root and canopsis on the host, for this run alone"

            """
        return PlannedStep(
            id: .saveAccounts, title: "save the accounts root and canopsis", script: script, limit: .seconds(120), kind: .job)
    }

    /// The step after `canopsinit`.
    public var restoring: PlannedStep {
        let fields = Self.resetFields(by: target).map { "\"\($0)\"" }.joined(separator: ", ")
        let restore = """
            saved.forEach(function (kept) {
                var key = {_id: kept.name, crecord_type: "user"}, change = {}, set = {}, unset = {};
                function fetch() { return db.default_rights.findOne(key); }
                if (!kept.there) {
                    db.default_rights.remove(key);
                    if (fetch()) { throw new Error(kept.name + " was not there before, and could not be removed again"); }
                    print(kept.name + ": was not there before, and is not now");
                    return;
                }
                if (!fetch()) { throw new Error("the account " + kept.name + " is gone"); }
                [\(fields)].forEach(function (field) {
                    if (kept.fields.hasOwnProperty(field)) { set[field] = kept.fields[field]; } else { unset[field] = ""; }
                });
                if (Object.keys(set).length) { change.$set = set; }
                if (Object.keys(unset).length) { change.$unset = unset; }
                if (Object.keys(change).length) { db.default_rights.update(key, change); }
                var now = fetch();
                Object.keys(set).forEach(function (field) {
                    if (JSON.stringify(now[field]) !== JSON.stringify(set[field])) { throw new Error(kept.name + ": " + field + " could not be restored"); }
                });
                Object.keys(unset).forEach(function (field) {
                    if (now.hasOwnProperty(field)) { throw new Error(kept.name + ": " + field + " could not be taken away again"); }
                });
                print(kept.name + ": is what it was before canopsinit");
            });

            """
        let script = """
            \(DatabaseScript.client)
            kept=\(Job.runFolder)/accounts-\(target)
            if ! [ -e "$kept" ] && [ -e "$kept.restored" ]; then
                echo "the accounts are restored already"
                exit 0
            fi
            [ -s "$kept" ] || { echo "the saved accounts are missing: look after the passwords of root and canopsis by hand"; exit 1; }
            feed() {
                \(DatabaseScript.credentials)
                printf 'var saved = %s;\\n' "$(cat "$kept")"
                cat <<'END-OF-SCRIPT'
            \(DatabaseScript(restore).lines.joined(separator: "\n"))
            END-OF-SCRIPT
            }
            (
            \(DatabaseScript.run("feed"))
            ) || { status=$?; echo "their saved copy stays in $kept on the host (0600)"; exit "$status"; }
            : >"$kept.restored"
            rm -f "$kept"

            """
        return PlannedStep(
            id: .restoreAccounts, title: "restore the accounts root and canopsis", script: script, limit: .seconds(120), kind: .job,
            because: [Self.warning(for: target)])
    }

    /// What a person does where the host has no client for its database.
    public static func byHand(target: CanopsisVersion) -> PlannedStep {
        PlannedStep(
            id: .restoreAccounts, title: "restore the accounts root and canopsis", script: "", limit: .zero, kind: .manual,
            instruction: """
                The host has no MongoDB client, so Fleet could neither look into the database nor save the accounts.
                \(warning(for: target)).
                Set their passwords and authkeys anew in the web interface, and disable or remove again what was so before.
                """)
    }
}
