import EnrollmentCore
import Foundation
import Policy
import Testing

@testable import PolicyReview

/// Accounts of decisions, word for word as auditors get them.
struct AccountTests {
    private func documents(_ policyCase: PolicyCase, _ bundle: PolicyBundle) -> DecisionDocuments {
        DecisionDocuments(input: policyCase.input, question: policyCase.question, bundle: bundle)
    }

    private func text(
        _ documents: DecisionDocuments, _ bundle: PolicyBundle?,
        _ recomputation: DecisionAccount.Recomputation? = nil
    ) -> String {
        DecisionAccount(documents, bundle: bundle, recomputation: recomputation).document.string(.markdown)
    }

    @Test func starterCasesReadAsTheyShould() throws {
        let bundle = try SampleBundle.starter()
        var output = ""
        for name in [
            "healthy laptop over EST", "posture too old", "not in the group", "spent credential",
            "another device's DNS name", "jailbroken", "nobody has said anything",
            "control shown too long ago",
            "an account to order with, before there is a request",
        ] {
            let policyCase = try bundle.policyCase(name)
            output += "## \(name)\n\n" + text(documents(policyCase, bundle), bundle, .identical) + "\n"
        }
        let digest = bundle.digest.description
        try Golden.expect(output.replacing(digest, with: "(digest)"), is: "accounts.md")
    }

