/// The gates between a host's facts and an upgrade: what speaks against touching it, what is worth knowing.
///
/// Every gate answers for every host, in the order of ``Gate``, so that a table of hosts and gates has no holes. What could
/// not be read is never a pass.
public enum Preflight {
    /// The gates in their order; the raw values are their names in reports.
    public enum Gate: String, Hashable, Sendable, CaseIterable {
        /// Whether the session has root's rights.
        case root
        /// Whether Canopsis is installed from packages, and not in containers.
        case install
        /// Whether the vendor has packages of the target for the system.
        case system
        /// Whether Canopsis is there, in one version.
        case canopsisInstalled = "canopsis-installed"
        /// Whether edition and stack are what the inventory declares.
        case editionStack = "edition-stack"
        /// Whether the database answers, and says the version that is installed.
        case database
        /// Whether the database has the marker without which `canopsinit` drops collections.
        case initialized
        /// Whether the repositories offer the target for every package.
        case targetOffered = "target-offered"
        /// Whether the package manager can be used.
        case packageManager = "package-manager"
        /// Whether another run works on the host, or left it unfinished.
        case hostLock = "host-lock"
        /// Whether there is room.
        case diskSpace = "disk-space"
        /// Whether there is memory left.
        case memory
        /// Whether the host's clock is right.
        case clock
        /// Whether the host waits for a reboot.
        case reboot
        /// Whether SELinux lets the vendor's tools run.
        case selinux
        /// Whether systemd runs the host.
        case systemd
        /// How the units are before anything is done.
        case units
        /// Whether the services are on the host, or declared to be elsewhere.
        case services
        /// Whether configuration files were edited, or newer ones never merged.
        case conffiles
        /// Whether the packages replace the routing of Python engines.
        case engineRouting = "engine-routing"
        /// Whether Redis is new enough.
        case redis
        /// Whether somebody said what add-ons the customer has.
        case addons
        /// Whether all facts could be read.
        case facts
    }

    /// The gates that the inventory may override for a host.
    ///
    /// What they block may be right on a host that a person knows. The others cannot be: without root, packages or an offer there is
    /// nothing to do, a step would stop the host in any case, or the inventory has a key of its own for it.
    public static let overridable: [Gate] = Gate.allCases.filter(\.isOverridable)

    /// Less free space than this on a file system that matters blocks: a release's packages, unpacked beside the old ones, need about that.
    public static let leastFreeBytes: Int64 = 200 << 20
    /// Less than this is worth knowing.
    public static let comfortableFreeBytes: Int64 = 1 << 30

    /// What every gate says of a host; without a target only what holds for any upgrade.
    public static func findings(_ facts: HostFacts, host: Host, target: CanopsisVersion?) -> [GateFinding] {
        Gate.allCases.map { gate in
            let answer =
                switch gate {
                case .root: root(facts, host)
                case .install: install(facts)
                case .system: system(facts, target)
                case .canopsisInstalled: canopsisInstalled(facts)
                case .editionStack: editionAndStack(facts, host)
                case .database: database(facts)
                case .initialized: initialized(facts)
                case .targetOffered: targetOffered(facts, target)
                case .packageManager: packageManager(facts, target)
                case .hostLock: hostLock(facts)
                case .diskSpace: diskSpace(facts)
                case .memory: memory(facts)
                case .clock: clock(facts)
                case .reboot: reboot(facts)
                case .selinux: selinux(facts, target)
                case .systemd: systemd(facts)
                case .units: units(facts)
                case .services: services(facts, host)
                case .conffiles: conffiles(facts)
                case .engineRouting: engineRouting(facts, host, target)
                case .redis: redis(facts, target)
                case .addons: addons(facts, host)
                case .facts: unread(facts)
                }
            return GateFinding(
                gate: gate.rawValue, verdict: answer.verdict, text: answer.text.escapedForTerminal(),
                remedy: answer.remedy.escapedForTerminal()
            ).overridden(because: gate.isOverridable ? host.overrides[gate.rawValue] : nil)
        }
    }

