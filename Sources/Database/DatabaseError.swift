/// Why the database did not do what it was asked.
package enum DatabaseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No connection, a connection lost, no answer in time, or a queue that is full: worth another try later.
    case unavailable(String)
    /// The server refused a statement. The message is the server's first line, never its details, which may
    /// quote values.
    case refused(sqlState: String, message: String)
    /// A row that does not have the columns its reader expects.
    case unexpectedRow(String)

    /// For people; the server's own words are quoted.
    package var description: String {
        switch self {
        case .unavailable(let reason): return "the database does not answer: \(reason)"
        case .refused(let sqlState, let message): return "the database refused (\(sqlState)): \(message)"
        case .unexpectedRow(let reason): return "the database's answer could not be read: \(reason)"
        }
    }

    /// Whether the same statement may succeed later without anything being repaired: time-outs, locks,
    /// resources, shutdown (PostgreSQL appendix A).
    package var isTransient: Bool {
        switch self {
        case .unavailable: return true
        case .unexpectedRow: return false
        case .refused(let sqlState, _):
            let transientClasses = ["08", "40", "53", "57", "58"]
            return transientClasses.contains(String(sqlState.prefix(2)))
                || ["55P03", "25006"].contains(sqlState)
        }
    }

    /// Whether PostgreSQL ended the transaction for another's sake: deadlocks and serialization failures.
    var isConflict: Bool {
        if case .refused(let sqlState, _) = self { sqlState.hasPrefix("40") } else { false }
    }
}
