import EnrollmentCore
import Testing

@testable import Policy

/// Rules in shadow, rules that are off, and rules that nobody reviewed.
struct ModeTests {
    /// Whatever a rule in shadow says, outcome, reason, rules and obligations are those without it.
    @Test func shadowNeverChangesAnOutcome() throws {
        let variants: [[String: String]] = [
            ["b-other": SmallBundle.deny], ["b-other": SmallBundle.permit(days: 3)],
            ["b-other": SmallBundle.permit("approval: { from: Device Identity, within: 1h }")],
        ]
        for variant in variants {
            let alone = try SmallBundle.load(["a-rule": SmallBundle.permit()], owners: SmallBundle.owners)
            let with = try SmallBundle.load(
                ["a-rule": SmallBundle.permit()].merging(variant) { $1 }, mode: ["b-other": "shadow"],
                owners: SmallBundle.owners)
            for input in try Self.inputs() {
                let (one, other) = (
                    PolicyEngine(bundle: alone).decide(input), PolicyEngine(bundle: with).decide(input)
                )
                #expect(one.outcome == other.outcome && one.reasonCode == other.reasonCode)
                #expect(one.ruleIDs == other.ruleIDs && one.obligations == other.obligations)
                #expect(one.shadow == nil)
            }
        }
    }

    private static func inputs() throws -> [PolicyInput] {
        var jailbroken = try SmallBundle.laptop()
        jailbroken.device?.posture[0].jailbroken = true
        var stale = try SmallBundle.laptop()
        stale.device?.posture[0].observedAt = stale.instant.adding(seconds: -90_000)
        var stranger = try SmallBundle.laptop()
        stranger.device?.groups = ["servers"]
        return [try SmallBundle.laptop(), jailbroken, stale, stranger]
    }

    @Test func whatItWouldHaveSaidIsWrittenBeside() throws {
        let bundle = try SmallBundle.load(
            ["a-rule": SmallBundle.permit(), "b-deny": SmallBundle.deny], mode: ["b-deny": "shadow"])
        var input = try SmallBundle.laptop()
        input.device?.posture[0].jailbroken = true
        let decision = PolicyEngine(bundle: bundle).decide(input)
        #expect(decision.isPermit)
        #expect(decision.shadow?.effect == "deny" && decision.shadow?.ruleIDs == ["b-deny"])
        #expect(decision.trace.canonicalText.contains(#""shadow":{"carried_by":["b-deny"],"effect":"deny""#))
    }

    @Test func whatIsOffDoesNothing() throws {
        let bundle = try SmallBundle.load(
            ["a-rule": SmallBundle.permit(), "b-deny": SmallBundle.deny],
            mode: ["a-rule": "off", "b-deny": "off"])
        let decision = PolicyEngine(bundle: bundle).decide(try SmallBundle.laptop())
        #expect(decision.reasonCode == "no-rule" && decision.shadow == nil)
    }

    private static func reviewed(_ terms: String) throws -> PolicyBundle {
        try SmallBundle.load(
            ["a-rule": SmallBundle.permit(), "b-deny": SmallBundle.deny],
            owners: SmallBundle.owners + "reviews: \(terms)\n")
    }

    /// The starter catalog and the rules are to be reviewed by 2027-11-30.
    @Test(arguments: [
        ("{ overdue: warn }", "2028-06-01", "permitted"),
        ("{ overdue: refuse }", "2027-11-29", "permitted"),
        ("{ overdue: refuse }", "2027-11-30", "review.overdue"),
        ("{ overdue: refuse, grace: 30d }", "2027-12-29", "permitted"),
        ("{ overdue: refuse, grace: 30d }", "2027-12-30", "review.overdue"),
    ])
    func overdueGrantsNothingWhenTheBundleSaysSo(_ terms: String, _ day: String, _ code: String) throws {
        let engine = PolicyEngine(bundle: try Self.reviewed(terms))
        var input = try SmallBundle.laptop()
        input.instant = try #require(Timestamp(rfc3339: day + "T00:00:00Z"))
        input.device?.posture[0].observedAt = input.instant
        #expect(engine.decide(input).reasonCode == code)
    }

    /// A deny rule that nobody reviewed goes on blocking; a permit rule grants nothing.
    @Test func overdueRulesFailClosed() throws {
        let old = SmallBundle.permit()
        var files = try StarterBundle.files().filter {
            !$0.path.hasPrefix("rules/") && $0.path != "owners.yaml"
        }
        let owners = SmallBundle.owners + "reviews: { overdue: refuse }\n"
        files.append(BundleFile(path: "owners.yaml", bytes: Array(owners.utf8)))
        for (id, body) in ["a-rule": old, "b-deny": SmallBundle.deny] {
            let head = WideBundle.head(id).replacing("2027-11-30", with: "2026-01-01")
            files.append(BundleFile(path: "rules/\(id).yaml", bytes: Array((head + body).utf8)))
            files.append(BundleFile(path: "rules/\(id).cases.yaml", bytes: Array(WideBundle.cases.utf8)))
        }
        let engine = PolicyEngine(bundle: try PolicyBundle(files: files))
        var input = try SmallBundle.laptop()
        #expect(engine.decide(input).reasonCode == "review.overdue")
        input.device?.posture[0].jailbroken = true
        #expect(engine.decide(input).reasonCode == "posture.jailbroken")
    }

    @Test func namesThatDifferAreReplacedWhereTheRuleSaysSo() throws {
        let replacing = SmallBundle.permit().replacing(
            "common_name:", with: "if_csr_differs: replace, common_name:")
        var input = try SmallBundle.laptop()
        input.request.names = CertificateNames(commonName: "LT-666", dns: ["elsewhere.example"])
        let engine = PolicyEngine(bundle: try SmallBundle.load(["a-rule": replacing]))
        guard case .permit(let grant) = engine.decide(input).outcome else {
            Issue.record("not permitted")
            return
        }
        #expect(grant.names == CertificateNames(commonName: "LT-042"))
        // Another rule that denies what differs is the stricter one.
        let both = try SmallBundle.load(["a-rule": replacing, "b-rule": SmallBundle.permit()])
        #expect(PolicyEngine(bundle: both).decide(input).reasonCode == "csr.names_differ")
        // An order is for its own names.
        input.request.namesAreComplete = true
        #expect(engine.decide(input).isPermit == false)
    }

    @Test func bundleOfNothingDeniesEverything() throws {
        let decision = PolicyEngine(bundle: .nothing).decide(try SmallBundle.laptop())
        #expect(decision.reasonCode == "service.unknown" && decision.owner.team == "nobody")
        #expect(BundleFile.files(fromCanonical: PolicyBundle.nothing.canonicalBytes) == [])
    }
}
