/// One row of a result. Columns are read by position, and every reader checks the column's type: a mismatch
/// is an error, never a trap.
package struct Row: Sendable {
    let types: [UInt32]
    let values: [[UInt8]?]

    /// - Throws: `unexpectedRow` for null or another type; so do all readers below.
    package func text(_ column: Int) throws(DatabaseError) -> String {
        try require(optionalText(column), column)
    }

    /// Nil for null.
    package func optionalText(_ column: Int) throws(DatabaseError) -> String? {
        try value(column, TypeID.text, TypeID.varchar, TypeID.name).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// An `int8` or `int4`.
    package func integer(_ column: Int) throws(DatabaseError) -> Int64 {
        try require(optionalInteger(column), column)
    }

    /// Nil for null.
    package func optionalInteger(_ column: Int) throws(DatabaseError) -> Int64? {
        guard let bytes = try value(column, TypeID.int8, TypeID.int4) else { return nil }
        if bytes.count == 4 {
            return Int64(try require(BinaryFormat.integer(bytes, as: Int32.self), column))
        }
        return try require(BinaryFormat.integer(bytes, as: Int64.self), column)
    }

    /// A `bytea`.
    package func bytes(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try require(optionalBytes(column), column)
    }

    /// Nil for null.
    package func optionalBytes(_ column: Int) throws(DatabaseError) -> [UInt8]? {
        try value(column, TypeID.bytea)
    }

    /// The 16 octets of a `uuid`.
    package func uuid(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try require(optionalUUID(column), column)
    }

    /// Nil for null.
    package func optionalUUID(_ column: Int) throws(DatabaseError) -> [UInt8]? {
        try value(column, TypeID.uuid)
    }

    /// A `bool`.
    package func bool(_ column: Int) throws(DatabaseError) -> Bool {
        try require(optionalBool(column), column)
    }

    /// Nil for null.
    package func optionalBool(_ column: Int) throws(DatabaseError) -> Bool? {
        try value(column, TypeID.bool).map { $0 == [1] }
    }

    /// A `timestamptz` in microseconds since 1970-01-01T00:00:00Z.
    package func timestamp(_ column: Int) throws(DatabaseError) -> Int64 {
        try require(optionalTimestamp(column), column)
    }

    /// Nil for null.
    package func optionalTimestamp(_ column: Int) throws(DatabaseError) -> Int64? {
        guard let bytes = try value(column, TypeID.timestamptz) else { return nil }
        let sum = try require(BinaryFormat.integer(bytes, as: Int64.self), column)
            .addingReportingOverflow(BinaryFormat.epoch)
        return sum.overflow ? .max : sum.partialValue
    }

    /// A `text[]` without nulls.
    package func texts(_ column: Int) throws(DatabaseError) -> [String] {
        let bytes = try require(value(column, TypeID.textArray), column)
        return try require(BinaryFormat.elements(bytes, of: TypeID.text), column)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The text of a `jsonb`; nil for null.
    package func optionalJSON(_ column: Int) throws(DatabaseError) -> String? {
        guard let bytes = try value(column, TypeID.jsonb) else { return nil }
        guard bytes.first == 1 else { throw .unexpectedRow("column \(column + 1): unknown jsonb version") }
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }

    private func value(_ column: Int, _ expected: UInt32...) throws(DatabaseError) -> [UInt8]? {
        guard values.indices.contains(column), types.indices.contains(column) else {
            throw .unexpectedRow("there is no column \(column + 1)")
        }
        guard expected.contains(types[column]) else {
            throw .unexpectedRow("column \(column + 1) has type \(types[column])")
        }
        return values[column]
    }

    private func require<Value>(_ value: Value?, _ column: Int) throws(DatabaseError) -> Value {
        guard let value else { throw .unexpectedRow("column \(column + 1) is null or malformed") }
        return value
    }
}
