/// What the verifier checks, one line each. L1, L2 and L14 are about code and settings: no record shows them.
package enum Invariant: String, Sendable, Hashable, CaseIterable, Comparable {
    case log
    case l3 = "L3"
    case l4 = "L4"
    case l5 = "L5"
    case l6 = "L6"
    case l7 = "L7"
    case l8 = "L8"
    case l9 = "L9"
    case l10 = "L10"
    case l11 = "L11"
    case l12 = "L12"
    case l13 = "L13"
    case privacy
    /// Of an export only.
    case manifest

    /// What it says, in a few words.
    package var title: String {
        switch self {
        case .log: return "leaves, tiles and tree heads are one tree"
        case .l3: return "no reservation without a permitted enrollment"
        case .l4: return "certificates are what was reserved and decided"
        case .l5: return "a credential is used once"
        case .l6: return "every request is decided, and ends once"
        case .l7: return "serial numbers are unique"
        case .l8: return "nothing was altered, removed or added"
        case .l9: return "tables say what was hashed"
        case .l10: return "every entry becomes a leaf within 60 s"
        case .l11: return "checkpoints are of this tree, signed and witnessed"
        case .l12: return "decisions come out again as recorded"
        case .l13: return "nothing that was ever published is gone"
        case .privacy: return "commitments have their value or a redaction"
        case .manifest: return "the export is what its signed manifest says"
        }
    }

    /// How many of what, for people.
    func counted(_ count: Int) -> String {
        guard count == 1 else { return "\(count) \(unit)" }
        switch self {
        case .log: return "1 leaf"
        case .l8, .l10: return "1 entry"
        case .l3, .l4, .l5, .l6, .l7, .l9, .l11, .l12, .l13, .privacy, .manifest:
            return "1 \(unit.dropLast())"
        }
    }

    /// What is counted, in the plural.
    package var unit: String {
        switch self {
        case .log: return "leaves"
        case .l3, .l7: return "reservations"
        case .l4: return "certificates"
        case .l5: return "uses"
        case .l6: return "requests"
        case .l8, .l10: return "entries"
        case .l9: return "rows"
        case .l11: return "checkpoints"
        case .l12: return "decisions"
        case .l13: return "older checkpoints"
        case .privacy: return "commitments"
        case .manifest: return "files"
        }
    }

    /// Its place among all, from 0.
    var place: Int {
        switch self {
        case .log: return 0
        case .l3: return 1
        case .l4: return 2
        case .l5: return 3
        case .l6: return 4
        case .l7: return 5
        case .l8: return 6
        case .l9: return 7
        case .l10: return 8
        case .l11: return 9
        case .l12: return 10
        case .l13: return 11
        case .privacy: return 12
        case .manifest: return 13
        }
    }

    package static func < (left: Invariant, right: Invariant) -> Bool { left.place < right.place }
}
