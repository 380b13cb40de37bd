import EnrollmentCore
import Policy

/// What of a rule reads otherwise, one line for each part.
struct RuleComparison {
    let from: Rule
    let to: Rule

    var details: [(BundleEdit.Change, String)] {
        let parts =
            [
                ("mode", from.mode.rawValue, to.mode.rawValue), ("effect", effect(from), effect(to)),
            ] + scope + [conditions].compactMap { $0 } + certificate + approval
        let lines = parts.filter { $0.1 != $0.2 }.map { "\($0.0): \($0.1) → \($0.2)" }
        var changes = lines.map { (BundleEdit.Change.changed, $0) }
        if lines.isEmpty, RuleEssence(from) != RuleEssence(to) { changes.append((.changed, "")) }
        if from.owner != to.owner {
            changes.append((.reworded, "owner: \(from.owner.team) → \(to.owner.team)"))
        }
        if from.title != to.title || from.because != to.because {
            changes.append((.reworded, "title or reason"))
        }
        return changes
    }

    private func effect(_ rule: Rule) -> String { rule.effect == .deny ? "deny" : "permit" }

    private var scope: [(String, String, String)] {
        let (old, new) = (from.scope, to.scope)
        return [
            ("service", list(old.services), list(new.services)),
            ("profile", list(old.profiles), list(new.profiles)),
            ("protocol", list(old.protocols), list(new.protocols)),
            ("operation", list(old.operations), list(new.operations)),
        ]
    }

    private func list<Value: RawRepresentable<String> & Hashable>(_ values: Set<Value>?) -> String {
        values.map { $0.map(\.rawValue).sorted().joined(separator: ", ") } ?? "any"
    }

    /// Those that only one of them has.
    private var conditions: (String, String, String)? {
        let (old, new) = (from.conditions.map(\.words), to.conditions.map(\.words))
        func text(_ own: [String], without other: [String]) -> String {
            let rest = own.filter { !other.contains($0) }
            return rest.isEmpty ? "nothing" : rest.joined(separator: "; ")
        }
        return ("conditions", text(old, without: new), text(new, without: old))
    }

    private var certificate: [(String, String, String)] {
        guard case .permit(let old) = from.effect, case .permit(let new) = to.effect else { return [] }
        func names(_ templates: [NameTemplate]) -> String {
            templates.isEmpty ? "none" : templates.map(\.text).joined(separator: ", ")
        }
        func usages(_ terms: CertificateTerms) -> String {
            terms.extendedKeyUsages.map { $0.map(\.rawValue).sorted().joined(separator: ", ") }
                ?? "the profile's"
        }
        func answer(_ terms: CertificateTerms) -> String { terms.replacesDifferences ? "replace" : "deny" }
        return [
            ("common_name", old.commonName?.text ?? "none", new.commonName?.text ?? "none"),
            ("san.dns", names(old.dns), names(new.dns)), ("san.email", names(old.email), names(new.email)),
            ("san.upn", names(old.upn), names(new.upn)),
            ("extended_key_usage", usages(old), usages(new)),
            (
                "validity", RequestSketch.duration(old.maximumValidity),
                RequestSketch.duration(new.maximumValidity)
            ),
            ("if_csr_differs", answer(old), answer(new)),
        ]
    }

    private var approval: [(String, String, String)] {
        func text(_ terms: ApprovalTerms?) -> String {
            guard let terms else { return "none" }
            return "\(terms.count) of \(terms.team) within \(RequestSketch.duration(terms.within))"
                + (terms.needsFourEyes ? ", not by who minted the credential" : "")
        }
        func members(_ terms: ApprovalTerms) -> String {
            terms.members.isEmpty ? "nobody" : terms.members.sorted().joined(separator: ", ")
        }
        let whole = [("approval", text(from.approval), text(to.approval))]
        guard let old = from.approval, let new = to.approval, old.team == new.team else { return whole }
        return whole + [("members of \(new.team)", members(old), members(new))]
    }
}

extension Condition {
    /// How it reads in one line, with the ages that traces leave out.
    fileprivate var words: String {
        func list(_ parts: [Condition]) -> String { parts.map(\.words).joined(separator: ", ") }
        switch content {
        case .all(let parts): return "all of (\(list(parts)))"
        case .any(let parts): return "any of (\(list(parts)))"
        case .none(let parts): return "none of (\(list(parts)))"
        case .test(let test):
            switch test.subject {
            case .posture(let source, let age):
                return "\(test.text) by \(source), at most \(RequestSketch.duration(age)) old"
            case .notJailbroken(let source, let age):
                let by = source.map { " by \($0)" } ?? ""
                return "\(test.text)\(by), at most \(RequestSketch.duration(age)) old"
            case .domainControl(let age):
                return "\(test.text), at most \(RequestSketch.duration(age)) old"
            case .attribute, .oneTimeCredential, .certificateOfOurs: return test.text
            }
        }
    }
}
