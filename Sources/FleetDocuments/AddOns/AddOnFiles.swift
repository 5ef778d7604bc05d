import FleetCore
import Glibc

/// One place of an inventory that names a step file.
struct AddOnReference: Hashable {
    /// The file, absolute: what stands for it until it is read.
    var file: String
    /// The same as complaints name it.
    var shown: String
    /// The inventory that names it.
    var inventory: String
    /// The line there.
    var line: Int
}

/// Reads the step files that an inventory names, each once.
struct AddOnFiles {
    /// The add-on of each file that could be read, by the file's absolute path.
    private(set) var byFile: [String: AddOn] = [:]
    /// What is wrong, in no order.
    private(set) var problems: [Problem] = []
    /// The files as complaints name them, in the order they are first named.
    private(set) var shown: [String] = []

    init(_ references: [AddOnReference]) {
        var seen: Set<String> = []
        var first: [String: String] = [:]
        for reference in references where seen.insert(reference.file).inserted {
            shown.append(reference.shown)
            guard let addOn = read(reference) else { continue }
            if let other = first[addOn.name] {
                problems.append(
                    Problem(
                        code: "duplicate-add-on", what: "The add-on `\(addOn.name)` is in two files, the other is \(other).",
                        place: .file(reference.shown, line: 1), remedy: "Give one of the two another name."))
            }
            first[addOn.name] = first[addOn.name] ?? reference.shown
            byFile[reference.file] = addOn
        }
    }

    private mutating func read(_ reference: AddOnReference) -> AddOn? {
        guard FileStatus(of: reference.file)?.isRegular == true else {
            problems.append(
                Problem(
                    code: "add-on-missing", what: "There is no step file `\(reference.shown.shortened)`.",
                    place: .file(reference.inventory, line: reference.line),
                    remedy: "Correct the path: it is relative to the inventory's folder, `~/` is your home."))
            return nil
        }
        do throws(Problem) {
            var reader = AddOnReader(path: reference.shown)
            let addOn = reader.read(try TextFile(path: reference.file, role: "step file", most: 1 << 20).read())
            problems += reader.problems
            return addOn
        } catch {
            var problem = error
            if case .file(reference.file, let line) = problem.place { problem.place = .file(reference.shown, line: line) }
            problems.append(problem)
            return nil
        }
    }
}

extension Folder {
    /// How complaints name what a document in the working folder writes as `text`.
    func shown(_ text: String) -> String { text.hasPrefix("~/") ? resolved(text) : text }

    /// The absolute path of what a document writes as `text`, links and `..` resolved if it is there: two spellings of one file are one.
    func canonical(_ text: String) -> String {
        let path = resolved(text)
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
