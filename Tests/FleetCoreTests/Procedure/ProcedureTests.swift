import FleetCore
import Foundation
import Subprocess
import TestSupport
import Testing

@Suite("The standard procedure")
struct ProcedureTests {
    private static let packages = [
        Package(name: "canopsis-engines-go", version: "3.26.0-1"), Package(name: "canopsis-core", version: "3.26.0-1"),
    ]

    /// Everything a host may be that changes a command.
    struct Kind: Sendable {
        var manager: PackageManager
        var scope: PackageScope
        var edition: Edition
        var stack: Stack
        var target: CanopsisVersion
    }

    private static let kinds: [Kind] = {
        var kinds: [Kind] = []
        for manager in [PackageManager.apt, .yum] {
            for scope in PackageScope.allCases {
                for edition in Edition.allCases {
                    for stack in Stack.allCases {
                        for target in [CanopsisVersion(3, 17, 1), CanopsisVersion(3, 18, 0), CanopsisVersion(3, 26, 0)] {
                            kinds.append(Kind(manager: manager, scope: scope, edition: edition, stack: stack, target: target))
                        }
                    }
                }
            }
        }
        return kinds
    }()

    private static func steps(_ kind: Kind, _ packages: [Package] = packages) throws -> [PlannedStep] {
        var host = Host(name: try host("h1"), address: "h1", edition: kind.edition, stack: kind.stack, packages: kind.scope)
        host.settle = .seconds(60)
        // The guard of the database has tests of its own.
        host.accounts = .keepReset
        return Procedure.standard3(
            for: host, packageManager: kind.manager, packages: packages, target: kind.target, hasDatabaseClient: false
        ).steps
    }

    /// Waits for whoever has the package manager's lock: a record lock on one of the first files, or a process named in one of the others.
    private static func waiting(_ record: String, _ onFile: String) -> String {
        """
        locker() {
            for file in \(record); do
                inode=$(stat -c %i "$file" 2>/dev/null) || continue
                sed -n "s/^[0-9]*: [A-Z]* *[A-Z]* *WRITE \\([0-9]*\\) [0-9a-f]*:[0-9a-f]*:$inode 0 EOF.*/\\1/p" /proc/locks
            done
            for file in \(onFile); do
                pid=$(head -c 20 "$file" 2>/dev/null | tr -c -d 0-9)
                if [ -n "$pid" ]; then case $(named "$pid") in *yum* | *dnf* | *ackage* | *python*) echo "$pid" ;; esac; fi
            done
        }
        named() {
            words=$(head -c 200 "/proc/$1/cmdline" 2>/dev/null | tr '\\000\\n' '  ')
            echo "process $1${words:+ (${words% })}"
        }
        await_lock() {
            waited=0
            told=
            gone=0
            while :; do
                pid=$(locker | head -n 1)
                # A list of locks that changes while it is read may lack one: who was seen must be missed three times.
                if [ -z "$pid" ]; then
                    if [ -z "$told" ] || [ "$gone" -ge 2 ]; then break; fi
                    gone=$((gone + 1))
                    sleep 1
                    continue
                fi
                gone=0
                if [ "$waited" -ge 600 ]; then
                    echo "$(named "$pid") still has the package manager's lock after 600 s; the step goes no further"
                    exit 1
                fi
                if [ "$pid" != "$told" ]; then echo "waiting for $(named "$pid"), which has the package manager's lock"; fi
                told=$pid
                sleep 2
                waited=$((waited + 2))
            done
        }
        """
    }

    private static let aptSystem = """
        set -e
        export LC_ALL=C
        export DEBIAN_FRONTEND=noninteractive
        \(waiting("/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock", ""))
        printf '%s\\n' 'Package: canopsis-core
        Pin: version 3.26.0-1
        Pin-Priority: 10000

        Package: canopsis-engines-go
        Pin: version 3.26.0-1
        Pin-Priority: 10000
        ' >"$FLEET_JOB/preferences"
        if [ -f /etc/apt/preferences ]; then cat /etc/apt/preferences >>"$FLEET_JOB/preferences"; fi
        printf 'Dir::Etc::Preferences "%s/preferences";\\n' "$FLEET_JOB" >"$FLEET_JOB/apt.conf"
        export APT_CONFIG="$FLEET_JOB/apt.conf"
        await_lock
        apt-get -q -y -o 'DPkg::Lock::Timeout=600' update
        await_lock
        apt-get -q -y -o 'DPkg::Lock::Timeout=600' -o 'Dpkg::Options::=--force-confdef' -o 'Dpkg::Options::=--force-confold' --with-new-pkgs upgrade

        """

