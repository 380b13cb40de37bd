import EnrollmentCore
import Simulation

/// What a decision must be whatever policy said: in words that there are, a permit by policy only (L12), and
/// of a permit, that something was proven (L5).
struct DecisionCheck {
    let records: RequestRecords
    let request: ReadEntry
    let asked: RecordMembers
    let decision: ReadEntry
    let decided: RecordMembers

    private static let kinds: Set<String> = ["assess", "bind", "enroll", "refusal"]

    func check(_ pass: ChainPass, _ findings: inout Findings) throws(VerificationError) {
        if let fault { try pass.violate(.l12, decision, fault, &findings) }
        if decided.is("effect", word: "permit"), asked.is("kind", word: "enroll"), !isProven {
            try pass.violate(.l5, request, "it was permitted, and nothing in it was proven", &findings)
        }
    }

    private var fault: String? {
        guard let effect = decided.text("effect").flatMap({ DecisionEffect(rawValue: $0) }) else {
            return "decision.effect is no word that decisions have"
        }
        guard let authority = decided.text("decided_by").flatMap({ DecisionAuthority(rawValue: $0) }) else {
            return "decision.decided_by is nobody who decides"
        }
        guard let kind = asked.text("kind"), Self.kinds.contains(kind) else {
            return "request.kind is no word that requests have"
        }
        switch authority {
        case .policy: return nil
        case .issuance, .registration:
            return effect == .deny ? nil : "only policy can decide so, not \(authority.rawValue)"
        }
    }

    /// Whether there is a credential, whose use is looked for at the end, or a certificate or an account.
    private var isProven: Bool {
        if records.credential != nil { return true }
        guard case .array(let proofs)? = asked.value("input", "proofs") else { return false }
        return proofs.contains { proof in
            guard case .object(let kinds) = proof else { return false }
            if case .object(let certificate)? = kinds["clientCertificate"] {
                return certificate["state"] == .string(CertificateState.valid.rawValue)
            }
            if case .object? = kinds["account"] { return true }
            return false
        }
    }
}

/// A word of an approver that a permit rests on.
struct Citation {
    let word: Mark
    let at: String
    let request: ReadEntry
}

extension ChainPass {
    /// Notes what an approver said.
    mutating func takeWord(_ entry: ReadEntry) {
        guard let body = entry.body else { return }
        words.insert(
            Self.word(
                body.octets("transaction_key"), body.octets("approver"), body.octets("verdict"),
                body.octets("at")))
    }

    /// Notes which approvals a permitted request was decided by.
    mutating func takeCitations(_ request: ReadEntry, _ asked: RecordMembers, _ decided: RecordMembers) {
        guard decided.is("effect", word: "permit"),
            case .array(let approvals)? = asked.value("input", "approvals")
        else { return }
        for approval in approvals {
            func text(_ name: String) -> String {
                guard case .object(let members) = approval, case .string(let text)? = members[name] else {
                    return ""
                }
                return text
            }
            let word = Self.word(
                asked.octets("transaction_key"), Array(text("approver").utf8), Array(text("verdict").utf8),
                Array(text("at").utf8))
            citations.append(Citation(word: word, at: text("at"), request: request))
        }
    }

    private static func word(
        _ transaction: [UInt8]?, _ approver: [UInt8]?, _ verdict: [UInt8]?, _ at: [UInt8]?
    ) -> Mark { Mark(transaction ?? [], approver ?? [], verdict ?? [], at ?? []) }

    /// Looks for permits whose approvals nobody gave (L3). What was said in a month that was rightly retired
    /// is gone.
    func finishCitations(_ retired: RetiredMonths, _ findings: inout Findings) throws(VerificationError) {
        for citation in citations where !words.contains(citation.word) {
            guard !retired.contains(month: citation.at.prefix(7)) else { continue }
            try violate(.l3, citation.request, "no entry has an approval that it was permitted by", &findings)
        }
    }
}
