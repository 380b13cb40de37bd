import EnrollmentCore
import Policy
import Testing

@testable import PolicyReview

/// Which rules count as tested, by their mode.
struct RunnerTests {
    private func problems(_ rule: String, expect: String = "deny: no-rule") throws -> [String] {
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: expect)
        let bundle = try SampleBundle.small(["entry": (rule, cases)])
        return PolicyTestRunner(bundle: bundle).run().problems.map(\.message)
    }

    private let open = SampleBundle.entry.replacing("approval: ", with: "# approval: ")
    private let untested = ["no case shows that `entry` permits"]

    @Test func anEnforcedRuleMustHaveItsEffect() throws {
        #expect(try problems(SampleBundle.entry, expect: "defer: approval.waiting") == untested)
        #expect(try problems(open, expect: "permit: entry") == [])
    }

    @Test func aRuleInShadowMustHaveItBesideTheOutcome() throws {
        let shadow = { (rule: String) in rule.replacing("mode: enforce", with: "mode: shadow") }
        #expect(try problems(shadow(SampleBundle.entry)) == untested)
        #expect(try problems(shadow(open)) == [])
    }

    @Test func aRuleThatIsOffHasNoneToShow() throws {
        #expect(try problems(SampleBundle.entry.replacing("mode: enforce", with: "mode: \"off\"")) == [])
    }
}
