import EnrollmentCore

/// Reading of documents whose shape is expected but not certain.
extension JSONValue {
    /// The member of that name; nil when this is no object or has none.
    subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { return members[name] }
        return nil
    }

    var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    var array: [JSONValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// The elements when all are strings; nil otherwise.
    var strings: [String]? {
        guard let elements = array else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }

    /// An RFC 3339 time in a string.
    var timestamp: Timestamp? { string.flatMap { Timestamp(rfc3339: $0) } }

    /// An object of the members whose value is not nil.
    static func object(present members: [String: JSONValue?]) -> JSONValue {
        .object(members.compactMapValues { $0 })
    }
}