    /// The exact package versions that bring every installed package of the product to `target`, sorted by name.
    ///
    /// A package that is at the target already stays in its revision; of several revisions on offer the highest is taken. Nil
    /// if one package has no such version, or if nobody knows what is on offer.
    public static func packages(to target: CanopsisVersion, _ facts: HostFacts) -> [Package]? {
        guard !facts.installed.isEmpty else { return nil }
        var packages: [Package] = []
        for package in facts.installed {
            if CanopsisVersion(packageVersion: package.version) == target {
                packages.append(package)
            } else if let offered = offered(package.name, target, facts.offer) {
                packages.append(offered)
            } else {
                return nil
            }
        }
        return packages.sorted()
    }

    private static func offered(_ name: String, _ target: CanopsisVersion, _ offer: Offer) -> Package? {
        guard case .packages(let all) = offer else { return nil }
        return all.filter { $0.name == name && CanopsisVersion(packageVersion: $0.version) == target }
            .max { isOlder($0.version, $1.version) }
    }

    /// Orders two package versions as people count: runs of digits by their number.
    private static func isOlder(_ left: String, _ right: String) -> Bool {
        func pieces(_ text: String) -> [Substring] {
            var pieces: [Substring] = []
            var rest = text[...]
            while let first = rest.first {
                let piece = rest.prefix { $0.isNumber == first.isNumber }
                pieces.append(piece)
                rest = rest.dropFirst(piece.count)
            }
            return pieces
        }
        let (a, b) = (pieces(left), pieces(right))
        for (x, y) in zip(a, b) where x != y {
            if let m = Int(x), let n = Int(y), m != n { return m < n }
            return x < y
        }
        return a.count < b.count
    }
}

extension Preflight.Gate {
    /// Whether the inventory may override it for a host.
    public var isOverridable: Bool {
        switch self {
        case .install, .system, .diskSpace, .clock, .selinux, .redis: true
        case .root, .canopsisInstalled, .targetOffered, .packageManager: false
        // The step before the packages looks at the same, and stops.
        case .database, .initialized, .editionStack: false
        // `services` and `addons` in the inventory say what is so.
        case .services, .addons: false
        // These never block.
        case .hostLock, .memory, .reboot, .systemd, .units, .conffiles, .engineRouting, .facts: false
        }
    }
}

/// What one gate says, without its name.
struct Answer {
    var verdict: GateFinding.Verdict
    var text: String
    var remedy: String

    static func pass(_ text: String) -> Answer { Answer(verdict: .pass, text: text, remedy: "") }
    static func warn(_ text: String, _ remedy: String) -> Answer { Answer(verdict: .warn, text: text, remedy: remedy) }
    static func block(_ text: String, _ remedy: String) -> Answer { Answer(verdict: .block, text: text, remedy: remedy) }
}

extension Preflight {
    // MARK: access and system

    private static func root(_ facts: HostFacts, _ host: Host) -> Answer {
        if facts.isRoot { return .pass(host.become == .sudo ? "root through sudo" : "root") }
        return host.become == .sudo
            ? .block("\(host.user) does not become root with `sudo -n`", "let \(host.user) use sudo without a password")
            : .block("\(host.user) is not root", "log in as root, or write `become: sudo` and let \(host.user) use sudo without a password")
    }

    private static func system(_ facts: HostFacts, _ target: CanopsisVersion?) -> Answer {
        let name = facts.system.name
        guard facts.packageManager != nil else {
            return .block("\(name) has neither apt nor yum", "upgrade this host by hand: Fleet drives packages through apt or yum")
        }
        guard let support = VendorSupport.of(facts.system) else {
            return .warn("\(name) is not a system the vendor names", "make sure that the packages on offer are meant for it")
        }
        if let target, let objection = support.objection(to: target) {
            return .block("\(name): \(objection)", "choose another target, or move the instance to a newer system")
        }
        return .pass(name)
    }

    private static func selinux(_ facts: HostFacts, _ target: CanopsisVersion?) -> Answer {
        let mode = facts.selinux
        // canoctl refuses whenever SELinux is on from 3.39.0 to the end of 3.x, and only while it enforces in 4.x.
        let refusing: Set<SELinuxMode> =
            switch target {
            case let target? where target >= CanopsisVersion(22, 10, 0): []
            case let target? where target >= CanopsisVersion(4, 0, 0): [.enforcing]
            case let target? where target >= CanopsisVersion(3, 39, 0): [.permissive, .enforcing]
            default: []
            }
        switch mode {
        case .disabled: return .pass("SELinux is off")
        case .unknown:
            return .warn(
                "the mode of SELinux could not be read",
                "look with `getenforce`: canoctl of 3.39.0 and later refuses to run with SELinux on")
        case _ where refusing.contains(mode):
            return .block(
                "SELinux is \(mode.rawValue): canoctl of the target refuses to run", "switch SELinux off in /etc/selinux/config and reboot")
        case .enforcing:
            return .warn(
                "SELinux is enforcing", "the vendor asks for SELinux to be off; canoctl of 3.39.0 and later refuses to run with it")
        case .permissive: return .pass("SELinux is permissive")
        }
    }

