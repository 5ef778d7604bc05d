import FleetCore
import Foundation
import Testing

@Suite("What a host says about itself")
struct FactsParsingTests {
    @Test("a Debian host of the lab is read in full")
    func debian() throws {
        let facts = try FactsFixture("debian12-lab").facts()

        #expect(facts.unread.isEmpty)
        #expect(facts.identity == HostIdentity(machineID: "558453d786b140d0996b99ef1ad01c2c", hostKey: FactsFixture.hostKey))
        #expect(facts.system == OperatingSystem(id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)"))
        #expect(facts.architecture == "x86_64")
        #expect(facts.packageManager == .apt)
        #expect(facts.systemdVersion == 252)
        #expect(facts.isRoot)
        #expect(facts.installed == [Package(name: "canopsis-core", version: "3.25.0-1")])
        #expect(facts.versionFile == CanopsisVersion(3, 25, 0))
        #expect(facts.offer == .packages(["3.25.0-1", "3.26.0-1"].map { Package(name: "canopsis-core", version: $0) }))
        #expect(facts.units.count == 8 && facts.units.allSatisfy { $0.isRunning && $0.isEnabled })
        #expect(facts.units.map(\.name).contains("canopsis-webserver.service"))
        #expect(facts.units.first?.startedMicroseconds == 1_829_095_493)
        #expect(facts.freeBytes.keys.sorted() == HostFacts.diskPaths.sorted())
        #expect(facts.selinux == .disabled)
        #expect(facts.packageLockHolder == nil)
        #expect(facts.brokenPackages == [])
        #expect(facts.hasCatModules == false)
        #expect(facts.bootID?.utf8.count == 36)
        #expect(facts.memory?.total == Int64(24_684_096 * 1024))
    }

    @Test("a yum host of the lab is read in full")
    func yum() throws {
        let facts = try FactsFixture("centos7-lab").facts()

        #expect(facts.unread.isEmpty)
        #expect(facts.system.id == "centos" && facts.system.version == "7")
        #expect(facts.packageManager == .yum)
        #expect(facts.installed == [Package(name: "canopsis-core", version: "3.25.0-1.el7")])
        #expect(facts.installedVersion == CanopsisVersion(3, 25, 0))
        #expect(facts.offer == .packages(["3.25.0-1.el7", "3.26.0-1.el7"].map { Package(name: "canopsis-core", version: $0) }))
    }

    @Test("a noisy host with Go engines, asked through sudo, is read in full")
    func noisyGo() throws {
        let facts = try FactsFixture("debian8-lab-go").facts()

        #expect(facts.unread.isEmpty)
        #expect(facts.system.version == "8" && facts.systemdVersion == 215)
        #expect(facts.units.filter { $0.name.hasPrefix("canopsis-engine-go@") && $0.isRunning }.count == 6)
        #expect(facts.offer == .packages(["3.25.0-1", "3.26.0-1"].map { Package(name: "canopsis-core", version: $0) }))
    }

    @Test("a list of yum that is broken into lines is read like one that is not")
    func wrappedList() throws {
        let facts = try FactsFixture("centos7-from-documentation").facts()

        guard case .packages(let offer) = facts.offer else {
            Issue.record("\(facts.offer)")
            return
        }
        #expect(offer.filter { $0.name == "canopsis-engines-go-cat" }.map(\.version) == ["3.38.0-1.el7", "3.39.0-1.el7"])
        #expect(facts.packageLockHolder == "process 2215 (/usr/bin/python /usr/bin/yum -y update), lock /var/run/yum.pid")
        #expect(facts.brokenPackages == ["unfinished yum transaction: /var/lib/yum/transaction-all.2020-11-13.18:02.11"])
        #expect(facts.units.first { $0.name.contains("webhook") }?.isRunning == false)
        #expect(facts.freeBytes["/opt"] == Int64(150_000 * 1024))
    }