    @Test func conditionsKeepTheirStructureWhereTheBundleIsKnown() throws {
        let bundle = try SampleBundle.small()
        let documents = documents(try bundle.policyCase("waits"), bundle)
        let known = text(documents, bundle)
        #expect(known.contains("- at least one of:\n  - Met: a usable one-time credential names the device."))
        #expect(
            known.contains("- none of:\n  - Not met: the device's serial number is LOST-1. Seen: `S-1`.\n"))
        #expect(known.contains("- Not yet: approval by 2 members of Service Desk within 1 day, none of whom"))
        #expect(
            known.contains(
                "Rule entry wants 2 of Service Desk to approve within 1 day; whoever minted the credential does not count. Received: none. May still approve: `os:amir` and `os:jane`."
            ))
        let flat = text(documents, nil)
        #expect(flat.contains("- Met: device.group is guests. Seen: `guests`.\n"))
        #expect(!flat.contains("at least one of"))
    }

    @Test func whoMintedIsNotAmongThoseWhoMayStillApprove() throws {
        let bundle = try SampleBundle.small()
        var input = try bundle.policyCase("waits").input
        let approved = Approval(
            approver: "os:amir", verdict: .approve, at: input.instant.adding(seconds: -60))
        input.approvals = [approved]
        input.history.mintedBy = "os:gatehouse, logged in as jane"
        let told = text(DecisionDocuments(input: input, question: .request, bundle: bundle), bundle)
        #expect(told.contains("People said: `os:amir` approved it at 2026-11-22T11:59:00Z."))
        #expect(told.contains("Received: `os:amir`. May still approve: nobody."))
    }

    @Test func shadowsAreToldAndSaidToChangeNothing() throws {
        let shadow = SampleBundle.entry.replacing("mode: enforce", with: "mode: shadow")
            .replacing("id: entry", with: "id: later")
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "deny: no-rule")
        let bundle = try SampleBundle.small(["later": (shadow, cases)])
        let told = text(documents(try bundle.policyCase("waits"), bundle), bundle)
        #expect(
            told.contains(
                "Rules in shadow changed nothing. Enforced, they would defer it (approval.waiting), carried by later of Gatekeepers (gate@corp.example)."
            ))
    }

    @Test func everyCaseHasItsAccount() throws {
        let bundle = try SampleBundle.starter()
        for policyCase in bundle.cases {
            let documents = documents(policyCase, bundle)
            for known in [bundle, nil] {
                let told = text(documents, known, .notPossible("for a test"))
                let code = try #require(documents.decision.text("reason_code"))
                #expect(told.contains("(\(code))") || code == "permitted")
                #expect(told.hasSuffix("The decision was not computed again: for a test.\n"))
                #expect(told.hasPrefix("At 20"))
            }
            #expect(documents.question?.input == policyCase.input)
            #expect(documents.question?.question == policyCase.question)
            #expect(documents.isByPolicy && documents.policy == bundle.digest)
        }
    }

    @Test func refusalsSayThatPolicyWasNotAsked() {
        let refusal = DecisionDocuments(
            request: [
                "request_id": "0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12", "kind": "refusal", "service": "laptops",
                "protocol": "scep", "operation": nil, "client_address": "192.0.2.9", "proof_kinds": [],
            ],
            decision: [
                "decided_at": "2026-11-22T12:00:00.250000Z", "decided_by": "registration", "effect": "deny",
                "reason_code": "request.malformed", "reason": "no CMS message", "rule_ids": [],
                "owner": "Device Identity", "policy_sha256": "00", "trace": [],
            ])
        #expect(
            text(refusal, nil) == """
                Request 0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12. At 2026-11-22T12:00:00Z, a client that \
                proved no device at `192.0.2.9` asked service `laptops` over SCEP for a certificate; \
                a proof was not looked at. It was denied (request.malformed) under policy version 00; Device \
                Identity answers for that. No CMS message.

                Policy was not asked: the request was refused before, by the checks that every request passes.

                """)
        #expect(refusal.question == nil && !refusal.isByPolicy)
    }

    /// What was sent and not looked at is told from what was not sent, and from what did not count.
    @Test(arguments: [
        ("proof.none", ", without a proof. "), ("credential.wrong", ", without a proof that counts. "),
        ("proof.unknown", ", without a proof that counts. "),
        ("service.unknown", "; a proof was not looked at. "),
    ])
    func refusalsSayWhatBecameOfTheProof(code: String, words: String) {
        let refusal = DecisionDocuments(
            request: ["kind": "refusal", "protocol": "est", "proof_kinds": []],
            decision: [
                "decided_by": "registration", "effect": "deny", "reason_code": .string(code), "rule_ids": [],
            ])
        #expect(text(refusal, nil).contains("for a certificate" + words))
    }

    @Test(arguments: [
        (
            "block_if: { device.id: G-1 }",
            "blocks: the device's id is G-1.\n\n- So: the device's id is G-1. Seen: `G-1`."
        ),
        (
            "block_if: { device.id: KI-13 }",
            """
            does not block: it is not so that the device's id is KI-13.

            - Not so: the device's id is KI-13. Seen: `G-1`.
            """
        ),
        (
            "block_if: { request.operation: enroll, device.id: G-1 }",
            "blocks: the operation is enroll and the device's id is G-1.\n\n- all of:\n  - So: the operation"
        ),
        (
            "block_unless: { none_of: [{ device.id: G-1 }, { device.id: G-2 }] }",
            "blocks: the device's id is G-1, or the device's id is G-2.\n\n- at least one of:\n  - So: "
        ),
    ])
    func whatBlocksIsSaidAsItIsWritten(block: String, words: String) throws {
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "deny: stolen")
        let bundle = try SampleBundle.small([
            "stolen": (SampleBundle.denial("stolen", block), cases),
            "entry": (SampleBundle.entry, SampleBundle.entryCases),
        ])
        let told = text(documents(try bundle.policyCase("waits"), bundle), bundle)
        #expect(told.contains(words), "\(told)")
        #expect(!told.contains("safe state"))
    }

    /// A rule in shadow that denies what is denied already would not have "made" it anything.
    @Test func shadowsThatSayTheSameSayAlso() throws {
        let block = SampleBundle.denial("stolen", "block_if: { device.id: G-1 }")
            .replacing("mode: enforce", with: "mode: shadow")
        let lost = SampleBundle.entryCases.replacing("group: [guests]", with: "group: []")
            .replacing("defer: approval.waiting", with: "deny: no-rule")
        let bundle = try SampleBundle.small([
            "stolen": (block, lost), "entry": (SampleBundle.entry, SampleBundle.entryCases),
        ])
        let policyCase = try #require(bundle.cases.first { $0.rule == "stolen" })
        let told = text(documents(policyCase, bundle), bundle)
        #expect(
            told.contains("Enforced, they would also deny it (rule.blocked), carried by stolen of"), "\(told)"
        )
    }

    @Test func recomputationIsTold() throws {
        let bundle = try SampleBundle.small()
        let documents = documents(try bundle.policyCase("waits"), bundle)
        #expect(text(documents, bundle, .identical).hasSuffix("the decision is identical.\n"))
        #expect(
            text(documents, bundle, .different(["effect", "trace"]))
                .hasSuffix("the decision is different in: effect and trace.\n"))
        let json = DecisionAccount(documents, bundle: bundle, recomputation: .different(["effect"])).json
        #expect(json["differences"] == ["effect"] && json["recomputed"] == "different")
        #expect(json.text("account") == text(documents, bundle, .different(["effect"])))
    }

    @Test func anotherBundlesDecisionNamesTheOneOnRecord() throws {
        let bundle = try SampleBundle.small()
        let recorded = documents(try bundle.policyCase("waits"), bundle)
        let rule = SampleBundle.entry.replacing("approval: ", with: "# approval: ")
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "permit: entry")
        let other = try SampleBundle.small(["entry": (rule, cases)])
        let decided = try #require(recorded.decided(by: other))
        #expect(decided.request == recorded.request && decided.decision.text("effect") == "permit")
        let told = text(decided, other, .byAnotherBundle(recorded: recorded))
        #expect(told.contains("It was permitted by rule entry of Gatekeepers"))
        #expect(
            told.contains(
                "The decision on record is another bundle's. It was deferred (approval.waiting) by rule entry under policy version \(bundle.digest)"
            ))
    }

    @Test(arguments: [
        (0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (754, "12 minutes 34 seconds"),
        (14_400, "4 hours"),
        (14_401, "4 hours 1 second"), (90_061, "1 day 1 hour"), (7_776_000, "90 days"), (-120, "2 minutes"),
    ])
    func durationsRead(seconds: Int64, text: String) { #expect(English.duration(seconds) == text) }
}
