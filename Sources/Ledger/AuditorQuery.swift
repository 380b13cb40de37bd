package import Database
import EnrollmentCore

/// An auditor's own SQL, run as the auditor's login, which may read the views of schema `audit` and nothing
/// else.
package struct AuditorQuery: Sendable {
    private let settings: ConnectionSettings

    /// - Parameters:
    ///   - settings: the database, as whatever login.
    ///   - login: the auditor's.
    package init(_ settings: ConnectionSettings, login: String = LedgerSchema.Login.auditor.rawValue) {
        var patient = settings.login(login)
        patient.isReadOnly = true
        patient.statementTimeout = 60_000
        self.settings = patient
    }

    /// Runs one statement on a connection of its own and reads at most `limit` rows as text. Blocks its
    /// thread: only for commands.
    ///
    /// - Throws: `DatabaseError.refused` with the server's own message.
    package func run(_ sql: String, limit: Int) throws(DatabaseError) -> TextTable {
        try Connection(settings).readText(sql, limit: limit)
    }

    /// Recorded requests with their decisions, received at `since` or later, latest first, at most `limit`.
    ///
    /// - Parameter since: microseconds since 1970-01-01T00:00:00Z.
    /// - Throws: `DatabaseError`.
    package func recorded(since: Int64, limit: Int) throws(DatabaseError) -> RecordedRequests {
        try RecordedRequests(settings, since: since, limit: limit)
    }
}
