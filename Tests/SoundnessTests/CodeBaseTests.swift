import Testing

/// The checks, run on this checkout. A failure lists every fault as `file:line: message`.
@Suite struct CodeBaseTests {
    let repository = Repository.checkout
    let manifest: PackageManifest

    init() throws {
        manifest = PackageManifest(try #require(repository.text("Package.swift")))
    }

    @Test func looksAtTheWholeHouse() {
        #expect(repository.productSources.count > 20)
        #expect(manifest.dependencies["PKIX"] == ["SwiftASN1"])
        #expect(
            manifest.dependencies["Listener"]?.isSuperset(of: ["FrontEnd", "NIOSSL", "Logging"]) == true)
        #expect(
            Set(repository.productSources.compactMap(\.target)).subtracting(manifest.dependencies.keys) == [])
    }

    @Test func importsAgreeWithThePackage() {
        expectNone(repository.sources.flatMap { ImportChecks.undeclaredImports($0, manifest) })
    }

    @Test func packageAgreesWithTheArchitecture() { expectNone(ImportChecks.architecture(manifest)) }

    @Test func timeAndRandomnessAreParameters() { expectNone(each(CallChecks.ambientInputs)) }

    @Test func noRegularExpressions() { expectNone(each(CallChecks.regularExpressions)) }

    @Test func oneMakerEach() { expectNone(each(CallChecks.constructions)) }

    @Test func parsersDoNotTrap() { expectNone(each(CallChecks.trappingAccumulation)) }

    @Test func unsafeCodeIsExplained() { expectNone(each(SafetyChecks.unexplained)) }

    @Test func uncheckedSendableIsRare() {
        expectNone(SafetyChecks.uncheckedConformances(repository.productSources))
    }

    @Test func packageDeclarationsAreDocumented() {
        let requirements = Set(
            repository.productSources.flatMap(DocumentationChecks.protocolRequirements).map(\.name))
        expectNone(each { DocumentationChecks.undocumented($0, requirements: requirements) })
    }

    @Test func filesAreShort() { expectNone(repository.sources.flatMap(SizeChecks.longFiles)) }

    @Test func linesAreShort() { expectNone(repository.sources.flatMap(SizeChecks.longLines)) }

    @Test func functionsAreShort() { expectNone(each(SizeChecks.longFunctions)) }

    @Test func secretsStayWhereTheyBelong() { expectNone(each(SecretChecks.reveals)) }

    @Test func secretsAreNotLogged() { expectNone(each(SecretChecks.loggedSecrets)) }

    @Test func noPathsOfOneMachine() { expectNone(repository.texts.flatMap(TextChecks.machinePaths)) }

    @Test func linksLeadSomewhere() {
        expectNone(repository.texts.flatMap { TextChecks.deadLinks($0, exists: repository.exists) })
    }

    @Test func decisionsAreNumbered() {
        #expect(repository.exists("docs/decisions/0001-embedded-postgresql.md"))
        expectNone(TextChecks.decisionRecords(repository.texts))
    }

    @Test func rulesHaveCases() { expectNone(TextChecks.rulesWithoutCases(repository.texts.map(\.path))) }

    @Test func dependenciesAreAccountedFor() throws {
        let page = try #require(repository.text("docs/dependencies.md"))
        expectNone(TextChecks.undocumentedPackages(manifest, in: page))
    }

    @Test func divergencesAreListed() throws {
        let page = try #require(repository.text("docs/divergences.md"))
        expectNone(each { TextChecks.unlistedDivergences($0, in: page) })
    }

    private func each(_ check: (SwiftSource) -> [Finding]) -> [Finding] {
        repository.productSources.flatMap(check)
    }

    private func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
        guard !findings.isEmpty else { return }
        let list = findings.map(\.description).joined(separator: "\n")
        Issue.record("\(findings.count) faults\n\(list)", sourceLocation: sourceLocation)
    }
}
