import EnrollmentCore
import Testing

@testable import Policy

/// Several rules that permit: the most restrictive grant, whatever their order.
struct MergeTests {
    @Test func grantsWhatAllOfThemGrant() throws {
        let bundle = try PolicyBundle(files: WideBundle.files())
        let decision = PolicyEngine(bundle: bundle).decide(try input())
        guard case .permit(let grant) = decision.outcome else {
            Issue.record("\(decision.reasonCode) \(decision.trace.canonicalText)")
            return
        }
        #expect(decision.ruleIDs == ["by-address", "by-negation"])
        #expect(grant.names == CertificateNames(commonName: "LT-042"))
        #expect(grant.maximumNotAfter.seconds(since: try input().instant) == 10 * 86_400)
    }

    @Test func namesBeyondTheMergedGrantDeny() throws {
        let bundle = try PolicyBundle(files: WideBundle.files())
        var input = try input()
        input.request.names.dns = ["lt-042.devices.localhost"]
        #expect(PolicyEngine(bundle: bundle).decide(input).reasonCode == "csr.names_differ")
        let fewer = try PolicyBundle(files: WideBundle.files(leavingOut: ["by-address"]))
        #expect(PolicyEngine(bundle: fewer).decide(input).isPermit)
    }

    @Test func orderOfTermsDoesNotMatter() throws {
        let input = try input()
        let profile = try #require(StarterBundle.load().profile(named: ProfileName("client-auth")))
        func terms(_ commonName: String?, _ dns: [String], _ days: Int64) throws -> GrantTerms {
            try #require(
                GrantTerms(
                    CertificateTerms(
                        commonName: try commonName.map { try NameTemplate($0) },
                        dns: dns.map { try? NameTemplate($0) }.compactMap(\.self), email: [], upn: [],
                        extendedKeyUsages: nil, maximumValidity: days * 86_400, replacesDifferences: false,
                        position: SourcePosition(file: "", line: 0, column: 0)),
                    profile: profile, ConditionEvaluation(input: input, question: .request)))
        }
        let sets = [
            [try terms("a", ["x", "y"], 9), try terms("a", ["y", "z"], 7), try terms(nil, ["y"], 8)],
            [try terms("a", ["x"], 9), try terms("b", ["x"], 7), try terms(nil, ["x"], 8)],
            [try terms("a", ["x"], 9), try terms(nil, ["y"], 7), try terms("b", ["z"], 8)],
        ]
        for set in sets {
            let all = permutations(set).map { GrantTerms.merging($0) }
            #expect(Set(all).count == 1)
        }
        #expect(GrantTerms.merging(sets[0])?.names.dns == ["y"])
        #expect(GrantTerms.merging(sets[1]) == nil && GrantTerms.merging(sets[2]) == nil)
    }

    @Test func contradictionDenies() throws {
        let contrary =
            WideBundle.permit + """
                require: { device.group: corp-laptops }
                certificate: { common_name: "other-{device.id}", validity: { at_most: 20d } }
                """
        let files =
            try WideBundle.files() + [
                BundleFile(
                    path: "rules/contrary.yaml", bytes: Array((WideBundle.head("contrary") + contrary).utf8)),
                BundleFile(path: "rules/contrary.cases.yaml", bytes: Array(WideBundle.cases.utf8)),
            ]
        let decision = PolicyEngine(bundle: try PolicyBundle(files: files)).decide(try input())
        #expect(decision.reasonCode == "obligation.conflict" && decision.refusal == .denied)
    }

    @Test func orderOfFilesDoesNotMatter() throws {
        let files = try WideBundle.files()
        let first = PolicyEngine(bundle: try PolicyBundle(files: files)).decide(try input())
        for shift in 1..<5 {
            let rotated = Array(files[shift...] + files[..<shift])
            #expect(PolicyEngine(bundle: try PolicyBundle(files: rotated)).decide(try input()) == first)
        }
    }

    private func input() throws -> PolicyInput {
        var input = try StarterBundle.laptop()
        input.clientAddress = "10.1.2.3"
        input.device?.serial = "C02"
        input.device?.udid = "u-1"
        input.request.names = CertificateNames(commonName: "LT-042")
        return input
    }

    private func permutations<Element>(_ items: [Element]) -> [[Element]] {
        guard items.count > 1 else { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let item = rest.remove(at: index)
            return permutations(rest).map { [item] + $0 }
        }
    }
}
