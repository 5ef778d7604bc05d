import Foundation
import PackagePlugin

/// Writes `EmbeddedReleases`, with every file of `Catalogue/Releases`, into the target that uses this.
///
/// SwiftPM's own `.embedInCode` gives 3.5.0.yaml and 4.5.0.yaml one name, and no list of the files.
@main
struct EmbedReleases: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "Catalogue/Releases")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" }
            .sorted { $0.path < $1.path }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedReleases.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(files.count) releases", executable: try context.tool(named: "EmbedTexts").url,
                arguments: ["EmbeddedReleases", output.path] + files.map(\.path), inputFiles: files, outputFiles: [output])
        ]
    }
}