    private static func systemd(_ facts: HostFacts) -> Answer {
        if let version = facts.systemdVersion { return .pass("systemd \(version)") }
        return .warn(
            "systemd does not run this host, or does not say its version"
                + (facts.logindKills ? ", and logind ends what a session leaves behind" : ""),
            "steps will be started with setsid instead; `canoctl` and the units cannot work here"
                + (facts.logindKills ? ". Set KillUserProcesses=no, or a lost connection ends a step half-way" : ""))
    }

    private static func hostLock(_ facts: HostFacts) -> Answer {
        guard let holder = facts.lockHolder else { return .pass("free") }
        if holder.isInUse { return .warn("locked: \(holder.text)", "let that run end; until then the host is put off") }
        guard holder.isUnfinished else { return .pass("free: \(holder.text) went before anything was begun") }
        return .warn(
            "unfinished: \(holder.text)", "go on with `fleet resume \(holder.run?.text ?? "RUN")`, or free it with `fleet lock break`")
    }

    private static func diskSpace(_ facts: HostFacts) -> Answer {
        let missing = HostFacts.diskPaths.filter { facts.freeBytes[$0] == nil }
        let free = HostFacts.diskPaths.compactMap { path in facts.freeBytes[path].map { (path: path, bytes: $0) } }
        let full = free.filter { $0.bytes < leastFreeBytes }
        let low = free.filter { $0.bytes < comfortableFreeBytes }
        func list(_ paths: [(path: String, bytes: Int64)]) -> String {
            paths.map { "\($0.path) has \(megabytes($0.bytes)) free" }.joined(separator: ", ")
        }
        let remedy = "free some space: old packages (`apt-get clean`, `yum clean packages`) and logs in /opt/canopsis/var/log"
        if !full.isEmpty { return .block(list(full), remedy) }
        if let inodes = inodes(facts) { return inodes }
        if !low.isEmpty { return .warn(list(low), remedy) }
        if !missing.isEmpty { return .warn("free space could not be read for \(missing.joined(separator: ", "))", "look with `df`") }
        return .pass("at least \(megabytes(free.map(\.bytes).min() ?? 0)) free")
    }

    static func megabytes(_ bytes: Int64) -> String { "\(bytes >> 20) MiB" }

    // MARK: packages

    private static func canopsisInstalled(_ facts: HostFacts) -> Answer {
        if facts.unread.contains(where: { $0.section == "packages" }) {
            return .block(
                "the installed packages could not be read", "ask the package manager on the host, and repair what it complains of")
        }
        let list = facts.installed.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        guard !facts.installed.isEmpty else {
            return .block("no package of Canopsis is installed", "take the host out of the inventory; Fleet does not install Canopsis")
        }
        guard let version = facts.installedVersion else {
            return .block("the packages are not of one version: \(list)", "bring them to one version first")
        }
        guard let file = facts.versionFile else {
            return .warn("\(list), but VERSION.txt does not say a version", "look at /opt/canopsis/VERSION.txt: `canopsinit` reads it")
        }
        if file == version { return .pass(list) }
        // The package of 3.13.0 was published with the file of 3.12.0.
        if version == CanopsisVersion(3, 13, 0), file == CanopsisVersion(3, 12, 0) {
            return .pass("\(list); VERSION.txt says 3.12.0, as the vendor published it")
        }
        return .warn("\(list), but VERSION.txt says \(file)", "find out which is true: an upgrade may have been broken off")
    }

