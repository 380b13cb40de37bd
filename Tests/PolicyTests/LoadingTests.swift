import EnrollmentCore
import Foundation
import Testing

@testable import Policy

private let deny = "rules/never-jailbroken.yaml"
private let cases = "rules/never-jailbroken.cases.yaml"

/// Loading beyond what the broken bundles show: bounds, hostile input, and what is read.
struct LoadingTests {
    private func diagnostics(_ files: [BundleFile]) -> [String] {
        do throws(PolicyLoadError) {
            _ = try PolicyBundle(files: files)
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }

    private func parse(_ text: String) -> (node: YAMLNode?, faults: [String]) {
        let faults = DiagnosticCollector()
        let node = StrictYAML.parse(BundleFile(path: "x.yaml", bytes: Array(text.utf8)), faults)
        do throws(PolicyLoadError) {
            try faults.throwIfAny()
            return (node, [])
        } catch {
            return (node, error.diagnostics.map(\.description))
        }
    }

    // MARK: - YAML

    /// What looks like an anchor, an alias or a tag and is text.
    @Test(arguments: [
        "a: \"*b\"", "a: '&b !c'", "a: R&D * 2 !", "a: b # *c &d", "# *a\na: b", "a: [\"*b\", '!c', d&e]",
        "a: >-\n  one *two\n  !three\n  &four\nb: c", "a: |\n  *b\n\n  !c\nd: e", "a: b\n  *c goes on\nd: e",
        "a: \"b\n  *c\"\nd: e", "a: 'it''s *b'", "a: \"\\\"*b\"", "- a: >\n    *b\n- c", "a:\n- b\n- c",
        "a: { b: c,\n  d: [e,\n  f] }", "? a\n: b", "--- # x\na: b\n...",
        "\"a\": b", "{ \"a\":b }", "a: http://b/*c", "a: |2\n    *b\nc: d", "a: b\n\n  \"*c\nd: e",
    ])
    func textIsNoIndicator(_ text: String) {
        let (node, faults) = parse(text)
        #expect(node != nil && faults == [], "\(faults)")
    }

    /// What is an anchor, an alias or a tag, wherever it stands.
    @Test(arguments: [
        "a: *b", "*a : b", "- *a", "a: [b, *c]", "a: [*b]", "a: {b: *c}", "a: {*b : c}", "a:\n  *b", "- - *a",
        "? *a", "a: &b c", "&a b: c", "a: !b c", "a: !!str b", "--- *a", "--- !a b", "a: b # c\nd: *e",
        "a: >\n  b\nc: *d", "a: |-\n\n  b\n\nc: &d e", "a: \"b\"\nc: *d", "a: 'b'' c'\nd: *e",
        "a: [b\n  c, *d]",
        "a: [b # c\n , *d]", "a: [b,#c\n *d]", "a: \"b\\\\\"\nc: *d", "a: b\n  'c\nd: *e\nf: g '",
        "a: [\"b\":*c]",
        "a: b\n\n  'c\nd: *e\nf: 'g'", "a: |1\n b\nc: *d", "{? a|\n:\"--- : *a", "- a: |\n   b\n  c: *d",
        "a: {b: 'c', ? *d : e}",
    ])
    func indicatorsAreFound(_ text: String) {
        let (node, faults) = parse(text)
        #expect(node == nil)
        #expect(
            faults.contains { $0.contains("an al") || $0.contains("an an") || $0.contains("a tag") },
            "\(faults)")
    }

