/// One row of a result. Columns are read by position, and every reader checks the column's type: a mismatch
/// is an error, never a trap.
package struct Row: Sendable {
    private let set: RowSet
    private let number: Int

    init(_ set: RowSet, _ number: Int) {
        self.set = set
        self.number = number
    }

    /// - Throws: `unexpectedRow` for null or another type; so do all readers below.
    package func text(_ column: Int) throws(DatabaseError) -> String {
        try require(optionalText(column), column)
    }

    /// Nil for null.
    package func optionalText(_ column: Int) throws(DatabaseError) -> String? {
        try check(column, TypeID.text, TypeID.varchar, TypeID.name)
        return set.withOctets(number, column) { String(decoding: $0, as: UTF8.self) }
    }

    /// An `int8` or `int4`.
    package func integer(_ column: Int) throws(DatabaseError) -> Int64 {
        try require(optionalInteger(column), column)
    }

    /// Nil for null.
    package func optionalInteger(_ column: Int) throws(DatabaseError) -> Int64? {
        try check(column, TypeID.int8, TypeID.int4)
        let value = set.withOctets(number, column) { octets -> Int64? in
            octets.count == 4
                ? BinaryFormat.integer(octets, as: Int32.self).map(Int64.init)
                : BinaryFormat.integer(octets, as: Int64.self)
        }
        return try wellFormed(value, column)
    }

    /// A `bytea`.
    package func bytes(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try require(optionalBytes(column), column)
    }

    /// Nil for null.
    package func optionalBytes(_ column: Int) throws(DatabaseError) -> [UInt8]? {
        try check(column, TypeID.bytea)
        return set.withOctets(number, column) { Array($0) }
    }

    /// The octets of a `text` or a `bytea`, compared where they lie.
    ///
    /// - Parameters:
    ///   - null: the answer for null.
    ///   - test: the answer for anything else.
    package func octets(
        _ column: Int, orNull null: @autoclosure () -> Bool, _ test: (Span<UInt8>) -> Bool
    ) throws(DatabaseError) -> Bool {
        try check(column, TypeID.text, TypeID.bytea, TypeID.varchar)
        return set.withOctets(number, column) { octets in
            octets.withMemoryRebound(to: UInt8.self) { test($0.span) }
        } ?? null()
    }

    /// The octets of a `text` or a `bytea`.
    package func octets(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try check(column, TypeID.text, TypeID.bytea, TypeID.varchar)
        return try require(set.withOctets(number, column) { Array($0) }, column)
    }

    /// The 16 octets of a `uuid`.
    package func uuid(_ column: Int) throws(DatabaseError) -> [UInt8] {
        try require(optionalUUID(column), column)
    }

    /// Nil for null.
    package func optionalUUID(_ column: Int) throws(DatabaseError) -> [UInt8]? {
        try check(column, TypeID.uuid)
        return set.withOctets(number, column) { Array($0) }
    }

    /// A `uuid` as a number, its first octet the most significant.
    package func uuidNumber(_ column: Int) throws(DatabaseError) -> UInt128 {
        try require(optionalUUIDNumber(column), column)
    }

    /// Nil for null.
    package func optionalUUIDNumber(_ column: Int) throws(DatabaseError) -> UInt128? {
        try check(column, TypeID.uuid)
        return try wellFormed(
            set.withOctets(number, column) { BinaryFormat.integer($0, as: UInt128.self) }, column)
    }

    /// A `bool`.
    package func bool(_ column: Int) throws(DatabaseError) -> Bool {
        try require(optionalBool(column), column)
    }

    /// Nil for null.
    package func optionalBool(_ column: Int) throws(DatabaseError) -> Bool? {
        try check(column, TypeID.bool)
        return set.withOctets(number, column) { $0.count == 1 && $0[0] == 1 }
    }

    /// A `timestamptz` in microseconds since 1970-01-01T00:00:00Z.
    package func timestamp(_ column: Int) throws(DatabaseError) -> Int64 {
        try require(optionalTimestamp(column), column)
    }

    /// Nil for null.
    package func optionalTimestamp(_ column: Int) throws(DatabaseError) -> Int64? {
        try check(column, TypeID.timestamptz)
        let value = set.withOctets(number, column) { BinaryFormat.integer($0, as: Int64.self) }
        guard let value = try wellFormed(value, column) else { return nil }
        let sum = value.addingReportingOverflow(BinaryFormat.epoch)
        return sum.overflow ? .max : sum.partialValue
    }

    /// A `text[]` without nulls.
    package func texts(_ column: Int) throws(DatabaseError) -> [String] {
        try check(column, TypeID.textArray)
        let elements = set.withOctets(number, column) { BinaryFormat.elements(Array($0), of: TypeID.text) }
        return try require(elements ?? nil, column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The text of a `jsonb`; nil for null.
    package func optionalJSON(_ column: Int) throws(DatabaseError) -> String? {
        var text: String?
        _ = try json(column, orNull: true) { octets in
            text = octets.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
            return true
        }
        return text
    }

    /// The text of a `jsonb`, compared where it lies.
    ///
    /// - Parameters:
    ///   - null: the answer for null.
    ///   - test: the answer for anything else.
    package func json(
        _ column: Int, orNull null: @autoclosure () -> Bool, _ test: (Span<UInt8>) -> Bool
    ) throws(DatabaseError) -> Bool {
        try check(column, TypeID.jsonb)
        let isSo = set.withOctets(number, column) { octets -> Bool? in
            guard octets.first == 1 else { return nil }
            return octets.withMemoryRebound(to: UInt8.self) { test($0.span.extracting(droppingFirst: 1)) }
        }
        guard let isSo else { return null() }
        guard let isSo else { throw .unexpectedRow("column \(column + 1): unknown jsonb version") }
        return isSo
    }

    private func check(
        _ column: Int, _ expected: UInt32, _ second: UInt32? = nil, _ third: UInt32? = nil
    ) throws(DatabaseError) {
        guard let type = set.type(column) else { throw .unexpectedRow("there is no column \(column + 1)") }
        guard type == expected || type == second || type == third else {
            throw .unexpectedRow("column \(column + 1) has type \(type)")
        }
    }

    private func require<Value>(_ value: Value?, _ column: Int) throws(DatabaseError) -> Value {
        guard let value else { throw .unexpectedRow("column \(column + 1) is null or malformed") }
        return value
    }

    /// Nil for null; what was there and could not be read throws.
    private func wellFormed<Value>(_ value: Value??, _ column: Int) throws(DatabaseError) -> Value? {
        guard let value else { return nil }
        return try require(value, column)
    }
}
