import Glibc

/// The folder a path in a document is relative to, and the user's home.
struct Folder {
    /// Absolute.
    let path: String
    /// What `~/` stands for; absolute.
    let home: String

    /// The folder of a file.
    init(of file: String, home: String) {
        let folder = file.lastIndex(of: "/").map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
        path = Self.absolute(folder)
        self.home = home
    }

    /// The absolute path of what a document writes as `text`.
    func resolved(_ text: String) -> String {
        if text.hasPrefix("~/") { return home + text.dropFirst(1) }
        return text.hasPrefix("/") ? text : (path == "/" ? "" : path) + "/" + text
    }

    /// The home of the user: `HOME`, else what the password database says.
    static var userHome: String {
        if let home = getenv("HOME"), home.pointee != 0 { return String(cString: home) }
        return getpwuid(getuid()).flatMap { $0.pointee.pw_dir }.map { String(cString: $0) } ?? "/"
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let working = getcwd(nil, 0) else { return path }
        defer { free(working) }
        return path == "." ? String(cString: working) : String(cString: working) + "/" + path
    }
}
