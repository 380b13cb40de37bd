import Testing

/// Every check finds a fault planted for it, and leaves its innocent neighbour alone.
@Suite struct PlantedFaultTests {
    /// One check with a text it must object to, on line `line`, and one it must accept.
    struct Plant: Sendable, CustomTestStringConvertible {
        let name: String
        let check: @Sendable (SwiftSource) -> [Finding]
        var path = "Sources/EST/Planted.swift"
        let faulty: String
        var line = 1
        let innocent: String

        var testDescription: String { name }
    }

    static let manifest = PackageManifest(
        TextFile(
            path: "Package.swift",
            text: """
                let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
                let nio: [Target.Dependency] = [
                    .product(name: "NIOCore", package: "swift-nio"),
                    .product(name: "NIOSSL", package: "swift-nio-ssl"),
                ]
                func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
                    .target(name: name, dependencies: dependencies)
                }
                let package = Package(
                    dependencies: [.package(url: "https://example.test/swift-asn1", from: "1.0.0")],
                    targets: [
                        library("PKIX", [asn1]),
                        library("EST", ["FrontEnd", "PKIX"] + nio, resources: [.embedInCode("Files")]),
                    ])
                """))

    static let documentation: @Sendable (SwiftSource) -> [Finding] = {
        DocumentationChecks.undocumented($0, requirements: ["respond"])
    }

    static let plants: [Plant] = [
        Plant(
            name: "undeclared import", check: { ImportChecks.undeclaredImports($0, manifest) },
            faulty: "import PKIX\npackage import Ledger", line: 2,
            innocent: "import NIOSSL\npackage import PKIX\nimport Foundation\n// import Ledger"),
        Plant(
            name: "private C module", check: { ImportChecks.undeclaredImports($0, manifest) },
            faulty: "@_implementationOnly import CNIOBoringSSL",
            innocent: "let text = \"import CNIOBoringSSL\""),
        Plant(
            name: "clock", check: CallChecks.ambientInputs, faulty: "let now = Date()",
            innocent: "let now = clock.now() // not Date()"),
        Plant(
            name: "clock inside an interpolation", check: CallChecks.ambientInputs,
            faulty: "let text = \"at \\(Date.now)\"", innocent: "let text = \"Date.now\""),
        Plant(
            name: "randomness", check: CallChecks.ambientInputs, faulty: "\nlet id = UUID()", line: 2,
            innocent: "let id = RequestUUID(octets)"),
        Plant(
            name: "environment", check: CallChecks.ambientInputs,
            faulty: "ProcessInfo.processInfo.environment",
            innocent: "/* ProcessInfo /* nested */ */ let a = 1"),
        Plant(
            name: "regular expression", check: CallChecks.regularExpressions,
            faulty: "let r = try Regex(text)",
            innocent: "let half = (a + b) / 2"),
        Plant(
            name: "regular expression literal", check: CallChecks.regularExpressions,
            faulty: "text.contains(/a+/)", innocent: "text.contains(\"/\")"),
        Plant(
            name: "grant outside policy", check: CallChecks.constructions, faulty: "return Grant(profile: p)",
            innocent: "func use(_ grant: Grant) {}"),
        Plant(
            name: "reservation outside ledger", check: CallChecks.constructions,
            faulty: "let r = Reservation(requestID: id)", innocent: "let r = LedgerReservation(requestID: id)"
        ),
        Plant(
            name: "certificate outside ledger", check: CallChecks.constructions,
            path: "Sources/Registration/Planted.swift", faulty: "IssuedCertificate(der: bytes)",
            innocent: "case .issued(let certificate)"),
        Plant(
            name: "trapping product", check: CallChecks.trappingAccumulation,
            faulty: "value = value * 10 + digit",
            innocent: "let bits = modulus.count * 8\n// SAFETY: at most 366.\nfunc f() {\n    x *= 10\n}"),
        Plant(
            name: "try!", check: SafetyChecks.unexplained, faulty: "let a = try! parse()",
            innocent: "// SAFETY: a literal.\nlet a = try! parse()"),
        Plant(
            name: "fatalError", check: SafetyChecks.unexplained, faulty: "\n\nfatalError(\"no\")", line: 3,
            innocent: "throw fatal(error)"),
        Plant(
            name: "forced unwrapping", check: SafetyChecks.unexplained, faulty: "let a = names.first!.count",
            innocent: "if !a.isEmpty, b != c, d !== e, let f = g[!h] { text = \"wow! \\(!a)\" }"),
        Plant(
            name: "forced unwrapping inside an interpolation", check: SafetyChecks.unexplained,
            faulty: "let text = #\"\\#(names[0]!)\"#", innocent: "let text = #\"\\(names[0]!)\"#"),
        Plant(
            name: "forced unwrapping behind a multi-line string", check: SafetyChecks.unexplained,
            faulty: "let a = \"\"\"\n  \"quoted\" a!\n  \"\"\"; b!", line: 3,
            innocent: "let a = \"\"\"\n  it's a! \\\"\"\" b!\n  \"\"\""),
        Plant(
            name: "unchecked Sendable", check: SafetyChecks.unexplained,
            faulty: "final class A: @unchecked Sendable {}",
            innocent:
                "// SAFETY: guarded by `lock`, which\n// never leaves.\nfinal class A: @unchecked Sendable {}"
        ),
        Plant(
            name: "undocumented type", check: documentation,
            faulty: "/// Outer.\npackage enum A {\n"
                + "    package struct B {}\n}", line: 3,
            innocent: "/// Documented.\n@frozen\npackage struct A { package let b: Int }\nstruct Hidden {}"),
        Plant(
            name: "undocumented function", check: documentation,
            faulty: "package static func parse(_ text: String) {}",
            innocent:
                "package func respond(to request: Int) {}\npackage static func == (a: A, b: A) -> Bool {}"),
        Plant(
            name: "undocumented requirement", check: documentation,
            faulty: "/// A seam.\npackage protocol Seam {\n    /// Said.\n    func a()\n    func b()\n}",
            line: 5,
            innocent:
                "/// A seam.\npackage protocol Seam {\n    /// Said.\n    var a: Int\n}\nfunc b() {}"),
        Plant(
            name: "long function", check: SizeChecks.longFunctions,
            faulty: "func long(\n    a: Int\n) {\n" + String(repeating: "    a()\n", count: 38) + "}",
            innocent: "func short() {\n" + String(repeating: "    a()\n", count: 38) + "}\n"),
        Plant(
            name: "long line", check: SizeChecks.longLines,
            faulty: "\n" + String(repeating: "a ", count: 55) + "a",
            line: 2, innocent: String(repeating: "ä ", count: 55) + "\n" + String(repeating: "a", count: 111)),
        Plant(
            name: "long file", check: SizeChecks.longFiles, faulty: String(repeating: "a\n", count: 401),
            line: 0,
            innocent: String(repeating: "a\n", count: 400)),
        Plant(
            name: "revealed secret", check: SecretChecks.reveals, faulty: "let octets = secret.revealed",
            innocent: "// secret.revealed"),
        Plant(
            name: "logged secret", check: SecretChecks.loggedSecrets,
            faulty: "logger.info(\n    \"minted\", metadata: [\"text\": \"\\(credential.password)\"])",
            innocent: "logger.info(\"minted\", metadata: [\"credential\": \"\\(id)\"])\nlet password = 1"),
    ]

