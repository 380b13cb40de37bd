import Database

extension VerificationError {
    init(_ error: DatabaseError) {
        switch error {
        case .unavailable(let reason): self = .database(reason)
        // A table or column that is not there is the ledger's fault, not the connection's.
        case .refused(let state, let message) where state.hasPrefix("42") && state != "42501":
            self = .malformed("the database", line: 0, message)
        // So is a value that no query of ours can read.
        case .refused(let state, let message) where state.hasPrefix("22"):
            self = .malformed("the database", line: 0, message)
        case .refused(let state, let message): self = .database("\(message) (\(state))")
        case .unexpectedRow(let reason): self = .malformed("the database", line: 0, reason)
        }
    }

    /// What reading a row throws, as one of these.
    static func reading<Value>(_ read: () throws(DatabaseError) -> Value) throws(VerificationError) -> Value {
        do { return try read() } catch { throw VerificationError(error) }
    }
}

extension RowStream {
    /// Hands every row to `body`.
    mutating func readAll(_ body: (Row) throws(DatabaseError) -> Void) throws(VerificationError) {
        do { while let row = try next() { try body(row) } } catch { throw VerificationError(error) }
    }
}
