import FleetCore

/// The releases the program comes with, read from texts inside it: no file is needed at run time.
///
/// The texts are the files of `Catalogue/Releases`; a plug-in of the package puts them here when it is built.
public enum BuiltInCatalogue {
    /// Reads and checks the releases; a test sees to it that nothing is wrong with them.
    public static func read() throws(Problems) -> Catalogue {
        try CatalogueFiles.catalogue(of: EmbeddedReleases.files.map { ("built-in \($0.name)", $0.text) })
    }

    /// The names and texts of the files, in the order of the names.
    static var files: [(name: String, text: String)] { EmbeddedReleases.files }
}
