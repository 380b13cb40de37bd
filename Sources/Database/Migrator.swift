/// One numbered step of the schema. Once applied it never changes.
package struct Migration: Sendable {
    /// Counts from 1 without gaps.
    package let number: Int64
    package let name: String
    /// SQL, part of this program.
    package let script: [UInt8]

    package init(number: Int64, name: String, script: [UInt8]) {
        self.number = number
        self.name = name
        self.script = script
    }
}

/// Why the schema was not brought up to date.
package enum MigrationError: Error, Sendable, Hashable {
    case database(DatabaseError)
    /// An applied step is not the one this program knows.
    case changed(number: Int64, name: String)
    /// The database has steps that this program does not know: it belongs to a newer one.
    case newer(number: Int64)
}

/// Brings the schema up to date: all pending steps in one transaction, under a lock that ends with it.
package struct Migrator: Sendable {
    /// A step and whether the database has it.
    package struct Status: Sendable, Hashable {
        package let number: Int64
        package let name: String
        package let isApplied: Bool
    }

    private let settings: ConnectionSettings
    private let migrations: [Migration]

    /// - Parameters:
    ///   - settings: the migrator's login, a member of `gatehouse_owner`.
    ///   - migrations: in any order.
    package init(_ settings: ConnectionSettings, _ migrations: [Migration]) {
        var patient = settings
        patient.statementTimeout = 600_000
        patient.lockTimeout = 60_000
        self.settings = patient
        self.migrations = migrations.sorted { $0.number < $1.number }
    }

    /// Applies what is missing; returns the names applied. Blocks its thread: only for start-up and commands.
    package func migrate() throws(MigrationError) -> [String] {
        let connection = try connect()
        do throws(MigrationError) {
            let applied = try migrate(connection)
            try database { () throws(DatabaseError) in try connection.commit() }
            return applied
        } catch {
            connection.rollback()
            throw error
        }
    }

    /// What is applied and what is not. Blocks its thread.
    package func status() throws(MigrationError) -> [Status] {
        let connection = try connect()
        defer { connection.rollback() }
        let known = try prepare(connection)
        return migrations.map { Status(number: $0.number, name: $0.name, isApplied: known[$0.number] != nil) }
    }

    private func migrate(_ connection: Connection) throws(MigrationError) -> [String] {
        let known = try prepare(connection)
        if let newest = known.keys.max(), newest > migrations.last?.number ?? 0 {
            throw .newer(number: newest)
        }
        var applied: [String] = []
        for migration in migrations {
            let checksum = try database { () throws(DatabaseError) in
                try connection.row(Self.checksum, [.bytes(migration.script)]).bytes(0)
            }
            if let before = known[migration.number] {
                guard before == checksum else {
                    throw .changed(number: migration.number, name: migration.name)
                }
                continue
            }
            try database { () throws(DatabaseError) in
                try connection.script(String(decoding: migration.script, as: UTF8.self))
                let values: [Parameter] = [
                    .integer(migration.number), .text(migration.name), .bytes(checksum),
                ]
                _ = try connection.query(Self.insert, values)
            }
            applied.append(migration.name)
        }
        return applied
    }

    /// Takes the lock, becomes the owner, and reads what is applied.
    private func prepare(_ connection: Connection) throws(MigrationError) -> [Int64: [UInt8]] {
        try database { () throws(DatabaseError) in
            try connection.begin()
            do throws(DatabaseError) {
                try connection.script(Self.bookkeeping)
            } catch .refused(sqlState: Self.uniqueViolation, _) {
                // Another migrator made the table first; it is there now.
                connection.rollback()
                try connection.begin()
                try connection.script(Self.bookkeeping)
            }
            _ = try connection.query(Self.lock)
            var known: [Int64: [UInt8]] = [:]
            for row in try connection.query(Self.applied) { known[try row.integer(0)] = try row.bytes(1) }
            return known
        }
    }

    private func connect() throws(MigrationError) -> Connection {
        try database { () throws(DatabaseError) in try Connection(settings) }
    }

    private func database<Value>(_ body: () throws(DatabaseError) -> Value) throws(MigrationError) -> Value {
        do { return try body() } catch { throw .database(error) }
    }

    /// On a table, because only the owner can take this lock, and anybody an advisory one.
    private static let lock = Statement("LOCK TABLE migration.applied IN SHARE ROW EXCLUSIVE MODE")
    private static let uniqueViolation = "23505"
    private static let bookkeeping = """
        SET LOCAL ROLE gatehouse_owner;
        CREATE SCHEMA IF NOT EXISTS migration;
        CREATE TABLE IF NOT EXISTS migration.applied (
          number bigint PRIMARY KEY, name text NOT NULL, checksum bytea NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          applied_by text NOT NULL DEFAULT session_user);
        GRANT USAGE ON SCHEMA migration TO gatehouse_writer;
        GRANT SELECT ON migration.applied TO gatehouse_writer;
        """
    private static let applied = Statement("SELECT number, checksum FROM migration.applied")
    private static let checksum = Statement("SELECT pg_catalog.sha256($1)")
    private static let insert = Statement(
        "INSERT INTO migration.applied (number, name, checksum) VALUES ($1, $2, $3)")
}
