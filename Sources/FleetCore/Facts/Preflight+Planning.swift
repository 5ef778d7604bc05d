// The gates on what is read before an upgrade is planned.

extension Preflight {
    /// A clock that is wrong by more seconds than this is worth knowing.
    public static let comfortableClockOffset: Int64 = 60
    /// One that is wrong by so many keeps a host out.
    public static let mostClockOffset: Int64 = 300
    /// Fewer free inodes than this on a file system that matters block: a release's packages have some ten thousand files.
    public static let leastFreeInodes: Int64 = 20_000
    /// Less memory than this, in bytes, that programs can still have is worth knowing.
    public static let comfortableMemory: Int64 = 256 << 20

    private static func notAsked(_ what: String) -> Answer { .warn("\(what): nobody asked", "check the host again") }

    static func install(_ facts: HostFacts) -> Answer {
        guard let planning = facts.planning else { return notAsked("containers") }
        guard let signs = planning.containers else {
            return .warn("whether Canopsis runs in containers could not be told", "look with `docker ps -a`")
        }
        let remedy = "take the host out of the inventory: the procedure is for packages, and an upgrade in containers is another one"
        if !signs.images.isEmpty {
            return .block("Canopsis runs in containers: \(signs.images.prefix(3).joined(separator: ", "))", remedy)
        }
        if !signs.files.isEmpty {
            let files = signs.files.prefix(3).joined(separator: ", ")
            if facts.installed.isEmpty { return .block("Canopsis is set up for containers: \(files)", remedy) }
            return .warn("\(files) sets Canopsis up for containers beside the packages", "make sure that the packages are what runs")
        }
        if signs.isSilent {
            return .warn("there is a Docker that does not answer", "look with `docker ps -a` whether Canopsis is in containers")
        }
        return .pass("from packages")
    }

    static func database(_ facts: HostFacts) -> Answer {
        guard let planning = facts.planning else { return notAsked("the database") }
        switch planning.database {
        case .silent(let words):
            return .block(
                "MongoDB does not answer: \(words)",
                "start it, or correct \(DatabaseScript.settings); canopsinit would try for minutes and fail after the packages are new")
        case .couldNotTell(let words):
            return .warn(
                "could not tell what is in the database: \(words)",
                "make sure that MongoDB answers, and that its collection `initialized` has the document of that name")
        case .answered(let marks):
            guard let version = marks.version else {
                return .warn("the database says no version", "see whether canopsinit ever ran to its end")
            }
            if let installed = facts.installedVersion, version != installed {
                return .warn(
                    "the database says \(version), \(installed) is installed", "see whether canopsinit ran after the packages were changed")
            }
            return .pass("it answers, and says \(version)")
        }
    }

    static func initialized(_ facts: HostFacts) -> Answer {
        guard let planning = facts.planning else { return notAsked("the marker `initialized`") }
        guard case .answered(let marks) = planning.database else {
            return .warn("could not tell whether the marker `initialized` is there", "see the gate `database`")
        }
        if marks.isInitialized { return .pass("the marker is there") }
        return .block(
            "the marker `initialized` is missing: canopsinit would take the database for a new one and drop collections",
            "look at the database with the vendor's support; it is the document `initialized` in the collection of that name")
    }

    /// What the database declares against what the inventory does; a pass where it says nothing of it.
    static func declared(_ facts: HostFacts, _ host: Host) -> Answer {
        guard case .answered(let marks) = facts.planning?.database else { return .pass("") }
        let wrong = [("edition", marks.edition, host.edition.rawValue), ("stack", marks.stack, host.stack.rawValue)].filter {
            _, found, wanted in
            found != nil && found != wanted
        }
        if wrong.isEmpty { return .pass("") }
        return .block(
            wrong.map { "the database says \($0) \($1 ?? "-"), the inventory \($2)" }.joined(separator: "; "),
            "correct the inventory; if the database is wrong, correct it there first: canopsinit writes the inventory's words into it")
    }

    static func inodes(_ facts: HostFacts) -> Answer? {
        let low = HostFacts.diskPaths.compactMap { path in facts.planning?.freeInodes[path].map { (path: path, count: $0) } }
            .filter { $0.count < leastFreeInodes }
        if low.isEmpty { return nil }
        return .block(
            low.map { "\($0.path) has \($0.count) inodes free" }.joined(separator: ", "),
            "remove files: old logs and sessions, by their number")
    }

    static func memory(_ facts: HostFacts) -> Answer {
        guard let available = facts.memory?.available else { return .warn("the memory could not be read", "look with `free -m`") }
        let text = "\(megabytes(available)) can be had"
        if available >= comfortableMemory { return .pass(text) }
        return .warn("only \(text)", "see what takes it: the package manager and canopsinit need some beside the engines")
    }

    static func clock(_ facts: HostFacts) -> Answer {
        guard let planning = facts.planning else { return notAsked("the clock") }
        guard let offset = planning.clockOffset else { return .warn("the host's clock could not be compared", "look with `date`") }
        let seconds = offset.magnitude
        let amount = seconds < 120 ? "\(seconds) s" : seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
        let text = "the clock is \(amount) \(offset > 0 ? "ahead of" : "behind") the coordinator's"
        let remedy = "set it, and see why it is not kept (`timedatectl`, chrony, ntpd)"
        if seconds >= mostClockOffset {
            return .block("\(text): repositories and certificates may count as expired or not yet valid", remedy)
        }
        if seconds >= comfortableClockOffset { return .warn(text, remedy) }
        return .pass("as the coordinator's")
    }

