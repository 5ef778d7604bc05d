import FleetCore
import FleetDocuments
import Foundation
import Testing

@Suite("An inventory file")
struct InventoryFileTests {
    @Test("a host's own value comes before its group's, the inner group's before the outer's, all before the file's")
    func precedence() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            groups:
              outer:
                groups:
                  inner:
                    hosts:
                      own: {user: host}
                      inner:
                    defaults: {user: inner}
                hosts:
                  outer:
                defaults: {user: outer, stack: go}
            hosts: {file: }
            defaults: {user: file, port: 2222}
            """)
        let hosts = try folder.inventory().hosts
        #expect(hosts.map(\.name.text) == ["own", "inner", "outer", "file"])
        #expect(hosts.map(\.user) == ["host", "inner", "outer", "file"])
        #expect(hosts.map(\.port) == [2222, 2222, 2222, 2222])
        #expect(hosts.map(\.stack) == [.go, .go, .go, .python])
        #expect(hosts.map(\.groups) == [["outer", "inner"], ["outer", "inner"], ["outer"], []])
    }

    @Test("a host that says nothing has its name as address and the documented values")
    func nothingSaid() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: }")
        let expected = Host(
            name: try #require(HostName("acme-1")), address: "acme-1", port: 22, user: "root", identity: nil,
            knownHosts: "\(folder.path)/home/.ssh/known_hosts", become: .none, edition: .core, stack: .python, packages: .system,
            customer: nil, addons: nil, settle: .seconds(60), groups: [])
        #expect(try folder.inventory().hosts == [expected])
    }

    @Test("every key is read")
    func everyKey() throws {
        let folder = try TemporaryFolder()
        let key = try folder.write("a key", to: "keys/own")
        let password = try folder.write("hunter2\n", to: "secrets/acme")
        try folder.write(
            """
            hosts:
              acme-1: {address: a.example.net, port: 2222, user: upgrader, identity: keys/own, known_hosts: ~/hosts, become: sudo,
                edition: cat, stack: go, packages: canopsis, customer: "Acmé & Co", addons: none, settle: 90s,
                labels: {site: paris, rack.row: "12"}, accounts: stop, services: remote, overrides: {disk-space: it grows},
                web: {url: https://acme.example.net/canopsis, user: probe, password_file: secrets/acme, tls: trust-host}}
            """)
        let expected = Host(
            name: try #require(HostName("acme-1")), address: "a.example.net", port: 2222, user: "upgrader", identity: key,
            knownHosts: "\(folder.path)/home/hosts", become: .sudo, edition: .cat, stack: .go, packages: .canopsis, customer: "Acmé & Co",
            labels: ["site": "paris", "rack.row": "12"], addons: [], accounts: .stop, services: .remote,
            overrides: ["disk-space": "it grows"], settle: .seconds(90),
            web: WebAccess(
                address: try #require(WebAddress("https://acme.example.net/canopsis")), user: "probe", passwordFile: password,
                tls: .trustHost), groups: [])
        #expect(try folder.inventory().hosts == [expected])
    }

    @Test("a host's labels are added to those of the defaults around it, its own value of one coming first")
    func labels() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            defaults: {labels: {site: paris, tier: gold}}
            hosts:
              own-[1:2]: {labels: {site: lyon, rack: 7}}
              file:
            """)
        let hosts = try folder.inventory().hosts
        let own = ["site": "lyon", "tier": "gold", "rack": "7"]
        #expect(hosts.map(\.labels) == [own, own, ["site": "paris", "tier": "gold"]])
    }

