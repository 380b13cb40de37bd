package import EnrollmentCore

/// Judges what people said of a request.
struct ApprovalEvaluation {
    let terms: ApprovalTerms
    let conditions: ConditionEvaluation

    private var input: PolicyInput { conditions.input }

    /// Members whose approval counts now, sorted.
    var approvers: [String] {
        terms.approvers(in: input.approvals, mintedBy: input.history.mintedBy, at: input.instant)
    }

    /// Whether a member said no. That stands until the same member says yes.
    var isDenied: Bool {
        !terms.deniers(in: input.approvals).isEmpty
    }

    var finding: Finding {
        let approvers = approvers
        let value = JSONValue.array(approvers.map(JSONValue.string))
        // A question asked before there is a request cannot be approved; the request itself will be.
        if conditions.question != .request {
            return Finding(text: terms.text, verdict: .satisfied, value: .null)
        }
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

extension ApprovalTerms {
    /// Members whose approval would count, sorted: with four eyes, not who minted the credential. Nobody can
    /// be told apart from a minter who is not known: a certificate alone, say, tells of none.
    ///
    /// - Parameter minter: as the ledger names them; nil when nobody knows.
    package func eligible(mintedBy minter: String?) -> [String] {
        guard needsFourEyes else { return members }
        guard let person = minter.map(Approval.person) else { return [] }
        return members.filter { $0 != person }
    }

    /// Members whose approval counts at `instant`, sorted: an approval is good for a while.
    ///
    /// - Parameter words: the latest of each person.
    package func approvers(
        in words: [Approval], mintedBy minter: String?, at instant: Timestamp
    ) -> [String] {
        let eligible = eligible(mintedBy: minter)
        return Set(
            words.filter { word in
                word.verdict == .approve && eligible.contains(word.approver)
                    && word.at <= instant && instant.seconds(since: word.at) <= within
            }
            .map(\.approver)
        ).sorted()
    }

    /// Members whose latest word is no, sorted; one is enough.
    package func deniers(in words: [Approval]) -> [String] {
        Set(words.filter { $0.verdict == .deny && members.contains($0.approver) }.map(\.approver)).sorted()
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
