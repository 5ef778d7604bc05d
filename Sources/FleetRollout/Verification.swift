import FleetCore

/// Looks whether an upgraded instance works as well as it did before: its units, its web interface and a login through the connection,
/// and what every place says that it is.
struct Verification: Sendable {
    let target: CanopsisVersion
    let step: PlannedStep
    let host: Host
    let before: HostFacts
    /// How the web interface was before the first step; nil if nobody looked.
    let service: ServiceBaseline?
    let clock: RolloutClock

    /// How long between two looks.
    static let pause = Duration.seconds(1)
    /// How long between two logins; each leaves a session in the web server.
    static let pauseOfLogins = Duration.seconds(5)
    /// How long a refused login may be refused once everything else is good.
    static let patienceWithRefusal = Duration.seconds(10)

    private var expected: ExpectedInstance { ExpectedInstance(version: target, edition: host.edition, stack: host.stack) }

    /// Looks until everything is good, something is bad, or the step's limit is over.
    func run(over connection: any HostConnection) async throws -> StepEnding {
        let began = clock.now()
        let deadline = began + step.limit
        var watch = UnitWatch(before: before.units, settle: host.settle)
        var login = Login(worked: service?.login == .accepted)
        var served: Duration?
        var goodSince: Duration?
        while true {
            let facts: HostFacts
            switch await connection.facts(offer: false) {
            case .failure(let reason):
                return StepEnding(.unknown, reason: Reason(.linkLost, ["words": reason.text]), verified: found(served, nil, nil, login))
            case .facts(let read): facts = read
            }
            var open: Reason?
            switch watch.look(facts.units, at: clock.now()) {
            case .bad(let unit, let reason):
                let told = await withWords(of: unit, reason, over: connection)
                return StepEnding(.failed, reason: told, verified: found(served, nil, nil, login))
            case .waiting(let reason): open = reason
            case .good: break
            }
            let web = await connection.webReading(of: host, at: target)
            let webReason = reason(of: web)
            if webReason == nil, case .says = web, login.isDue(at: clock.now()) {
                login.take(await connection.loginReading(of: host), at: clock.now())
            }
            open = open ?? webReason
            if webReason == nil, login.isGood, case .says = web { served = served ?? clock.now() - began }
            if open == nil {
                // What is written down does not change by waiting.
                let database = await connection.databaseReading(given: facts)
                let differences = differences(facts, web, database)
                guard differences.isEmpty else {
                    return StepEnding(.failed, reason: Self.reason(for: differences), verified: found(served, web, database, login))
                }
                if login.isGood { return StepEnding(.succeeded, verified: found(served, web, database, login)) }
                goodSince = goodSince ?? clock.now()
                if clock.now() - (goodSince ?? .zero) >= Self.patienceWithRefusal || clock.now() >= deadline {
                    return StepEnding(
                        .failed, reason: Reason(.loginFailed, ["words": login.words]), verified: found(served, web, database, login))
                }
            } else if clock.now() >= deadline, let open {
                let database = await connection.databaseReading(given: facts)
                return StepEnding(
                    .failed, reason: await told(open, differences(facts, web, database), over: connection),
                    verified: found(served, web, database, login))
            }
            await clock.sleep(Self.pause)
        }
    }

    /// Why the web interface is not as it should be; nil if it reports the target, and if it was silent before and is now.
    private func reason(of web: WebReading) -> Reason? {
        switch web {
        case .silent(let words): service?.silence == nil ? Reason(.webNotAnswering, ["words": words]) : nil
        case .says(let declared):
            declared.version.flatMap {
                $0 == target ? nil : Reason(.webWrongVersion, ["found": "\($0)", "target": "\(target)"])
            }
        }
    }

    /// What each place says that is not so. A place that could not be asked says nothing.
    private func differences(_ facts: HostFacts, _ web: WebReading, _ database: DatabaseReading) -> [String] {
        var differences = expected.differences(ofFile: facts.versionFile)
        if case .says(let declared) = web { differences += expected.differences(of: "the web interface", declared) }
        if case .says(let declared) = database { differences += expected.differences(of: "the database", declared) }
        return differences
    }

    private static func reason(for differences: [String]) -> Reason {
        Reason(.instanceDiffers, ["words": differences.joined(separator: "\n")])
    }

    /// What the time ran out with, with the unit's own words, or with whatever else is not as it shall be.
    private func told(_ open: Reason, _ differences: [String], over connection: any HostConnection) async -> Reason {
        if let unit = open.parameters["unit"] { return await withWords(of: unit, open, over: connection) }
        return open.code == .webWrongVersion && differences.count > 1 ? Self.reason(for: differences) : open
    }

    /// What there is to know beside the verdict.
    private func found(_ served: Duration?, _ web: WebReading?, _ database: DatabaseReading?, _ login: Login) -> VerifiedInstance {
        var warnings: [Reason] = []
        if case .silent(let words) = web, service?.silence != nil { warnings.append(Reason(.webSilentBefore, ["words": words])) }
        if case .says = web {
            switch login.last {
            case .refused(let words) where !login.worked, .noAnswer(let words) where !login.worked:
                warnings.append(Reason(.loginFailedBefore, ["words": words]))
            case .notTried(let words): warnings.append(Reason(.loginNotTried, ["words": words]))
            case .accepted, .refused, .noAnswer, nil: break
            }
        }
        if case .couldNotTell(let words) = database { warnings.append(Reason(.databaseNotAsked, ["words": words])) }
        return VerifiedInstance(warnings: warnings, servedAfterMilliseconds: served.map { Int64(($0.inSeconds * 1000).rounded()) })
    }

    /// The logins of one look: one that worked before has to work again, any other is tried once and told.
    private struct Login {
        let worked: Bool
        var last: LoginReading?
        private var tried: Duration?

        init(worked: Bool) { self.worked = worked }

        var isGood: Bool {
            switch last {
            // Credentials that cannot be had any more say nothing of the host.
            case .accepted, .notTried: true
            case .refused, .noAnswer, nil: !worked
            }
        }

        var words: String {
            switch last {
            case .refused(let words), .noAnswer(let words), .notTried(let words): words
            case .accepted, nil: ""
            }
        }

        func isDue(at now: Duration) -> Bool {
            guard let tried else { return true }
            return !isGood && now - tried >= Verification.pauseOfLogins
        }

        mutating func take(_ reading: LoginReading, at now: Duration) { (last, tried) = (reading, now) }
    }

    /// The reason with the last lines the unit's own processes wrote to the journal of its host; with those of systemd about it
    /// if it wrote none, since "Failed with result 'exit-code'" tells less than the unit's last words.
    private func withWords(of unit: String, _ reason: Reason, over connection: any HostConnection) async -> Reason {
        let script = """
            words() { journalctl -q -o cat --no-pager -n 5 "$@" </dev/null 2>/dev/null | tail -c 600; }
            own=$(words \(shellQuoted("_SYSTEMD_UNIT=" + unit)))
            if [ -n "$own" ]; then printf '%s\\n' "$own"; else words -u \(shellQuoted(unit)); fi

            """
        guard let seen = try? await connection.observe(script, within: .seconds(20)) else { return reason }
        let lines = String(decoding: seen.output, as: UTF8.self).split(whereSeparator: \.isNewline).suffix(4)
        guard !lines.isEmpty else { return reason }
        let own = reason.parameters["words"].map { $0 + "\n" } ?? ""
        var told = reason.parameters
        told["words"] = own + lines.joined(separator: "\n")
        return Reason(reason.code, told)
    }
}
