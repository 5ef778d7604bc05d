import FleetCore
import Foundation
import Testing

@Suite("JavaScript for the database of a host, in a real shell")
struct DatabaseScriptTests {
    /// A program `mongo` that keeps what it was given and ends with a status.
    private static func with(status: Int, settings: String, _ body: (JobPlace, (String) async throws -> String) async throws -> Void)
        async throws
    {
        try await JobPlace.with { place in
            let client = "#!/bin/sh\nprintf '%s\\n' \"$*\" >'\(place.root)/arguments'\ncat >'\(place.root)/input'\nexit \(status)\n"
            try client.write(toFile: place.root + "/bin/mongo", atomically: true, encoding: .utf8)
            try await place.bash("chmod 755 \"$0/bin/mongo\"")
            try settings.write(toFile: place.root + "/store.conf", atomically: true, encoding: .utf8)
            try await body(place) { script in
                let here = script.replacing(DatabaseScript.settings, with: place.root + "/store.conf")
                let said = try await place.run("PATH='\(place.root)/bin':$PATH; export PATH; (\n\(here)\n); echo \"ended $?\"")
                return String(decoding: said, as: UTF8.self)
            }
        }
    }

    private static let settings =
        "[OTHER]\nuser=wrong\n[DATABASE]\nhost = db.example.net\nport=27018\ndb=canopsis\nuser = cps\npwd=s\\e\"cr'et $x  \n"

    @Test("reaches the client by standard input with the host's own credentials, and neither stands among its arguments")
    func fed() async throws {
        try await Self.with(status: 57, settings: Self.settings) { place, run in
            let said = try await run(DatabaseScript("print('é \"x\"');\n").shellText)
            #expect(said == "ended 0\n")
            let arguments = try String(contentsOfFile: place.root + "/arguments", encoding: .utf8)
            #expect(arguments == "--quiet --norc --nodb\n")
            let input = try String(contentsOfFile: place.root + "/input", encoding: .utf8).split(separator: "\n").map(String.init)
            #expect(
                input[0].contains(#"host: "db.example.net", port: "27018", db: "canopsis", user: "cps", pwd: "s\\e\"cr'et $x"}"#),
                "\(input[0])")
            #expect(input[1] == #"void (fleetScript += "print('\u00e9 \"x\"');\n");"#)
            #expect(input.count == 3)
        }
    }

    @Test(
        "counts as done only when the client says so: 0 is no success, for a client ends with 0 also where nothing ran",
        arguments: [(57, 0), (0, 1), (1, 1), (252, 252)])
    func ending(status: Int, ended: Int) async throws {
        try await Self.with(status: status, settings: Self.settings) { _, run in
            let said = try await run(DatabaseScript("x();").shellText)
            #expect(said.hasSuffix("ended \(ended)\n"))
        }
    }

    @Test("no line is longer than a client reads, and all of them are ASCII")
    func lines() {
        let script = String(repeating: "db.x.insert({\"é\": '\\\\n\u{1f600}'});\n", count: 500)
        for line in DatabaseScript(script).shellText.split(separator: "\n") {
            #expect(line.utf8.count < 4000 && line.utf8.allSatisfy { $0 < 0x80 })
        }
    }
}
