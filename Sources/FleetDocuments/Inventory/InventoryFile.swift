import FleetCore

/// An inventory on disk: a YAML file, or a directory whose `*.yaml` files are one inventory together.
///
/// `inventory/README.md` describes the form. The defaults of a file are for the hosts of that file.
public struct InventoryFile: Sendable {
    /// The path of the file or the directory, as given.
    public var path: String
    /// What `~/` stands for in the file; absolute.
    public var home: String

    /// Names an inventory; `home` is that of the user unless given.
    public init(_ path: String, home: String? = nil) {
        self.path = path
        self.home = home ?? Folder.userHome
    }

    /// Reads and checks everything; throws every mistake there is, in the order of files and lines.
    public func read() throws(Problems) -> Inventory {
        var (declared, problems): ([DeclaredHost], [Problem]) = ([], [])
        var references: [AddOnReference] = []
        var hooks: (byEvent: [HookEvent: Hook], place: Problem.Place)?
        let files = try YAMLFiles(path: path, role: "inventory", holding: "inventories").paths()
        for file in files {
            do throws(Problem) {
                var reader = InventoryReader(path: file, home: home)
                reader.read(try TextFile(path: file, role: "inventory").read())
                declared += reader.hosts
                references += reader.addOnReferences
                if let found = reader.hooks {
                    let place = Problem.Place.file(file, line: found.line)
                    if let hooks { problems.append(.hooksTwice(first: hooks.place, at: place)) }
                    hooks = hooks ?? (found.byEvent, place)
                }
                problems += reader.problems
            } catch {
                problems.append(error)
            }
        }
        problems += Self.duplicates(among: declared)
        let addOns = AddOnFiles(references)
        problems += addOns.problems
        let (hosts, keyProblem) = withUsualFiles(declared.map { Self.withNames($0.host, of: addOns) })
        if let keyProblem { problems.append(keyProblem) }
        guard problems.isEmpty else { throw Problems(problems.inOrder(of: files + addOns.shown)) }
        return Inventory(
            hosts: hosts, addOns: addOns.byFile.values.sorted { $0.name < $1.name }, hooks: hooks?.byEvent ?? [:])
    }

    /// The host with the names of its add-ons in the place of their files.
    private static func withNames(_ host: Host, of addOns: AddOnFiles) -> Host {
        var host = host
        host.addons = host.addons?.compactMap { addOns.byFile[$0]?.name }
        return host
    }

    /// Hosts that say nothing of keys use the files OpenSSH would use.
    private func withUsualFiles(_ hosts: [Host]) -> ([Host], Problem?) {
        let usualKey = hosts.contains { $0.identity == nil } ? KeyFile.usual(in: home) : nil
        let complete = hosts.map { host in
            var host = host
            host.identity = host.identity ?? usualKey?.path
            host.knownHosts = host.knownHosts ?? "\(home)/.ssh/known_hosts"
            return host
        }
        return (complete, usualKey?.problem)
    }

    /// Names and addresses that occur twice; hosts of one line are one complaint.
    private static func duplicates(among declared: [DeclaredHost]) -> [Problem] {
        var firstByName: [HostName: DeclaredHost] = [:]
        var firstByAddress: [String: DeclaredHost] = [:]
        var namesByPlaces: [[Problem.Place]: [HostName]] = [:]
        var problems: [Problem] = []
        for one in declared {
            if let first = firstByName[one.host.name] {
                namesByPlaces[[first.place, one.place], default: []].append(one.host.name)
                continue
            }
            firstByName[one.host.name] = one
            guard one.isSound else { continue }
            let address = "\(Address.canonical(one.host.address)) \(one.host.port)"
            if let first = firstByAddress[address] {
                problems.append(.duplicateAddress(one.host, first.host.name, first: first.place, at: one.place))
            } else {
                firstByAddress[address] = one
            }
        }
        return problems + namesByPlaces.map { .duplicateHosts($1, first: $0[0], at: $0[1]) }
    }
}

extension DeclaredHost {
    fileprivate var place: Problem.Place { .file(file, line: line) }
}
