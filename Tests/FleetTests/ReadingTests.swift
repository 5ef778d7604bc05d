import Foundation
import TestSupport
import Testing

/// The notes of releases have to be read before hosts are upgraded.
@Suite("reading before an upgrade of real hosts", .timeLimit(.minutes(30)))
struct ReadingTests {
    private func note(_ version: String, _ published: String, _ more: String = "") -> String {
        """
        # Notes de version Canopsis \(version)

        Canopsis \(version) a été publié le \(published).

        ## Procédure de mise à jour

        Suivre la [procédure standard de mise à jour](../mise-a-jour.md).
        \(more)
        ## Liste des modifications

        *  Un défaut a été corrigé.

        """
    }

    /// Looking at a host leaves the index of what its repositories offer, and nothing else.
    private func expectUntouched(_ host: LabHost) async throws {
        #expect(try await host.shell("ls /var/lib/fleet") == "index\n", "\(host.name) was touched")
        #expect(try await host.shell("cat /opt/canopsis/VERSION.txt").contains("3.25.0"))
    }

    @Test("no host is touched before the notes are read; an edited note has to be read again; then the run says who has read them")
    func acknowledged() async throws {
        try await Operator.at("e1", "e2:cat:go", hosts: ["e2": "edition: cat, stack: go"]) { person, lab in
            var person = person
            person.hasReadNotes = false
            for host in lab.hosts { try await host.offer("3.25.0", "3.27.0") }
            let upgrade = ["upgrade", "--to", "3.27.0", "--waves", "2", "--yes", "--output", "json"]

            let unread = try await person.fleet(upgrade)
            unread.ended(6)
            #expect(try unread.document(ErrorsDocument.self).codes == ["notes-unread"])
            #expect(unread.stderr.contains("fleet notes ack 3.26.0 3.27.0 --by NAME"))
            for host in lab.hosts { try await expectUntouched(host) }
            let history = try await person.fleet("history")
            #expect(history.stdout.contains("No run") || !history.stdout.contains("3.27.0"))

            let notes = person.folder + "/notes"
            try FileManager.default.createDirectory(atPath: notes, withIntermediateDirectories: true)
            try TestSupport.write(note("3.26.0", "19 août 2019"), to: notes + "/3.26.0.md")
            try await person.fleet("notes", "import", notes).ended(0)
            try await person.fleet("notes", "ack", "3.26.0", "3.27.0").ended(2)
            try await person.fleet("notes", "ack", "3.26.0", "3.99.0", "--by", "ana").ended(2)
            try await person.fleet("notes", "ack", "3.26.0", "3.27.0", "--by", "ana").ended(0)
            let read = try await person.fleet("plan", "--to", "3.27.0", "--output", "json").document(PlanDocumentForTests.self)
            #expect(read.notes.map(\.state) == ["read", "read"])
            #expect(read.notes.map(\.by) == ["ana", "ana"])

            try TestSupport.write(note("3.26.0", "19 août 2019", "Sauvegardez d'abord la base.\n"), to: notes + "/3.26.0.md")
            try await person.fleet("notes", "import", notes).ended(0)
            let edited = try await person.fleet(upgrade)
            edited.ended(6)
            #expect(edited.stderr.contains("The note of 3.26.0 is not read"))
            #expect(edited.stderr.contains("the text has changed since it was read by ana"))
            try await person.fleet("notes", "ack", "3.26.0", "--by", "ana", "--for", "1ms").ended(0)
            let over = try await person.fleet("plan", "-l", "e1", "--to", "3.27.0", "--output", "json").document(PlanDocumentForTests.self)
            #expect(over.notes.map(\.state) == ["expired", "read"])
            try await person.fleet(upgrade + ["--ack", "3.27.0", "--by", "zoe"]).ended(6)
            try await person.fleet(upgrade + ["--ack", "all"]).ended(2)
            for host in lab.hosts { try await expectUntouched(host) }

            let done = try await person.fleet(upgrade + ["--ack", "3.26.0", "--by", "zoe"])
            done.ended(0)
            let run = try done.document(RunDocument.self)
            #expect(run.outcomes == ["e1": "upgraded", "e2": "upgraded"])
            #expect(run.notes.map(\.version) == ["3.26.0", "3.27.0"])
            #expect(run.notes.map(\.by) == ["zoe", "zoe"])
            #expect(try await person.fleet("report").stdout.contains("release notes read by zoe: 3.26.0, 3.27.0"))
            try await person.fleet(upgrade).ended(0)
        }
    }

    @Test("what to read is shown once for all hosts, each with the steps that are for it, and not those of another edition or stack")
    func shown() async throws {
        try await Operator.at("f1", "f2", "f3:cat:go", hosts: ["f3": "edition: cat, stack: go"]) { person, lab in
            let show = try await person.fleet("notes", "show", "--to", "3.29.0", "--output", "json")
            show.ended(0)
            let document = try show.document(ReadingDocument.self)
            #expect(document.notes.map(\.version) == ["3.26.0", "3.27.0", "3.28.0", "3.29.0"])
            #expect(document.notes.allSatisfy { $0.hosts == ["f1", "f2", "f3"] && $0.state == "unread" })
            let steps = document.notes.flatMap(\.steps)
            #expect(steps.first { $0.id == "3.29.0-ticketapi-module" }?.hosts.isEmpty == false)
            #expect(steps.first { $0.id == "3.29.0-autodeclaretickets" }?.hosts == ["f3"])

            let one = try await person.fleet("notes", "show", "f1", "--to", "3.29.0")
            one.ended(0)
            #expect(one.stdout.contains("3.29.0-ticketapi-module"))
            #expect(!one.stdout.contains("3.29.0-autodeclaretickets"))
            #expect(try await person.fleet("notes", "show", "f1", "--to", "3.29.0", "--all").stdout.contains("3.29.0-autodeclaretickets"))
            let newest = try await person.fleet("notes", "show", "f1", "--output", "json").document(ReadingDocument.self)
            #expect(newest.target == "3.27.0", "the newest that the repository offers")
            try await person.fleet("notes", "show", "nobody", "--to", "3.29.0").ended(2)

            try person.write(inventoryOf: lab, hosts: ["f1": "accounts: stop", "f3": "edition: cat, stack: go"])
            let check = try await person.fleet("check", "--to", "3.27.0", "--output", "json")
            check.ended(3)
            let checked = try check.document(CheckDocument.self)
            #expect(checked["f1"].finding("accounts")?.verdict == "block", "a check says what a plan would")
            #expect(checked["f2"].finding("accounts")?.verdict != "block")
        }
    }
}
