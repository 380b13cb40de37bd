import EnrollmentCore
import Testing

@testable import Policy
@testable import PolicyAnalysis

/// Rules and what is found in them.
struct FindingCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let rules: [String: String]
    /// The finding that there must be: kind, and rules.
    let finding: String

    init(_ description: String, _ finding: String, _ rules: [String: String]) {
        testDescription = description
        self.rules = rules
        self.finding = finding
    }
}

struct FindingTests {
    private static let laptops = TestBundle.permit("device.group: corp-laptops")

    static let cases: [FindingCase] = [
        FindingCase(
            "two groups that exclude each other", "never-permits one",
            [
                "one": TestBundle.permit(
                    "device.group: corp-laptops\nnone_of: [{ device.group: corp-laptops }]")
            ]),
        FindingCase(
            "a number between nothing", "never-permits one",
            [
                "one": TestBundle.permit(
                    "device.active_certificates: { at_most: 2 }\nall_of: [{ device.active_certificates: { at_least: 3 } }]"
                )
            ]),
        FindingCase(
            "globs that exclude each other", "never-permits one",
            [
                "one": TestBundle.permit(
                    "device.id: { glob: \"LT-*\" }\nall_of: [{ device.id: { glob: \"SW-*\" } }]")
            ]),
        FindingCase(
            "networks apart", "never-permits one",
            [
                "one": TestBundle.permit(
                    "client.address: { within: 10.0.0.0/8 }\nall_of: [{ client.address: { within: 192.168.0.0/16 } }]"
                )
            ]),
        FindingCase(
            "beyond the limit of certificates", "never-permits one",
            [
                "one": TestBundle.permit(
                    "device.active_certificates: { at_least: 11 }\nrequest.operation: enroll")
            ]),
        FindingCase(
            "blocked by a deny rule", "never-permits one two",
            [
                "one": TestBundle.permit("device.group: servers"),
                "two": TestBundle.deny("none_of: [{ device.group: servers }]\ndevice.group: corp-laptops"),
            ]),
        FindingCase(
            "a protocol that the service does not speak", "never-permits one",
            [
                "one": TestBundle.permit("request.protocol: cmp")
            ]),
        FindingCase(
            "a name nobody grants", "never-permits one",
            [
                "one": TestBundle.permit("request.common_name: { glob: \"a*\" }\ndevice.id: { glob: \"b*\" }")
            ]),
        FindingCase(
            "a wider rule beside it", "covered one two",
            [
                "one": TestBundle.permit("device.group: corp-laptops\nrequest.protocol: est"), "two": laptops,
            ]),
        FindingCase(
            "a network within another", "covered one two",
            [
                "one": TestBundle.permit("client.address: { within: 10.1.0.0/16 }"),
                "two": TestBundle.permit("client.address: { within: 10.0.0.0/8 }"),
            ]),
        FindingCase(
            "fresher posture", "covered one two",
            [
                "one": TestBundle.deny("device.jailbroken: { is: false, max_age: 4h }"),
                "two": TestBundle.deny(
                    "device.jailbroken: { is: false, max_age: 4h }\ndevice.group: corp-laptops"),
            ]),
        FindingCase("the same twice", "covered two one", ["one": laptops, "two": laptops]),
        FindingCase("no proof", "no-proof one", ["one": laptops]),
        FindingCase(
            "a proof as one of several ways", "no-proof one",
            [
                "one": TestBundle.permit(
                    "any_of: [{ device.group: servers }, { proof: { one_time_credential: { bound_to: device.id } } }]"
                )
            ]),
        FindingCase(
            "names as asked for", "open-names one",
            [
                "one": TestBundle.permit("request.dns: { glob: \"*.corp.example\" }").replacing(
                    "common_name: \"{device.id}\"", with: "san: { dns: \"{request.dns}\" }")
            ]),
        FindingCase(
            "a deny rule for what is not offered", "never-blocks two",
            [
                "one": laptops,
                "two": TestBundle.deny("device.group: servers").replacing(
                    "profile: client-auth", with: "profile: server-auth"),
            ]),
        FindingCase(
            "two groups that a device may be in", "overlapping one two",
            [
                "one": laptops, "two": TestBundle.permit("device.group: servers"),
            ]),
        FindingCase(
            "nothing granted in common", "contradictory one two",
            [
                "one": laptops,
                "two": laptops.replacing("\"{device.id}\"", with: "\"laptop-{device.id}\""),
            ]),
        FindingCase(
            "a safe state that always holds", "never-blocks two",
            [
                "one": laptops, "two": TestBundle.deny("device.active_certificates: { at_least: 0 }"),
            ]),
        FindingCase(
            "no request comes through", "always-denied two",
            [
                "one": laptops,
                "two": TestBundle.deny("device.group: servers\nnone_of: [{ device.group: servers }]"),
            ]),
        FindingCase(
            "deny rules alone", "no-permit-rule ",
            [
                "two": TestBundle.deny("device.jailbroken: { is: false, max_age: 4h }")
            ]),
        FindingCase(
            "a condition that another implies", "idle-condition one",
            [
                "one": TestBundle.permit(
                    "client.address: { within: 10.1.0.0/16 }\nall_of: [{ client.address: { within: 10.0.0.0/8 } }]"
                )
            ]),
        FindingCase(
            "a choice that another covers", "idle-condition one",
            [
                "one": TestBundle.permit(
                    "any_of: [{ device.id: { glob: \"LT-*\" } }, { device.id: { glob: \"LT-9*\" } }]")
            ]),
        FindingCase(
            "more than the profile allows", "above-ceiling one",
            [
                "one": TestBundle.permit("device.group: corp-laptops", days: 400)
            ]),
        FindingCase(
            "any service", "idle-scope one",
            [
                "one": laptops.replacing("service: laptops", with: "service: any").replacing(
                    "require:\n", with: "require:\n  request.protocol: scep\n")
            ]),
    ]

