import Foundation
import TestSupport
import Testing

/// What the gates say of real hosts on which something is wrong, before any of them is touched.
@Suite("The gates on real hosts", .timeLimit(.minutes(15)))
struct GateTests {
    @Test(
        "each host that must not be upgraded is kept out by the gate that names why, and none of them is touched; one that was let through says so to the end"
    )
    func keptOut() async throws {
        let hosts = ["g05": "overrides: {disk-space: the volume grows with use}", "g10": "services: remote"]
        try await Operator.at(
            "g01:deb9", "g02:deb9", "g03:rpm", "g04:deb9", "g05:deb9", "g06:deb9", "g07:deb9", "g08:deb9", "g09:deb9", "g10:rpm",
            "g11:deb9",
            "g12:deb9:no-mongo", "g13:deb9", "g14:rpm", hosts: hosts
        ) { person, lab in
            try await lab["g02"].database("db.configuration.update({_id: 'canopsis_version'}, {$set: {edition: 'cat'}})")
            try await lab["g03"].database("db.initialized.remove({})")
            for name in ["g04", "g05"] { try await lab[name].fillDisk(keepingBytes: 60 << 20) }
            // A lab host has the clock of the machine: its `date` is ten minutes behind.
            try await lab["g06"].shell(
                """
                mv /usr/bin/date /usr/bin/date.real
                printf '#!/bin/sh\\nexec /usr/bin/date.real --date="600 seconds ago" "$@"\\n' >/usr/bin/date
                chmod 755 /usr/bin/date
                """)
            try await lab["g07"].shell(
                """
                printf '#!/bin/sh\\necho mongo:3.4\\necho canopsis/engine-axe:3.26.0\\n' >/usr/bin/docker
                chmod 755 /usr/bin/docker
                """)
            try await lab["g08"].shell(
                """
                echo '# ours' >>/opt/canopsis/etc/webserver.conf
                cp /opt/canopsis/etc/webserver.conf /opt/canopsis/etc/webserver.conf.dpkg-dist
                """)
            for name in ["g09", "g10"] {
                try await lab[name].shell("sed -i 's/^host=.*/host=mq.example.net/' /opt/canopsis/etc/amqp.conf")
            }
            try await lab["g11"].turn("mongo.down", to: "yes")
            try await lab["g13"].offer("3.25.0")
            try await lab["g14"].shell("sed -i 's/^pwd=.*/pwd=hidden-word/' /opt/canopsis/etc/common/mongo_store.conf")

            let check = try await person.fleet("check", "--to", "3.26.0", "--output", "json")
            check.ended(3)
            let document = try check.document(CheckDocument.self)
            func expect(
                _ host: String, _ verdict: String, _ gate: String, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
            ) {
                let found = document[host].findings.filter { $0.verdict != "pass" }
                let matching = found.filter { $0.gate == gate && $0.text.contains(words) }
                #expect(!matching.isEmpty, "\(host): \(found)", sourceLocation: sourceLocation)
                #expect(document[host].verdict == verdict, "\(host): \(found)", sourceLocation: sourceLocation)
            }
            #expect(document["g01"].verdict == "ready", "\(document["g01"].findings.filter { $0.verdict != "pass" })")
            expect("g02", "blocked", "edition-stack", "the database says edition cat")
            expect("g03", "blocked", "initialized", "drop collections")
            expect("g04", "blocked", "disk-space", "MiB free")
            expect("g05", "warned", "disk-space", "MiB free")
            #expect(document["g05"].finding("disk-space")?.overridden == "the volume grows with use")
            expect("g06", "blocked", "clock", "behind the coordinator's")
            expect("g07", "blocked", "install", "canopsis/engine-axe:3.26.0")
            expect("g08", "warned", "conffiles", "edited by hand: /opt/canopsis/etc/webserver.conf; never merged: ")
            expect("g09", "blocked", "services", "mq.example.net")
            #expect(document["g10"].verdict == "ready", "\(document["g10"].findings.filter { $0.verdict != "pass" })")
            expect("g11", "blocked", "database", "MongoDB does not answer")
            expect("g12", "warned", "database", "there is no MongoDB client")
            expect("g13", "blocked", "target-offered", "3.26.0 is not on offer")
            expect("g14", "warned", "database", "login")
            #expect(!check.stdout.contains("hidden-word"))
            for host in lab.hosts {
                let calls = try await host.lines(of: "/var/log/fleet-lab/mongo.count")
                #expect(!calls.contains { $0.contains(" -p") || $0.contains("cpsmongo") }, "\(host.name): \(calls)")
            }

            let text = try await person.fleet("check", "--to", "3.26.0")
            text.ended(3)
            #expect(text.stdout.contains("-> start it, or correct /opt/canopsis/etc/common/mongo_store.conf"))
            #expect(text.stdout.contains("g05 overridden (the volume grows with use): "))

            // All gates of all hosts come before the first host: the blocked ones are not begun, the others are not begun without consent.
            let upgrade = try await person.fleet(
                "upgrade", "-l", "g02,g03,g04,g05,g06,g07,g09,g11,g13", "--to", "3.26.0", "--yes", "--output", "json")
            upgrade.ended(3)
            let run = try upgrade.document(RunDocument.self)
            #expect(run.counts == ["blocked": 8, "upgraded": 1])
            #expect(run["g05"].overrides == ["disk-space": "the volume grows with use"])
            #expect(run["g04"].overrides == [:])
            let report = try await person.fleet("report", run.run)
            #expect(report.stdout.contains("disk-space overridden: the volume grows with use"))
            for host in lab.hosts where host.name != "g05" { #expect(try await host.jobs().isEmpty, "\(host.name) was touched") }
        }
    }

    @Test("SELinux keeps a host from 3.39.0, and from no release before")
    func selinux() async throws {
        try await Operator.at("s1:rpm:3.38.0", "s2:rpm:3.38.0", hosts: ["s2": "overrides: {selinux: canoctl is patched}"]) { person, lab in
            for host in lab.hosts {
                try await host.turn("selinux", to: "Enforcing")
                try await host.offer("3.38.0", "3.39.0")
            }
            let check = try await person.fleet("check", "--to", "3.39.0", "--output", "json")
            check.ended(3)
            let document = try check.document(CheckDocument.self)
            #expect(document["s1"].verdict == "blocked" && document["s1"].finding("selinux")?.verdict == "block")
            #expect(document["s2"].verdict == "warned" && document["s2"].finding("selinux")?.overridden == "canoctl is patched")
        }
    }
}
