import FleetCore

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
        let files = try YAMLFiles(path: path, role: "catalogue", holding: "releases").paths()
        for file in files {
            do throws(Problem) {
                texts.append((file, try TextFile(path: file, role: "catalogue").read()))
            } catch {
                problems.append(error)
            }
        }
        return try Self.catalogue(of: texts, besides: problems, in: files)
    }

    /// The catalogue of texts that were read, each with the name its mistakes are told under; `files` are these names and those of
    /// files that could not be read.
    static func catalogue(
        of texts: [(name: String, text: String)], besides problems: [Problem] = [], in files: [String]? = nil
    ) throws(Problems) -> Catalogue {
        var (declared, problems): ([DeclaredRelease], [Problem]) = ([], problems)
        for (name, text) in texts {
            var reader = CatalogueReader(path: name)
            reader.read(text)
            declared += reader.releases
            problems += reader.problems
        }
        problems += duplicates(among: declared)
        guard problems.isEmpty else { throw Problems(problems.inOrder(of: files ?? texts.map(\.name))) }
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
}
