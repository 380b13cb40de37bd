import EnrollmentCore

/// Takes a document part by part. What policy writes down has two readers: the ledger wants a value, a replay
/// compares text. Members are named in canonical order (RFC 8785 §3.2.3).
protocol DocumentSink {
    /// One value, whole.
    mutating func value(_ value: JSONValue)
    mutating func string(_ text: String)
    /// The name of the member whose value comes next.
    mutating func name(_ name: StaticString)
    mutating func array(_ elements: (inout Self) -> Void)
    mutating func object(_ members: (inout Self) -> Void)
}

extension DocumentSink {
    /// A member; none for nil.
    mutating func member(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        self.name(name)
        string(text)
    }

    mutating func member(_ name: StaticString, _ texts: some Sequence<String>) {
        self.name(name)
        array { sink in for text in texts { sink.string(text) } }
    }
}

extension CanonicalText: DocumentSink {}

/// A document as a value.
struct DocumentValue: DocumentSink {
    private var elements: [JSONValue] = []
    private var members: [String: JSONValue] = [:]
    private var name: String?

    /// The value that `write` writes.
    static func of(_ write: (inout DocumentValue) -> Void) -> JSONValue {
        var document = DocumentValue()
        write(&document)
        return document.elements.first ?? .null
    }

    mutating func value(_ value: JSONValue) {
        guard let name = name.take() else { return elements.append(value) }
        members[name] = value
    }

    mutating func string(_ text: String) { value(.string(text)) }

    mutating func name(_ name: StaticString) { self.name = name.description }

    mutating func array(_ elements: (inout DocumentValue) -> Void) {
        var inner = DocumentValue()
        elements(&inner)
        value(.array(inner.elements))
    }

    mutating func object(_ members: (inout DocumentValue) -> Void) {
        var inner = DocumentValue()
        members(&inner)
        value(.object(inner.members))
    }
}