    /// The scan before parsing and the parser agree where an anchor or an alias stands, whatever the text:
    /// the parser never finds one that the scan overlooked.
    @Test func scanOverlooksNothing() throws {
        let tokens = [
            "a", "b: ", ":", "- ", "? ", "\n", "\n ", "\n  ", "\n    ", " ", "\"", "'", "[", "]", "{", "}",
            ", ", ",",
            "|", ">", "|1", ">-", "#", " # ", "&a ", "a: ", "a: b\n", "\\", "---", "--- ", "\n---\n", "...",
            "%",
            "\n\n", "x\n",
        ]
        var random = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let text =
                (0..<Int.random(in: 2...24, using: &random)).map { _ in
                    tokens.randomElement(using: &random) ?? ""
                }
                .joined()
                + (["*a", "*a\n", ": *a", "- *a", "\n*a: b", "\n  *a"].randomElement(using: &random) ?? "")
            let faults = parse(text).faults
            #expect(!faults.contains { $0.contains("overlooked") }, "\(text.debugDescription): \(faults)")
        }
    }

    /// An alias bomb, also one that is a key and so would be hashed, costs what its text costs.
    @Test func aliasesAreNeverFollowed() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...40 {
            let before = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(before)]\n"
        }
        text += "? *a40\n: x\n"
        let clock = ContinuousClock()
        let time = clock.measure { #expect(parse(text).faults.count == 4) }
        #expect(time < .seconds(1))
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func depthIsBounded(_ opening: String) {
        let (node, faults) = parse(String(repeating: opening, count: 100_000))
        #expect(node == nil && faults.count == 1)
    }

    @Test func sizeIsBounded() throws {
        let large = String(repeating: "#", count: (1 << 20) + 1)
        #expect(
            diagnostics(try StarterBundle.files(with: deny, as: large))
                == ["\(deny): larger than 1 MiB (split it)"])
    }

    @Test(arguments: [[0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func filesThatAreNotTextAreRefused(_ octets: [UInt8]) throws {
        let files = try StarterBundle.files(with: deny, as: nil) + [BundleFile(path: deny, bytes: octets)]
        #expect(diagnostics(files) == ["\(deny):1:1: not UTF-8 text"])
    }

    /// Whatever is cut out of a bundle, loading ends, and says where when it fails.
    @Test func truncatedFilesNeverCrash() throws {
        for path in [deny, cases, "catalog/services.yaml"] {
            let file = try #require(StarterBundle.files().first { $0.path == path })
            let rest = try StarterBundle.files(with: path, as: nil)
            for length in stride(from: 0, to: file.bytes.count, by: 23) {
                let part = BundleFile(path: path, bytes: Array(file.bytes.prefix(length)))
                do throws(PolicyLoadError) {
                    _ = try PolicyBundle(files: rest + [part])
                } catch {
                    #expect(!error.diagnostics.isEmpty)
                }
            }
        }
    }

    // MARK: - Bounds

    @Test func boundsAreNamed() throws {
        let values = (0...1_000).map { "d\($0)" }.joined(separator: ", ")
        let list = try StarterBundle.files(
            editing: deny, "  device.jailbroken", "  device.id: [\(values)]\n  device.jailbroken")
        #expect(diagnostics(list).contains { $0.hasSuffix("`device.id` has more than 1000 values") })
        let many = Array(repeating: "{ device.id: a }", count: 257).joined(separator: ", ")
        let conditions = try StarterBundle.files(
            editing: deny, "  device.jailbroken", "  any_of: [\(many)]\n  device.jailbroken")
        #expect(
            diagnostics(conditions).contains { $0.hasSuffix("more than 256 conditions (split the rule)") })
        let base =
            "tests: v1\nbase: { claims: [\(values)] }\ncases: [{ name: x, expect: { deny: no-rule } }]\n"
        #expect(
            diagnostics(try StarterBundle.files(with: cases, as: base))
                .contains { $0.hasSuffix("`base` holds more than 1000 values") })
    }

    /// At most 200 diagnostics, none of them long, however much is wrong.
    @Test func diagnosticsAreBounded() throws {
        let long = String(repeating: "x", count: 900)
        let keys = (0..<1_000).map { "\(long)\($0): x\n" }.joined()
        let found = diagnostics(try StarterBundle.files(with: deny, as: keys))
        #expect(found.count == 200 && found.allSatisfy { $0.utf8.count < 3_000 })
    }

    // MARK: - What is read

    @Test func sourcesAndGroupsAreDeclared() throws {
        let bundle = try StarterBundle.load()
        let intune = try #require(bundle.sources.first { $0.name == "intune" })
        #expect(intune.provides == [.compliance, .jailbroken])
        #expect(bundle.groups.contains("corp-laptops") && bundle.groups == bundle.groups.sorted())
        #expect(bundle.proofKinds.contains(.oneTimeCredential))
    }

    @Test func sourceMustProvideWhatTheRuleAsks() throws {
        let files = try StarterBundle.files(
            editing: "catalog/sources.yaml", "[compliance, jailbroken]", "jailbroken")
        #expect(
            diagnostics(files).contains {
                $0.contains(
                    "the source `intune` does not provide `compliance` (no source of the catalog does)")
            })
    }

    /// A deny rule that names what it blocks is the safe state "none of that".
    @Test(arguments: [
        ("request.protocol: scep", "scep", "10.0.0.1", "deny rule.blocked"),
        ("request.protocol: scep", "est", "10.0.0.1", "permit permitted"),
        (
            "{ request.protocol: [scep, est], client.address: 10.0.0.0/8 }", "est", "10.1.2.3",
            "deny rule.blocked"
        ),
        (
            "{ request.protocol: [scep, est], client.address: 10.0.0.0/8 }", "est", "11.1.2.3",
            "permit permitted"
        ),
        ("{ client.address: 10.0.0.0/8 }", "est", "nowhere", "deny rule.unknown"),
        (
            "{ any_of: [ { device.id: LT-042 }, { request.operation: rekey } ] }", "est", "10.0.0.1",
            "deny rule.blocked"
        ),
        ("{ request.instant: { at_least: 2026-11-22T12:00:01Z } }", "est", "10.0.0.1", "permit permitted"),
        ("{ request.instant: { at_least: 2026-11-22T12:00:00Z } }", "est", "10.0.0.1", "deny rule.blocked"),
    ])
    func blockIf(_ condition: String, _ name: String, _ address: String, _ expected: String) throws {
        let files = try StarterBundle.files(
            with: deny,
            as: """
                policy: v1
                id: never-jailbroken
                title: Blocks by what is always known
                owner: { team: Endpoint Security, contact: soc@corp.example }
                review_by: 2027-11-30
                mode: enforce
                effect: deny
                applies_to: { service: laptops, profile: client-auth }
                block_if: \(condition.hasPrefix("{") ? condition : "{ \(condition) }")
                """)
        var input = try StarterBundle.laptop()
        input.enrollmentProtocol = try #require(EnrollmentProtocol(rawValue: name))
        input.clientAddress = address
        let decision = PolicyEngine(bundle: try PolicyBundle(files: files)).decide(input)
        #expect("\(decision.outcome.effectName) \(decision.reasonCode)" == expected)
    }

    @Test func intentFilesAreRead() throws {
        let text = """
            service: laptops
            protocol: est
            device: { id: LT-042, sid: S-1-5-21-1, group: corp-laptops, dns: lt-042.devices.localhost }
            posture: { source: intune, status: compliant, jailbroken: false, age: 10m }
            proof: { one_time_credential: { bound_to: LT-042 } }
            csr: { common_name: LT-042 }
            history: { failed_attempts: 3, last_proofs: client_certificate, minted_by: "os:mint" }
            approvals: [{ by: "os:jane", verdict: approve, age: 1h }]
            """
        let bundle = try StarterBundle.load()
        let file = BundleFile(path: "intent.yaml", bytes: Array(text.utf8))
        let (input, question) = try IntentFile.load(file, for: bundle)
        #expect(question == .request && PolicyEngine(bundle: bundle).decide(input).isPermit)
        #expect(input.device?.sid == "S-1-5-21-1" && input.history.failedAttempts == 3)
        #expect(input.history.lastProofs == ["client_certificate"] && input.history.mintedBy == "os:mint")
        let approval = Approval(
            approver: "os:jane", verdict: .approve, at: input.instant.adding(seconds: -3_600))
        #expect(input.approvals == [approval])
    }

    @Test func intentFilesNeedAService() throws {
        let bundle = try StarterBundle.load()
        let file = BundleFile(path: "intent.yaml", bytes: Array("device: { id: LT-042 }\n".utf8))
        do throws(PolicyLoadError) {
            _ = try IntentFile.load(file, for: bundle)
            Issue.record("loaded")
        } catch {
            #expect(
                error.description
                    == "intent.yaml:1:1: `service` is missing from the request (name a service of the catalog)"
            )
        }
    }

    @Test func casesExpectUsagesAndShadow() throws {
        let shadowed = try StarterBundle.files(editing: deny, "mode: enforce", "mode: shadow")
        let text = """
            tests: v1
            base:
              service: laptops
              device: { id: LT-042, group: [corp-laptops], dns: [lt-042.devices.localhost] }
              posture: { source: intune, status: compliant, jailbroken: true, age: 12m }
              proof: { one_time_credential: { bound_to: LT-042 } }
            cases:
              - { name: met, expect: { permit: corp-laptop-client-auth, usages: client_auth, shadow: deny } }
              - { name: unmet, expect: { permit: corp-laptop-client-auth, usages: server_auth } }
              - { name: unshadowed, expect: { permit: corp-laptop-client-auth, shadow: permit } }
            """
        let files = shadowed.filter { $0.path != cases } + [BundleFile(path: cases, bytes: Array(text.utf8))]
        let report = PolicyTestRunner(bundle: try PolicyBundle(files: files)).run()
        let own = report.results.filter { $0.rule == "never-jailbroken" }
        #expect(own.map(\.passed) == [true, false, false])
    }

    // MARK: - Time

    /// Ten times the input may take thirty times as long, never a hundred: each of these was once a way to
    /// make loading quadratic.
    @Test(
        .serialized,
        arguments: [
            "keys", "list", "cases", "changes", "flow", "quoted", "names", "groups", "plain",
        ])
    func loadingTakesLinearTime(_ kind: String) throws {
        let rest = try StarterBundle.files().filter { $0.path != deny && $0.path != cases }
        func time(_ count: Int) throws -> Duration {
            var files = rest
            let (path, text) = Self.large(kind, count)
            files.removeAll { $0.path == path }
            files.append(BundleFile(path: path, bytes: Array(text.utf8)))
            let clock = ContinuousClock()
            return (0..<3).map { _ in clock.measure { _ = diagnostics(files) } }.min() ?? .zero
        }
        let (small, large) = (try time(300), try time(3_000))
        #expect(large < small * 30 + .milliseconds(100), "\(small) for 300, \(large) for 3 000")
    }

    private static func large(_ kind: String, _ count: Int) -> (path: String, text: String) {
        func each(_ make: (Int) -> String) -> String { (0..<count).map(make).joined() }
        switch kind {
        case "keys": return (deny, each { "k\($0): x\n" })
        case "list": return (deny, "id: [" + each { "d\($0), " } + "x]\n")
        case "cases":
            return (
                cases, "tests: v1\nbase: {}\ncases:\n" + each { "  - { name: c\($0), with: { a: b } }\n" }
            )
        case "changes":
            return (cases, "tests: v1\nbase: {}\ncases: [{ with: {" + each { "a\($0): b, " } + "} }]\n")
        case "flow": return (deny, "{ a: [b, c], " + each { "k\($0): v, " } + "}")
        case "quoted": return (deny, "a: \"" + each { _ in "\\\"*b " } + "\"\n")
        case "names":
            return (
                deny, "applies_to: { service: [" + each { "laptop\($0 % 900), " } + "x], profile: any }\n"
            )
        case "groups":
            return ("catalog/groups.yaml", "catalog: v1\ngroups:\n" + each { "  corp-laptop\($0): {}\n" })
        default: return (deny, "a: b" + each { _ in "\n  c *d" } + "\n")
        }
    }
}

/// Numbers that look random and are the same in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
