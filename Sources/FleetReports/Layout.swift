import FleetCore

/// The widest line of a report, in columns.
let pageWidth = 80

extension String {
    /// How many columns a terminal gives this text, as far as it can be said without asking it.
    var columns: Int {
        reduce(0) { sum, character in
            guard let scalar = character.unicodeScalars.first else { return sum }
            switch scalar.value {
            case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0x1f300...0x1faff:
                return sum + 2
            default: return sum + 1
            }
        }
    }

    /// This text filled up with spaces to a width; longer text stays whole.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - columns))
    }

    /// This text as lines that fit beside an indent, cut between words where that is possible.
    func wrapped(indent: Int, width: Int = pageWidth, hanging: Int? = nil) -> [String] {
        var lines: [String] = []
        var line = ""
        func room() -> Int { max(8, width - (lines.isEmpty ? indent : hanging ?? indent)) }
        func flush() {
            lines.append(String(repeating: " ", count: lines.isEmpty ? indent : hanging ?? indent) + line)
            line = ""
        }
        for word in split(separator: " ") {
            var rest = String(word)
            if !line.isEmpty, line.columns + 1 + rest.columns <= room() {
                line += " " + rest
                continue
            }
            if !line.isEmpty { flush() }
            while rest.columns > room() {
                line = rest.cut(to: room())
                rest.removeFirst(line.count)
                flush()
            }
            line = rest
        }
        if !line.isEmpty { flush() }
        return lines
    }

    /// This text as pieces of at most so many columns, its blanks kept; an empty text is one empty piece.
    func cut(every width: Int) -> [String] {
        var pieces: [String] = []
        var rest = self
        repeat {
            let piece = rest.cut(to: width)
            pieces.append(String(piece.reversed().drop { $0 == " " }.reversed()))
            rest.removeFirst(piece.count)
        } while !rest.isEmpty
        return pieces
    }

    /// The longest beginning that fits, at least one character.
    func cut(to width: Int) -> String {
        var text = ""
        var used = 0
        for character in self {
            used += String(character).columns
            if used > width, !text.isEmpty { break }
            text.append(character)
        }
        return text
    }
}

/// Rows of cells in columns as wide as their widest cell, with notes under a row.
struct Table {
    /// One row; what does not fit beside the others goes under it.
    struct Row {
        var cells: [String]
        var roles: [Int: Style.Role] = [:]
        var notes: [String] = []
    }

    var header: [String]
    var rows: [Row] = []

    /// The table's lines. A first cell wider than the page can spare stands alone on its line.
    func lines(_ style: Style) -> [String] {
        var widths = header.map(\.columns)
        for row in rows {
            for (column, cell) in row.cells.enumerated() { widths[column] = max(widths[column], cell.columns) }
        }
        let others = widths.dropFirst().reduce(0) { $0 + $1 + 2 }
        widths[0] = min(widths[0], max(header[0].columns, pageWidth - others))
        var lines = [style.paint(line(header, widths), .heading)]
        for row in rows {
            var cells = row.cells
            if cells[0].columns > widths[0] {
                lines.append(cells[0])
                cells[0] = ""
            }
            lines.append(line(cells, widths, roles: row.roles, style))
            for note in row.notes { lines += note.wrapped(indent: 4) }
        }
        return lines
    }

    private func line(_ cells: [String], _ widths: [Int], roles: [Int: Style.Role] = [:], _ style: Style = .plain) -> String {
        let last = cells.lastIndex { !$0.isEmpty } ?? 0
        return cells.indices.prefix(last + 1).map { column in
            let text = style.paint(cells[column], roles[column])
            return column == last ? text : text + String(repeating: " ", count: max(0, widths[column] - cells[column].columns))
        }.joined(separator: "  ")
    }
}

/// A time as people read it: `2026-11-23 14:25:01 UTC`.
func shown(_ time: String?) -> String {
    guard let time, let moment = Timestamp(time) else { return "-" }
    let text = moment.description
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
}

/// How long something took: `8s`, `1m 02s`, `2h 05m`; nil if an end is missing.
func shownDuration(from start: String?, to end: String?) -> String? {
    guard let start = start.flatMap({ Timestamp($0) }), let end = end.flatMap({ Timestamp($0) }) else { return nil }
    return shown(end.duration(since: start))
}

/// A duration as people read it, to the second.
func shown(_ duration: Duration) -> String {
    let seconds = Int(duration.inSeconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m \(two(seconds % 60))s" }
    return "\(seconds / 3600)h \(two(seconds / 60 % 60))m"
}

/// `1 host`, `2 hosts`.
func counted(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

extension Reason {
    /// The reason without the host's own words, for a line that has them below it.
    var brief: String {
        switch code {
        case .gateBlocked, .factsChanged, .identityChanged, .rolloutStopped: return text
        default:
            var short = self
            short.parameters["words"] = nil
            return short.text
        }
    }

    /// The host's own words, a line each, escaped.
    var wordLines: [String] {
        (parameters["words"] ?? "").split(whereSeparator: \.isNewline).map { String($0).escapedForTerminal() }
    }
}
