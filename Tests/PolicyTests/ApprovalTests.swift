import EnrollmentCore
import Testing

@testable import Policy

/// One state of the approvals that a rule for two people, with four eyes and within a day, may find.
struct ApprovalCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: ReasonCode
    let words: [(String, Approval.Verdict, Int64)]
    var mintedBy: String? = "os:ops"

    init(_ description: String, _ code: ReasonCode, _ words: [(String, Approval.Verdict, Int64)]) {
        testDescription = description
        self.code = code
        self.words = words
    }

    /// The case with the credential minted by somebody.
    func minted(by actor: String?) -> ApprovalCase {
        var copy = self
        copy.mintedBy = actor
        return copy
    }
}

struct ApprovalTests {
    static let rule = SmallBundle.permit(
        "approval: { from: Device Identity, count: 2, within: 24h, four_eyes: true }")

    static let cases: [ApprovalCase] = [
        ApprovalCase("nobody", .approvalWaiting, []),
        ApprovalCase("one of two", .approvalWaiting, [("os:ann", .approve, 60)]),
        ApprovalCase("two", .permitted, [("os:ann", .approve, 60), ("os:bob", .approve, 0)]),
        ApprovalCase(
            "one of them a stranger", .approvalWaiting,
            [
                ("os:ann", .approve, 60), ("os:eve", .approve, 60),
            ]),
        ApprovalCase(
            "the same one twice", .approvalWaiting,
            [
                ("os:ann", .approve, 60), ("os:ann", .approve, 30),
            ]),
        ApprovalCase(
            "one of them too long ago", .approvalWaiting,
            [
                ("os:ann", .approve, 86_401), ("os:bob", .approve, 60),
            ]),
        ApprovalCase(
            "at the very end", .permitted,
            [
                ("os:ann", .approve, 86_400), ("os:bob", .approve, 60),
            ]),
        ApprovalCase(
            "one of them from the future", .approvalWaiting,
            [
                ("os:ann", .approve, -1), ("os:bob", .approve, 60),
            ]),
        ApprovalCase(
            "one says no", .approvalDenied,
            [
                ("os:ann", .approve, 60), ("os:bob", .approve, 60), ("os:cat", .deny, 60),
            ]),
        ApprovalCase(
            "an old no still counts", .approvalDenied,
            [
                ("os:ann", .approve, 60), ("os:bob", .approve, 60), ("os:cat", .deny, 900_000),
            ]),
        ApprovalCase(
            "a stranger's no does not", .permitted,
            [
                ("os:ann", .approve, 60), ("os:bob", .approve, 60), ("os:eve", .deny, 60),
            ]),
        ApprovalCase(
            "who minted it approves too", .approvalWaiting,
            [
                ("os:ann", .approve, 60), ("os:bob", .approve, 60),
            ]
        ).minted(by: "os:gatehouse, logged in as ann"),
        ApprovalCase(
            "who minted it besides two others", .permitted,
            [
                ("os:ann", .approve, 60), ("os:bob", .approve, 60), ("os:cat", .approve, 60),
            ]
        ).minted(by: "os:ann"),
        ApprovalCase(
            "nobody knows who minted it", .approvalWaiting,
            [
                ("os:ann", .approve, 60), ("os:bob", .approve, 60),
            ]
        ).minted(by: nil),
    ]

    @Test(arguments: cases)
    func counts(_ example: ApprovalCase) throws {
        let bundle = try SmallBundle.load(["by-hand": Self.rule], owners: SmallBundle.owners)
        var input = try SmallBundle.laptop()
        input.history.mintedBy = example.mintedBy
        input.approvals = example.words.map { who, verdict, age in
            Approval(approver: who, verdict: verdict, at: input.instant.adding(seconds: -age))
        }
        let decision = PolicyEngine(bundle: bundle).decide(input)
        #expect(decision.reasonCode == example.code.rawValue, "\(decision.trace.canonicalText)")
    }

    @Test func whatWaitsSaysForWhom() throws {
        let bundle = try SmallBundle.load(["by-hand": Self.rule], owners: SmallBundle.owners)
        var input = try SmallBundle.laptop()
        input.history.mintedBy = "os:ops"
        input.approvals = [Approval(approver: "os:ann", verdict: .approve, at: input.instant)]
        let decision = PolicyEngine(bundle: bundle).decide(input)
        #expect(
            decision.obligations.canonicalText
                == #"{"approvals":[{"count":2,"four_eyes":true,"from":"Device Identity","#
                + #""members":["os:ann","os:bob","os:cat"],"received":["os:ann"],"rule":"by-hand","#
                + #""within_seconds":86400}]}"#)
    }

    /// A rule that people have denied must not leave the field to one that asks nobody, nor one that waits.
    @Test func ruleWithoutApprovalDoesNotGoRoundOneWithIt() throws {
        let bundle = try SmallBundle.load(
            ["by-hand": Self.rule, "freely": SmallBundle.permit()], owners: SmallBundle.owners)
        let engine = PolicyEngine(bundle: bundle)
        var input = try SmallBundle.laptop()
        #expect(engine.decide(input).reasonCode == "approval.waiting")
        input.approvals = [Approval(approver: "os:ann", verdict: .deny, at: input.instant)]
        #expect(engine.decide(input).reasonCode == "approval.denied")
    }

    /// Where no credential is offered nobody is known to have minted one, so nobody can be told apart from
    /// them.
    @Test func fourEyesNeedAKnownMinter() throws {
        let bundle = try SmallBundle.load(["by-hand": Self.rule], owners: SmallBundle.owners)
        var input = try SmallBundle.laptop()
        input.operation = .renew
        let device = try #require(input.provenDevice)
        input.proofs = [
            .clientCertificate(
                certificate: Digest(of: [1]), device: device, state: .valid, names: input.request.names)
        ]
        input.approvals = ["os:ann", "os:bob"].map {
            Approval(approver: $0, verdict: .approve, at: input.instant)
        }
        #expect(PolicyEngine(bundle: bundle).decide(input).reasonCode == "approval.waiting")
    }

    @Test func strangersAreNotParkedForApproval() throws {
        let bundle = try SmallBundle.load(["by-hand": Self.rule], owners: SmallBundle.owners)
        var input = try SmallBundle.laptop()
        input.device?.groups = ["servers"]
        #expect(PolicyEngine(bundle: bundle).decide(input).reasonCode == "no-rule")
    }

    @Test func aQuestionBeforeTheRequestIsNotHeldUp() throws {
        let bundle = try SmallBundle.load(["by-hand": Self.rule], owners: SmallBundle.owners)
        let engine = PolicyEngine(bundle: bundle)
        #expect(engine.assess(try SmallBundle.laptop()).isPermit)
        #expect(engine.assessAccount(try SmallBundle.laptop()).isPermit)
    }

    /// A team that could not approve must not be asked.
    @Test func teamMustHaveTheMembers() throws {
        #expect(throws: PolicyLoadError.self) {
            try SmallBundle.load(["by-hand": Self.rule])
        }
    }
}