    @Test("what a host says of its web interface is added to the defaults around it, key by key; the password is one line of its file")
    func web() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("hunt er2\r\n", to: "secrets/all")
        try folder.write(
            """
            defaults: {web: {user: probe, password_file: secrets/all}}
            hosts:
              front: {web: {url: "http://front:80/canopsis", user: other}}
              usual:
            """)
        let hosts = try folder.inventory().hosts
        #expect(hosts.map(\.web.user) == ["other", "probe"])
        #expect(hosts.map(\.web.passwordFile) == [file, file])
        #expect(hosts.map(\.web.address.description) == ["http://front/canopsis", "http://127.0.0.1:8082"])
        #expect(try PasswordFile(file).read().revealed() == "hunt er2")
        #expect(!"\(hosts)".contains("hunt er2"), "the inventory has the file, not what it holds")
    }

    @Test("a password file with several lines, with nothing, or for others as well is refused, without a word of what it holds")
    func passwordFiles() throws {
        let folder = try TemporaryFolder()
        for (text, permissions, code) in [
            ("hunter2\nmore\n", 0o600, "password-file-unfit"), ("\n", 0o600, "password-file-unfit"), ("", 0o600, "password-file-unfit"),
            ("hunter2", 0o640, "password-file-open"),
        ] {
            let file = try folder.write(text, to: "secret", permissions: permissions)
            let problem = #expect(throws: Problem.self) { try PasswordFile(file).read() }
            #expect(problem?.code == code)
            #expect(problem?.description.contains("hunter2") == false)
        }
    }

    @Test("ranges of name and address are counted in step and keep leading zeros")
    func ranges() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            hosts:
              globex-[08:11]: {address: "10.0.[0:1].[7:8]"}
              one-[5:5]: {address: one.example.net}
            """)
        let hosts = try folder.inventory().hosts
        #expect(hosts.map(\.name.text) == ["globex-08", "globex-09", "globex-10", "globex-11", "one-5"])
        #expect(hosts.map(\.address) == ["10.0.0.7", "10.0.0.8", "10.0.1.7", "10.0.1.8", "one.example.net"])
    }

    @Test("anchors and merge keys are carried out, a host's own keys before merged ones")
    func mergeKeys() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            defaults: &base {user: a, stack: go}
            groups:
              one: &group
                hosts:
                  acme-1: {<<: *base, user: b, address: acme-1.example.net}
                  acme-2: {<<: [{port: 23}, {port: 24, user: c}]}
            """)
        let hosts = try folder.inventory().hosts
        #expect(hosts.map(\.user) == ["b", "c"])
        #expect(hosts.map(\.port) == [22, 23])
        #expect(hosts.map(\.stack) == [.go, .go])
    }

    @Test("hosts that name no key use the first usual one that is there")
    func usualKeys() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: }")
        #expect(try folder.inventory().hosts.map(\.identity) == [nil])
        let second = try folder.write("a key", to: "home/.ssh/id_ecdsa")
        #expect(try folder.inventory().hosts.map(\.identity) == [second])
        let first = try folder.write("a key", to: "home/.ssh/id_ed25519")
        #expect(try folder.inventory().hosts.map(\.identity) == [first])
    }

    @Test("one address with different ports is no mistake, nor is a default address")
    func onePortEach() throws {
        let folder = try TemporaryFolder()
        try folder.write("defaults: {address: 127.0.0.1}\nhosts: {a: {port: 2201}, b: {port: 2202}, c: {address: 127.0.0.2, port: 2201}}")
        #expect(try folder.inventory().hosts.map(\.address) == ["127.0.0.1", "127.0.0.1", "127.0.0.2"])
    }

    @Test("IPv6 addresses are read", arguments: ["::1", "fe80::1%eth0", "2001:db8::a:1"])
    func ipv6(_ address: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: {address: \"\(address)\"}}")
        #expect(try folder.inventory().hosts.map(\.address) == [address])
    }

    @Test("line ends of Windows and a byte order mark change nothing, line numbers included")
    func windows() throws {
        let folder = try TemporaryFolder()
        try folder.write("\u{feff}hosts:\r\n  acme-1: {user: a}\r\n  acme-2: {user: b}\r\n")
        #expect(try folder.inventory().hosts.map(\.user) == ["a", "b"])
        try folder.write("\u{feff}hosts:\r\n  acme-1: {user: a}\r\n  acme-2:\r\n    user: b\r\n    user: c\r\n")
        #expect(folder.complaints() == "fleet.yaml:5: `user` is given twice, first on line 4.\n    Keep one of the two.")
    }

    @Test("a directory is one inventory, its files sorted, each with its own defaults")
    func directory() throws {
        let folder = try TemporaryFolder()
        try folder.write("defaults: {user: b}\ngroups: {production: {hosts: {b-1: }}}", to: "fleet/b.yaml")
        try folder.write("defaults: {user: a}\ngroups: {production: {hosts: {a-1: }}}", to: "fleet/a.yaml")
        try folder.write("not YAML: [", to: "fleet/README.md")
        let inventory = try folder.inventory("fleet")
        #expect(inventory.hosts.map(\.name.text) == ["a-1", "b-1"])
        #expect(inventory.hosts.map(\.user) == ["a", "b"])
        #expect(inventory.groups == ["production"])
    }

    @Test("a relative path is made absolute")
    func relativePath() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: {known_hosts: hosts}}")
        let up = String(repeating: "../", count: FileManager.default.currentDirectoryPath.split(separator: "/").count)
        let inventory = try InventoryFile(up + folder.path.dropFirst() + "/fleet.yaml", home: folder.path).read()
        let knownHosts = try #require(inventory.hosts[0].knownHosts)
        #expect(knownHosts.hasPrefix("/"))
        #expect(URL(fileURLWithPath: knownHosts).standardized.path == "\(folder.path)/hosts")
    }
}

