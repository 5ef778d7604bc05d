extension PlannedHost {
    /// What the plan relied on that is no longer so; nil if the host is still the one that was planned.
    public func change(since facts: HostFacts) -> Reason? {
        if let reason = changeOfIdentity(since: facts) { return reason }
        guard let relied = self.facts else { return nil }
        if relied.system != facts.system {
            return Reason(.factsChanged, ["words": "\(relied.system.name) was planned for, it runs \(facts.system.name)"])
        }
        if relied.packageManager != facts.packageManager {
            return Reason(.factsChanged, ["words": "another package manager"])
        }
        let installed = facts.installed.sorted()
        if relied.installed != installed {
            func text(_ packages: [Package]) -> String {
                packages.isEmpty ? "nothing" : packages.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
            }
            return Reason(.factsChanged, ["words": "\(text(relied.installed)) was installed, now \(text(installed))"])
        }
        return nil
    }
}

extension PlannedHost {
    /// Why this is not the machine that was planned for; nil if it is.
    public func changeOfIdentity(since facts: HostFacts) -> Reason? {
        guard let identity, identity != facts.identity else { return nil }
        let what = identity.machineID == facts.identity.machineID ? "another host key" : "another machine id"
        return Reason(.identityChanged, ["words": what])
    }
}

extension HostFacts {
    /// What a person does about a transaction of yum that was broken off; Fleet leaves that to them.
    ///
    /// - Source: yum-complete-transaction(8).
    private func cure(of broken: String) -> String {
        broken.hasPrefix("unfinished yum transaction") ? "; complete it with `yum-complete-transaction`, then `fleet retry`" : ""
    }

    /// Why this host doesn't count as being at `target`; nil if every Canopsis package is there, configured.
    public func reasonNotAt(_ target: CanopsisVersion) -> Reason? {
        guard !installed.isEmpty else {
            return Reason(.versionNotReached, ["package": "Canopsis", "target": "\(target)", "words": "no package of it is installed"])
        }
        for package in installed where CanopsisVersion(packageVersion: package.version) != target {
            return Reason(.versionNotReached, ["package": package.name, "found": package.version, "target": "\(target)"])
        }
        guard let brokenPackages else {
            return Reason(
                .versionNotReached,
                ["package": "Canopsis", "target": "\(target)", "words": "nobody knows, the package database could not be asked"])
        }
        if let broken = brokenPackages.first {
            return Reason(
                .versionNotReached, ["package": "Canopsis", "target": "\(target)", "words": "half installed, \(broken)\(cure(of: broken))"])
        }
        return nil
    }
}
