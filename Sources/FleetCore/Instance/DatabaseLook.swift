/// Asks the database which version, edition and stack `canopsinit` wrote into it last. Changes nothing.
///
/// - Source: `configuration`, `_id: "canopsis_version"`: the version since 3.5.0, edition and stack since 3.18.0.
public enum DatabaseLook {
    /// Shell text that asks, with the host's own client and credentials; its answer is a line that begins with the nonce.
    public static func script(nonce: String) -> String {
        """
        # fleet-declared \(nonce)
        \(DatabaseScript(javaScript(nonce: nonce)).shellText)
        """
    }

    private static func javaScript(nonce: String) -> String {
        """
        var declared = db.getCollection("configuration").findOne({_id: "canopsis_version"}) || {};
        print("\(nonce) " + ["version", "edition", "stack"].map(function (field) {
            return encodeURIComponent(String(declared[field] || "-"));
        }).join(" "));

        """
    }

    /// What the host answered.
    public static func reading(in output: [UInt8], nonce: String) -> DatabaseReading {
        let lines = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let line = lines.last(where: { $0.hasPrefix("\(nonce) ") }) else {
            return .couldNotTell(lines.last.map { String($0.prefix(300)) } ?? "it said nothing")
        }
        let words = line.split(separator: " ").dropFirst().map { $0 == "-" ? nil : String($0.prefix(40)) }
        guard words.count == 3, let version = words[0].flatMap({ CanopsisVersion($0) }) else {
            return .couldNotTell("it holds no version that canopsinit wrote")
        }
        return .says(DeclaredInstance(version: version, edition: words[1], stack: words[2]))
    }
}
