import FleetCore
import Testing

@Suite("What is to read of a release")
struct ReleaseTextTests {
    @Test("is all of it, the same each time, commands indented")
    func text() throws {
        let release = Release(
            version: CanopsisVersion(3, 40, 0), published: "2020-05-04",
            withdrawals: [Withdrawal(reason: "Broken.", conditions: [.system(id: "centos", versions: ["7"]), .edition(.cat)])],
            steps: [
                ReleaseStep(
                    id: "3.40.0-a", phase: .afterPackages, kind: .configEdit, title: "Load a module", text: "It is new.\n",
                    conditions: [.install(.packages)],
                    work: .edit(try #require(ConfigEdit(file: "/opt/canopsis/etc/webserver.conf", section: "webservices", line: "a=1")))),
                ReleaseStep(
                    id: "3.40.0-b", phase: .afterInit, kind: .mongo, title: "Turn a field", text: "Two\n\nparagraphs.\n\n",
                    work: .mongo("db.a.update(\n\n    {})\n"), requiresEnginesStopped: true, isOptional: true,
                    obsoleteFrom: CanopsisVersion(3, 41, 0)),
                ReleaseStep(id: "3.40.0-c", phase: .beforePackages, kind: .notice, title: "Look out", text: "!", isBlocking: true),
            ])
        #expect(
            release.textToRead == """
                Canopsis 3.40.0, published 2020-05-04

                Must not be taken (CentOS 7, edition cat): Broken.

                3.40.0-a: Load a module
                config-edit, after the packages (installed from packages)
                It is new.
                    /opt/canopsis/etc/webserver.conf, section [webservices]: a=1

                3.40.0-b: Turn a field
                mongo, after canopsinit, optional, engines stopped, needless from 3.41.0
                Two

                paragraphs.
                    db.a.update(

                        {})

                3.40.0-c: Look out
                notice, before the packages, blocks the upgrade
                !

                """)
        #expect(Release(version: CanopsisVersion(3, 5, 0)).textToRead == "Canopsis 3.5.0\n")
    }
}
