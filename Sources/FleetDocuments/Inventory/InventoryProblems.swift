import FleetCore

extension Problem {
    static func wrongShape(_ name: String, wants: String, not value: YAMLValue, in path: String, write: String) -> Problem {
        Problem(
            code: "wrong-shape", what: "\(name) must be \(wants), this is \(value.kind).", place: .file(path, line: value.line),
            remedy: "Write \(write).")
    }

    static func missingValue(_ key: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: "missing-value", what: "`\(key)` has no value.", place: .file(path, line: line),
            remedy: "Give it one, or remove the line.")
    }

    static func unknownKey(_ entry: YAMLEntry, allowed: [String], in path: String) -> Problem {
        let elsewhere = HostSettings.wordsElsewhere[entry.key].flatMap { allowed.contains($0) ? $0 : nil }
        let guess = elsewhere ?? nearest(to: entry.key, among: allowed)
        return Problem(
            code: "unknown-key", what: "Unknown key `\(entry.key.shortened)`.", place: .file(path, line: entry.line),
            remedy: (guess.map { "Did you mean `\($0)`? " } ?? "") + "Allowed here: \(allowed.joined(separator: ", ")).")
    }

    static func keyNotBuilt(_ entry: YAMLEntry, in path: String) -> Problem {
        Problem(
            code: "key-not-built", what: "`\(entry.key.shortened)` is planned and not built yet, so nothing would come of it.",
            place: .file(path, line: entry.line), remedy: "Remove the line.")
    }

    static func duplicateKey(_ entry: YAMLEntry, first: Int, in path: String) -> Problem {
        Problem(
            code: "duplicate-key", what: "`\(entry.key.shortened)` is given twice, first on line \(first).",
            place: .file(path, line: entry.line),
            remedy: "Keep one of the two.")
    }

    static func badRange(_ text: String, _ mistake: NameRange.Mistake, at line: Int, in path: String) -> Problem {
        Problem(
            code: "bad-range", what: mistake.sentence(about: text), place: .file(path, line: line),
            remedy: text.contains("::") ? "Write an IPv6 address without brackets." : mistake.remedy)
    }

    static func unequalRanges(_ name: NameRange, _ address: NameRange, at line: Int, in path: String) -> Problem {
        func hosts(_ range: NameRange) -> String { range.count == 1 ? "1 host" : "\(range.count) hosts" }
        return Problem(
            code: "bad-range", what: "The name `\(name.text)` is \(hosts(name)), the address `\(address.text)` is \(hosts(address)).",
            place: .file(path, line: line), remedy: "Give name and address ranges of the same length: they are counted in step.")
    }

    static func badName(_ name: String, code: String, what: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: code, what: "`\(name.shortened)` cannot be the name of a \(what).", place: .file(path, line: line),
            remedy: "Use 1 to 64 letters, digits, `.`, `_` and `-`, a letter or a digit first.")
    }

    static func badValue(_ value: String, of key: String, at line: Int, in path: String, remedy: String) -> Problem {
        Problem(
            code: "bad-\(key)", what: "`\(value.shortened)` cannot be the `\(key)` of a host.", place: .file(path, line: line),
            remedy: remedy
        )
    }

    static func badChoice(_ value: String, of key: String, allowed: [String], at line: Int, in path: String) -> Problem {
        let guess = nearest(to: value, among: allowed).map { "Did you mean `\($0)`? " } ?? ""
        return Problem(
            code: "bad-value", what: "`\(value.shortened)` is no value of `\(key)`.", place: .file(path, line: line),
            remedy: "\(guess)Allowed: \(allowed.joined(separator: ", ")).")
    }

    static func customerAsLabel(at line: Int, in path: String) -> Problem {
        Problem(
            code: "bad-label-name", what: "`customer` cannot be the name of a label: it is a key of its own.",
            place: .file(path, line: line),
            remedy: "Write `customer: NAME` beside `labels`; it works as a label everywhere.")
    }

    static func noAddons(_ what: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: "bad-addons", what: what, place: .file(path, line: line),
            remedy: "Write `addons: none` if there are none, else a list of step files: `addons: [add-ons/dashboards.yaml]`.")
    }

    static func passwordInClear(at line: Int, in path: String) -> Problem {
        Problem(
            code: "password-in-clear", what: "A password does not stand in an inventory.", place: .file(path, line: line),
            remedy: "Put it alone into a file for its owner alone (`chmod 600`), and name that: `password_file: PATH`.")
    }

    // The text is not repeated: an address may hold a password.
    static func badWebAddress(at line: Int, in path: String) -> Problem {
        Problem(
            code: "bad-url", what: "This cannot be the `url` of a web interface.", place: .file(path, line: line),
            remedy: "Write `http://` or `https://`, a name or IPv4 address, and perhaps a port and a path: http://127.0.0.1:8082.")
    }

    static func halfALogin(_ missing: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: "half-a-login", what: "`web` lacks `\(missing)`: a login takes `user` and `password_file`.",
            place: .file(path, line: line), remedy: "Give both, here or in the defaults, or none.")
    }

    static func passwordFileMissing(_ file: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: "password-file-missing", what: "There is no password file `\(file)`.", place: .file(path, line: line),
            remedy: "Correct the path (it is relative to the inventory's folder, `~/` is your home).")
    }

    static func passwordFileOpen(_ file: String, permissions: String, at place: Place) -> Problem {
        Problem(
            code: "password-file-open", what: "The password file `\(file)` can be read by others (mode \(permissions)).", place: place,
            remedy: "chmod 600 \(shellQuoted(file))")
    }

    static func passwordFileUnfit(_ file: String, at place: Place) -> Problem {
        Problem(
            code: "password-file-unfit", what: "The password file `\(file)` does not hold one line of text.", place: place,
            remedy: "Put the password alone into it, on one line.")
    }

    static func overridesForMany(at line: Int, in path: String) -> Problem {
        Problem(
            code: "bad-override", what: "`overrides` cannot stand in `defaults`: what is overridden is said of one host.",
            place: .file(path, line: line), remedy: "Write it at each host it is true of, with the reason why.")
    }

    static func noOverride(_ entry: YAMLEntry, in path: String) -> Problem {
        let overridable = Preflight.overridable.map(\.rawValue)
        let isGate = Preflight.Gate(rawValue: entry.key) != nil
        let guess = isGate ? nil : nearest(to: entry.key, among: overridable)
        return Problem(
            code: "bad-override",
            what: isGate ? "The gate `\(entry.key)` cannot be overridden." : "There is no gate `\(entry.key.shortened)`.",
            place: .file(path, line: entry.line),
            remedy: (guess.map { "Did you mean `\($0)`? " } ?? "") + "These can be overridden: \(overridable.joined(separator: ", ")).")
    }

    static func keyFileMissing(_ file: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: "key-file-missing", what: "There is no key file `\(file)`.", place: .file(path, line: line),
            remedy: "Correct the path (it is relative to the inventory's folder, `~/` is your home), or make a key: "
                + "ssh-keygen -t ed25519 -f \(shellQuoted(file))")
    }

    static func keyFileIsNoFile(_ file: String, at line: Int, in path: String) -> Problem {
        Problem(
            code: "key-file-no-file", what: "The key `\(file)` is not a file.", place: .file(path, line: line),
            remedy: "Name the file with the private key.")
    }

    static func keyFileOpen(_ file: String, permissions: String, at place: Place) -> Problem {
        Problem(
            code: "key-file-open", what: "The key file `\(file)` can be used by others (mode \(permissions)).", place: place,
            remedy: "chmod 600 \(shellQuoted(file))")
    }

    static func duplicateHosts(_ names: [HostName], first: Place, at place: Place) -> Problem {
        let more = names.count == 1 ? "" : " (and \(names.count - 1) more of this line)"
        return Problem(
            code: "duplicate-host", what: "The host `\(names[0])`\(more) is in the inventory twice, first at \(first).", place: place,
            remedy: "Keep one of the two, or give them different names.")
    }

    static func duplicateAddress(_ host: Host, _ other: HostName, first: Place, at place: Place) -> Problem {
        Problem(
            code: "duplicate-address",
            what: "`\(host.name)` has the address and port of `\(other)` (\(host.address), port \(host.port)), which is at \(first).",
            place: place, remedy: "One machine has one entry: remove one, or correct its address or port.")
    }

    static func emptyInventory(_ path: String) -> Problem {
        Problem(
            code: "empty-inventory", what: "There is no host in this file.", place: .file(path, line: nil),
            remedy: "Add one, such as `hosts: {acme-1: {address: acme-1.example.net}}`.")
    }
}

extension String {
    /// The text on one line, cut where it would flood a message.
    var shortened: String { (count <= 80 ? self : prefix(77) + "...").escapedForTerminal() }
}