    @Test(arguments: cases)
    func finds(_ wanted: FindingCase) throws {
        let bundle = try TestBundle.load(wanted.rules)
        let findings = PolicyAnalysis(bundle: bundle).findings().filter {
            $0.service == nil || $0.service == TestBundle.service || $0.kind == .idleScope
        }
        let lines = findings.map { "\($0.kind.rawValue) \($0.rules.joined(separator: " "))" }
        #expect(lines.contains(wanted.finding), "\(lines)")
        for finding in findings { expectExample(finding, bundle) }
    }

    /// An example reads like the base of a case, and decides alike as one.
    private func expectExample(_ finding: AnalysisFinding, _ bundle: PolicyBundle) {
        guard let sketch = finding.example else { return }
        #expect(!finding.message.isEmpty && !finding.remedy.isEmpty)
        let indented = sketch.yaml.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
        let text = "tests: v1\nbase:\n\(indented)\ncases:\n  - { name: example, expect: { deny: no-rule } }\n"
        let file = BundleFile(path: "rules/one.cases.yaml", bytes: Array(text.utf8))
        let others = (BundleFile.files(fromCanonical: bundle.canonicalBytes) ?? []).filter {
            $0.path != file.path
        }
        let isKnown = others.contains { $0.path == "rules/one.yaml" }
        guard isKnown else { return }
        do throws(PolicyLoadError) {
            let loaded = try PolicyBundle(files: others + [file])
            let example = loaded.cases.first { $0.name == "example" }
            let read = example.map { PolicyEngine(bundle: bundle).decide($0.input) }
            let own = PolicyEngine(bundle: bundle).decide(sketch.input)
            #expect(read?.outcome == own.outcome && read?.reasonCode == own.reasonCode, "\(sketch.yaml)")
        } catch { Issue.record("\(error)\n\(text)") }
    }

    @Test func findsNothingWrongWithTheStarter() throws {
        let findings = PolicyAnalysis(bundle: try TestBundle.starter()).findings()
        #expect(findings.filter { $0.severity != .note }.isEmpty, "\(findings.map(\.description))")
    }

    private func messages(_ rules: [String: String], _ kind: AnalysisFinding.Kind) throws -> [AnalysisFinding]
    {
        PolicyAnalysis(bundle: try TestBundle.load(rules)).findings().filter { $0.kind == kind }
    }

