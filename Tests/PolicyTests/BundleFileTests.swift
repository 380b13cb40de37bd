import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// Which files of a directory make a bundle, and what they say.
struct BundleFileTests {
    /// What a checkout holds besides is passed over, and no octet of the bundle changes.
    @Test func whatIsNoPolicyIsPassedOver() throws {
        let others = [
            "README.md", "LICENSE", ".gitignore", ".git/config", ".github/workflows/check.yaml",
            ".schema/policy-v1.json", ".vscode/settings.json", ".yamllint.yaml", "docs/why.md",
        ]
        let folder = try BundleFolder(
            try StarterBundle.files() + others.map { BundleFile(path: $0, bytes: Array("x: [".utf8)) })
        let read = try BundleFile.read(directory: folder.path)
        #expect(try read == StarterBundle.files())
        #expect(try PolicyBundle(files: read).digest == StarterBundle.load().digest)
    }

    @Test(arguments: ["rulez/a.yaml", "rules.off/a.yaml", "Rules/a.yaml", "docs/a.YML", "a.yaml"])
    func policyElsewhereIsRefused(_ path: String) throws {
        let folder = try BundleFolder(
            try StarterBundle.files() + [BundleFile(path: path, bytes: Array("a: b".utf8))])
        let error = #expect(throws: PolicyLoadError.self) {
            try PolicyBundle(files: BundleFile.read(directory: folder.path))
        }
        #expect(error?.diagnostics.map(\.file) == [path])
    }

    private static func meaning(_ text: String, at path: String = "rules/a.yaml") -> String {
        BundleFile.meaning(of: [BundleFile(path: path, bytes: Array(text.utf8))]).description
    }

    @Test(arguments: [
        "a: { b: 1, c: x }\nd: [e, f]\n",
        "# comment\na: { b: 1, c: x }  # another\n\nd:\n  - e\n  - f\n",
        "d: [e, \"f\"]\na:\n  c: 'x'\n  b: 1\n",
    ])
    func writingDoesNotMatter(_ text: String) {
        let plain = "a: { b: 1, c: x }\nd: [e, f]\n"
        #expect(Self.meaning(text) == Self.meaning(plain))
        #expect(Self.meaning(text, at: "rules/team/a.yaml") == Self.meaning(plain))
    }

    @Test(arguments: [
        "a: { b: \"1\", c: x }\nd: [e, f]\n", "a: { b: 1, c: y }\nd: [e, f]\n",
        "a: { b: 1 }\nd: [e, f]\n", "a: { b: 1, c: x }\nd: [f, e]\n", "a: { b: 1, c: x }\nd: [e, f",
        "a: { b: true, c: x }\nd: [e, f]\n", "a: { b: \"true\", c: x }\nd: [e, f]\n", "",
    ])
    func contentMatters(_ text: String) {
        #expect(Self.meaning(text) != Self.meaning("a: { b: 1, c: x }\nd: [e, f]\n"))
        #expect(Self.meaning(text) == Self.meaning(text))
    }

    @Test func everyFileMatters() throws {
        let starter = try StarterBundle.files()
        let meanings = starter.map { left in BundleFile.meaning(of: starter.filter { $0.path != left.path }) }
        #expect(Set(meanings).count == starter.count)
        #expect(!meanings.contains(BundleFile.meaning(of: starter)))
        #expect(BundleFile.meaning(of: starter.reversed()) == BundleFile.meaning(of: starter))
    }
}
