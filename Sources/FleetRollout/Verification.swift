import FleetCore

/// Looks whether an upgraded instance works: its units, and its web interface through the connection.
struct Verification: Sendable {
    let target: CanopsisVersion
    let step: PlannedStep
    let host: Host
    let before: HostFacts
    let clock: RolloutClock

    /// The port of the web server on the host's loopback address.
    static let port: UInt16 = 8082
    /// Answers without credentials and reads the database; there since 3.15.0.
    static let path = "/api/internal/login/login_info"
    /// How long between two looks.
    static let pause = Duration.seconds(1)

    /// Looks until everything is good, something is bad, or the step's limit is over.
    func run(over connection: any HostConnection) async throws -> StepEnding {
        let deadline = clock.now() + step.limit
        var watch = UnitWatch(before: before.units, settle: host.settle)
        while true {
            let facts: HostFacts
            switch await connection.facts(offer: false) {
            case .failure(let reason): return StepEnding(.unknown, reason: Reason(.linkLost, ["words": reason.text]))
            case .facts(let read): facts = read
            }
            var open: Reason?
            switch watch.look(facts.units, at: clock.now()) {
            case .bad(let unit, let reason):
                return StepEnding(.failed, reason: await withWords(of: unit, reason, over: connection))
            case .waiting(let reason): open = reason
            case .good: break
            }
            switch await webReason(over: connection) {
            case let reason?: open = open ?? reason
            case nil: if open == nil { return StepEnding(.succeeded) }
            }
            if clock.now() >= deadline, let open {
                let unit = open.parameters["unit"]
                return StepEnding(.failed, reason: unit == nil ? open : await withWords(of: unit ?? "", open, over: connection))
            }
            await clock.sleep(Self.pause)
        }
    }

    /// Why the web interface is not as it should be; nil if it reports the target.
    private func webReason(over connection: any HostConnection) async -> Reason? {
        guard target >= CanopsisVersion(3, 15, 0) else {
            if case .none(let words) = await connection.get(port: Self.port, path: "/", within: .seconds(10)) {
                return Reason(.webNotAnswering, ["words": words])
            }
            return nil
        }
        switch await connection.get(port: Self.port, path: Self.path, within: .seconds(10)) {
        case .none(let words): return Reason(.webNotAnswering, ["words": words])
        case .answered(200, let body):
            guard let found = LoginInfo.version(in: body) else {
                return Reason(.webNotAnswering, ["words": "its answer holds no version"])
            }
            return found == target ? nil : Reason(.webWrongVersion, ["found": "\(found)", "target": "\(target)"])
        case .answered(let status, _): return Reason(.webNotAnswering, ["words": "HTTP status \(status)"])
        }
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