    @Test func acceptsProofsAndBoundNames() throws {
        let named = Self.laptops.replacing(
            "common_name: \"{device.id}\"", with: "san: { dns: \"{request.dns}\" }")
        let proof = "require:\n  proof: { one_time_credential: { bound_to: device.id } }\n"
        let bounded = named.replacing(
            "require:\n", with: proof + "  request.dns: { subset_of: device.dns }\n")
        #expect(try messages(["one": bounded], .openNames).isEmpty)
        #expect(try messages(["one": bounded], .noProof).isEmpty)
        let renewals = Self.laptops.replacing(
            "profile: client-auth", with: "profile: client-auth, operation: renew")
        #expect(try messages(["one": renewals], .noProof).isEmpty)
    }

    /// A looser rule beside one that asks for approvals is at fault, not that one.
    @Test func doesNotAdviseToRemoveTheStricterRule() throws {
        let approval = "approval: { from: Contractor Office, count: 1, within: 24h }"
        let strict = TestBundle.permit("device.group: corp-laptops\nrequest.protocol: est", more: approval)
        let loose = try #require(try messages(["one": strict, "two": Self.laptops], .covered).first)
        #expect(
            loose.message
                == "`one` is covered by `two`: who does not meet `one` gets this without the approvals that it asks for"
        )
        #expect(!loose.remedy.contains("remove it"))
        let shorter = try messages(
            ["one": Self.laptops, "two": TestBundle.permit("device.group: corp-laptops", days: 5)], .covered)
        #expect(
            shorter.map(\.message) == [
                "`two` is covered by `one`: both permit the same requests, and only `two` asks for the shorter validity"
            ])
        let same = try messages(["one": Self.laptops, "two": Self.laptops], .covered)
        #expect(same.first?.remedy == "remove it, unless it is there to narrow what is granted")
    }

    /// The example of the check is not one of a minter among the approvers.
    @Test func fourEyesLeavePermits() throws {
        let bundle = try TestBundle.starter(
            editing: "rules/contractor-client-auth.yaml", "within: 24h", "within: 24h, four_eyes: true")
        let findings = PolicyAnalysis(bundle: bundle).findings()
        #expect(findings.filter { $0.severity != .note }.isEmpty, "\(findings.map(\.description))")
    }

    @Test func remindsOfForgottenShadows() throws {
        let bundle = try TestBundle.load(["one": Self.laptops], mode: "shadow")
        let late = Timestamp(rfc3339: "2028-01-01T00:00:00Z")
        #expect(
            PolicyAnalysis(bundle: bundle, at: late).findings().contains { $0.kind == .inactivePastReview })
        let quiet = PolicyAnalysis(bundle: bundle).findings()
        #expect(!quiet.contains { $0.kind == .inactivePastReview })
    }

    @Test func wantsASourceForEachFact() throws {
        let bundle = try TestBundle.starter(
            editing: "catalog/sources.yaml", "", ""
        ).sources
        #expect(bundle.contains { $0.provides.contains(.jailbroken) })
        let rules = [
            "one": Self.laptops, "two": TestBundle.deny("device.jailbroken: { is: false, max_age: 4h }"),
        ]
        let files = BundleFile.files(fromCanonical: try TestBundle.load(rules).canonicalBytes) ?? []
        let blind = files.map { file in
            guard file.path == "catalog/sources.yaml" else { return file }
            let text = String(decoding: file.bytes, as: UTF8.self)
                .replacing("provides: [compliance, jailbroken]", with: "provides: [compliance]")
            return BundleFile(path: file.path, bytes: Array(text.utf8))
        }
        let found = PolicyAnalysis(bundle: try PolicyBundle(files: blind)).findings()
        #expect(found.contains { $0.kind == .noSource && $0.rules == ["two"] && $0.severity == .error })
    }

    @Test func saysWhatItDoesNotDecide() throws {
        var rules: [String: String] = [:]
        for number in 0..<70 { rules["rule-\(number)"] = TestBundle.permit("device.id: \"LT-\(number)\"") }
        let findings = PolicyAnalysis(bundle: try TestBundle.load(rules)).findings()
        let open = findings.filter { $0.kind == .notDecided }
        #expect(open.count == 1 && open.first?.profile == TestBundle.profile)
        #expect(!findings.contains { !$0.rules.isEmpty && $0.kind != .aboveCeiling && $0.kind != .noProof })
    }
}
