import Foundation
import TestSupport
import Testing

/// What `fleet check` says of real hosts, and that it leaves them as they were.
@Suite("fleet check of real hosts", .timeLimit(.minutes(30)))
struct CheckTests {
    /// Names, times, owners and contents of everything a package manager or an upgrade would change. rpm touches the shared memory of
    /// its database whenever it is asked anything, and the lab counts the calls of its MongoDB client, so these two files are left out.
    /// The size of a folder is the file system's business: a lab host's changes with the layer it lies in.
    static let inventoryOfFiles = """
        cd / && {
        find etc var/lib/dpkg var/lib/apt var/lib/rpm var/lib/dnf var/cache var/log/dnf* var/log/apt var/log/dpkg.log opt/canopsis \
        var/lib/canopsis-db var/log/fleet-lab usr/lib/sysimage -path opt/canopsis/var -prune -o ! -name rpmdb.sqlite-shm ! -name mongo.count \\( -type d -printf '%p %y %m %u %T@\\n' -o -printf '%p %y %m %u %s %T@ %l\\n' \\) 2>/dev/null
        find etc var/lib/dpkg var/lib/apt opt/canopsis/etc -type f -exec sha256sum {} + 2>/dev/null
        ls -A var/lib tmp
        systemctl show -p MainPID -p ExecMainStartTimestampMonotonic 'canopsis-*'
        } | sort
        """

    @Test("it changes nothing on a host but Fleet's own folder; French, a banner and a shell that talks do not matter")
    func changesNothing() async throws {
        let settings = ["a1": "user: ops, become: sudo", "a3": "user: dashy, become: sudo"]
        try await Operator.at("a1:deb9:noisy", "a2:rpm:noisy", "a3:deb8:noisy", hosts: settings) { person, lab in
            // Fleet's folder is the one thing that appears; it is made beforehand so that the listing of /var/lib stays the same.
            for host in lab.hosts { try await host.shell("mkdir -m 700 /var/lib/fleet && touch /var/log/fleet-lab/mongo.count") }
            var before: [String] = []
            for host in lab.hosts { before.append(try await host.shell(Self.inventoryOfFiles)) }

            let check = try await person.fleet("check", "--to", "3.26.0", "--output", "json")
            check.ended(0)
            let document = try check.document(CheckDocument.self)
            for host in document.hosts {
                #expect(host.verdict == "ready", "\(host.name): \(host.findings.filter { $0.verdict != "pass" })")
                #expect(host.version == "3.25.0")
                #expect(host.offered == Lab.offered)
            }
            try await person.fleet("check").ended(0)
            try await person.fleet("plan", "--to", "3.26.0", "-o", "plan.json").ended(0)

            for (host, listing) in zip(lab.hosts, before) {
                let now = try await host.shell(Self.inventoryOfFiles)
                let old = Set(listing.split(separator: "\n"))
                let new = Set(now.split(separator: "\n"))
                #expect(old.count > 300)
                #expect(new.symmetricDifference(old).sorted() == [], "\(host.name)")
                #expect(try await host.shell("ls /var/lib/fleet") == "index\n")
            }
        }
    }

    @Test(
        "a source that cannot be read is “could not tell”, a held lock is named, a half-configured package is completed by a step of its own"
    )
    func troubledPackageManagers() async throws {
        try await Operator.at("a1:deb9", "a2:rpm", "a3:deb12", "a4:deb12") { person, lab in
            try await lab["a1"].shell("sed -i 's|/canopsis |/nowhere |' /etc/apt/sources.list.d/canopsis.list")
            try await lab["a2"].shell("sed -i 's|/canopsis/rpm|/nowhere/rpm|' /etc/yum.repos.d/canopsis.repo")
            try await lab["a3"].shell(
                """
                setsid perl -e 'use Fcntl qw(:DEFAULT SEEK_SET);
                    open(my $lock, ">>", "/var/lib/dpkg/lock-frontend") or die;
                    my $all = pack("s s x4 q q i x4", F_WRLCK, SEEK_SET, 0, 0, 0);
                    fcntl($lock, F_SETLK, $all) or die "no lock: $!";
                    open(my $mark, ">", "/run/held") or die; close $mark; sleep 600' >/run/holder.log 2>&1 </dev/null &
                i=0; while [ ! -e /run/held ]; do i=$((i + 1)); [ $i -lt 500 ] || { cat /run/holder.log; exit 1; }; sleep 0.05; done
                """)
            try await lab["a4"].turn("postinst.exit", to: "1")
            try await lab["a4"].shell(
                "apt-get -q update >/dev/null && ! apt-get -q -y install canopsis-core=3.26.0-1 >/dev/null 2>&1 </dev/null")

            let check = try await person.fleet("check", "--to", "3.26.0", "--output", "json")
            check.ended(3)
            let document = try check.document(CheckDocument.self)
            // The package managers' own words: apt names the address, dnf the repository.
            for (name, words) in [("a1", "nowhere"), ("a2", "repo 'canopsis'")] {
                #expect(document[name].verdict == "blocked")
                #expect(document[name].offered == nil)
                #expect(document[name].finding("target-offered")?.text.contains("could not tell") == true)
                #expect(document[name].finding("target-offered")?.text.contains(words) == true)
            }
            #expect(document["a3"].verdict == "warned")
            let lock = document["a3"].finding("package-manager")
            #expect(lock?.verdict == "warn")
            #expect(lock?.text.contains("perl") == true, "\(lock?.text ?? "")")
            #expect(document["a4"].verdict == "warned")
            let broken = document["a4"].finding("package-manager")
            #expect(broken?.verdict == "warn")
            #expect(broken?.text.contains("canopsis-core") == true)
            #expect(broken?.remedy.contains("dpkg --configure -a") == true)

            let upgrade = try await person.fleet("upgrade", "-l", "!a3,!a4", "--to", "3.26.0", "--yes", "--output", "json")
            upgrade.ended(3)
            #expect(try upgrade.document(RunDocument.self).counts == ["blocked": 2])
            for host in lab.hosts { #expect(try await host.jobs().isEmpty, "\(host.name) was touched") }

            try await lab["a4"].turn("postinst.exit", to: "0")
            let repair = try await person.fleet("upgrade", "-l", "a4", "--to", "3.26.0", "--yes", "--output", "json")
            repair.ended(0)
            let repaired = try repair.document(RunDocument.self)["a4"]
            #expect(repaired.outcome == "upgraded")
            #expect(repaired.steps.map(\.id) == ["repair"] + UpgradeTests.steps)
            #expect(try await lab["a4"].shell("dpkg --audit").isEmpty)
            #expect(try await lab["a4"].canopsinitCalls().count == 1)
        }
    }
}
