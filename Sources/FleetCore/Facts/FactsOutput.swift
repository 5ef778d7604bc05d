/// What the facts script printed, cut into its sections; nothing in it is believed yet.
struct FactsOutput {
    /// The lines of each section, by its name.
    private var sections: [String: [Line]] = [:]

    /// One line without its end; nil if it is longer than ``longestLine`` bytes or not UTF-8.
    typealias Line = String?

    /// More than the script ever prints, in bytes.
    static let longest = 2 << 20
    /// More than any line the script prints on purpose, in bytes.
    static let longestLine = 4096

    /// Cuts the output at the lines that carry the nonce.
    ///
    /// What stands before the first and after the last marker is not the script's. Without both of them nothing can be said.
    init(_ output: [UInt8], nonce: String) throws(FactsError) {
        guard output.count <= Self.longest else { throw FactsError(section: "begin", problem: .tooLong) }
        let marker = Array("@\(nonce) ".utf8)
        var current: String?
        var ended = false
        for line in output.split(separator: UInt8(ascii: "\n")) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if line.isEmpty { continue }
            guard line.starts(with: marker) else {
                if let current, !ended { sections[current, default: []].append(Self.text(of: line)) }
                continue
            }
            guard let name = Self.text(of: line.dropFirst(marker.count)), Self.isSectionName(name) else {
                throw FactsError(section: current ?? "begin", problem: .malformed)
            }
            guard current != nil || name == "begin" else { throw FactsError(section: "begin", problem: .missing) }
            guard sections[name] == nil, !ended else { throw FactsError(section: name, problem: .malformed) }
            sections[name] = []
            current = name
            ended = name == "end"
        }
        guard current != nil else { throw FactsError(section: "begin", problem: .missing) }
        guard ended else { throw FactsError(section: "end", problem: .missing) }
    }

    /// The lines of a section that must be there, each of them readable.
    func lines(_ name: String) throws(FactsError) -> [String] {
        guard let lines = sections[name] else { throw FactsError(section: name, problem: .missing) }
        var readable: [String] = []
        for line in lines {
            guard let line else { throw FactsError(section: name, problem: .malformed) }
            readable.append(line)
        }
        return readable
    }

    /// The only line of a section.
    func line(_ name: String) throws(FactsError) -> String {
        let lines = try lines(name)
        guard let first = lines.first else { throw FactsError(section: name, problem: .empty) }
        guard lines.count == 1 else { throw FactsError(section: name, problem: .malformed) }
        return first
    }

    /// The lines of a section that only repeats what a person will read: what cannot be shown is replaced, never refused.
    func words(_ name: String) -> [String] {
        (sections[name] ?? []).map { $0 ?? "(a line that cannot be shown)" }
    }

    private static func text(of line: ArraySlice<UInt8>) -> Line {
        line.count <= longestLine ? String(validating: line, as: UTF8.self) : nil
    }

    private static func isSectionName(_ name: String) -> Bool {
        (1...20).contains(name.utf8.count) && name.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
    }
}

/// Why a host's facts, or one section of them, could not be read.
public struct FactsError: Error, Hashable, Sendable, Codable {
    /// The section of the script's output it happened in; `begin` and `end` are the markers themselves.
    public var section: String
    /// What is wrong with it.
    public var problem: Problem

    /// What can be wrong with a section.
    public enum Problem: String, Hashable, Sendable, Codable {
        /// It is not there: the output was cut short, or the script did not run.
        case missing
        /// It is there without a value: the host could not read it.
        case empty
        /// It does not have the form it must have.
        case malformed
        /// It is longer than it can be.
        case tooLong = "too-long"
    }

    /// Creates an error.
    public init(section: String, problem: Problem) {
        self.section = section
        self.problem = problem
    }

    /// The error as a sentence without a full stop.
    public var text: String {
        switch (section, problem) {
        case ("begin", .missing): "the script that reads the facts printed nothing"
        case ("end", .missing): "the script that reads the facts did not get to its end"
        case (_, .missing): "\(section): missing"
        case (_, .empty): "\(section): could not be read on the host"
        case (_, .malformed): "\(section): not of the form it must have"
        case (_, .tooLong): "\(section): more output than there can be"
        }
    }
}
