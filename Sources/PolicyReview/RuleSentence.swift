import EnrollmentCore
import Policy

/// Reads a rule aloud.
struct RuleSentence {
    let rule: Rule

    /// What the rule does, in one to four sentences.
    var text: Prose {
        switch rule.effect {
        case .permit(let terms): return permit(terms)
        case .deny:
            return "Blocks every request for \(certificate)\(scope), \(block).\(reason)"
        }
    }

    /// When a deny rule blocks. "Unless none" is "if" where nothing can be unknown.
    var block: Prose {
        if let blockers = rule.blockers {
            return "if " + blockers.map { English.statement($0) }.list(", or ")
        }
        return "unless " + rule.conditions.map { English.statement($0) }.list()
    }

    private func permit(_ terms: CertificateTerms) -> Prose {
        let extra: Prose = rule.approval.map { " The request waits for \(English.approval($0))." } ?? ""
        let pause: Prose = Self.narrowing(rule.scope).isEmpty ? "" : ","
        return
            """
            Permits \(certificate) of at most \(English.duration(terms.maximumValidity))\(scope)\(pause) to \
            devices \(who). \(Self.contents(terms)).\(extra)\(reason)
            """
    }

    private var reason: Prose { rule.because.map { " Because \($0)." } ?? "" }

    private var certificate: Prose {
        guard let profiles = rule.scope.profiles else { return "a certificate of any profile" }
        let names = profiles.map(\.rawValue).sorted().map(Prose.policy).list(" or ")
        let isVowel = "aeiou".contains(profiles.map(\.rawValue).min()?.first ?? "x")
        return (isVowel ? "an " : "a ") + names + " certificate"
    }

    /// Where it applies, with a space before it.
    private var scope: Prose {
        let services: Prose =
            rule.scope.services.map {
                $0.count == 1
                    ? " through the service " + $0.map { .policy($0.rawValue) }.list()
                    : " through the services " + $0.map(\.rawValue).sorted().map(Prose.policy).list()
            } ?? " through any service"
        let narrower = Self.narrowing(rule.scope)
        return services + (narrower.isEmpty ? "" : ", " + narrower)
    }

    /// Protocols and operations, where the scope names some.
    static func narrowing(_ scope: RuleScope) -> Prose {
        let spoken = scope.protocols.map { wanted in
            "over "
                + EnrollmentProtocol.allCases.filter(wanted.contains).map { .policy(English.name($0)) }.list(
                    " or ")
        }
        let operations = scope.operations.map { wanted in
            "for "
                + EnrollmentOperation.allCases.filter(wanted.contains).map { .policy(English.name($0)) }.list(
                    " or ")
        }
        return [spoken, operations].compactMap(\.self).joined(" ")
    }

    /// The conditions as what follows "devices".
    private var who: Prose {
        let clauses = rule.conditions.map(Self.clause)
        let groups = clauses.compactMap { if case .group(let text) = $0 { text } else { nil } }
        let own = clauses.compactMap { if case .clause(let text) = $0 { text } else { nil } }
        let statements = clauses.compactMap { if case .statement(let text) = $0 { text } else { nil } }
        let provided: Prose = statements.isEmpty ? "" : "provided that " + statements.list()
        let rest = own + (provided.isEmpty ? [] : [provided])
        return groups.joined(" ") + (groups.isEmpty || rest.isEmpty ? "" : " ") + rest.joined(", ")
    }

    /// What a condition is in the sentence: a restriction of the devices, by group or otherwise, or a
    /// statement of its own.
    private enum Clause { case group(Prose), clause(Prose), statement(Prose) }

