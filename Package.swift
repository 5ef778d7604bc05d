// swift-tools-version: 6.2
import PackageDescription

/// One list of compiler settings for every target of ours; dependencies keep their own.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "fleet",
    products: [
        .executable(name: "fleet", targets: ["Fleet"]),
        .library(name: "SSHClient", targets: ["SSHClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // The command line: reads arguments, wires the parts, sets the exit status.
        .executableTarget(
            name: "Fleet",
            dependencies: [
                "FleetCore", "FleetDocuments", "FleetRollout", "FleetJournal", "FleetReports", "SSHClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),

        // The middle row. None of these knows another; each knows FleetCore.
        .target(
            name: "FleetDocuments",
            dependencies: ["FleetCore", "CCrypto", .product(name: "Yams", package: "Yams")],
            exclude: ["Catalogue/Releases"],
            swiftSettings: strict,
            plugins: ["EmbedReleases"]),
        .target(name: "FleetRollout", dependencies: ["FleetCore"], swiftSettings: strict),
        .target(
            name: "FleetJournal",
            dependencies: ["FleetCore", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .target(name: "FleetReports", dependencies: ["FleetCore"], swiftSettings: strict),

        // What an upgrade is: values and rules. No I/O, no async, no package.
        .target(name: "FleetCore", swiftSettings: strict),

        // One host over libssh2. Knows nothing of Fleet.
        .target(name: "SSHClient", dependencies: ["CSSH2", "CCrypto"], swiftSettings: strict),
        .systemLibrary(name: "CSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // Puts the release catalogue into the program, which needs none of its files when it runs.
        .plugin(name: "EmbedReleases", capability: .buildTool(), dependencies: ["EmbedTexts"]),
        .executableTarget(name: "EmbedTexts", swiftSettings: strict),

        // Servers, scripted hosts and clocks for the tests.
        .target(
            name: "TestSupport",
            dependencies: [
                "FleetCore", "FleetRollout", "SSHClient",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),

        .testTarget(
            name: "FleetCoreTests",
            dependencies: ["FleetCore", "TestSupport", .product(name: "Subprocess", package: "swift-subprocess")],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "FleetDocumentsTests",
            dependencies: ["FleetDocuments", "FleetCore", "TestSupport", .product(name: "Subprocess", package: "swift-subprocess")],
            exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "FleetRolloutTests", dependencies: ["FleetRollout", "FleetCore", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "FleetJournalTests",
            dependencies: ["FleetJournal", "FleetCore", "TestSupport", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .testTarget(
            name: "FleetReportsTests", dependencies: ["FleetReports", "FleetCore", "TestSupport"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "SSHClientTests",
            dependencies: [
                "SSHClient", "CSSH2", "CCrypto", "TestSupport", .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FleetTests",
            dependencies: [
                "FleetCore", "FleetDocuments", "SSHClient", "TestSupport",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6])
