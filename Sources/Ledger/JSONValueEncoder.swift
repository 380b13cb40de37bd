package import EnrollmentCore

extension JSONValue {
    /// The document that `value` encodes itself as. Only whole numbers, strings, booleans, lists and keyed
    /// containers are known: what a ledger body may hold.
    ///
    /// - Throws: `EncodingError` for anything else, such as a fraction.
    package init(encoding value: some Encodable) throws {
        let node = DocumentNode()
        try value.encode(to: DocumentEncoder(node: node, codingPath: []))
        self = node.document
    }

    /// The same document without U+0000, which PostgreSQL cannot store; U+FFFD stands in for it.
    var storable: JSONValue {
        switch self {
        case .null, .bool, .integer: return self
        case .string(let text): return .string(text.storable)
        case .array(let values): return .array(values.map(\.storable))
        case .object(let members):
            return .object(
                Dictionary(
                    members.map { ($0.storable, $1.storable) }, uniquingKeysWith: { first, _ in first }))
        }
    }
}

extension String {
    /// Without U+0000, which PostgreSQL cannot store.
    var storable: String {
        utf8.contains(0)
            ? String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{fffd}" : $0 })) : self
    }
}

/// A place in the document under construction.
private final class DocumentNode {
    private enum Content {
        case value(JSONValue)
        case members([String: DocumentNode])
        case elements([DocumentNode])
    }
    private var content = Content.value(.null)

    var document: JSONValue {
        switch content {
        case .value(let value): return value
        case .members(let members): return .object(members.mapValues(\.document))
        case .elements(let elements): return .array(elements.map(\.document))
        }
    }

    var count: Int {
        if case .elements(let elements) = content { return elements.count }
        return 0
    }

    func set(_ value: JSONValue) { content = .value(value) }
    func becomeObject() { if case .members = content {} else { content = .members([:]) } }
    func becomeArray() { if case .elements = content {} else { content = .elements([]) } }

    func member(_ key: String) -> DocumentNode {
        let node = DocumentNode()
        if case .members(var members) = content {
            members[key] = node
            content = .members(members)
        }
        return node
    }

    func element() -> DocumentNode {
        let node = DocumentNode()
        if case .elements(var elements) = content {
            content = .value(.null)
            elements.append(node)
            content = .elements(elements)
        }
        return node
    }
}

private struct DocumentEncoder: Encoder {
    let node: DocumentNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.becomeObject()
        return KeyedEncodingContainer(Members<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.becomeArray()
        return Elements(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        Single(node: node, codingPath: codingPath)
    }

    /// Writes any supported value into `node`.
    static func write(_ value: some Encodable, into node: DocumentNode, at codingPath: [any CodingKey]) throws
    {
        switch value {
        case let value as String: node.set(.string(value))
        case let value as Bool: node.set(.bool(value))
        case let value as any BinaryInteger:
            guard let whole = Int64(exactly: value) else {
                throw EncodingError.invalidValue(
                    value, .init(codingPath: codingPath, debugDescription: "too large"))
            }
            node.set(.integer(whole))
        case is Double, is Float:
            throw EncodingError.invalidValue(
                value, .init(codingPath: codingPath, debugDescription: "a fraction"))
        default: try value.encode(to: DocumentEncoder(node: node, codingPath: codingPath))
        }
    }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: DocumentNode
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) throws { node.member(key.stringValue).set(.null) }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try DocumentEncoder.write(value, into: node.member(key.stringValue), at: codingPath + [key])
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        DocumentEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key]).container(
            keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        DocumentEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key]).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        DocumentEncoder(node: node.member("super"), codingPath: codingPath)
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        DocumentEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
    }
}

private struct Elements: UnkeyedEncodingContainer {
    let node: DocumentNode
    let codingPath: [any CodingKey]
    var count: Int { node.count }

    mutating func encodeNil() throws { node.element().set(.null) }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        try DocumentEncoder.write(value, into: node.element(), at: codingPath)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        DocumentEncoder(node: node.element(), codingPath: codingPath).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        DocumentEncoder(node: node.element(), codingPath: codingPath).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        DocumentEncoder(node: node.element(), codingPath: codingPath)
    }
}

private struct Single: SingleValueEncodingContainer {
    let node: DocumentNode
    let codingPath: [any CodingKey]

    mutating func encodeNil() throws { node.set(.null) }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        try DocumentEncoder.write(value, into: node, at: codingPath)
    }
}
