/// How to reach one database as one login, and how long to wait for it.
package struct ConnectionSettings: Sendable {
    /// libpq's own keywords, e.g. `host`, `port`, `dbname`, `user`, `sslmode`, `passfile`. May hold a
    /// password, so this value is never printed.
    package var parameters: [String: String]
    /// The server's limit for one statement, in milliseconds.
    package var statementTimeout: Int
    /// The server's limit for waiting on one lock, in milliseconds.
    package var lockTimeout: Int
    /// The limit for one attempt to connect, in milliseconds.
    package var connectTimeout: Int
    /// Microseconds to let pass when nothing of an answer is there, so that of a long one more has arrived by
    /// then: on one core, a thread that wakes for every few kilobytes takes turns with the one it reads for
    /// thousands of times a second.
    var pause: UInt32 = 0
    /// Whether transactions are read-only unless they say otherwise.
    package var isReadOnly = false

    /// - Parameters:
    ///   - parameters: libpq keywords and values.
    ///   - statementTimeout: milliseconds for one statement.
    ///   - lockTimeout: milliseconds for one lock.
    ///   - connectTimeout: milliseconds for one attempt to connect.
    package init(
        _ parameters: [String: String], statementTimeout: Int = 5_000, lockTimeout: Int = 3_000,
        connectTimeout: Int = 3_000
    ) {
        self.parameters = parameters
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
        self.connectTimeout = connectTimeout
    }

    /// The same database as another login.
    package func login(_ user: String) -> ConnectionSettings {
        var other = self
        other.parameters["user"] = user
        return other
    }

    /// Everything libpq is given, time-outs and keepalives included.
    var effectiveParameters: [String: String] {
        var options = [
            "-c TimeZone=UTC", "-c lock_timeout=\(lockTimeout)", "-c statement_timeout=\(statementTimeout)",
            "-c idle_in_transaction_session_timeout=30000",
        ]
        // A login may change its own defaults: what was acknowledged is on disk all the same.
        options.append(isReadOnly ? "-c default_transaction_read_only=on" : "-c synchronous_commit=on")
        var all = [
            "application_name": "gatehouse", "client_encoding": "UTF8", "keepalives": "1",
            "keepalives_idle": "30",
            "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "10000",
            "options": options.joined(separator: " "),
        ]
        all.merge(parameters) { _, given in given }
        return all
    }
}