    private static func targetOffered(_ facts: HostFacts, _ target: CanopsisVersion?) -> Answer {
        let remedy = "repair the sources of the package manager and check again"
        guard let target else {
            switch facts.offer {
            case .couldNotTell(let words): return .warn("could not tell what is on offer: \(words)", remedy)
            case .notAsked: return .pass("not asked")
            case .packages(let offer):
                let names = Set(facts.installed.map(\.name))
                let versions = Set(offer.filter { names.contains($0.name) }.compactMap { CanopsisVersion(packageVersion: $0.version) })
                    .sorted()
                if versions.isEmpty {
                    return .warn("the repositories offer no package of Canopsis", "look at the sources of the package manager")
                }
                return .pass("on offer: " + versions.suffix(5).map(\.description).joined(separator: ", "))
            }
        }
        if let packages = packages(to: target, facts) {
            return .pass(packages.map { "\($0.name) \($0.version)" }.joined(separator: ", "))
        }
        switch facts.offer {
        case .couldNotTell(let words): return .block("could not tell what is on offer: \(words)", remedy)
        case .notAsked: return .block("nobody asked what is on offer", "check the host again")
        case .packages(let offer):
            let missing = facts.installed.filter {
                CanopsisVersion(packageVersion: $0.version) != target && offered($0.name, target, facts.offer) == nil
            }
            guard !missing.isEmpty else { return .block("no package of Canopsis is installed", "see canopsis-installed") }
            let text = missing.map { package in
                let versions = Set(offer.filter { $0.name == package.name }.compactMap { CanopsisVersion(packageVersion: $0.version) })
                    .sorted()
                let list = versions.suffix(5).map(\.description).joined(separator: ", ")
                return "\(package.name) \(target) is not on offer" + (list.isEmpty ? "" : " (\(list))")
            }
            return .block(text.joined(separator: "; "), "publish \(target) in the repository of this host, or choose a version it has")
        }
    }

    private static func packageManager(_ facts: HostFacts, _ target: CanopsisVersion?) -> Answer {
        guard let manager = facts.packageManager else { return .block("neither apt nor yum", "upgrade this host by hand") }
        let held = facts.installed.filter { facts.heldPackages.contains($0.name) && CanopsisVersion(packageVersion: $0.version) != target }
        if !held.isEmpty {
            let list = held.map(\.name).joined(separator: " ")
            let text = "held at its version by somebody: \(list)"
            let remedy = "find out why; if it may be upgraded, `apt-mark unhold \(list)`"
            return target == nil ? .warn(text, remedy) : .block(text, remedy)
        }
        if let holder = facts.packageLockHolder {
            return .warn("\(manager.rawValue) is in use by \(holder)", "wait for it; a step waits a while too")
        }
        guard let broken = facts.brokenPackages else {
            return .block("the package database could not be asked", "ask the package manager on the host, and repair what it complains of")
        }
        if broken.isEmpty { return .pass("\(manager.rawValue), nothing half done") }
        let shown = broken.prefix(5).joined(separator: "; ") + (broken.count > 5 ? "; and \(broken.count - 5) more" : "")
        let remedy =
            switch manager {
            case .apt: "run `dpkg --configure -a` on the host; if it does not help, `apt-get -f install`"
            case .yum: "run `yum-complete-transaction` on the host, or with `--cleanup-only` if its work was done otherwise"
            }
        if facts.canBeRepaired { return .warn(shown, "an upgrade runs `dpkg --configure -a` first, as a step of its own") }
        return .block(shown, remedy)
    }

    // MARK: Canopsis

    /// Compares what is declared with what is on the host: `canopsinit` would write the declared words into the database.
    private static func editionAndStack(_ facts: HostFacts, _ host: Host) -> Answer {
        let findings = [edition(facts, host), stack(facts, host), declared(facts, host)]
        let worst = findings.map(\.verdict).max { severity($0) < severity($1) } ?? .pass
        let telling = findings.filter { $0.verdict == worst }
        return Answer(
            verdict: worst, text: telling.map(\.text).filter { !$0.isEmpty }.joined(separator: "; "),
            remedy: telling.map(\.remedy).filter { !$0.isEmpty }.joined(separator: "; "))
    }

    private static func severity(_ verdict: GateFinding.Verdict) -> Int {
        switch verdict {
        case .pass: 0
        case .warn: 1
        case .block: 2
        }
    }

