/// What one mapping of the language may hold, said once: loading reads files by it, and the JSON Schemas for
/// editors are made of it.
struct MappingShape: Sendable {
    let description: String
    let members: [MemberShape]
    /// What goes together and what does not.
    let terms: [MemberTerm]

    init(_ description: String, _ members: [MemberShape], _ terms: [MemberTerm] = []) {
        self.description = description
        self.members = members
        self.terms = terms
    }

    var keys: [String] { members.map(\.key) }

    subscript(key: String) -> MemberShape? { members.first { $0.key == key } }
}

/// Which members of a mapping go together.
enum MemberTerm: Sendable {
    /// Exactly one of these is there.
    case exactlyOne([String])
    /// One of these at most is there.
    case atMostOne([String])
    /// While `key` has that value, those needed are there, exactly one of the last list if it has any, and
    /// those refused are not; with what to write instead.
    case when(
        key: String, is: String, needs: [String], oneOf: [String], refuses: [String], remedy: String)
}

/// One member of a mapping.
struct MemberShape: Sendable {
    let key: String
    let isRequired: Bool
    let value: ValueShape
    /// One line, shown by editors.
    let description: String
    /// What to write when it is missing.
    let remedy: String?

    /// A member that must be there.
    static func required(
        _ key: String, _ value: ValueShape, _ description: String, remedy: String? = nil
    ) -> MemberShape {
        MemberShape(key: key, isRequired: true, value: value, description: description, remedy: remedy)
    }

    /// A member that may be left out.
    static func optional(_ key: String, _ value: ValueShape, _ description: String) -> MemberShape {
        MemberShape(key: key, isRequired: false, value: value, description: description, remedy: nil)
    }
}

/// What a value may be.
indirect enum ValueShape: Sendable {
    /// 1 to 500 characters.
    case text
    /// 1 to 64 lower-case letters, digits and hyphens, a letter first.
    case name
    /// With a unit, at most that many seconds.
    case duration(atMost: Int64)
    /// `2027-03-31`
    case date
    /// `2027-03-31T12:00:00Z`
    case instant
    case boolean
    case integer(ClosedRange<Int64>)
    /// One of these words.
    case words([String])
    /// That truth value alone.
    case only(Bool)
    /// At least one, none twice; a single value stands for a list of one.
    case list(ValueShape)
    /// The same, and empty when there is none.
    case openList(ValueShape)
    /// A list that must be written as one.
    case sequence(ValueShape)
    case mapping(MappingShape)
    /// Names of the author's choice, each with such a mapping.
    case members(ValueShape, keys: KeyShape)
    case either([ValueShape])
    /// Conditions, with what may stand there.
    case conditions(ConditionPlace)
    /// Anything.
    case anything

    /// One of an enumeration's words.
    static func words<Choice: CaseIterable & RawRepresentable<String>>(of type: Choice.Type) -> ValueShape {
        .words(Choice.allCases.map(\.rawValue))
    }

    /// The longest duration that the language knows, in seconds.
    static let longestDuration: Int64 = 3_650 * 86_400
    /// Any duration.
    static let duration = ValueShape.duration(atMost: longestDuration)
}

/// How an author may name what they declare.
enum KeyShape: Sendable {
    /// 1 to 64 lower-case letters, digits and hyphens, a letter first.
    case name
    /// Any text.
    case text
    /// A dotted path into a case's base.
    case path
    case words([String])
}
