import FleetCore
import FleetDocuments
import Foundation
import Testing

@Suite("A plan file")
struct PlanFileTests {
    @Test("reads back what was written, with the digest of the plan", arguments: 0..<200)
    func roundTrip(_ seed: Int) throws {
        let folder = try TemporaryFolder()
        var generator = GeneratedPlan(seed: seed)
        let plan = generator.plan()
        let file = "\(folder.path)/plan.json"
        try PlanFile(file).write(plan)
        #expect(try PlanFile(file).read() == plan)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("\"digest\": \"\(PlanFile.digest(of: plan))\""))
        #expect(try folder.names == ["plan.json"])
    }

    @Test("has the documented form, and the form of version 1 stays readable, with the digest it had")
    func golden() throws {
        for (plan, name) in [
            (try Self.example(), "plan-1.json"), (try Self.exampleWithEveryRule(), "plan-2.json"),
            (try Self.exampleWithAddOns(), "plan-4.json"), (try Self.exampleWithWeb(), "plan-5.json"),
        ] {
            let golden = fixture(name)
            let folder = try TemporaryFolder()
            try PlanFile("\(folder.path)/plan.json").write(plan)
            let written = try String(contentsOfFile: "\(folder.path)/plan.json", encoding: .utf8)
            #expect(try written == String(contentsOfFile: golden, encoding: .utf8))
            #expect(try PlanFile(golden).read() == plan)
        }
    }

    @Test("the digest is the SHA-256 of the compact text, keys sorted, without the digest itself")
    func digest() throws {
        // Made from plan-1.json by: python3 -c 'import json,sys,hashlib; d=json.load(sys.stdin); del d["digest"];
        // print(hashlib.sha256(json.dumps(d,sort_keys=True,separators=(",",":"),ensure_ascii=False).encode()).hexdigest())'
        #expect(PlanFile.digest(of: try Self.example()) == "8fbd011fcef0eec0d82265eaddaf48d26dd2bc527a28ab35c673369a123b11ff")
    }

    @Test("the digest differs if anything in the plan does", arguments: 0..<50)
    func differentDigests(_ seed: Int) {
        var generator = GeneratedPlan(seed: seed)
        let (one, other) = (generator.plan(), generator.plan())
        #expect((PlanFile.digest(of: one) == PlanFile.digest(of: other)) == (one == other))
    }

