/// One SQL statement, written out in the source: nothing from outside can become part of it.
package struct Statement: Sendable {
    let text: String

    /// - Parameter text: one statement with `$1`, `$2`, … where its parameters go.
    package init(_ text: StaticString) { self.text = text.description }

    /// A statement made up of this target's own words and of other statements.
    init(part text: String) { self.text = text }
}

/// A typed parameter; nil is SQL's null of that type.
package enum Parameter: Sendable, Hashable {
    case text(String?)
    case integer(Int64?)
    case bytes([UInt8]?)
    /// 16 octets.
    case uuid([UInt8]?)
    case bool(Bool?)
    /// Microseconds since 1970-01-01T00:00:00Z.
    case timestamp(Int64?)
    case texts([String]?)
    /// Each 16 octets.
    case uuids([[UInt8]]?)
    /// JSON text for a `jsonb` column.
    case json(String?)

    /// The type's object identifier in pg_type.
    var type: UInt32 {
        switch self {
        case .text: return TypeID.text
        case .integer: return TypeID.int8
        case .bytes: return TypeID.bytea
        case .uuid: return TypeID.uuid
        case .bool: return TypeID.bool
        case .timestamp: return TypeID.timestamptz
        case .texts: return TypeID.textArray
        case .uuids: return TypeID.uuidArray
        case .json: return TypeID.jsonb
        }
    }

    /// The value in PostgreSQL's binary format; nil for null.
    var encoded: [UInt8]? {
        switch self {
        case .text(let value): return value.map { Array($0.utf8) }
        case .integer(let value): return value.map(BinaryFormat.octets)
        case .bytes(let value), .uuid(let value): return value
        case .bool(let value): return value.map { [$0 ? 1 : 0] }
        case .timestamp(let value): return value.map(BinaryFormat.timestamp)
        case .texts(let values):
            return values.map { BinaryFormat.array($0.map { Array($0.utf8) }, of: TypeID.text) }
        case .uuids(let values): return values.map { BinaryFormat.array($0, of: TypeID.uuid) }
        case .json(let value): return value.map { [1] + Array($0.utf8) }
        }
    }
}

/// The object identifiers of the built-in types that we use.
enum TypeID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let varchar: UInt32 = 1043
    static let timestamptz: UInt32 = 1184
    static let uuid: UInt32 = 2950
    static let textArray: UInt32 = 1009
    static let uuidArray: UInt32 = 2951
    static let jsonb: UInt32 = 3802
}

/// PostgreSQL's binary representations.
enum BinaryFormat {
    /// Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
    static let epoch: Int64 = 946_684_800_000_000

    static func octets<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    /// Saturates before PostgreSQL's own `infinity` values (the extremes of Int64).
    static func timestamp(_ microseconds: Int64) -> [UInt8] {
        let difference = microseconds.subtractingReportingOverflow(epoch)
        let latest: Int64 = 9_223_371_331_200_000_000 - epoch  // the year 294276
        return octets(
            difference.overflow ? latest : min(max(difference.partialValue, -211_813_488_000_000_000), latest)
        )
    }

    /// A one-dimensional array without nulls.
    static func array(_ elements: [[UInt8]], of type: UInt32) -> [UInt8] {
        guard !elements.isEmpty else { return octets(Int32(0)) + octets(Int32(0)) + octets(type) }
        var bytes = octets(Int32(1)) + octets(Int32(0)) + octets(type)
        bytes += octets(Int32(clamping: elements.count)) + octets(Int32(1))
        for element in elements { bytes += octets(Int32(clamping: element.count)) + element }
        return bytes
    }

    /// The big-endian integer in exactly that many octets.
    static func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ octets: UnsafeRawBufferPointer, as _: Value.Type
    ) -> Value? {
        guard octets.count == Value.bitWidth / 8 else { return nil }
        return Value(bigEndian: octets.loadUnaligned(as: Value.self))
    }

    /// The elements of a one-dimensional array; nil when it is anything else or holds a null.
    static func elements(_ bytes: [UInt8], of type: UInt32) -> [[UInt8]]? {
        var rest = bytes[...]
        func next() -> Int32? {
            guard rest.count >= 4 else { return nil }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).withUnsafeBytes { integer($0, as: Int32.self) }
        }
        guard let dimensions = next(), next() != nil, let elementType = next(),
            elementType == Int32(bitPattern: type)
        else { return nil }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = next(), next() != nil else { return nil }
        var elements: [[UInt8]] = []
        for _ in 0..<max(0, count) {
            guard let length = next(), length >= 0, rest.count >= Int(length) else { return nil }
            elements.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        return elements
    }
}
