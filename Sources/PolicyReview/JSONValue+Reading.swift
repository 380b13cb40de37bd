import EnrollmentCore

/// Reading of recorded documents: what is missing, or of another kind than expected, reads as absent.
extension JSONValue {
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self, let member = members[name], member != .null else {
            return nil
        }
        return member
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: Int64? { if case .integer(let number) = self { number } else { nil } }
    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }

    func text(_ name: String) -> String? { self[name]?.text }
    func texts(_ name: String) -> [String] { self[name]?.items.compactMap(\.text) ?? [] }

    /// A value as people read it: text as it is, lists with commas.
    var shown: String {
        switch self {
        case .null: return ""
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        case .array(let items): return items.map(\.shown).joined(separator: ", ")
        case .object: return canonicalText
        }
    }
}