    @Test(arguments: plants) func isFound(_ plant: Plant) {
        let findings = plant.check(SwiftSource(path: plant.path, text: plant.faulty))
        #expect(findings.map(\.line) == [plant.line])
        #expect(findings.first?.file == plant.path)
        #expect(plant.check(SwiftSource(path: plant.path, text: plant.innocent)) == [])
    }

    @Test func gatewayMayReadTheClock() {
        let source = SwiftSource(path: "Sources/Gateway/Clock.swift", text: "Date()")
        #expect(CallChecks.ambientInputs(source) == [])
    }

    @Test func tooManyUncheckedConformances() {
        let limit = SafetyChecks.maximumUncheckedConformances
        let text = String(repeating: "final class A: @unchecked Sendable {}\n", count: limit + 1)
        let source = SwiftSource(path: "Sources/EST/A.swift", text: text)
        #expect(SafetyChecks.uncheckedConformances([source]).count == limit + 1)
    }

    @Test func manifestIsRead() {
        #expect(Self.manifest.dependencies["EST"] == ["FrontEnd", "PKIX", "NIOCore", "NIOSSL"])
        #expect(Self.manifest.dependencies["PKIX"] == ["SwiftASN1"])
        #expect(Self.manifest.packages == ["swift-asn1"])
        #expect(Self.manifest.dependencies.count == 2)
    }

    @Test(arguments: [
        (#"library("EST", ["Ledger"])"#, "EST may not depend on Ledger"),
        (#"library("Listener", ["CLibPQ"])"#, "CLibPQ belongs to Database alone, not to Listener"),
        (#"library("PKIX", ["SwiftASN1", "Crypto"])"#, #"PKIX depends on ["SwiftASN1"] and nothing else"#),
    ])
    func forbiddenEdge(_ declaration: String, _ message: String) {
        let manifest = PackageManifest(TextFile(path: "Package.swift", text: declaration))
        #expect(ImportChecks.architecture(manifest).map(\.message) == [message])
    }
}
