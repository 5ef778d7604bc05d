import FleetCore

/// What one place of an inventory says about the web interface of hosts.
struct WebSettings {
    var address: WebAddress?
    var user: String?
    var passwordFile: String?
    var tls: TLSPolicy?

    /// The keys of `web`, in the order they are documented.
    enum Key: String, CaseIterable {
        case url, user
        case passwordFile = "password_file"
        case tls
    }

    /// These settings, with those of the place around it where these say nothing.
    func over(_ outer: WebSettings) -> WebSettings {
        WebSettings(
            address: address ?? outer.address, user: user ?? outer.user, passwordFile: passwordFile ?? outer.passwordFile,
            tls: tls ?? outer.tls)
    }

    /// The key that is missing for a login of which the other is given; nil if both are, or none.
    var whatIsMissing: String? {
        switch (user, passwordFile) {
        case (nil, _?): Key.user.rawValue
        case (_?, nil): Key.passwordFile.rawValue
        case (nil, nil), (_?, _?): nil
        }
    }

    /// What they come to; what is said nowhere has the value ``WebAccess`` gives it.
    var access: WebAccess {
        WebAccess(address: address ?? .usual, user: user, passwordFile: passwordFile, tls: tls ?? .verify)
    }
}
