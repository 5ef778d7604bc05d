import FleetCore
import FoundationEssentials
import Glibc

/// Releases on disk: a YAML file, or a directory whose `*.yaml` files are one catalogue together.
///
/// `Sources/FleetDocuments/Catalogue/Releases` has examples of every key.
public struct CatalogueFiles: Sendable {
    /// The path of the file or the directory, as given.
    public var path: String

    /// Names a catalogue.
    public init(_ path: String) { self.path = path }

    /// Reads and checks everything; throws every mistake there is, in the order of files and lines.
    public func read() throws(Problems) -> Catalogue {
        var (texts, problems): ([(name: String, text: String)], [Problem]) = ([], [])
        for file in try files() {
            do throws(Problem) {
                texts.append((file, try TextFile(path: file, role: "catalogue").read()))
            } catch {
                problems.append(error)
            }
        }
        return try Self.catalogue(of: texts, besides: problems)
    }

    /// The catalogue of texts that were read, each with the name its mistakes are told under.
    static func catalogue(of texts: [(name: String, text: String)], besides problems: [Problem] = []) throws(Problems) -> Catalogue {
        var (declared, problems): ([DeclaredRelease], [Problem]) = ([], problems)
        for (name, text) in texts {
            var reader = CatalogueReader(path: name)
            reader.read(text)
            declared += reader.releases
            problems += reader.problems.sorted { ($0.line, $0.what) < ($1.line, $1.what) }
        }
        problems += duplicates(among: declared)
        guard problems.isEmpty else { throw Problems(problems) }
        return Catalogue(declared.map(\.release))
    }

    private static func duplicates(among declared: [DeclaredRelease]) -> [Problem] {
        var first: [CanopsisVersion: DeclaredRelease] = [:]
        return declared.compactMap { one in
            guard let other = first[one.release.version] else {
                first[one.release.version] = one
                return nil
            }
            return Problem(
                code: "duplicate-release",
                what: "The release \(one.release.version) is given twice, first at \(Problem.Place.file(other.file, line: other.line)).",
                place: .file(one.file, line: one.line), remedy: "Keep one of the two.")
        }
    }

    private func files() throws(Problems) -> [String] {
        guard FileStatus(of: path)?.isDirectory == true else { return [path] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw Problems([TextFile(path: path, role: "catalogue").unreadable(EACCES)])
        }
        let folder = path.hasSuffix("/") ? path : path + "/"
        let files = names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }.sorted().map { folder + $0 }
        guard !files.isEmpty else {
            throw Problems([
                Problem(
                    code: "empty-catalogue", what: "There is no *.yaml file in this directory.", place: .file(path, line: nil),
                    remedy: "Put releases there, or name another directory or a file.")
            ])
        }
        return files
    }
}

extension Problem {
    fileprivate var line: Int {
        if case .file(_, let line) = place { line ?? 0 } else { 0 }
    }
}
