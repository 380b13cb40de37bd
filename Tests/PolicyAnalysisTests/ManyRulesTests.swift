import EnrollmentCore
import Testing

@testable import Policy
@testable import PolicyAnalysis

struct ManyRulesTests {
    private static let position = SourcePosition(file: "rules/many.yaml", line: 1, column: 1)

    private func rule(_ number: Int, _ subjects: [TestSubject]) -> Rule {
        let terms = CertificateTerms(
            commonName: try? NameTemplate("{device.id}"), dns: [], email: [], upn: [],
            extendedKeyUsages: nil, maximumValidity: 86_400, replacesDifferences: false,
            position: Self.position)
        return Rule(
            id: "rule-\(number)", title: "many", owner: Owner(team: "nobody", contact: "nobody"),
            reviewBy: Timestamp(seconds: 4_000_000_000), mode: .enforce, effect: .permit(terms),
            scope: RuleScope(
                services: [TestBundle.service], profiles: [TestBundle.profile], protocols: nil,
                operations: nil),
            conditions: subjects.map {
                Condition(.test(Policy.Test(subject: $0, text: "a test")), at: Self.position)
            }, approval: nil, because: nil, position: Self.position)
    }

    /// As many rules as a large bundle has, as many different tests as analysis bears.
    @Test(.timeLimit(.minutes(1))) func decidesTwoHundredRules() throws {
        let ages: [Int64] = [3_600, 14_400, 86_400]
        let rules = (0..<200).map { number -> Rule in
            let group = TestSubject.attribute(.deviceGroup, .oneOf(["group-\(number % 40)"]))
            let count = TestSubject.attribute(.deviceActiveCertificates, .between(0...Int64(number % 7)))
            let posture = TestSubject.posture(source: "intune", maximumAge: ages[number % 3])
            return rule(number, [group, count, posture, .oneTimeCredential])
        }
        let bundle = try TestBundle.make(try TestBundle.starter(), rules)
        let clock = ContinuousClock()
        var findings: [AnalysisFinding] = []
        let span = clock.measure { findings = PolicyAnalysis(bundle: bundle).findings() }
        print("200 rules analysed in \(span), \(findings.count) findings")
        #expect(!findings.contains { $0.kind == .notDecided })
        #expect(findings.contains { $0.kind == .overlapping })
    }

    @Test(.timeLimit(.minutes(1))) func givesUpOnTenThousand() throws {
        let rules = (0..<10_000).map { number -> Rule in
            let group = TestSubject.attribute(.deviceGroup, .oneOf(["group-\(number)"]))
            return rule(number, [group, .oneTimeCredential])
        }
        let bundle = try TestBundle.make(try TestBundle.starter(), rules)
        let clock = ContinuousClock()
        var findings: [AnalysisFinding] = []
        let span = clock.measure { findings = PolicyAnalysis(bundle: bundle).findings() }
        print("10000 rules analysed in \(span), \(findings.count) findings")
        #expect(findings.contains { $0.kind == .notDecided })
        #expect(span < .seconds(10))
    }
}
