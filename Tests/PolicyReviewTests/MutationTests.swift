import EnrollmentCore
import Policy
import Testing

@testable import PolicyReview

/// What mutants are made, which are noticed, and which are not worth making.
struct MutationTests {
    private func mutants(of id: String, in bundle: PolicyBundle) throws -> [Mutant] {
        let rule = try #require(bundle.rules.first { $0.id == id })
        return MutantMaker(rule: rule, bundle: bundle).groups.flatMap(\.self)
    }

    @Test func everyPartOfARuleHasItsMutants() throws {
        let changes = try mutants(of: "entry", in: SampleBundle.small()).map(\.change)
        #expect(
            changes == [
                "delete this condition (device.group is guests)",
                "let device.group be anything (device.group is guests)",
                "delete this condition (device.posture is compliant)",
                "let the fact be ten years old (device.posture is compliant)",
                "delete this condition (device.serial is LOST-1, device.owner matches *@rival.example)",
                "delete this exception (device.serial is LOST-1)",
                "delete this exception (device.owner matches *@rival.example)",
                "delete this condition (a one-time credential of the device, a certificate of ours, to renew it)",
                "delete this alternative (a one-time credential of the device)",
                "delete this alternative (a certificate of ours, to renew it)",
                "take it for first enrolments too (a certificate of ours, to renew it)",
                "widen `applies_to` to any protocol",
                "raise the validity to the profile's",
                "grant every usage of the profile",
                "write `if_csr_differs: replace`",
                "delete the approval",
                "take one approval less",
                "let the minter approve (four_eyes: false)",
                "let an approval count for ten years",
            ])
    }

    @Test func aComplaintNamesThePlace() throws {
        let first = try #require(mutants(of: "entry", in: SampleBundle.small()).first)
        #expect(
            first.complaint.description
                == "rules/entry.yaml:10:3: no test notices if you delete this condition (device.group is guests)"
        )
    }

    @Test func whatCannotMatterIsNotAMutant() throws {
        let rule = SampleBundle.entry.replacing(
            "validity: { at_most: 7d }", with: "validity: { at_most: 30d }"
        )
        .replacing(
            "extended_key_usage: [client_auth]", with: "extended_key_usage: [client_auth, server_auth]"
        )
        .replacing(", protocol: est }", with: ", protocol: [est, scep] }")
        let bundle = try SampleBundle.small(["entry": (rule, SampleBundle.entryCases)])
        let changes = try mutants(of: "entry", in: bundle).map(\.change)
        #expect(!changes.contains { $0.hasPrefix("widen") || $0.hasPrefix("raise") || $0.hasPrefix("grant") })
    }

    /// A deny rule for any service whose cases are of one, and lists of what blocks.
    @Test func aDenyRuleMayBlockLess() throws {
        let rule = """
            policy: v1
            id: entry
            title: Not over there
            owner: { team: Gatekeepers, contact: gate@corp.example }
            review_by: 2027-11-30
            mode: enforce
            effect: deny
            applies_to: { service: any, profile: badge, protocol: [est, scep], operation: [renew, rekey] }
            block_if:
              request.protocol: [est, scep]
            """
        let cases = """
            tests: v1
            base: { service: SERVICE, operation: renew, device: { id: LT-042 } }
            cases: [{ name: whatever, expect: { deny: entry } }]
            """
        var bundle = try SampleBundle.small()
        let service = try #require(bundle.services.first?.name.rawValue)
        bundle = try SampleBundle.small(["entry": (rule, cases.replacing("SERVICE", with: service))])
        let changes = try mutants(of: "entry", in: bundle).map(\.change)
        #expect(changes.contains("take est off this list (\(try text(of: bundle)))"), "\(changes)")
        #expect(changes.contains("take operation renew from `applies_to`"))
        #expect(!changes.contains { $0.hasPrefix("apply it only") }, "there is one service only")
    }

    private func text(of bundle: PolicyBundle) throws -> String {
        try #require(bundle.rules.first?.conditions.flatMap(\.tests).first?.text)
    }

    @Test func noMutantIsTheRuleItself() throws {
        for bundle in [try SampleBundle.small(), try SampleBundle.starter()] {
            for rule in bundle.rules {
                #expect(
                    !MutantMaker(rule: rule, bundle: bundle).groups.flatMap(\.self).contains {
                        $0.rule == rule
                    })
            }
        }
    }

    /// The one case of the small bundle sees the approval and no condition that only keeps others out.
    @Test func fewCasesLeaveSurvivors() throws {
        let report = MutationTest(bundle: try SampleBundle.small()).run()
        let survivors = report.survivors.map(\.change)
        #expect(survivors.contains("delete this condition (device.group is guests)"))
        #expect(!survivors.contains("let device.group be anything (device.group is guests)"))
        #expect(survivors.contains("delete this alternative (a certificate of ours, to renew it)"))
        let killed = report.killed.map { [$0.mutant.change, $0.by] }
        #expect(killed.contains(["delete the approval", "entry/waits"]))
        #expect(
            killed.contains(["delete this alternative (a one-time credential of the device)", "entry/waits"]))
        #expect(!report.passed)
    }

    @Test func casesThatNoticeKill() throws {
        let cases =
            SampleBundle.entryCases + """

                  - name: a stranger
                    with: { device.group: [] }
                    expect: { deny: no-rule }
                  - name: seen long ago
                    with: { posture.age: 5h }
                    expect: { defer: posture.stale }
                """
        let before = MutationTest(bundle: try SampleBundle.small()).run()
        let after = MutationTest(bundle: try SampleBundle.small(["entry": (SampleBundle.entry, cases)])).run()
        let noticed = Set(before.survivors.map(\.change)).subtracting(after.survivors.map(\.change))
        #expect(noticed.contains("delete this condition (device.group is guests)"))
        #expect(
            after.survivors.map(\.change).contains("let device.group be anything (device.group is guests)"))
        #expect(after.killed.contains { $0.mutant.change.hasPrefix("let the fact be ten years old") })
    }

    @Test(arguments: ["shadow", "off"])
    func rulesThatDecideNothingHaveNoMutants(mode: String) throws {
        let rule = SampleBundle.entry.replacing("mode: enforce", with: "mode: \"\(mode)\"")
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "deny: no-rule")
        let report = MutationTest(bundle: try SampleBundle.small(["entry": (rule, cases)])).run()
        #expect(report.killed.isEmpty && report.survivors.isEmpty)
    }

    @Test func starterBundleHasNoSurvivors() throws {
        let bundle = try SampleBundle.starter()
        let clock = ContinuousClock()
        let start = clock.now
        let report = MutationTest(bundle: bundle).run()
        #expect(report.survivors.map(\.complaint.description) == [])
        #expect(report.killed.count > 30)
        #expect(clock.now - start < .seconds(6))
    }

    @Test func coverageNamesTheCases() throws {
        let bundle = try SampleBundle.starter()
        let coverage = PolicyCoverage(bundle: bundle, report: PolicyTestRunner(bundle: bundle).run())
        let laptop = try #require(coverage.rules.first { $0.rule == "corp-laptop-client-auth" })
        #expect(laptop.conditions.first?.text == "device.group is corp-laptops")
        #expect(laptop.conditions.first?.notMet.contains("corp-laptop-client-auth/not in the group") == true)
        #expect(laptop.conditions.first?.unknown.contains("corp-laptop-client-auth/in no group") == true)
        #expect(laptop.conditions[1].pending.contains("corp-laptop-client-auth/posture too old") == true)
        // A spent credential never gets to a rule.
        #expect(!laptop.conditions.contains { $0.met.contains("corp-laptop-client-auth/spent credential") })
        #expect(laptop.carried["permit"]?.isEmpty == false && laptop.carried["deny"]?.isEmpty == false)
        for rule in coverage.rules {
            for line in rule.conditions { #expect(!line.met.isEmpty, "\(rule.rule): \(line.text)") }
        }
    }
}