    @Test("is for its owner alone, also where others could read the file it replaces")
    func permissions() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("{}", to: "plan.json", permissions: 0o666)
        try PlanFile(file).write(Self.example())
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try folder.names == ["plan.json"])
    }

    @Test("may be laid out anew: spaces and the order of keys do not count")
    func reformatted() throws {
        let folder = try TemporaryFolder()
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: fixture("plan-1.json"))))
        let compact = try #require(String(bytes: JSONSerialization.data(withJSONObject: object), encoding: .utf8))
        #expect(try PlanFile(folder.write(compact, to: "plan.json")).read() == Self.example())
    }

    @Test(
        "is refused if anything was edited",
        arguments: [
            ("\"3.26.0\"", "\"3.27.0\""), ("\"at_once\": 5", "\"at_once\": 6"), ("canoctl restart", "canoctl stop"),
            ("\"barrier\"", "\"x\": 1,\n\"barrier\""),
            ("\"digest\": \"", "\"digest\": \"0"), ("\"digest\"", "\"digset\""), ("\"core\"", "\"pro\""),
        ])
    func edited(_ words: String, _ others: String) throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: fixture("plan-1.json"), encoding: .utf8)
        #expect(text.contains(words))
        try folder.write(text.replacingOccurrences(of: words, with: others), to: "plan.json")
        let expected = """
            plan.json: The plan was changed after Fleet wrote it: its digest does not fit.
                Make a new one with `fleet plan`; what it does is set by its options.
            """
        #expect(complaint(folder) == expected)
    }

    @Test("of another form is refused before its digest is looked at", arguments: [("6", "newer"), ("0", "older")])
    func otherSchema(_ schema: String, _ age: String) throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: fixture("plan-1.json"), encoding: .utf8)
        try folder.write(text.replacingOccurrences(of: "\"schema\": 1", with: "\"schema\": \(schema)"), to: "plan.json")
        let expected = """
            plan.json: The plan has form \(schema), written by Fleet 0.1.0; this Fleet reads no form above 5.
                Its Fleet is \(age): use that one, or make a new plan with this one.
            """
        #expect(complaint(folder) == expected)
    }

    @Test("that is no plan is refused")
    func noPlan() throws {
        let folder = try TemporaryFolder()
        #expect(complaint(folder) == "plan.json: There is no such file.\n    Check the path of the plan file.")
        try folder.write("hosts: {}", to: "plan.json")
        #expect(complaint(folder).hasPrefix("plan.json: This is not JSON, so it is not a plan. ("))
        try folder.write("[]", to: "plan.json")
        #expect(complaint(folder) == "plan.json: This is not a plan. (not an object)\n    Name a file that `fleet plan -o FILE` wrote.")
        try folder.write(#"{"schema": "1", "fleet": "0.1.0"}"#, to: "plan.json")
        #expect(complaint(folder).hasPrefix("plan.json: This is not a plan. (no `schema` or no `fleet`)"))
        try FileManager.default.removeItem(atPath: "\(folder.path)/plan.json")
        try folder.write("", to: "plan.json/x")
        #expect(complaint(folder) == "plan.json: This is a directory.\n    Name a file, not a directory.")
    }

    @Test("with a right digest and senseless contents is refused with the place in it")
    func senseless() throws {
        let folder = try TemporaryFolder()
        // The digest of {"fleet":"0.1.0","schema":1}.
        try folder.write(
            #"{"digest": "7f9bdc7a92ed2ef8112e29515df453ee2abf9e5c58810331bce37c4e16506e2b", "fleet": "0.1.0", "schema": 1}"#,
            to: "plan.json")
        #expect(complaint(folder).hasPrefix("plan.json: This is not a plan. ("))
        #expect(complaint(folder).contains("created"))
    }

    @Test("is not written over a directory or a device, nor where there is no directory; nothing is left behind")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        try folder.write("kept", to: "plan.json/kept")
        #expect(
            writeComplaint("\(folder.path)/plan.json").hasSuffix(
                "plan.json: This is a directory.\n    Name a file in it for the plan file."))
        #expect(try folder.names == ["plan.json"])
        #expect(
            writeComplaint("/dev/null")
                == "/dev/null: This is not a regular file.\n    Name a regular file for the plan file, or one that is not there yet.")
        #expect(
            writeComplaint("/nonexistent/plan.json") == """
                /nonexistent/plan.json: The plan file cannot be written. (No such file or directory)
                    Make the directory first: mkdir -p /nonexistent
                """)
    }

    private func complaint(_ folder: borrowing TemporaryFolder) -> String {
        do throws(Problem) {
            _ = try PlanFile("\(folder.path)/plan.json").read()
            return ""
        } catch {
            return error.description.replacingOccurrences(of: "\(folder.path)/", with: "")
        }
    }

    private func writeComplaint(_ path: String) -> String {
        do throws(Problem) {
            try PlanFile(path).write(
                Plan(fleet: "", created: "", target: CanopsisVersion(3, 26, 0), policy: RolloutPolicy(), hosts: [], waves: []))
            return ""
        } catch {
            return error.description
        }
    }

    /// What `Fixtures/plan-2.json` holds.
    private static func exampleWithEveryRule() throws -> Plan {
        var plan = try example()
        plan.schema = 2
        plan.policy.pause = .seconds(600)
        plan.policy.approve = true
        plan.policy.spread = .customer
        plan.policy.limits = ["site": 2]
        plan.hosts[0].host.labels = ["site": "paris", "rackRow": "12"]
        return plan
    }

    /// What `Fixtures/plan-4.json` holds.
    private static func exampleWithAddOns() throws -> Plan {
        var plan = try exampleWithEveryRule()
        plan.schema = 4
        plan.hosts[0].host.addons = ["acme-dashboards", "sla"]
        plan.hosts[0].steps.append(
            PlannedStep(
                id: try #require(StepID(rawValue: "acme-dashboards.reload")), title: "Load the dashboards anew", script: "load --all\n",
                limit: .seconds(300), kind: .job, isRepeatable: false, origin: "add-on acme-dashboards", because: ["the edition is core"]))
        plan.hooks = [
            .beforeRun: Hook(command: ["/srv/fleet/notify", "begin"], limit: .seconds(30), onFailure: .stop),
            .afterHost: Hook(command: ["true"], limit: .seconds(60), onFailure: .warn),
        ]
        return plan
    }

    /// What `Fixtures/plan-5.json` holds.
    private static func exampleWithWeb() throws -> Plan {
        var plan = try exampleWithAddOns()
        plan.schema = 5
        plan.hosts[0].host.web = WebAccess(
            address: try #require(WebAddress("https://acme.example.net/canopsis")), user: "probe", passwordFile: "/srv/secrets/acme",
            tls: .trustHost)
        plan.hosts[1].host.web = WebAccess(address: try #require(WebAddress("http://127.0.0.1:80")))
        return plan
    }

    /// What `Fixtures/plan-1.json` holds.
    private static func example() throws -> Plan {
        let (one, two) = (try #require(HostName("acme-1")), try #require(HostName("acme-2")))
        let system = OperatingSystem(id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)")
        let version = CanopsisVersion(3, 25, 0)
        return Plan(
            schema: 1, fleet: "0.1.0", created: "2026-11-23T14:25:01Z", target: CanopsisVersion(3, 26, 0),
            policy: RolloutPolicy(waves: [.hosts(1), .percent(20)], maxFailuresPerWave: .hosts(2)),
            hosts: [
                PlannedHost(
                    host: Host(
                        name: one, address: "acme-1.example.net", identity: "/root/.ssh/id_ed25519", knownHosts: "/root/.ssh/known_hosts",
                        customer: "acme", addons: [], groups: ["production"]),
                    identity: HostIdentity(machineID: "0123456789abcdef0123456789abcdef", hostKey: "SHA256:abc"),
                    facts: ReliedFacts(
                        version: version, system: system, packageManager: .apt,
                        installed: [Package(name: "canopsis-core", version: "3.25.0-1")]),
                    upgradeClass: .intermediate, disposition: .upgrade(wave: 1),
                    findings: [GateFinding(gate: "disk-space", verdict: .warn, text: "2 GB are free", remedy: "Make room.")],
                    steps: [
                        PlannedStep(
                            id: .restart, title: "Restart Canopsis", script: "canoctl restart\n", limit: .seconds(600), kind: .job)
                    ]),
                PlannedHost(
                    host: Host(name: two, address: "acme-2", port: 2222, become: .sudo, settle: .milliseconds(1500)),
                    identity: nil, facts: nil, upgradeClass: nil,
                    disposition: .unreachable(Reason(.connectFailed, ["words": "Connexion refusée"])), findings: [], steps: []),
            ],
            waves: [Wave(number: 1, hosts: [one])])
    }
}
