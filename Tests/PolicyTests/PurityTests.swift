import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// The engine is a function of input and bundle, and finding rules by an index changes nothing.
struct PurityTests {
    /// What the ledger keeps of a decision.
    private func record(_ decision: Decision) -> String {
        JSONValue.array([
            .string(decision.outcome.effectName), .string(decision.reasonCode), .string(decision.reason),
            .array(decision.ruleIDs.map(JSONValue.string)), .string(decision.owner.team),
            .string(decision.policy.description), decision.obligations, decision.trace,
        ]).canonicalText
    }

    /// Input and bundle as they come back from a ledger give every octet of the decision again.
    @Test func recordedDecisionsComeOutTheSame() throws {
        let bundle = try StarterBundle.load()
        let kept = try #require(BundleFile.files(fromCanonical: bundle.canonicalBytes))
        let again = try PolicyBundle(files: kept.reversed())
        #expect(again.digest == bundle.digest)
        for example in bundle.cases {
            let text = try JSONEncoder().encode(example.input)
            let input = try JSONDecoder().decode(PolicyInput.self, from: text)
            #expect(input == example.input)
            let engines = (PolicyEngine(bundle: bundle), PolicyEngine(bundle: again))
            #expect(record(engines.0.decide(example.input)) == record(engines.1.decide(input)))
            #expect(record(engines.0.assess(example.input)) == record(engines.1.assess(input)))
            #expect(record(engines.0.assessAccount(example.input)) == record(engines.1.assessAccount(input)))
        }
    }

    /// Inputs recorded before there were approvals and the later facts of history.
    @Test func olderRecordsAreRead() throws {
        let input = try StarterBundle.laptop()
        guard
            var members = try JSONSerialization.jsonObject(with: JSONEncoder().encode(input))
                as? [String: Any],
            var history = members["history"] as? [String: Any]
        else {
            Issue.record("not an object")
            return
        }
        members["approvals"] = nil
        for later in ["failed_attempts", "last_proofs", "minted_by"] { history[later] = nil }
        members["history"] = history
        let text = try JSONSerialization.data(withJSONObject: members)
        #expect(try JSONDecoder().decode(PolicyInput.self, from: text) == input)
    }

    /// Many rules for many groups: the index leaves out only rules that cannot apply.
    @Test func indexLeavesOutNothingThatMatters() throws {
        let groups = ["corp-laptops", "servers", "network-gear", "contractors"]
        var rules: [String: String] = ["zz-deny": SmallBundle.deny]
        for (number, group) in groups.enumerated() {
            rules["for-\(group)"] = SmallBundle.permit(days: number + 2)
                .replacing("device.group: corp-laptops", with: "device.group: \(group)")
            rules["for-two-\(group)"] = SmallBundle.permit(days: 20)
                .replacing(
                    "{ device.group: corp-laptops }",
                    with:
                        "{ device.group: [\(group), \(groups[(number + 1) % 4])], device.id: { glob: \"LT-*\" } }"
                )
        }
        rules["for-all"] = SmallBundle.permit(days: 15)
            .replacing("{ device.group: corp-laptops }", with: "{ device.id: { glob: \"*-042\" } }")
        let bundle = try SmallBundle.load(rules)
        for subset in 0..<16 {
            for name in ["LT-042", "LT-1", "X-1"] {
                var input = try SmallBundle.laptop()
                let id = try #require(DeviceID(name))
                input.device?.id = id
                input.provenDevice = id
                input.request.names = CertificateNames()
                let credential = try #require(CredentialID("AAAAAAAAAAAAAAAA"))
                input.proofs = [.oneTimeCredential(id: credential, device: id, state: .usable)]
                input.device?.groups = groups.indices.filter { subset >> $0 & 1 == 1 }.map { groups[$0] }
                let decision = PolicyEngine(bundle: bundle).decide(input)
                let profile = try #require(bundle.profile(named: ProfileName("client-auth")))
                let conditions = ConditionEvaluation(input: input, question: .request)
                let carried = bundle.rules.map {
                    RuleEvaluation($0, conditions, profile, isOverdue: false)
                }
                .filter { !$0.isDeny && $0.verdict == .satisfied }
                #expect(decision.ruleIDs == carried.map(\.rule.id), "\(subset) \(name)")
                #expect(decision.isPermit == !carried.isEmpty)
            }
        }
    }
}