    private static func clause(_ condition: Condition) -> Clause {
        if let proof = proof(condition, by: "by ") {
            return .clause("that prove themselves by \(proof)")
        }
        guard case .test(let test) = condition.content else {
            return .statement(English.statement(condition))
        }
        switch test.subject {
        case .attribute(.deviceGroup, .oneOf(let groups)):
            return .group("in group " + groups.map(Prose.policy).list(" or "))
        case .posture(let source, let age):
            return .clause(
                """
                whose posture is compliant according to \(source), reported at most \
                \(English.duration(age)) ago
                """
            )
        case .notJailbroken(let source, let age):
            let speaker = source.map { "\($0)" as Prose } ?? "a posture source"
            return .clause(
                "that \(speaker) reported not to be jailbroken at most \(English.duration(age)) ago")
        case .attribute, .oneTimeCredential, .certificateOfOurs, .domainControl:
            return .statement(English.statement(test))
        }
    }

    /// What a device shows, as a noun; nil when the condition is not of proofs alone.
    ///
    /// - Parameter preposition: repeated before each alternative but the first.
    static func proof(_ condition: Condition, by preposition: Prose = "") -> Prose? {
        func nouns(_ parts: [Condition]) -> [Prose]? {
            let found = parts.compactMap { proof($0, by: preposition) }
            return found.count == parts.count ? found : nil
        }
        switch condition.content {
        case .all(let parts): return nouns(parts)?.list(" together with ")
        case .any(let parts):
            guard let nouns = nouns(parts) else { return nil }
            let alternatives = zip(0..., zip(parts, nouns)).map { index, pair -> Prose in
                if index == 0 { return pair.1 }
                return pair.0.isRenewal
                    ? "or, to renew, " + preposition + "their certificate" : "or " + preposition + pair.1
            }
            return alternatives.joined(" ")
        case .none: return nil
        case .test(let test):
            switch test.subject {
            case .oneTimeCredential: return "a one-time credential"
            case .certificateOfOurs(let renewalOnly):
                return renewalOnly ? "their certificate, to renew it" : "their certificate"
            case .domainControl(let age):
                return "control, shown at most \(English.duration(age)) ago, of every DNS name asked for"
            case .attribute, .posture, .notJailbroken: return nil
            }
        }
    }

    /// What the certificate says.
    private static func contents(_ terms: CertificateTerms) -> Prose {
        let usages = usages(terms)
        let purpose: Prose = usages.isEmpty ? "" : ", and is for \(usages)"
        let difference: Prose =
            terms.replacesDifferences
            ? "; what a request asks for beyond that is left out"
            : "; a request that asks for more is denied"
        return "The certificate carries \(names(terms))\(purpose)\(difference)"
    }

    static func names(_ terms: CertificateTerms) -> Prose {
        var parts: [Prose] = []
        if let commonName = terms.commonName {
            parts.append("\(English.name(commonName)) as its common name")
        }
        for (kind, templates) in [
            ("DNS name", terms.dns), ("mail address", terms.email), ("user principal name", terms.upn),
        ] where !templates.isEmpty {
            for template in templates {
                let name = English.name(template)
                // "The device's DNS names" say themselves what they are.
                parts.append(name.string(.text).contains(kind) ? name : "\(name) as a \(kind)")
            }
        }
        return parts.list()
    }

    static func usages(_ terms: CertificateTerms) -> Prose {
        (terms.extendedKeyUsages ?? []).map { .policy(English.name($0)) }.list()
    }
}

extension Rule {
    /// What blocks, of which one is enough, where a deny rule says that (`block_if`, or `none_of` alone in
    /// `block_unless`) and nothing in it can be unknown; nil elsewhere.
    var blockers: [Condition]? {
        guard case .deny = effect, let only = conditions.first, conditions.count == 1,
            case .none(let parts) = only.content, only.tests.allSatisfy(\.isAlwaysKnown)
        else { return nil }
        return parts
    }
}

extension Test {
    /// Whether every request has what it looks at.
    fileprivate var isAlwaysKnown: Bool {
        guard case .attribute(let attribute, _) = subject else { return false }
        return attribute.isAlwaysKnown
    }
}

extension Condition {
    /// Whether it asks for a certificate to be renewed.
    fileprivate var isRenewal: Bool {
        guard case .test(let test) = content else { return false }
        return test.subject == .certificateOfOurs(renewalOnly: true)
    }
}
