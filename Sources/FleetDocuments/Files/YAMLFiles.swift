import FleetCore
import FoundationEssentials
import Glibc

/// What a path given by a person stands for: a YAML file, or the YAML files of a directory.
struct YAMLFiles {
    /// The path as given.
    let path: String
    /// What the files are to Fleet, such as `inventory`.
    let role: String
    /// What they hold, such as `inventories`.
    let holding: String

    /// The paths of the files, one at least, in the order of their names. Names that begin with a dot are left out.
    func paths() throws(Problems) -> [String] {
        guard FileStatus(of: path)?.isDirectory == true else { return [path] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw Problems([TextFile(path: path, role: role).unreadable(EACCES)])
        }
        let folder = path.hasSuffix("/") ? path : path + "/"
        let files = names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }.sorted().map { folder + $0 }
        guard !files.isEmpty else {
            throw Problems([
                Problem(
                    code: "empty-\(role)", what: "There is no *.yaml file in this directory.", place: .file(path, line: nil),
                    remedy: "Put \(holding) there, or name another directory or a file.")
            ])
        }
        return files
    }
}

extension [Problem] {
    /// Each problem once, by file and line, and by text within a line.
    func inOrder(of files: [String]) -> [Problem] {
        let positions = Dictionary(files.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        func position(_ problem: Problem) -> (Int, Int, String) {
            guard case .file(let file, let line) = problem.place else { return (.max, 0, problem.what) }
            return (positions[file] ?? .max, line ?? 0, problem.what)
        }
        return Set(self).sorted { position($0) < position($1) }
    }
}
