import Glibc

/// The host keys on file, as OpenSSH writes them.
///
/// Understands hashed names, `[host]:port`, `*` and `?`, `!` negation, comma lists and `@revoked`. A line marked
/// `@cert-authority` never vouches for a plain key. Names are compared without regard to case.
///
/// - Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
public struct KnownHosts: Sendable {
    /// One line of a file.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        /// The file, as it was named.
        public var file: String
        /// Counted from 1.
        public var line: Int
        /// The type of key there.
        public var type: String

        /// Names a line.
        public init(file: String, line: Int, type: String) {
            self.file = file
            self.line = line
            self.type = type
        }

        /// `file:line`.
        public var description: String { "\(file):\(line)" }
    }

    private struct Entry {
        var place: Place
        var names: HostNames
        var isRevoked: Bool
        var blob: [UInt8]
    }

    /// The lines that are neither a comment nor understood; they vouch for nobody.
    public private(set) var unreadable: [Place] = []

    private var entries: [Entry] = []
    // Most lines name a host literally and are found at once; only the others are searched.
    private var literal: [String: [Int]] = [:]
    private var others: [Int] = []

    /// Knows nobody.
    public init() {}

    /// Reads files in this order; one that doesn't exist counts as empty.
    public init(files: [String]) throws(SSHError) {
        for file in files {
            guard let bytes = try FileBytes.read(file) else { continue }
            add(String(decoding: bytes, as: UTF8.self), from: file)
        }
    }

    /// Takes the text of a known_hosts file; the name is for messages.
    public init(text: String, from file: String) {
        add(text, from: file)
    }

    /// The name under which a server is on file: `host`, or `[host]:port` unless the port is 22.
    public static func name(of endpoint: SSHEndpoint) -> String {
        let host = endpoint.host.lowercased()
        return endpoint.port == 22 ? host : "[\(host)]:\(endpoint.port)"
    }

    /// What the files say about a key that a server offers.
    public func verdict(on key: HostKey, of endpoint: SSHEndpoint) -> HostKeyVerdict {
        var match: Place?
        var recorded: [Place] = []
        for index in matching(endpoint) {
            let isSame = entries[index].blob == key.blob
            if entries[index].isRevoked {
                if isSame { return .revoked(entries[index].place) }
            } else if isSame {
                match = match ?? entries[index].place
            } else {
                recorded.append(entries[index].place)
            }
        }
        if let match { return .match(match) }
        return recorded.isEmpty ? .unknown : .mismatch(recorded: recorded)
    }

    /// The types of key on file for a server, in the order of the files.
    public func types(of endpoint: SSHEndpoint) -> [String] {
        var types: [String] = []
        for index in matching(endpoint) where !entries[index].isRevoked && !types.contains(entries[index].place.type) {
            types.append(entries[index].place.type)
        }
        return types
    }

    /// The places of a server's entries, in the order of the files.
    private func matching(_ endpoint: SSHEndpoint) -> [Int] {
        let name = Self.name(of: endpoint)
        let found = literal[name] ?? []
        let searched = others.filter { entries[$0].names.include(name) }
        return searched.isEmpty ? found : (found + searched).sorted()
    }

    private mutating func add(_ text: String, from file: String) {
        // By unicode scalar, since Swift takes CR LF for one character.
        for (index, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            add(words, at: Place(file: file, line: index + 1, type: ""))
        }
    }

    private mutating func add(_ words: [String], at place: Place) {
        var words = words[...]
        let marker = words.first.flatMap { $0.hasPrefix("@") ? $0 : nil }
        if marker != nil { words.removeFirst() }
        guard words.count >= 3, marker == nil || marker == "@revoked" || marker == "@cert-authority",
            let names = HostNames(words[words.startIndex]), let blob = Base64.decode(words[words.startIndex + 2]),
            let key = HostKey(blob: blob), key.type == words[words.startIndex + 1]
        else {
            unreadable.append(place)
            return
        }
        if marker == "@cert-authority" { return }
        var place = place
        place.type = key.type
        entries.append(Entry(place: place, names: names, isRevoked: marker == "@revoked", blob: blob))
        if let literals = names.literals {
            for name in Set(literals) { literal[name, default: []].append(entries.count - 1) }
        } else {
            others.append(entries.count - 1)
        }
    }
}

/// The first word of a known_hosts line.
enum HostNames {
    case hashed(salt: [UInt8], hash: [UInt8])
    case patterns([(isNegated: Bool, pattern: [UInt8])])

    init?(_ word: String) {
        if word.hasPrefix("|") {
            let parts = word.split(separator: "|", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[1] == "1", let salt = Base64.decode(parts[2]), let hash = Base64.decode(parts[3])
            else { return nil }
            self = .hashed(salt: salt, hash: hash)
        } else {
            self = .patterns(
                word.lowercased().split(separator: ",").map { part in
                    let isNegated = part.hasPrefix("!")
                    return (isNegated, Array(part.utf8.dropFirst(isNegated ? 1 : 0)))
                })
        }
    }

    /// The names, if the word is nothing but names.
    var literals: [String]? {
        guard case .patterns(let patterns) = self else { return nil }
        let special = [UInt8(ascii: "*"), UInt8(ascii: "?")]
        guard patterns.allSatisfy({ !$0.isNegated && !$0.pattern.contains(where: special.contains) }) else { return nil }
        return patterns.map { String(decoding: $0.pattern, as: UTF8.self) }
    }

    /// Whether the line is about this host; one negated pattern that fits is enough for no.
    func include(_ name: String) -> Bool {
        switch self {
        case .hashed(let salt, let hash):
            return Digest.hmacSHA1(key: salt, Array(name.utf8)) == hash
        case .patterns(let patterns):
            let name = Array(name.utf8)
            var isIncluded = false
            for (isNegated, pattern) in patterns where Self.pattern(pattern, fits: name) {
                if isNegated { return false }
                isIncluded = true
            }
            return isIncluded
        }
    }

    /// Compares with wildcards: `*` stands for any bytes, `?` for one.
    ///
    /// Only the last star is ever tried again, so no pattern can make it slow.
    private static func pattern(_ pattern: [UInt8], fits name: [UInt8]) -> Bool {
        var (at, position) = (0, 0)
        var star: (at: Int, position: Int)?
        while position < name.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, position)
                at += 1
            } else if at < pattern.count, pattern[at] == UInt8(ascii: "?") || pattern[at] == name[position] {
                at += 1
                position += 1
            } else if let last = star {
                star = (last.at, last.position + 1)
                (at, position) = (last.at + 1, last.position + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// Reads small files whole, without Foundation.
enum FileBytes {
    /// The bytes, or nil if there is no such file.
    static func read(_ path: String) throws(SSHError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw .system(call: "open \(path)", errno: errno) }
        defer { close(descriptor) }
        return try read(descriptor, path)
    }

    static func read(_ descriptor: Int32, _ path: String) throws(SSHError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes.append(contentsOf: buffer[..<count])
            } else if errno != EINTR {
                throw .system(call: "read \(path)", errno: errno)
            }
        }
    }
}
