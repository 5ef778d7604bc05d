import Foundation

/// Writes a Swift file with the texts of other files in it: `EmbedTexts TYPE OUTPUT FILE...`.
@main
struct EmbedTexts {
    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        guard let type = arguments.popFirst(), let output = arguments.popFirst() else {
            throw Mistake(description: "EmbedTexts TYPE OUTPUT FILE...")
        }
        let files = try arguments.map { path in try literal(of: URL(fileURLWithPath: path)) }
        let text = """
            /// Texts that are part of the program.
            enum \(type) {
                /// Each file's name and text, in the order of the names.
                static let files: [(name: String, text: String)] = [
            \(files.joined(separator: ",\n"))
                ]
            }

            """
        try text.write(toFile: output, atomically: true, encoding: .utf8)
    }

    /// A pair of literals; the text is between quotation marks that do not occur in it.
    private static func literal(of file: URL) throws -> String {
        let text = try String(contentsOf: file, encoding: .utf8)
        guard !text.contains("\"\"\"\(fence)"), !text.contains("\\\(fence)"), !text.contains("\r") else {
            throw Mistake(description: "\(file.path): holds \(fence) behind quotation marks or a backslash, or a carriage return")
        }
        return "(\"\(file.lastPathComponent)\", \(fence)\"\"\"\n\(text)\n\"\"\"\(fence))"
    }

    private static let fence = "####"

    private struct Mistake: Error, CustomStringConvertible {
        var description: String
    }
}
