import FleetCore
import FleetDocuments
import Foundation
import Testing

/// A folder of one test, gone with it.
struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/fleet-documents-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file into the folder, the folders on its way included.
    @discardableResult
    func write(_ text: String, to name: String = "fleet.yaml", permissions: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: file)
        return file
    }

    /// Everything in the folder, hidden files too, sorted.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    /// Reads the inventory `name`; home is the folder `home` in this one.
    func inventory(_ name: String = "fleet.yaml") throws(Problems) -> Inventory {
        try InventoryFile("\(path)/\(name)", home: "\(path)/home").read()
    }

    /// What reading the inventory complains about, the folder's own path left out; empty if it is read.
    func complaints(about name: String = "fleet.yaml") -> String {
        do throws(Problems) {
            _ = try inventory(name)
            return ""
        } catch {
            return error.description.replacingOccurrences(of: "\(path)/", with: "").replacingOccurrences(of: path, with: "FOLDER")
        }
    }
}

/// A file beside the tests.
func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/\(name)"
}