    private static let aptCanopsis = """
        set -e
        export LC_ALL=C
        export DEBIAN_FRONTEND=noninteractive
        \(waiting("/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock", ""))
        await_lock
        apt-get -q -y -o 'DPkg::Lock::Timeout=600' update
        await_lock
        apt-get -q -y -o 'DPkg::Lock::Timeout=600' -o 'Dpkg::Options::=--force-confdef' -o 'Dpkg::Options::=--force-confold' --only-upgrade install \
        'canopsis-core=3.26.0-1' 'canopsis-engines-go=3.26.0-1'

        """

    private static let yumCanopsis = """
        set -e
        export LC_ALL=C
        \(waiting("/var/lib/rpm/.rpm.lock", "/var/run/yum.pid /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid"))
        await_lock
        yum -q clean expire-cache
        await_lock
        yum -y update canopsis-core-3.26.0-1 canopsis-engines-go-3.26.0-1

        """

    @Test("each kind of host gets exactly these commands", arguments: kinds.indices)
    func commands(_ index: Int) throws {
        let kind = Self.kinds[index]
        let scripts = try Self.steps(kind).map(\.script)
        let packages =
            switch (kind.manager, kind.scope) {
            case (.apt, .system): Self.aptSystem
            case (.apt, .canopsis): Self.aptCanopsis
            case (.yum, .canopsis): Self.yumCanopsis
            case (.yum, .system): Self.yumCanopsis + "await_lock\nyum -y '--exclude=canopsis*' update\n"
            }
        let isPlain = (kind.edition, kind.stack) == (.core, .python)
        let options = " --canopsis-edition \(kind.edition.rawValue) --canopsis-stack \(kind.stack.rawValue)"
        // The one that is installed is asked whether it knows the options.
        let asking = """
            set -e
            help=$(su - canopsis -c 'canopsinit --help' 2>&1) || { echo "$help"; exit 127; }
            case $help in
            *--canopsis-edition*) command='canopsinit\(options)' ;;
            *) command=canopsinit ;;
            esac
            su - canopsis -c "$command"

            """
        #expect(
            scripts == [
                packages, isPlain ? "set -e\nsu - canopsis -c canopsinit\n" : asking, "set -e\nsystemctl daemon-reload\n",
                "set -e\nexport LC_ALL=C\nexport SYSTEMD_PAGER=cat\ncanoctl restart\n", "",
            ])
    }

    @Test("the steps come in the vendor's order, with their limits; only the last one changes nothing")
    func order() throws {
        let steps = try Self.steps(Self.kinds[0])
        #expect(steps.map(\.id) == StepID.standardProcedure)
        #expect(steps.map(\.kind) == [.job, .job, .job, .job, .look])
        #expect(steps.map(\.limit) == [.seconds(3600), .seconds(7200), .seconds(120), .seconds(1800), .seconds(210)])
        #expect(steps[0].title == "upgrade the system, canopsis-core 3.26.0-1, canopsis-engines-go 3.26.0-1")
        #expect(steps[4].title == "every unit restarted and stable for 1m, web interface at 3.17.1")
    }

    static let hostile = [
        "3.26.0-1", "3.26.0-1~rc1+b2", "1:3.26.0-1", "x'; touch /tmp/x; '", "$(id)", "`id`", "a b", "-o", "a\nPin-Priority: -1", "é\"\\",
    ]

    @Test("every script is one to a shell, whatever a repository calls its versions", arguments: ["dash", "bash"], hostile)
    func syntax(shell: String, version: String) async throws {
        let packages = [Package(name: "canopsis-core", version: version)]
        for kind in Self.kinds where kind.target == CanopsisVersion(3, 26, 0) && kind.edition == .cat {
            for step in try Self.steps(kind, packages) where step.kind == .job {
                // Functions stand for the programs; each prints its words.
                let functions = ["apt-get", "yum", "su", "systemctl", "canoctl"].map { name in
                    "\(name == "apt-get" ? "apt_get" : name)() { printf '<%s>' \(name) \"$@\"; echo; }\n"
                }.joined()
                let script =
                    functions + "FLEET_JOB=$(mktemp -d)\n" + step.script.replacing("\napt-get ", with: "\napt_get ")
                    + "cat \"$FLEET_JOB/preferences\" 2>/dev/null || true\nrm -r \"$FLEET_JOB\"\n"
                _ = brokenPipesAreIgnored
                let result = try await Subprocess.run(
                    .name(shell), arguments: ["-s"], input: .string(script), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16)
                )
                #expect(result.terminationStatus == .exited(0), "\(result.standardError)")
                guard step.id == .packages else { continue }
                let told = result.standardOutput
                let word =
                    switch (kind.manager, kind.scope) {
                    case (.apt, .canopsis): "<canopsis-core=\(version)>"
                    case (.apt, .system): "Pin: version \(version)\n"
                    case (.yum, _): "<canopsis-core-\(version)>"
                    }
                #expect(told.contains(word), "\(told)")
            }
        }
    }

    @Test("every script is accepted as it stands", arguments: kinds.indices)
    func accepted(_ index: Int) async throws {
        for step in try Self.steps(Self.kinds[index]) {
            let result = try await Subprocess.run(
                .name("sh"), arguments: ["-n"], input: .string(step.script), output: .discarded, error: .string(limit: 1 << 16))
            #expect(result.terminationStatus == .exited(0) && result.standardError == "")
        }
    }

    @Test("a real apt takes the planned version with a newer one on offer, whatever the host prefers")
    func pinning() async throws {
        let kind = try #require(Self.kinds.first { $0.manager == .apt && $0.scope == .system })
        let script = try Self.steps(kind, [Package(name: "canopsis-core", version: "3.26.0-1")])[0].script
        let preparation = script.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("apt-get ") }
        let preferences = [
            "", "Package: *\nPin: origin \"\"\nPin-Priority: 1001\n", "Package: canopsis-core\nPin: version 3.25.0-1\nPin-Priority: 1001\n",
            "Package: canopsis-core\nPin: version 3.26.0-1\nPin-Priority: -1\n", "Package: *\nPin: release *\nPin-Priority: 990\n",
        ]
        var text = """
            set -e
            mount -t tmpfs none /mnt
            mkdir /mnt/repo /mnt/job
            mount -t tmpfs none /var/lib/apt
            mount -t tmpfs none /var/cache
            mount -t tmpfs none /etc/apt
            mkdir -p /etc/apt/apt.conf.d /etc/apt/sources.list.d /etc/apt/preferences.d /etc/apt/trusted.gpg.d /var/lib/apt/lists/partial
            for version in 3.25.0-1 3.26.0-1 3.27.0-1; do
                printf 'Package: canopsis-core\\nVersion: %s\\nArchitecture: all\\nMaintainer: x\\nFilename: ./x.deb\\nSize: 1\\nSHA256: %064d\\n\\n' $version 1
            done >/mnt/repo/Packages
            echo 'deb [trusted=yes] file:/mnt/repo ./' >/etc/apt/sources.list
            FLEET_JOB=/mnt/job
            apt-get -qq update

            """
        for place in ["preferences", "preferences.d/own"] {
            for preference in preferences {
                text += "printf %s \(shellQuoted(preference)) >/etc/apt/\(place)\n(\n\(preparation.joined(separator: "\n"))\n"
                text += "apt-cache policy canopsis-core | grep Candidate\n)\nrm /etc/apt/\(place)\n"
            }
        }
        // Whoever is not root is it in a user namespace of their own.
        let arguments = geteuid() == 0 ? ["-m"] : ["-r", "-m"]
        let result = try await Subprocess.run(
            .name("unshare"), arguments: .init(arguments + ["sh", "-s"]), input: .string(text), output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16))
        #expect(result.standardError == "")
        #expect(result.standardOutput == String(repeating: "  Candidate: 3.26.0-1\n", count: 2 * preferences.count))
    }

    @Test("a status of canopsinit has the meaning of its script", arguments: [UInt8](0...255))
    func meaning(status: UInt8) {
        #expect((RunCanopsinit.meaning(of: status) != nil) == [1, 2, 3, 4, 126, 127].contains(status))
    }
}
