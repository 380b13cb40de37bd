package import EnrollmentCore

/// What a verification showed: one line for each invariant.
package struct VerificationReport: Sendable, Hashable {
    /// What became of one invariant.
    package enum Verdict: Sendable, Hashable {
        case ok
        /// Where it is broken first and how, and how often in all.
        case violated(Violation, count: Int)
        /// Why it was not checked.
        case notChecked(String)
    }

    /// One place where an invariant does not hold.
    package struct Violation: Sendable, Hashable {
        /// The index of the leaf; nil where there is none.
        package let leaf: Int64?
        /// Which record it is about, e.g. `request 0197…`.
        package let place: String
        /// What is wrong.
        package let fault: String
    }

    /// One invariant's line.
    package struct Line: Sendable, Hashable {
        package let invariant: Invariant
        package let verdict: Verdict
        /// How many were looked at.
        package let count: Int
        /// What else is to be known, e.g. how many could not be recomputed.
        package let notes: [String]
    }

    /// In the order of `Invariant`.
    package let lines: [Line]
    /// The tree that was rebuilt.
    package let treeSize: Int64
    package let root: Digest
    /// Entries that were read.
    package let entries: Int

    /// Whether no invariant is violated.
    package var isSound: Bool {
        !lines.contains { line in if case .violated = line.verdict { true } else { false } }
    }
}

extension VerificationReport {
    /// As a table for people.
    package var text: String {
        let leaves = Invariant.log.counted(Int(clamping: treeSize))
        var text = "\(leaves), \(Invariant.l8.counted(entries)), root \(root)\n"
        for line in lines {
            let name = line.invariant.rawValue.paddedTo(8)
            text += "\(name)\(line.verdict.word.paddedTo(13))\(line.invariant.title) (\(line.summary))\n"
            guard case .violated(let first, let count) = line.verdict else { continue }
            text += "        first: \(first.description)\n"
            if count > 1 { text += "        and \(count - 1) more\n" }
        }
        return text
    }

    /// One object a line of the table.
    package var documents: [JSONValue] {
        lines.map { line in
            var members: [String: JSONValue] = [
                "invariant": .string(line.invariant.rawValue), "title": .string(line.invariant.title),
                "verdict": .string(line.verdict.word), "count": .integer(Int64(line.count)),
                "unit": .string(line.invariant.unit), "notes": .array(line.notes.map(JSONValue.string)),
            ]
            switch line.verdict {
            case .ok: break
            case .notChecked(let reason): members["reason"] = .string(reason)
            case .violated(let first, let count):
                members["violations"] = .integer(Int64(count))
                members["leaf_index"] = first.leaf.map(JSONValue.integer) ?? .null
                members["place"] = .string(first.place)
                members["fault"] = .string(first.fault)
            }
            return .object(members)
        }
    }
}

extension VerificationReport.Line {
    /// The count and the notes.
    var summary: String {
        if case .notChecked(let reason) = verdict { return reason }
        return ([invariant.counted(count)] + notes).joined(separator: "; ")
    }
}

extension VerificationReport.Verdict {
    /// `ok`, `VIOLATED` or `not checked`.
    package var word: String {
        switch self {
        case .ok: return "ok"
        case .violated: return "VIOLATED"
        case .notChecked: return "not checked"
        }
    }
}

extension VerificationReport.Violation: CustomStringConvertible {
    package var description: String {
        (leaf.map { "leaf \($0), " } ?? "") + "\(place): \(fault)"
    }
}

extension String {
    fileprivate func paddedTo(_ width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(1, width - count))
    }
}
