/// What is found while records go by: counts, notes, and of each invariant the first violation with the
/// number of all.
struct Findings {
    private struct Tally {
        var count = 0
        var notes: [String] = []
        var first: VerificationReport.Violation?
        var violations = 0
        var reasonNotChecked: String?
    }
    /// In the order of the invariants.
    private var tallies = Invariant.allCases.map { _ in Tally() }

    /// Counts records that an invariant was checked on.
    mutating func count(_ invariant: Invariant, _ number: Int = 1) {
        tallies[invariant.place].count += number
    }

    /// Says something of an invariant's line.
    mutating func note(_ invariant: Invariant, _ text: String) {
        tallies[invariant.place].notes.append(text)
    }

    /// Says why an invariant is not checked; a violation that is found all the same counts.
    mutating func skip(_ invariant: Invariant, because reason: String) {
        tallies[invariant.place].reasonNotChecked = reason
    }

    /// Notes a violation that has no leaf.
    mutating func violate(_ invariant: Invariant, _ place: String, _ fault: String) {
        violate(invariant, place, fault) { nil }
    }

    /// Notes a violation.
    ///
    /// - Parameter leaf: looks the leaf's index up; called for the first violation only.
    mutating func violate<Fault: Error>(
        _ invariant: Invariant, _ place: String, _ fault: String, leaf: () throws(Fault) -> Int64?
    ) throws(Fault) {
        tallies[invariant.place].violations += 1
        guard tallies[invariant.place].first == nil else { return }
        let violation = VerificationReport.Violation(leaf: try leaf(), place: place, fault: fault)
        tallies[invariant.place].first = violation
    }

    /// Whether an invariant is broken already.
    func isViolated(_ invariant: Invariant) -> Bool { tallies[invariant.place].first != nil }

    /// The lines, in order.
    var lines: [VerificationReport.Line] {
        Invariant.allCases.map { invariant in
            let tally = tallies[invariant.place]
            let verdict: VerificationReport.Verdict
            if let first = tally.first {
                verdict = .violated(first, count: tally.violations)
            } else if let reason = tally.reasonNotChecked {
                verdict = .notChecked(reason)
            } else {
                verdict = .ok
            }
            return VerificationReport.Line(
                invariant: invariant, verdict: verdict, count: tally.count, notes: tally.notes)
        }
    }
}
