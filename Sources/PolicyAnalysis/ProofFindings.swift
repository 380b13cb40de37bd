import EnrollmentCore
import Policy

/// What a permit rule leaves to whoever asks: that no proof is asked for, or that any name is granted. Read
/// off the rule itself, so it is found whatever other rules there are.
struct ProofFindings {
    let rule: Rule

    var findings: [AnalysisFinding] {
        guard case .permit(let terms) = rule.effect, rule.mode == .enforce else { return [] }
        return [noProof, openNames(terms)].compactMap { $0 }
    }

    /// A rule for renewals only has its proof: the certificate that is renewed.
    private var noProof: AnalysisFinding? {
        guard rule.scope.operations?.contains(.enroll) ?? true, !rule.asksForProof else { return nil }
        return AnalysisFinding(
            kind: .noProof, rules: [rule.id], position: rule.position,
            message: "`\(rule.id)` asks for no proof: any that names the device will do, so whoever holds a "
                + "certificate of ours for it can enrol it anew with another key",
            remedy: "say under `require: proof` what the device must show")
    }

    private func openNames(_ terms: CertificateTerms) -> AnalysisFinding? {
        let templates = [terms.commonName].compactMap { $0 } + terms.dns + terms.email + terms.upn
        let claimed = Set(templates.flatMap(\.variables).map(\.attribute).filter(\.isOfRequest))
        let open = claimed.filter { attribute in
            !rule.conditions.contains { $0.demands { $0.bounds(attribute) } }
        }.sorted { $0.rawValue < $1.rawValue }
        guard let first = open.first else { return nil }
        return AnalysisFinding(
            kind: .openNames, rules: [rule.id], position: terms.position,
            message: "`\(rule.id)` grants whatever names the client asks for in {\(first.rawValue)}",
            remedy: "require `\(first.rawValue): { subset_of: … }` of what the directory says of the device, "
                + "or proof of domain control")
    }
}

extension Rule {
    /// Whether it holds only with a proof that it names.
    var asksForProof: Bool {
        conditions.contains { condition in
            condition.demands { test in
                switch test.subject {
                case .oneTimeCredential, .certificateOfOurs, .domainControl: return true
                case .attribute, .posture, .notJailbroken: return false
                }
            }
        }
    }
}

extension Condition {
    /// Whether it holds only where some test of which `isMeant` does.
    fileprivate func demands(_ isMeant: (Test) -> Bool) -> Bool {
        switch content {
        case .all(let parts): return parts.contains { $0.demands(isMeant) }
        case .any(let parts): return !parts.isEmpty && parts.allSatisfy { $0.demands(isMeant) }
        case .none: return false
        case .test(let test): return isMeant(test)
        }
    }
}

extension Test {
    /// Whether it holds only for names that somebody but the client vouches for. A list or a glob does not:
    /// of several names one need match.
    fileprivate func bounds(_ attribute: Attribute) -> Bool {
        switch subject {
        case .attribute(attribute, .subsetOf(let other)): return !other.isOfRequest
        case .domainControl: return attribute == .requestDNS
        case .attribute, .posture, .notJailbroken, .oneTimeCredential, .certificateOfOurs: return false
        }
    }
}
