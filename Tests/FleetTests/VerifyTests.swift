import Foundation
import TestSupport
import Testing

/// What "upgraded" means: real hosts that are broken in ways no exit status tells, and others that are not to be blamed.
@Suite("verification of real hosts", .timeLimit(.minutes(15)))
struct VerifyTests {
    /// The password of the lab's `root`, which no file of a run may hold.
    private static let password = "lab-root"
    /// The account's authkey, which the web server replies with.
    private static let authkey = "5f9ce0c1-6b1d-4a3e-9c55-0d2a7be0f101"
    private static let login = "web: {user: root, password_file: secrets/root}"

    /// Writes the password file that `login` names.
    private static func givePassword(_ person: Operator, _ text: String = password) throws {
        try FileManager.default.createDirectory(atPath: person.folder + "/secrets", withIntermediateDirectories: true)
        try write(text + "\n", to: person.folder + "/secrets/root")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: person.folder + "/secrets/root")
    }

    /// Expects password and authkey in nothing that was written or said, on this machine and on the host.
    private static func expectNoSecret(
        _ person: Operator, _ lab: Lab, _ said: Finished..., sourceLocation: SourceLocation = #_sourceLocation
    )
        async throws
    {
        for secret in [password, authkey] {
            for one in said {
                #expect(!one.stdout.contains(secret) && !one.stderr.contains(secret), "it was said", sourceLocation: sourceLocation)
            }
            let files = try await person.shell("grep -rlaF -e '\(secret)' '\(person.logs)' || true")
            #expect(files.isEmpty, "in \(files)", sourceLocation: sourceLocation)
            for host in lab.hosts {
                let there = try await host.shell("grep -rlaF -e '\(secret)' /var/lib/fleet/jobs /var/log 2>/dev/null || true")
                #expect(there.isEmpty, "on \(host.name) in \(there)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test("what no exit status tells: each broken host fails with its own words, and what was broken before is not blamed")
    func faults() async throws {
        let names = ["a1", "a2", "a3", "a4", "a5", "a6"]
        let settings = Dictionary(uniqueKeysWithValues: names.map { ($0, Self.login) })
        try await Operator.at("a1:deb12", "a2:deb9", "a3:deb12", "a4:deb12", "a5:deb9", "a6:rpm", hosts: settings) { person, lab in
            try Self.givePassword(person)
            // An engine in the middle of the list dies at once; canoctl ends with the status of the last one.
            try await lab["a1"].turn("engine-dynamic-alerts.fail", to: "0")
            // The web server cannot be stopped, so it stays the old process; a unit behind it in the list has the last word.
            try await lab["a2"].shell(
                """
                mkdir -p /etc/systemd/system/canopsis-webserver.service.d
                printf '[Unit]\\nRefuseManualStop=yes\\n' >/etc/systemd/system/canopsis-webserver.service.d/own.conf
                printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/canopsis-z.service
                systemctl daemon-reload
                systemctl start canopsis-z.service
                """)
            try await lab["a3"].turn("canopsinit.version", to: "3.25.0")
            // A unit that has failed before.
            try await lab["a5"].turn("engine-cleaner-cleaner_events.fail", to: "0")
            try await lab["a5"].shell("systemctl restart canopsis-engine@cleaner-cleaner_events.service || true")
            try await lab["a5"].shell(
                "for i in $(seq 100); do systemctl -q is-failed canopsis-engine@cleaner-cleaner_events && exit; sleep 0.1; done; exit 1")
            // A login that never worked.
            try await lab["a6"].turn("webserver.login", to: "refuse")
            let result = try await person.fleet(
                "upgrade", "--to", "3.26.0", "--waves", "6", "--at-once", "6", "--max-failures", "6", "--yes", "--output", "json",
                limit: .seconds(400)
            ) { running in
                // From now on logins are answered with a redirect, which is no success; before, they worked.
                try await running.wait("a4 is in its packages") { try await !lab["a4"].jobs().isEmpty }
                try await lab["a4"].turn("webserver.login", to: "redirect")
            }
            result.ended(3)
            let run = try result.document(RunDocument.self)
            #expect(
                run.outcomes == [
                    "a1": "failed", "a2": "failed", "a3": "failed", "a4": "failed", "a5": "upgraded", "a6": "upgraded",
                ])
            #expect(run["a1"].reason?.code == "unit-not-running")
            #expect(run["a1"].reason?.text.contains("canopsis-engine@dynamic-alerts.service") == true)
            #expect(run["a1"].reason?.text.contains("RuntimeError: lab knob") == true, "in its own words")
            #expect(run["a2"].reason?.code == "unit-not-restarted")
            #expect(run["a2"].reason?.text.contains("canopsis-webserver.service") == true)
            #expect(run["a3"].step("canopsinit")?.exit == 0, "an exit status of 0 proves nothing")
            #expect(run["a3"].reason?.code == "instance-differs")
            #expect(run["a3"].reason?.text.contains("the database says 3.25.0, not 3.26.0") == true)
            #expect(run["a4"].reason?.code == "login-failed")
            #expect(run["a4"].reason?.text.contains("redirect") == true)
            #expect(run["a5"].warnings.isEmpty, "\(run["a5"].warnings)")
            #expect(run["a6"].warnings.map(\.code) == ["login-failed-before"])
            for name in ["a1", "a2", "a3", "a4"] { #expect(run[name].step("restart")?.exit == 0, "\(name)") }
            // How long services were down is known of those that came back.
            for name in ["a5", "a6"] {
                let down = try #require(run[name].downtime_seconds)
                #expect(down > 0 && down < 120)
            }
            #expect(run.downtime != nil)
            let report = try await person.fleet("report")
            report.ended(0)
            #expect(report.stdout.contains("service down per host"))
            #expect(report.stdout.contains("a6: the login to the web interface does not work, and did not"))
            let again = try await person.fleet("logs", run.run, "a4", "--raw")
            try await Self.expectNoSecret(person, lab, result, report, again)
        }
    }

    @Test("an engine that crashes every five seconds and looks active in single looks is found within the settle time")
    func crashLoop() async throws {
        try await Operator.at("a1:deb12", hosts: ["a1": "settle: 20s"]) { person, lab in
            let host = try lab["a1"]
            try await host.turn("engine-dynamic-context-graph.fail", to: "5")
            let result = try await person.fleet("upgrade", "--to", "3.26.0", "--yes", "--output", "json", limit: .seconds(300))
            result.ended(3)
            let run = try result.document(RunDocument.self)
            #expect(run["a1"].outcome == "failed")
            #expect(run["a1"].reason?.code == "unit-unstable")
            #expect(run["a1"].reason?.text.contains("canopsis-engine@dynamic-context-graph.service") == true)
            #expect(run["a1"].reason?.text.contains("did not stay up for 20s") == true)
            #expect(
                try await host.shell("systemctl is-active canopsis-engine@dynamic-context-graph.service || true").hasPrefix("acti"),
                "a single look says nothing")
            #expect(run["a1"].warnings.isEmpty)
        }
    }

    @Test("fleet verify says how hosts are and changes nothing on them")
    func verifyAlone() async throws {
        let settings = [
            "a1": Self.login, "a3": Self.login, "a4": "web: {url: 'https://acme.example.net:8443/canopsis', tls: trust-host}",
            "a5": "web: {url: 'https://acme.example.net:8443/canopsis'}",
        ]
        try await Operator.at("a1:deb12", "a2:rpm:no-mongo", "a3:deb9", "a4:deb12", "a5:deb12", hosts: settings) { person, lab in
            try Self.givePassword(person)
            try await lab["a3"].turn("webserver.login", to: "redirect")
            for name in ["a4", "a5"] { try await Self.startFront(on: lab[name]) }
            var before: [String: HostState] = [:]
            for host in lab.hosts { before[host.name] = try await HostState.of(host) }

            let first = try await person.fleet("verify", "--output", "json")
            first.ended(3)
            let found = try first.document(VerifyDocument.self)
            #expect(found["a1"].health == "healthy")
            #expect(found["a1"].version == "3.25.0")
            #expect(found["a1"].checks.allSatisfy { $0.health == "healthy" }, "\(found["a1"].checks)")
            #expect(found["a2"].health == "healthy", "without a client for the database and without an account")
            #expect(found["a2"].check("database")?.health == "could_not_tell")
            #expect(found["a2"].check("login")?.health == "could_not_tell")
            #expect(found["a3"].health == "unhealthy")
            #expect(found["a3"].check("login")?.text.contains("redirect") == true)
            #expect(found["a4"].check("web")?.health == "healthy", "\(found["a4"].checks)")
            // Nobody this machine trusts has signed the front's certificate.
            #expect(found["a5"].check("web")?.health == "unhealthy")
            #expect(found["a5"].check("web")?.text.contains("certificate") == true, "\(found["a5"].checks)")

            // The name in the address is what the certificate has to be for, though it is reached through a loopback port.
            var trusting = person
            trusting.variables["CURL_CA_BUNDLE"] = person.folder + "/front.pem"
            try write(try await lab["a5"].shell("cat /root/front/cert.pem"), to: person.folder + "/front.pem")
            let trusted = try await trusting.fleet("verify", "-l", "a5", "--output", "json")
            trusted.ended(0)
            #expect(try trusted.document(VerifyDocument.self)["a5"].health == "healthy")
            let other = person.folder + "/other.yaml"
            try person.write(inventoryOf: lab, hosts: ["a5": "web: {url: 'https://other.example.net:8443/canopsis'}"], to: other)
            let misnamed = try await trusting.fleet("verify", "-i", other, "-l", "a5")
            misnamed.ended(3)
            #expect(misnamed.stdout.contains("no alternative"), "\(misnamed.stdout)")

            try await lab["a2"].cut()
            let gone = try await person.fleet("verify", "-l", "a1,a2", "--expect", "3.25.0")
            gone.ended(4)
            #expect(gone.stdout.contains("a1    healthy"))
            #expect(gone.stdout.contains("a2    could not tell"))
            try await lab["a2"].heal()
            let wrong = try await person.fleet("verify", "-l", "a1", "--expect", "3.26.0")
            wrong.ended(3)
            #expect(wrong.stdout.contains("VERSION.txt says 3.25.0, not 3.26.0"))

            for host in lab.hosts {
                let changes = try await HostState.of(host).changes(since: before[host.name] ?? HostState())
                #expect(changes.isEmpty, "\(host.name): \(changes)")
                #expect(try await host.jobs().isEmpty)
                #expect(try await host.shell("ls -A /var/lib/fleet 2>/dev/null || true").isEmpty, "\(host.name)")
            }
            try await Self.expectNoSecret(person, lab, first, gone, wrong)
        }
    }

    /// Starts a front that answers for `acme.example.net` over TLS below the path `/canopsis`, with a certificate it signed itself.
    private static func startFront(on host: LabHost) async throws {
        try await host.shell(
            """
            mkdir -p /root/front/canopsis/api/internal/login
            cd /root/front
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=acme.example.net -addext subjectAltName=DNS:acme.example.net \
                -keyout key.pem -out cert.pem 2>/dev/null
            printf '{"version": "3.25.0", "edition": "core", "stack": "python"}' >canopsis/api/internal/login/login_info
            systemd-run -q --unit lab-front --working-directory=/root/front \
                openssl s_server -quiet -accept 8443 -cert cert.pem -key key.pem -WWW
            for i in $(seq 50); do ss -ltn | grep -q :8443 && exit 0; sleep 0.1; done
            exit 1
            """)
    }

    @Test("a front on port 80 with a path is asked for the name in the address; the report compares with the run before")
    func frontAndComparison() async throws {
        let login = "web: {url: 'http://acme.example.net/canopsis', user: root, password_file: secrets/root}"
        try await Operator.at("a1:deb12", hosts: ["a1": login]) { person, lab in
            try Self.givePassword(person)
            let host = try lab["a1"]
            try await host.shell(Self.plainFront)
            var down: Double?
            for version in ["3.26.0", "3.27.0"] {
                // A proxy of the coordinator is none of this.
                var proxied = person
                proxied.variables["http_proxy"] = "http://127.0.0.1:9"
                let result = try await proxied.fleet("upgrade", "--to", version, "--yes", "--output", "json")
                result.ended(0)
                let run = try result.document(RunDocument.self)
                #expect(run.outcomes == ["a1": "upgraded"])
                #expect(run["a1"].warnings.isEmpty, "\(run["a1"].warnings)")
                #expect(run["a1"].earlier_downtime_seconds == down)
                down = run["a1"].downtime_seconds
                #expect(down != nil)
                try await Self.expectNoSecret(person, lab, result)
            }
            let report = try await person.fleet("report")
            #expect(report.stdout.contains("in its run before"), "\(report.stdout)")
            let asked = Set(try await host.lines(of: "/root/front.log"))
            #expect(asked == ["acme.example.net GET /canopsis/api/internal/login/login_info", "acme.example.net POST /canopsis/auth"])
        }
    }

    /// Shell text that starts a front on port 80, which writes down what it is asked and hands it to 8082 without the prefix.
    private static let plainFront = #"""
        cat >/root/front.pl <<'FRONT'
        use strict;
        use IO::Socket::INET;
        $SIG{CHLD} = 'IGNORE';
        my $listener = IO::Socket::INET->new(LocalPort => 80, Listen => 64, ReuseAddr => 1) or die;
        while (1) {
            my $client = $listener->accept or next;
            my $child = fork;
            if (!defined $child || $child) { close $client; next }
            my $request = <$client>;
            my ($head, $host, $length) = ('', '', 0);
            while (defined(my $line = <$client>)) {
                $head .= $line;
                $host = $1 if $line =~ /^Host: *(\S+)/i;
                $length = $1 if $line =~ /^Content-Length: *(\d+)/i;
                last if $line =~ /^\r?\n\z/;
            }
            my $body = '';
            read($client, $body, $length) if $length;
            open(my $log, '>>', '/root/front.log');
            my ($what) = $request =~ m{^(\S+ \S+)};
            print $log "$host $what\n";
            close $log;
            $request =~ s{ /canopsis}{ };
            my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1:8082');
            if (!$server) { print $client "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"; exit 0 }
            print $server $request . $head . $body;
            $server->flush;
            while (read($server, my $piece, 4096)) { print $client $piece }
            exit 0;
        }
        FRONT
        systemd-run -q --unit lab-front perl /root/front.pl
        for i in $(seq 50); do ss -ltn | grep -q ':80 ' && exit 0; sleep 0.1; done
        exit 1
        """#
}
