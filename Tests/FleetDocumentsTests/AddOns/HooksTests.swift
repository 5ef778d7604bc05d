import FleetCore
import Foundation
import Testing

@testable import FleetDocuments

@Suite("Hooks in an inventory")
struct HooksTests {
    @Test("have an absolute program, or one of PATH, and the documented values where nothing is said")
    func read() throws {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\n", to: "bin/notify", permissions: 0o755)
        try folder.write(
            """
            hooks:
              before_run: {command: [bin/notify, begin, "", "a b"], limit: 5m, on_failure: warn}
              after_run: {command: ["true"], on_failure: stop}
              before_wave: {command: [bin/notify]}
              after_wave: {command: [bin/notify]}
              before_host: {command: [./bin/notify]}
              after_host: {command: [/bin/true]}
            hosts: {acme-1: {addons: none}}
            """)
        let notify = "\(folder.path)/bin/notify"
        let hooks = try folder.inventory().hooks
        #expect(hooks[.beforeRun] == Hook(command: [notify, "begin", "", "a b"], limit: .seconds(300), onFailure: .warn))
        #expect(hooks[.afterRun] == Hook(command: ["true"], limit: .seconds(60), onFailure: .stop))
        #expect(hooks[.beforeWave] == Hook(command: [notify], limit: .seconds(60), onFailure: .stop))
        #expect(hooks[.afterWave] == Hook(command: [notify], limit: .seconds(60), onFailure: .warn))
        #expect(hooks[.beforeHost]?.onFailure == .stop && hooks[.afterHost]?.onFailure == .warn)
        #expect(hooks[.beforeHost]?.command == ["\(folder.path)/./bin/notify"] && hooks[.afterHost]?.command == ["/bin/true"])
        #expect(try folder.inventory().selected(by: HostSelection([])).hooks == hooks, "a selection keeps them")
    }

    @Test("each mistake has its place, its sentence and its remedy")
    func mistakes() throws {
        let folder = try TemporaryFolder()
        try folder.write("text", to: "plain", permissions: 0o644)
        try folder.write(
            """
            hooks:
              before_run: {command: [./gone]}
              after_run: {command: [./plain], on_failure: ignore, limit: 0s}
              before_wave: {command: [no-such-program-anywhere]}
              after_wave: ./plain
              before_host: {command: ./plain}
              after_host: {limit: 5s}
              befor_host: {command: ["true"]}
            hosts: {acme-1: {addons: none}}
            groups: {production: {hooks: {after_run: {command: ["true"]}}, hosts: {acme-2: {addons: none}}}}
            """)
        #expect(
            folder.complaints() == """
                fleet.yaml:2: There is no program `./gone`.
                    Correct the path: it is relative to the inventory's folder, `~/` is your home.
                fleet.yaml:3: The program `./plain` may not be executed.
                    chmod +x ./plain
                fleet.yaml:3: `0s` cannot be the value of `limit`.
                    Write a whole number and a unit: `90s`, `10m`.
                fleet.yaml:3: `ignore` is no value of `on_failure`.
                    Allowed: stop, warn.
                fleet.yaml:4: There is no program `no-such-program-anywhere` in PATH.
                    Correct the name, or write a path with a slash: `./no-such-program-anywhere`.
                fleet.yaml:5: `after_wave` must be a mapping, this is a single value.
                    Write `{command: [./notify, begin]}`.
                fleet.yaml:6: `command` must be a list, this is a single value.
                    Write the program and its arguments, no shell reads them: `command: [./notify, begin]`.
                fleet.yaml:7: `after_host` has no `command`.
                    Add `command:`.
                fleet.yaml:8: Unknown key `befor_host`.
                    Did you mean `before_host`? Allowed here: before_run, after_run, before_wave, after_wave, before_host, after_host.
                fleet.yaml:10: Unknown key `hooks`.
                    Allowed here: defaults, groups, hosts.
                """)
    }

    @Test("stand in one file of an inventory, and are for all of it")
    func twoFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("hosts: {acme-1: }\nhooks: {after_run: {command: [\"true\"]}}", to: "fleet/a.yaml")
        try folder.write("hosts: {acme-2: }", to: "fleet/b.yaml")
        #expect(try folder.inventory("fleet").hooks.keys.map(\.rawValue) == ["after_run"])
        try folder.write("hosts: {acme-2: }\nhooks: {before_run: {command: [\"true\"]}}", to: "fleet/b.yaml")
        #expect(
            folder.complaints(about: "fleet") == """
                fleet/b.yaml:2: The inventory has `hooks` twice, first at fleet/a.yaml:2.
                    Keep one of the two: hooks are for the whole inventory.
                """)
    }
}
