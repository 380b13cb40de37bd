import EnrollmentCore

/// Judges what people said of a request.
struct ApprovalEvaluation {
    let terms: ApprovalTerms
    let input: PolicyInput
    let question: PolicyQuestion

    /// Members whose approval counts now, sorted. An approval is good for a while, from a member of the team,
    /// and, with four eyes, from somebody else than who minted the credential.
    var approvers: [String] {
        let minter = input.history.mintedBy.map(Approval.person)
        // Nobody can be told apart from a minter who is not known: a certificate alone, say, tells of none.
        if terms.needsFourEyes, minter == nil { return [] }
        return Set(
            input.approvals.filter { word in
                word.verdict == .approve && terms.members.contains(word.approver)
                    && word.at <= input.instant && input.instant.seconds(since: word.at) <= terms.within
                    && !(terms.needsFourEyes && word.approver == minter)
            }
            .map(\.approver)
        ).sorted()
    }

    /// Whether a member said no. That stands until the same member says yes.
    var isDenied: Bool {
        input.approvals.contains { $0.verdict == .deny && terms.members.contains($0.approver) }
    }

    var finding: Finding {
        let approvers = approvers
        let value = JSONValue.array(approvers.map(JSONValue.string))
        // A question asked before there is a request cannot be approved; the request itself will be.
        if question != .request { return Finding(text: terms.text, verdict: .satisfied, value: .null) }
        if isDenied {
            return Finding(text: terms.text, verdict: .unsatisfied, code: .approvalDenied, value: value)
        }
        return approvers.count >= terms.count
            ? Finding(text: terms.text, verdict: .satisfied, value: value)
            : Finding(text: terms.text, verdict: .pending, code: .approvalWaiting, value: value)
    }

    /// What an approver must know, for the obligations of the decision.
    func json(rule: String) -> JSONValue {
        [
            "rule": .string(rule), "from": .string(terms.team), "count": .integer(Int64(terms.count)),
            "within_seconds": .integer(terms.within), "four_eyes": .bool(terms.needsFourEyes),
            "members": .array(terms.members.map(JSONValue.string)),
            "received": .array(approvers.map(JSONValue.string)),
        ]
    }
}

extension Approval {
    /// The person behind an actor of the ledger: who logged in, where a service account acted for them.
    package static func person(_ actor: String) -> String {
        let mark = ", logged in as "
        guard let range = actor.firstRange(of: mark) else { return actor }
        return "os:" + actor[range.upperBound...]
    }
}