    private static func edition(_ facts: HostFacts, _ host: Host) -> Answer {
        var signs = facts.installed.map(\.name).filter { ["canopsis-cat", "canopsis-engines-go-cat", "canopsis-pro"].contains($0) }
        if facts.hasCatModules == true { signs.append("the modules canopsis_cat") }
        signs += facts.units.filter { $0.name.hasPrefix("canopsis-engine-cat@") && $0.isRunning }.map(\.name)
        let found: Edition = signs.isEmpty ? .core : .cat
        if found == host.edition { return .pass("edition \(found.rawValue)") }
        if found == .core, facts.hasCatModules == nil {
            return .warn("edition cat is declared, and whether its modules are there could not be told", "look on the host")
        }
        let evidence = signs.isEmpty ? "nothing of it is on the host" : "the host has " + signs.prefix(3).joined(separator: ", ")
        return .block(
            "declared edition \(host.edition.rawValue), but \(evidence)",
            "write `edition: \(found.rawValue)` if that is right; Fleet does not guess")
    }

    private static func stack(_ facts: HostFacts, _ host: Host) -> Answer {
        // A Go host runs some Python engines as well; these two are stopped there.
        let onlyPython = ["canopsis-engine@dynamic-alerts.service", "canopsis-engine@dynamic-context-graph.service"]
        func isGo(_ unit: UnitState) -> Bool { unit.name.hasPrefix("canopsis-engine-go@") }
        func isPython(_ unit: UnitState) -> Bool { onlyPython.contains(unit.name) }
        func signs(of units: [UnitState]) -> (go: UnitState?, python: UnitState?) {
            (units.first(where: isGo), units.first(where: isPython))
        }

        var (go, python) = signs(of: facts.units.filter(\.isRunning))
        if go == nil, python == nil { (go, python) = signs(of: facts.units.filter(\.isEnabled)) }
        switch (go, python) {
        case (let go?, let python?):
            return .block(
                "\(go.name) and \(python.name) are both \(go.isRunning ? "running" : "enabled"): the stack cannot be told",
                "disable and stop the engines of the stack that is not used")
        case (let go?, nil):
            if host.stack == .go { return .pass("stack go") }
            return .block(
                "declared stack python, but \(go.name) is \(go.isRunning ? "running" : "enabled")",
                "write `stack: go` if that is right; Fleet does not guess")
        case (nil, let python?):
            if host.stack == .python { return .pass("stack python") }
            return .block(
                "declared stack go, but \(python.name) is \(python.isRunning ? "running" : "enabled")",
                "write `stack: python` if that is right; Fleet does not guess")
        case (nil, nil):
            return .warn(
                "stack \(host.stack.rawValue) is declared, and no engine on the host tells",
                "make sure that it is right: canopsinit writes it into the database")
        }
    }

    private static func units(_ facts: HostFacts) -> Answer {
        if facts.unread.contains(where: { $0.section == "units" }) {
            return .warn("the units could not be read", "look with `systemctl list-units -a 'canopsis-*'`")
        }
        let failed = facts.units.filter { $0.active == "failed" || $0.sub == "auto-restart" }
        let running = facts.units.filter(\.isRunning)
        if running.isEmpty {
            return .warn(
                "no unit of Canopsis runs\(failed.isEmpty ? "" : "; failed: " + names(failed))",
                "start it and see that it works: what does not run before cannot be compared after")
        }
        if !failed.isEmpty {
            return .warn(
                "\(running.count) running, failed: \(names(failed))",
                "repair or disable them; an upgrade is not blamed for what failed before")
        }
        return .pass("\(running.count) running")
    }

    private static func names(_ units: [UnitState]) -> String {
        units.prefix(10).map { "\($0.name) (\($0.result.isEmpty ? $0.sub : $0.result))" }.joined(separator: ", ")
            + (units.count > 10 ? " and \(units.count - 10) more" : "")
    }

    private static func addons(_ facts: HostFacts, _ host: Host) -> Answer {
        let other = facts.otherPackages.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        guard let names = host.addons else {
            return .block(
                "the inventory does not say what add-ons the customer has" + (other.isEmpty ? "" : "; the host has \(other)"),
                "write `addons: none` if there are none, else list the step files")
        }
        if names.isEmpty, !other.isEmpty {
            return .warn("the inventory says there are no add-ons, but the host has \(other)", "make sure that they work with the target")
        }
        return .pass(names.isEmpty ? "none" : names.joined(separator: ", "))
    }

    private static func unread(_ facts: HostFacts) -> Answer {
        if facts.unread.isEmpty { return .pass("all read") }
        return .warn("not read: " + facts.unread.map(\.text).joined(separator: "; "), "look on the host what is unusual there")
    }
}
