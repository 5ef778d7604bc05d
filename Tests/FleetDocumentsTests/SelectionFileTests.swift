import FleetCore
import FleetDocuments
import Testing

@Suite("A list of hosts, @FILE")
struct SelectionFileTests {
    private func complaint(_ folder: borrowing TemporaryFolder, _ arguments: [String]) -> String {
        do throws(Problems) {
            _ = try HostSelection.reading(arguments)
            return ""
        } catch {
            return error.description.replacing("\(folder.path)/", with: "")
        }
    }

    @Test("its lines are patterns, comments and empty lines left out")
    func lines() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("# the night shift\nacme-1\r\n\n  acme-[2:3]  # both\n!acme-2\n", to: "night.txt")
        let selection = try HostSelection.reading(["globex-*", "@\(file)"])
        #expect(selection.patterns.map(\.text) == ["globex-*", "acme-1", "acme-[2:3]", "acme-2"])
        #expect(selection.patterns.map(\.excludes) == [false, false, false, true])
        #expect(
            selection.patterns.map(\.place) == [.argument("-l globex-*"), .file(file, line: 2), .file(file, line: 4), .file(file, line: 5)])
    }

    @Test("a list that is taken away takes each of its hosts away")
    func excluded() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("acme-1\nacme-2\n", to: "never.txt")
        #expect(try HostSelection.reading(["!@\(file)"]).patterns.map(\.excludes) == [true, true])
    }

    @Test("its mistakes have their line")
    func mistakes() throws {
        let folder = try TemporaryFolder()
        let nested = try folder.write("acme-1\n@more.txt\n", to: "nested.txt")
        #expect(
            complaint(folder, ["@\(nested)"])
                == "nested.txt:2: A list of hosts cannot name another list.\n    Give both lists on the command line: `-l @A -l @B`.")
        let twice = try folder.write("!acme-1\n", to: "twice.txt")
        #expect(
            complaint(folder, ["!@\(twice)"])
                == "twice.txt:1: `!acme-1` is taken away in a list that is itself taken away.\n    Remove one `!`.")
        let empty = try folder.write("# nobody\n", to: "empty.txt")
        #expect(
            complaint(folder, ["@\(empty)", "@\(folder.path)/none.txt"]) == """
                empty.txt: There is no pattern in this file.
                    Write one host, group or pattern per line.
                none.txt: There is no such file.
                    Check the path of the list of hosts.
                """)
    }
}
