// swift-tools-version: 6.2
// The import table of Gatehouse: a target may import what it lists here and nothing else
// (`make build` passes --explicit-target-dependency-import-check error).
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// Libraries, by the name their documentation uses.
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "_CryptoExtras", package: "swift-crypto")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let hummingbird: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources,
        swiftSettings: settings)
}

let package = Package(
    name: "gatehouse",
    products: [
        .executable(name: "gatehouse", targets: ["Gateway"]),
        .executable(name: "gatehouse-verify", targets: ["Verifier"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Bytes and crypto, knowing nothing of enrollment.
        library("PKIX", [asn1]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        library("OpenSSLCrypto", ["COpenSSL"]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        library("Database", ["CLibPQ"]),

        // The vocabulary and the seams.
        library("EnrollmentCore", ["PKIX", crypto, cryptoExtras]),

        // What a request passes through.
        library("Policy", ["EnrollmentCore", yaml]),
        library("Issuance", ["EnrollmentCore", "PKIX", "Policy", crypto, cryptoExtras]),
        library("Registration", ["EnrollmentCore", "PKIX", "Policy", "Issuance"]),
        library("Identity", ["EnrollmentCore", "Database", crypto]),
        library("Ledger", ["EnrollmentCore", "Database", "PKIX"], resources: [.embedInCode("Migrations")]),

        // What people do with a policy before and after it decides; nothing a request passes through.
        library("PolicyAnalysis", ["EnrollmentCore", "Policy"]),
        library("PolicyReview", ["EnrollmentCore", "Policy"]),
        library("Simulation", ["EnrollmentCore", "Policy"]),

        // What makes the ledger provable: the log's formats, its sequencer, and the verifier, which shares no
        // code with what writes the ledger.
        library("TransparencyLog", ["EnrollmentCore", crypto]),
        library(
            "Sequencing",
            ["TransparencyLog", "Ledger", "Database", "EnrollmentCore", logging, lifecycle] + nio),
        library(
            "Verification",
            ["TransparencyLog", "Simulation", "Policy", "Database", "EnrollmentCore", "PKIX"]),
        .executableTarget(
            name: "Verifier",
            dependencies: [
                "Verification", "TransparencyLog", "Database", "EnrollmentCore", argumentParser,
            ],
            swiftSettings: settings),

        // What carries events to other systems.
        library("EventFeed", ["EnrollmentCore", "Ledger", "Database", logging, lifecycle] + nio),

        // The doors.
        library("FrontEnd", ["EnrollmentCore"]),
        library("SCEP", ["FrontEnd", "EnrollmentCore", "PKIX", "OpenSSLCrypto"]),
        library("EST", ["FrontEnd", "EnrollmentCore", "PKIX"]),
        library("ACME", ["FrontEnd", "EnrollmentCore", "PKIX", crypto, cryptoExtras]),
        library("Listener", ["FrontEnd", "EnrollmentCore", "ACME", logging, hummingbird, lifecycle] + nio),

        // The executable: composition, configuration, command line.
        .executableTarget(
            name: "Gateway",
            dependencies: [
                "EnrollmentCore", "PKIX", "Policy", "PolicyAnalysis", "PolicyReview", "Simulation",
                "Issuance", "Registration", "Identity", "Database", "Ledger", "OpenSSLCrypto",
                "FrontEnd", "SCEP", "EST", "ACME", "Listener", "TransparencyLog", "Sequencing", "EventFeed",
                argumentParser, logging, yaml, lifecycle, signals,
            ],
            swiftSettings: settings),

        // Fakes, clocks and builders that tests share.
        .target(
            name: "EnrollmentTesting",
            dependencies: ["EnrollmentCore", "FrontEnd", "PKIX", crypto, cryptoExtras],
            path: "Tests/EnrollmentTesting", swiftSettings: settings),
        // What fuzzing does with one input; FuzzTests replays seeds and regressions through it.
        .target(
            name: "Fuzz",
            dependencies: [
                "PKIX", "EnrollmentCore", "Policy", "Simulation", "Identity", "OpenSSLCrypto", "FrontEnd",
                "SCEP", "EST", "ACME", "TransparencyLog", "Verification", "EnrollmentTesting", crypto,
            ],
            path: "Tests/Fuzz/Bodies", swiftSettings: settings),
        tests("FuzzTests", ["Fuzz"]),
        tests("PKIXTests", ["PKIX"]),
        tests("EnrollmentCoreTests", ["EnrollmentCore", "EnrollmentTesting"]),
        tests("PolicyTests", ["Policy", "EnrollmentCore", "EnrollmentTesting"]),
        tests("PolicyAnalysisTests", ["PolicyAnalysis", "Policy", "EnrollmentCore", "EnrollmentTesting"]),
        tests("PolicyReviewTests", ["PolicyReview", "Policy", "EnrollmentCore", "EnrollmentTesting"]),
        tests("SimulationTests", ["Simulation", "Policy", "EnrollmentCore", "EnrollmentTesting"]),
        tests("IssuanceTests", ["Issuance", "Policy", "EnrollmentCore", "PKIX", "EnrollmentTesting"]),
        tests(
            "RegistrationTests",
            [
                "Registration", "Issuance", "Policy", "Ledger", "Database", "Identity", "EnrollmentCore",
                "PKIX",
                "EnrollmentTesting", crypto,
            ]),
        tests(
            "IdentityTests",
            ["Identity", "Ledger", "Database", "EnrollmentCore", "EnrollmentTesting", crypto]),
        tests("DatabaseTests", ["Database", "EnrollmentTesting"]),
        tests("TransparencyLogTests", ["TransparencyLog", "EnrollmentCore", "EnrollmentTesting", crypto]),
        tests(
            "SequencingTests",
            [
                "Sequencing", "TransparencyLog", "Ledger", "Database", "EnrollmentCore", "EnrollmentTesting",
                logging,
            ]),
        tests(
            "VerificationTests",
            [
                "Verification", "TransparencyLog", "Sequencing", "Registration", "Issuance", "Policy",
                "Identity", "Ledger", "Database", "EnrollmentCore", "PKIX", "Simulation", "EnrollmentTesting",
                crypto, logging,
            ]),
        tests(
            "EventFeedTests",
            ["EventFeed", "Ledger", "Database", "EnrollmentCore", "EnrollmentTesting", logging] + nio),
        tests("LedgerTests", ["Ledger", "Database", "Identity", "EnrollmentCore", "EnrollmentTesting"]),
        tests(
            "SCEPTests",
            ["SCEP", "OpenSSLCrypto", "FrontEnd", "EnrollmentCore", "PKIX", "EnrollmentTesting"]),
        tests("ESTTests", ["EST", "FrontEnd", "EnrollmentCore", "PKIX", "EnrollmentTesting"]),
        tests("ACMETests", ["ACME", "FrontEnd", "EnrollmentCore", "PKIX", "EnrollmentTesting", crypto]),
        tests(
            "ListenerTests",
            ["Listener", "ACME", "FrontEnd", "EnrollmentCore", "EnrollmentTesting", logging, lifecycle]
                + nio),
        tests("SoundnessTests", []),
        tests("EndToEndTests", ["EnrollmentTesting"]),
    ]
)

// `make fuzz`: libFuzzer's executable, and its instrumentation in our targets that read bytes.
if Context.environment["GATEHOUSE_FUZZ"] != nil {
    let instrumented: Set<String> = [
        "PKIX", "EnrollmentCore", "Policy", "Simulation", "Identity", "OpenSSLCrypto", "FrontEnd", "SCEP",
        "EST", "ACME", "TransparencyLog", "Verification", "Fuzz",
    ]
    for target in package.targets where instrumented.contains(target.name) {
        target.swiftSettings = settings + [.unsafeFlags(["-sanitize=fuzzer"])]
    }
    package.targets.append(
        .executableTarget(
            name: "FuzzDriver", dependencies: ["Fuzz"], path: "Tests/FuzzDriver",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library", "-sanitize=fuzzer"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]))
}
