import EnrollmentCore
import Policy
import Testing

@testable import PolicyReview

/// A bundle as an English document, word for word.
struct RenderTests {
    @Test(arguments: [(Prose.Form.markdown, "starter.md"), (.text, "starter.txt")])
    func starterBundleReads(form: Prose.Form, name: String) throws {
        let bundle = try SampleBundle.starter()
        let text = BundleDocument(bundle: bundle).document.string(form)
        #expect(text == BundleDocument(bundle: bundle).document.string(form))
        try Golden.expect(text.replacing(bundle.digest.description, with: "(digest)"), is: name)
    }

    private func sentence(_ rule: String) throws -> String {
        let bundle = try SampleBundle.small(["entry": (rule, SampleBundle.entryCases)])
        return RuleSentence(rule: try #require(bundle.rules.first)).text.string(.text)
    }

    @Test func aRuleIsASentence() throws {
        #expect(
            try sentence(SampleBundle.entry)
                == "Permits a badge certificate of at most 7 days through the service door, over EST, to devices in group guests whose posture is compliant according to intune, reported at most 4 hours ago, that prove themselves by a one-time credential or, to renew, by their certificate, provided that neither the device's serial number is LOST-1 nor the device's owner matches “*@rival.example”. The certificate carries the device's id as its common name, and is for client authentication; a request that asks for more is denied. The request waits for approval by 2 members of Service Desk within 1 day, none of whom minted the credential."
        )
    }

    @Test func aDenyRuleSaysWhenItBlocks() throws {
        let head = """
            policy: v1
            id: entry
            title: No guests
            owner: { team: Gatekeepers, contact: gate@corp.example }
            review_by: 2027-11-30
            mode: enforce
            effect: deny
            applies_to: { service: door, profile: any, protocol: [est, scep] }

            """
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "deny: entry")
        func sentence(_ block: String) throws -> String {
            let bundle = try SampleBundle.small(["entry": (head + block, cases)])
            return RuleSentence(rule: try #require(bundle.rules.first)).text.string(.text)
        }
        let start =
            "Blocks every request for a certificate of any profile through the service door, over SCEP or EST, "
        #expect(
            try sentence(
                "block_if:\n  client.address: { within: 192.0.2.0/24 }\n  request.operation: [enroll, rekey]\n"
            )
                == start
                + "if the client's address lies within 192.0.2.0/24 and the operation is enroll or rekey.")
        #expect(
            try sentence("block_unless:\n  none_of: [{ device.serial: X }]\n")
                == start + "unless it is not so that the device's serial number is X.")
    }

    @Test func theTableSaysWhoMayNotApproveAndWhatBlocks() throws {
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "deny: stolen")
        let bundle = try SampleBundle.small([
            "stolen": (SampleBundle.denial("stolen", "block_if: { device.id: KI-13 }"), cases),
            "entry": (SampleBundle.entry, SampleBundle.entryCases),
        ])
        let text = BundleDocument(bundle: bundle).document.string(.text)
        #expect(text.contains("2 of Service Desk, not by who minted the credential"))
        #expect(text.contains("No guests (stolen, Gatekeepers): it blocks if the device's id is KI-13."))
    }

    @Test func modesAreMarked() throws {
        for (mode, mark) in [("shadow", "In shadow: "), ("off", "Switched off: ")] {
            let rule = SampleBundle.entry.replacing("mode: enforce", with: "mode: \"\(mode)\"")
            let bundle = try SampleBundle.small(["entry": (rule, SampleBundle.entryCases)])
            let text = BundleDocument(bundle: bundle).document.string(.text)
            #expect(text.contains("\n\(mark)"))
            #expect(text.contains("Nobody: no rule permits it."))
        }
    }

    @Test(arguments: [
        (
            "client.address: { within: [10.0.0.0/8, 192.0.2.0/24] }",
            "the client's address lies within 10.0.0.0/8 or 192.0.2.0/24"
        ),
        (
            "device.active_certificates: { at_most: 3 }",
            "the number of the device's live certificates is at most 3"
        ),
        (
            "device.active_certificates: { at_least: 1 }",
            "the number of the device's live certificates is at least 1"
        ),
        (
            "device.active_certificates: { between: [1, 3] }",
            "the number of the device's live certificates is between 1 and 3"
        ),
        ("request.validity: { at_most: 30d }", "the validity asked for is at most 30 days"),
        (
            "request.instant: { at_least: 2026-01-01T00:00:00Z }",
            "the time of the request is no earlier than 2026-01-01T00:00:00Z"
        ),
        (
            "device.serial: { equals: request.common_name }",
            "the device's serial number equals the common name asked for"
        ),
        (
            "request.dns: { subset_of: device.dns }",
            "the DNS names asked for are all among the device's DNS names"
        ),
        (
            "request.dns: { glob: \"*.corp.example\" }",
            "each of the DNS names asked for matches “*.corp.example”"
        ),
        (
            "device.jailbroken: { is: false, max_age: 30m }",
            "that a posture source reported not to be jailbroken at most 30 minutes ago"
        ),
    ])
    func everyMatcherHasItsWords(condition: String, words: String) throws {
        let rule = SampleBundle.entry.replacing("device.group: guests", with: condition)
        #expect(try sentence(rule).contains(words))
    }
}
