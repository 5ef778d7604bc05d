import FleetCore

extension HostConnection {
    /// What the web interface of a host says of itself.
    ///
    /// - Parameter version: the version it should have; before 3.15.0 any answer is one, for it does not tell its version.
    func webReading(of host: Host, at version: CanopsisVersion) async -> WebReading {
        guard ExpectedInstance.tellsVersion(version) else {
            switch await get("/", of: host.web, within: .seconds(10)) {
            case .none(let words): return .silent(words)
            case .answered(let status, _):
                return status >= 500 ? .silent("HTTP status \(status)") : .says(DeclaredInstance())
            }
        }
        switch await get(LoginInfo.path, of: host.web, within: .seconds(10)) {
        case .none(let words): return .silent(words)
        case .answered(200, let body):
            return LoginInfo.declared(in: body).map(WebReading.says) ?? .silent("its answer holds no version")
        case .answered(let status, _): return .silent("HTTP status \(status)")
        }
    }

    /// What a login to the web interface of a host gives.
    func loginReading(of host: Host) async -> LoginReading {
        guard host.web.hasCredentials else { return .notTried("the inventory names no account for it") }
        return await login(to: host.web, within: .seconds(15))
    }

    /// What the database of a host says that it is.
    func databaseReading(given facts: HostFacts) async -> DatabaseReading {
        if facts.hasDatabaseClient == false { return .couldNotTell("there is no MongoDB client on this host") }
        let nonce = Nonce.make()
        do {
            let seen = try await observe(DatabaseLook.script(nonce: nonce), within: .seconds(120))
            return DatabaseLook.reading(in: seen.output, nonce: nonce)
        } catch { return .couldNotTell((error as? LinkLost)?.words ?? "\(error)") }
    }

    /// How the web interface of a host is before anything is changed.
    ///
    /// What does not answer is asked once more over a link that was heard meanwhile: silence is what an upgrade is not blamed for, so
    /// it must not be that of the line.
    func serviceBaseline(of host: Host, at version: CanopsisVersion) async -> ServiceBaseline {
        var web = await webReading(of: host, at: version)
        if case .silent = web {
            _ = await facts(offer: false)
            web = await webReading(of: host, at: version)
        }
        if case .silent(let words) = web { return ServiceBaseline(silence: words, login: .notTried("the web interface did not answer")) }
        var login = await loginReading(of: host)
        if case .noAnswer = login {
            _ = await facts(offer: false)
            login = await loginReading(of: host)
        }
        return ServiceBaseline(silence: nil, login: login)
    }
}
