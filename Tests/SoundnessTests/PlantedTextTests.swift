import Testing

/// The checks of documentation and policies, each with a planted fault.
@Suite struct PlantedTextTests {
    private func page(_ text: String, path: String = "docs/page.md") -> TextFile {
        TextFile(path: path, text: text)
    }

    @Test(arguments: ["work", "root", "home"]) func machinePath(_ folder: String) {
        #expect(TextChecks.machinePaths(page("first\ncd /\(folder)/main")).map(\.line) == [2])
        #expect(TextChecks.machinePaths(page("`/\(folder)`")).map(\.line) == [1])
    }

    @Test(arguments: ["pki/" + "root.pem", "https://ca.example/" + "work/", "--dir ./" + "work"])
    func otherPaths(_ text: String) {
        #expect(TextChecks.machinePaths(page(text)) == [])
    }

    @Test func deadLink() {
        let text = "[a](there.md#part) [b](https://example.test/x) [c](../README.md)\n[d](gone.md)"
        let findings = TextChecks.deadLinks(page(text)) { ["docs/there.md", "README.md"].contains($0) }
        #expect(findings.map(\.line) == [2])
        #expect(TextChecks.deadLinks(page("```\n[d](gone.md)\n```")) { _ in false } == [])
    }

    @Test func decisionRecords() {
        let first = page("# 0001. One\n", path: "docs/decisions/0001-one.md")
        let second = page("# Two\n", path: "docs/decisions/0002-two.md")
        let fourth = page("# 0004. Four\n", path: "docs/decisions/0004-four.md")
        #expect(TextChecks.decisionRecords([first]) == [])
        #expect(TextChecks.decisionRecords([first, second]).map(\.line) == [1])
        #expect(TextChecks.decisionRecords([fourth, first]).map(\.file) == [fourth.path])
    }

    @Test func ruleWithoutCases() {
        let paths = ["policies/rules/a.yaml", "policies/rules/a.cases.yaml", "policies/rules/b.yaml"]
        #expect(TextChecks.rulesWithoutCases(paths).map(\.file) == ["policies/rules/b.yaml"])
    }

    @Test func unmentionedPackage() {
        let findings = TextChecks.undocumentedPackages(PlantedFaultTests.manifest, in: page("swift-nio"))
        #expect(findings.count == 1)
        let page = page("| swift-asn1 |")
        #expect(TextChecks.undocumentedPackages(PlantedFaultTests.manifest, in: page) == [])
    }

    @Test func unlistedDivergence() {
        let source = SwiftSource(path: "Sources/EST/A.swift", text: "let a = 1\n// DIVERGES: RFC 7030 §4.\n")
        #expect(TextChecks.unlistedDivergences(source, in: page("nothing")).map(\.line) == [2])
        #expect(TextChecks.unlistedDivergences(source, in: page("`Sources/EST/A.swift`")) == [])
    }
}
