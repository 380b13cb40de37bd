package import Database
package import EnrollmentCore

/// Takes months that have been exported out of the database, as the migrator's login, who becomes the owner.
/// Blocks its thread: only for commands.
package struct Retention: Sendable {
    /// What retiring a month took, and what it left.
    package struct Extent: Sendable, Hashable {
        /// Entries that went, with their typed rows.
        package let taken: Int64
        /// Entries of the month that stay, since something that stays refers to them.
        package let kept: Int64
    }

    private let settings: ConnectionSettings

    /// - Parameter settings: the database; the migrator's login, a member of `gatehouse_owner`.
    package init(_ settings: ConnectionSettings) {
        var patient = settings
        patient.statementTimeout = 3_600_000
        patient.lockTimeout = 60_000
        self.settings = patient
    }

    /// Retires a month: the database refuses unless it ended more than two years ago, as did every
    /// certificate of it, and all its entries are in the exported tree.
    ///
    /// - Parameters:
    ///   - month: year and month, e.g. `2023-01`.
    ///   - manifest: of the export that holds the month.
    ///   - actor: who asked for it, e.g. `os:jane`.
    ///   - id: names this act; a fresh UUIDv7.
    ///   - isTrial: to see what would be taken, and change nothing.
    /// - Throws: `DatabaseError`; `refused` with SQLSTATE GH020 says what stands in the way.
    package func retire(
        _ month: String, _ manifest: RetentionManifest, at now: Timestamp, by actor: String, id: RequestID,
        isTrial: Bool
    ) throws(DatabaseError) -> Extent {
        let connection = try Connection(settings)
        try connection.begin()
        do throws(DatabaseError) {
            _ = try connection.query(Self.becomeOwner)
            let values: [Parameter] = [
                .uuid(id), .text(month), .digest(manifest.digest), .integer(manifest.treeSize),
                .digest(manifest.root), .timestamp(now), .text(actor.storable),
            ]
            let row = try connection.row(Self.retire, values)
            let extent = Extent(taken: try row.integer(0), kept: try row.integer(1))
            if isTrial { connection.rollback() } else { try connection.commit() }
            return extent
        } catch {
            connection.rollback()
            throw error
        }
    }

    private static let becomeOwner = Statement("SET LOCAL ROLE gatehouse_owner")
    private static let retire = Statement(
        """
        SELECT taken, kept FROM ledger.retire($1, to_date($2, 'YYYY-MM'), $3, $4, $5, $6, $7)
        """)
}

extension PostgresLedger {
    /// Prepares the partitions of entries for this month and the next ones; returns how many were missing. To
    /// be called now and then: what lies in no month is kept all the same, in a partition of its own.
    @discardableResult
    package func makePartitions(monthsAhead: Int) async throws(LedgerError) -> Int {
        try await write { connection throws(DatabaseError) in
            Int(
                clamping: try connection.row(Self.makePartitions, [.integer(Int64(monthsAhead))]).integer(0))
        }
    }

    private static let makePartitions = Statement("SELECT ledger.make_partitions($1::integer)::bigint")
}
