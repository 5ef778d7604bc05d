import FleetCore

/// Foundation has a `Host` too; in this target the word means an inventory's host.
typealias Host = FleetCore.Host