@Suite("The example inventories")
struct ExampleInventoriesTests {
    static let folder =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/inventory"
    /// The lab's own inventory is no example: it comes and goes with its hosts, and is empty in between.
    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".yaml") && $0 != "lab.yaml" }.sorted()

    @Test("each is read without a complaint", arguments: files)
    func isRead(_ file: String) throws {
        #expect(throws: Never.self) { try InventoryFile("\(Self.folder)/\(file)", home: "/nonexistent").read() }
    }

    @Test("all of them are there, and are one inventory together")
    func together() throws {
        #expect(Set(Self.files).isSuperset(of: ["add-ons.yaml", "customers.yaml", "small.yaml", "sudo.yaml"]))
        let folder = try TemporaryFolder()
        for file in Self.files {
            try folder.write(String(contentsOfFile: "\(Self.folder)/\(file)", encoding: .utf8), to: "fleet/\(file)")
        }
        for beside in ["add-ons", "hooks"] {
            try FileManager.default.copyItem(atPath: "\(Self.folder)/\(beside)", toPath: "\(folder.path)/fleet/\(beside)")
        }
        let inventory = try folder.inventory("fleet")
        #expect(inventory.hosts.count == 26)
        #expect(inventory.hosts.allSatisfy { $0.addons != nil }, "none of them would be blocked for that")
        #expect(inventory.addOns.map(\.steps.count) == [3] && inventory.hooks.count == 4)
    }

    @Test("the example in README.md is one, too")
    func readme() throws {
        let readme = try String(contentsOfFile: "\(Self.folder)/README.md", encoding: .utf8)
        let example = try #require(readme.components(separatedBy: "```yaml\n").dropFirst().first?.components(separatedBy: "```").first)
        let folder = try TemporaryFolder()
        try folder.write(example)
        #expect(try folder.inventory().hosts.count == 23)
    }

    @Test("customers.yaml means what its comments say")
    func customers() throws {
        let inventory = try InventoryFile("\(Self.folder)/customers.yaml", home: "/nonexistent").read()
        let globex = try #require(inventory.hosts.first { $0.name.text == "globex-01" })
        #expect(globex.address == "globex-01.example.net")
        #expect(globex.groups == ["production", "globex"])
        #expect([globex.edition.rawValue, globex.stack.rawValue, globex.packages.rawValue] == ["cat", "go", "canopsis"])
        let initech = inventory.hosts.filter { $0.customer == "initech" }
        #expect(initech.map(\.stack) == [.go, .python])
        #expect(initech.map(\.edition) == [.cat, .cat])
        #expect(try inventory.selected(by: HostSelection(["production,!initech"])).hosts.count == 14)
    }
}