    @Test("a yum that offers nothing, or talks before its list, is understood")
    func yumTalks() throws {
        let fixture = try FactsFixture("centos7-lab")

        #expect(try fixture.facts(with: "offer", saying: "status\tread").offer == .packages([]))
        let talk = "status\tread\nLoaded plugins: fastestmirror\nInstalled Packages\ncanopsis-core.x86_64 3.25.0-1.el7 @canopsis\n"
        let list = "Available Packages\ncanopsis-core.x86_64 0:3.26.0-1.el7 canopsis"
        #expect(
            try fixture.facts(with: "offer", saying: talk + list).offer
                == .packages([Package(name: "canopsis-core", version: "3.26.0-1.el7")]))
    }

    @Test("sources of source code are not packages on offer")
    func sourceCode() throws {
        let offer = try FactsFixture("debian12-lab").facts(
            with: "offer", saying: "status\tread\ncanopsis-core | 3.26.0-1 | http://x stable/main Sources"
        ).offer
        #expect(offer == .packages([]))
    }

    @Test("a source that cannot be read is told in the host's words, never as an empty offer", arguments: ["debian12", "centos7"])
    func deadSource(system: String) throws {
        let facts = try FactsFixture("\(system)-dead-source").facts()
        guard case .couldNotTell(let words) = facts.offer else {
            Issue.record("\(facts.offer)")
            return
        }
        #expect(words.contains("Failed to"))
        #expect(facts.unread.isEmpty)
    }

    @Test("a login in the address of a source is not repeated")
    func credentials() throws {
        guard case .couldNotTell(let words) = try FactsFixture("debian8-from-documentation").facts().offer else {
            Issue.record("the offer was told")
            return
        }
        #expect(words.contains("https://***@repositories.example.net/pulp"))
        #expect(!words.contains("secret"))
    }

    @Test("a half-configured package is installed and broken, one that left only its configuration is neither")
    func halfConfigured() throws {
        let facts = try FactsFixture("debian12-half-configured").facts()
        #expect(facts.installed == [Package(name: "canopsis-core", version: "3.26.0-1")])
        #expect(facts.brokenPackages?.first == "iF canopsis-core 3.26.0-1")
        #expect(facts.brokenPackages?.count == 2)
        #expect(facts.packageLockHolder == nil)
    }

    @Test("the holder of a package manager's lock is named with its command line")
    func locked() throws {
        let facts = try FactsFixture("debian12-locked").facts()
        #expect(facts.packageLockHolder?.hasSuffix(" (/usr/bin/apt-get -y upgrade), lock /var/lib/dpkg/lock-frontend") == true)
    }

    @Test("without root's rights it says so, and does not tell what is on offer")
    func notRoot() throws {
        let facts = try FactsFixture("debian12-not-root").facts()
        #expect(!facts.isRoot)
        #expect(facts.offer == .couldNotTell("only root can refresh a package index"))
    }

    @Test("what a banner or a .bashrc prints around the facts, and line ends of a terminal, change nothing")
    func noise() throws {
        let fixture = try FactsFixture("debian12-lab")
        let plain = try fixture.facts()
        let noise: [UInt8] = Array("Welcome!\n@begin\n@0000000000000000 begin\n".utf8) + [0xff, 0x1b, 0x0a]
        let returns = Array(fixture.text.replacing("\n", with: "\r\n").utf8)
        #expect(try HostFacts.parse(noise + fixture.bytes + noise, nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey) == plain)
        #expect(try HostFacts.parse(noise + returns + noise, nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey) == plain)
    }

    @Test("facts cut short at any byte are no facts", arguments: ["debian12-lab", "centos7-from-documentation"])
    func truncated(name: String) throws {
        let fixture = try FactsFixture(name)
        let whole = try #require(fixture.text.range(of: "@\(FactsFixture.nonce) end")?.upperBound)
        let length = fixture.text[..<whole].utf8.count
        for count in 0..<length {
            #expect(throws: FactsError.self) {
                try HostFacts.parse(Array(fixture.bytes.prefix(count)), nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey)
            }
        }
    }

    @Test("output without a word of the script says which marker is missing")
    func missingMarkers() {
        #expect(throws: FactsError(section: "begin", problem: .missing)) {
            try HostFacts.parse(Array("sh: not found\n".utf8), nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey)
        }
        #expect(throws: FactsError(section: "end", problem: .missing)) {
            try HostFacts.parse(Array("@Abcdef0123456789 begin\n".utf8), nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey)
        }
        #expect(throws: FactsError(section: "begin", problem: .tooLong)) {
            let flood = [UInt8](repeating: 0x61, count: 3 << 20)
            _ = try HostFacts.parse(flood, nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey)
        }
    }

    @Test(
        "a host that does not say which machine it is gives no facts",
        arguments: [
            "", "none", "558453d786b140d0996b99ef1ad01c2", "558453D786B140D0996B99EF1AD01C2C", "558453d786b140d0996b99ef1ad01c2c\n-",
        ])
    func machineID(text: String) throws {
        let fixture = try FactsFixture("debian12-lab")
        #expect(throws: FactsError.self) { try fixture.facts(with: "machine-id", saying: text) }
    }

    @Test(
        "a section that cannot be understood is named, and its fact is unknown",
        arguments: [
            ("units", "listed 2\nId=canopsis-webserver.service\nActiveState=active"),
            ("units", "listed 1\nId=canopsis-a;reboot.service\nActiveState=active"),
            ("units", "listed 1\nId=../canopsis-a.service\nActiveState=active"),
            ("units", "listed 1\nId=canopsis-a.service\nActiveState=active\u{1b}[2J"),
            ("units", "listed 1\nId=canopsis-a.service\nActiveState=active\nMainPID=-1"),
            ("units", "listed 1\nId=canopsis-a.service\nActiveState=active\nId=canopsis-b.service"),
            ("units", "failed"),
            ("packages", "canopsis-core\t3.26.0-1$(reboot)\tii \nasked yes"),
            ("packages", "canopsis-core\t3.26.0-1\tii "),
            ("packages", "bash\t3.26.0-1\tii \nasked yes"),
            ("packages", "asked no"),
            ("os-release", "NAME=\"x\""),
            ("os-release", "ID=deb ian"),
            ("offer", "status\tperhaps"),
            ("offer", "status\tread\ncanopsis-core | 3.26.0-1"),
            ("offer", "status\tread\ncanopsis-core | `id` | http://x stable/main amd64 Packages"),
            ("version-file", "hello"),
            ("version-file", "unreadable"),
            ("selinux", "sometimes"),
            ("systemd", "upstart"),
            ("disk", "/proc\t1"),
            ("memory", "MemTotal: lots"),
            ("clock", "noon"),
            ("boot-id", "x"),
            ("architecture", "x86 64"),
            ("architecture", String(repeating: "x", count: 5000)),
            ("manager", "pacman"),
        ])
    func unreadable(section: String, lines: String) throws {
        let facts = try FactsFixture("debian12-lab").facts(with: section, saying: lines)
        #expect(facts.unread.contains { $0.section == section })
        switch section {
        case "units": #expect(facts.units.isEmpty)
        case "packages": #expect(facts.installed.isEmpty)
        case "offer": #expect({ if case .couldNotTell = facts.offer { true } else { false } }())
        case "version-file": #expect(facts.versionFile == nil)
        case "selinux": #expect(facts.selinux == .unknown)
        default: break
        }
    }

    @Test("a customer's own package is not taken for a part of the product")
    func otherPackages() throws {
        let facts = try FactsFixture("debian12-lab").facts(
            with: "packages", saying: "canopsis-core\t3.25.0-1\tii \ncanopsis-acme-widgets\t1.2\tii \nasked yes")
        #expect(facts.installedVersion == CanopsisVersion(3, 25, 0))
        #expect(facts.otherPackages == [Package(name: "canopsis-acme-widgets", version: "1.2")])
    }

    @Test("no mutation of a good output crashes the parser or smuggles a character into a name", arguments: 0..<40)
    func fuzz(seed: UInt64) throws {
        var random = Dice(seed: seed)
        let nonces = Array("@\(FactsFixture.nonce) ".utf8)
        for name in FactsFixture.all {
            let good = try FactsFixture(name).bytes
            for _ in 0..<12 {
                var bytes = good
                for _ in 0...random.below(6) {
                    let place = random.below(bytes.count)
                    switch random.below(7) {
                    case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                    case 1: bytes.remove(at: place)
                    case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                    case 3: bytes.insert(contentsOf: Array("\n=\t|;$(\u{1b}[1m".utf8), at: place)
                    case 4: bytes.insert(contentsOf: nonces, at: place)
                    case 5:
                        let end = min(bytes.count, place + random.below(200))
                        bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
                    default: bytes.removeSubrange(place..<min(bytes.count, place + random.below(60)))
                    }
                    if bytes.isEmpty { bytes = [0] }
                }
                guard let facts = try? HostFacts.parse(bytes, nonce: FactsFixture.nonce, hostKey: FactsFixture.hostKey) else { continue }
                expectPlain(facts)
                for finding in Preflight.findings(facts, host: try host(), target: CanopsisVersion(3, 26, 0)) {
                    #expect(finding.text == finding.text.escapedForTerminal())
                }
            }
        }
    }

    private func host() throws -> FleetCore.Host { FleetCore.Host(name: try #require(HostName("a")), address: "127.0.0.1") }

    private func expectPlain(_ facts: HostFacts) {
        func has(_ text: String, only characters: String) -> Bool {
            text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || characters.utf8.contains(byte)
            }
        }
        #expect(facts.identity.machineID.utf8.count == 32 && has(facts.identity.machineID, only: ""))
        #expect(facts.units.allSatisfy { $0.name.hasPrefix("canopsis-") && has($0.name, only: ":_.\\@-") && has($0.active, only: "-") })
        #expect(facts.units.allSatisfy { $0.mainPID >= 0 && $0.startedMicroseconds >= 0 })
        var packages = facts.installed + facts.otherPackages
        if case .packages(let offer) = facts.offer { packages += offer }
        #expect(packages.allSatisfy { has($0.name, only: "+-._") && has($0.version, only: ".+-~:_^") && !$0.version.isEmpty })
        #expect(has(facts.system.id, only: "._-") && has(facts.system.version, only: "._-") && has(facts.architecture, only: "._-"))
        #expect(facts.freeBytes.allSatisfy { HostFacts.diskPaths.contains($0.key) && $0.value >= 0 })
    }
}

/// The same numbers for the same seed.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }
}