    static func reboot(_ facts: HostFacts) -> Answer {
        guard let planning = facts.planning else { return notAsked("a reboot") }
        guard let reasons = planning.rebootReasons else {
            return .warn("whether a reboot is pending could not be told", "look with `uname -r` and in /boot")
        }
        if reasons.isEmpty { return .pass("none is pending") }
        return .warn(
            "a reboot is pending: \(reasons.joined(separator: "; "))",
            "better reboot before, so that a failure is not blamed on the upgrade")
    }

    static func services(_ facts: HostFacts, _ host: Host) -> Answer {
        guard let planning = facts.planning else { return notAsked("services") }
        guard let services = planning.services else {
            return .warn("where the services are could not be read", "look into /opt/canopsis/etc")
        }
        let remote = services.remote(address: host.address)
        if remote.isEmpty { return .pass(host.services == .remote ? "declared remote, all on this host" : "on this host") }
        let text =
            remote.prefix(4).map { "\($0.host) in \($0.file)" }.joined(separator: ", ")
            + (remote.count > 4 ? " and \(remote.count - 4) more" : "")
        if host.services == .remote { return .pass("on other machines, as declared: \(text)") }
        return .block(
            "services on other machines: \(text)",
            "this may be one node of several: make sure that nobody else upgrades the same database, then write `services: remote`")
    }

    static func conffiles(_ facts: HostFacts) -> Answer {
        guard let planning = facts.planning else { return notAsked("configuration files") }
        guard let conffiles = planning.conffiles else {
            return .warn("whether configuration files were edited could not be told", "look with `dpkg -V` or `rpm -V`")
        }
        func list(_ files: [String]) -> String {
            files.prefix(5).joined(separator: ", ") + (files.count > 5 ? " and \(files.count - 5) more" : "")
        }
        let (usual, edited) = conffiles.edited.reduce(into: ([String](), [String]())) { parts, file in
            if editedByDeployment.contains(file) { parts.0.append(file) } else { parts.1.append(file) }
        }
        var texts: [String] = []
        if !edited.isEmpty { texts.append("edited by hand: \(list(edited))") }
        if !conffiles.leftOver.isEmpty { texts.append("never merged: \(list(conffiles.leftOver))") }
        if texts.isEmpty { return .pass(usual.isEmpty ? "as delivered" : "as a deployment leaves them") }
        return .warn(
            texts.joined(separator: "; "),
            "an upgrade keeps the edited file and lays a new one beside it (.dpkg-dist, .rpmnew): compare them, before and after")
    }

    /// What a deployment writes on every host: the addresses of its services, and the chain of its engines.
    ///
    /// - Source: `deploy-ansible/.../config-canopsis.yml` and `config-python-engines.yml` of the vendor.
    private static let editedByDeployment: Set<String> = Set(
        [
            "common/mongo_store.conf", "mongo/storage.conf", "cstorage.conf", "amqp.conf", "common/redis_store.conf", "influx/storage.conf",
            "amqp2engines.conf", "go-engines-vars.conf",
        ].map { "/opt/canopsis/etc/\($0)" })

    /// From 3.44.0 on the packages bring the routing of Go engines. One that was never edited is replaced without a question.
    static func engineRouting(_ facts: HostFacts, _ host: Host, _ target: CanopsisVersion?) -> Answer {
        let flip = CanopsisVersion(3, 44, 0)
        guard host.stack == .python, let target, target >= flip, let installed = facts.installedVersion, installed < flip else {
            return .pass("stays as it is")
        }
        guard let conffiles = facts.planning?.conffiles else {
            return .warn(
                "could not tell whether amqp2engines.conf was edited", "compare it after the upgrade: it must be one for Python engines")
        }
        if conffiles.edited.contains("/opt/canopsis/etc/amqp2engines.conf") { return .pass("edited, so it is kept") }
        return .warn(
            "amqp2engines.conf was never edited: the packages replace it by the routing of Go engines",
            "nothing: a step keeps a copy before, and another puts it back after the packages")
    }

    static func redis(_ facts: HostFacts, _ target: CanopsisVersion?) -> Answer {
        let first = CanopsisVersion(3, 39, 0)
        guard let target, target >= first, let installed = facts.installedVersion, installed < first else { return .pass("not asked for") }
        switch facts.planning?.redis ?? .unknown {
        case .major(let version) where version >= 5: return .pass("Redis \(version)")
        case .major(let version):
            return .block(
                "Redis \(version) is installed, 3.39.0 and later need 5",
                "upgrade Redis first, from a source the vendor's support agrees to")
        case .absent:
            return .warn("no Redis server is installed here", "make sure that the one in use is 5 or newer: `redis-cli info server`")
        case .unknown: return .warn("the version of Redis could not be read", "look with `redis-server --version`: 3.39.0 and later need 5")
        }
    }
}
