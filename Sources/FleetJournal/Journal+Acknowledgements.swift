import FleetCore
import GRDB

extension Journal {
    /// Keeps who has read which texts, all of them or none.
    ///
    /// - Parameters:
    ///   - readings: the texts.
    ///   - person: who has read them.
    ///   - duration: how long that counts; nil for as long as the text stays the same.
    /// - Returns: What was written.
    @discardableResult
    public func acknowledge(
        _ readings: [ReleaseReading], by person: String, for duration: Duration?
    ) throws(Problem) -> [Acknowledgement] {
        let now = now
        let until = duration.map { Timestamp(milliseconds: now.milliseconds + Int64($0.inSeconds * 1000)).description }
        let said = readings.map {
            Acknowledgement(version: $0.version, sha256: $0.sha256, person: person, at: now.description, until: until)
        }
        try attempt("keep who has read the notes") { database in
            try database.inTransaction(.immediate) {
                for one in said {
                    try database.execute(
                        sql: "INSERT INTO acknowledgements (version, sha256, person, at, until) VALUES (?, ?, ?, ?, ?)",
                        arguments: [one.version.description, one.sha256, one.person, one.at, one.until])
                }
                return .commit
            }
        }
        return said
    }

    /// Who has read what, in the order in which they said so.
    public func acknowledgements() throws(Problem) -> [Acknowledgement] {
        try attempt("be read") { database in
            try Row.fetchAll(database, sql: "SELECT version, sha256, person, at, until FROM acknowledgements ORDER BY sequence").map {
                row in
                let text: String = row["version"]
                guard let version = CanopsisVersion(text) else {
                    throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "\(text) is not a version"))
                }
                return Acknowledgement(
                    version: version, sha256: row["sha256"], person: row["person"], at: row["at"], until: row["until"])
            }
        }
    }
}
