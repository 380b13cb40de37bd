import EnrollmentCore
import EnrollmentTesting
import Policy
import Registration
import Testing

extension RegistrationTests {
    /// What people are told of an approval, by the policy in force.
    @Suite struct PolicyApprovalTests {
        private static let rule = "contractor-client-auth"

        private static func bundle(_ members: String, mode: String = "enforce") throws -> PolicyBundle {
            let folder = try PolicyFolder()
            try folder.replace(#"["os:operator"]"#, by: members, in: "owners.yaml")
            try folder.replace(
                "count: 1", by: "count: 2, four_eyes: true", in: "rules/contractor-client-auth.yaml")
            try folder.replace(
                "mode: enforce", by: "mode: \(mode)", in: "rules/contractor-client-auth.yaml")
            return try PolicyBundle(files: BundleFile.read(directory: folder.path))
        }

        private static let team = #"["os:ann", "os:bob", "os:cat"]"#
        private let now = ManualClock().now()

        private func word(_ who: String, _ verdict: Approval.Verdict = .approve, ago: Int64 = 60) -> Approval
        {
            Approval(approver: who, verdict: verdict, at: now.adding(seconds: -ago))
        }

        private func judge(_ words: [Approval], mintedBy minter: String? = "os:ops") throws -> PolicyApproval
        {
            try #require(
                PolicyApproval(
                    rule: Self.rule, of: Self.bundle(Self.team), words: words, mintedBy: minter, at: now))
        }

        @Test func saysWhoIsStillNeeded() throws {
            #expect(
                try judge([]).progress == "0 of 2: still needs 2 more of os:ann, os:bob, os:cat")
            #expect(try judge([word("os:cat")]).progress == "1 of 2: still needs one more of os:ann, os:bob")
            let enough = try judge([word("os:cat"), word("os:ann")])
            #expect(enough.missing == 0 && enough.progress == "2 of 2")
            #expect(
                try judge([word("os:cat"), word("os:ann"), word("os:bob", .deny)]).progress
                    == "denied by os:bob")
        }

        @Test func countsWhatPolicyCounts() throws {
            // Too old, not of the team, and who minted the credential.
            let found = try judge(
                [word("os:ann", ago: 86_401), word("os:eve"), word("os:bob"), word("os:cat", ago: 86_400)],
                mintedBy: "os:root, logged in as bob")
            #expect(found.approvers == ["os:cat"] && found.others == ["os:ann"])
            #expect(try judge([word("os:eve", .deny)]).deniers.isEmpty)
            // Four eyes, and nobody knows who minted: policy counts nobody, so nor does this.
            let unknown = try judge([word("os:cat"), word("os:ann")], mintedBy: nil)
            #expect(unknown.approvers.isEmpty && unknown.others.isEmpty)
            #expect(
                unknown.progress == "0 of 2: still needs 2 more, and there is nobody left who may give it")
        }

        @Test func asksNobodyWhereTheRuleDoesNot() throws {
            let bundle = try Self.bundle(Self.team, mode: "shadow")
            for rule in [Self.rule, "corp-laptop-client-auth", "gone"] {
                #expect(
                    PolicyApproval(rule: rule, of: bundle, words: [], mintedBy: nil, at: now) == nil,
                    "\(rule)")
            }
        }
    }
}
