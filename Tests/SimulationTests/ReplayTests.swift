import EnrollmentCore
import Testing

@testable import Policy
@testable import Simulation

/// Invariant L12: a recorded decision, recomputed, is the same to the octet.
struct ReplayTests {
    static func kind(_ question: PolicyQuestion) -> String {
        switch question {
        case .request: return "enroll"
        case .inquiry: return "assess"
        case .account: return "bind"
        }
    }

    @Test("every starter case decided, recorded and recomputed is identical")
    func identical() throws {
        let bundle = try Recorded.bundle()
        for policyCase in bundle.cases {
            let documents = try Recorded(kind: Self.kind(policyCase.question)).documents(
                policyCase.input, by: bundle)
            let finding = try Replay.verify(
                request: documents.request, decision: documents.decision, bundle: bundle)
            #expect(finding == .identical, "\(policyCase.name): \(finding)")
        }
    }

    @Test(
        "a member that was tampered with is named",
        arguments: [
            "effect", "maximum_not_after", "obligations", "owner", "policy_sha256", "profile", "reason",
            "reason_code",
            "rule_ids", "trace",
        ])
    func tampered(member: String) throws {
        let bundle = try Recorded.bundle()
        let input = try Recorded.laptop()
        guard case .object(var members) = Recorded().decision(PolicyEngine(bundle: bundle).decide(input))
        else {
            return
        }
        members[member] = "x"
        let finding = try Replay.verify(
            request: Array(Recorded().request(input).canonicalText.utf8),
            decision: Array(JSONValue.object(members).canonicalText.utf8), bundle: bundle)
        guard case .different(let differences) = finding else { return #expect(Bool(false), "\(finding)") }
        #expect(differences.map(\.member) == [member] && differences.first?.recorded == "\"x\"")
    }

    @Test("another bundle is noticed")
    func otherBundle() throws {
        let documents = try Recorded().documents(Recorded.laptop(), by: Recorded.bundle())
        let other = try Recorded.bundle(editing: SimulationTests.rule, "at_most: 90d", "at_most: 30d")
        let finding = try Replay.verify(
            request: documents.request, decision: documents.decision, bundle: other)
        guard case .different(let differences) = finding else { return #expect(Bool(false)) }
        #expect(differences.map(\.member) == ["maximum_not_after", "obligations", "policy_sha256"])
    }

    @Test("what policy did not decide is not recomputed")
    func notByPolicy() throws {
        let stopped = Recorded(decidedBy: .issuance)
        let documents = try stopped.documents(Recorded.laptop(), by: Recorded.bundle())
        let finding = try Replay.verify(
            request: documents.request, decision: documents.decision, bundle: Recorded.bundle())
        #expect(finding == .notByPolicy)
    }
}
