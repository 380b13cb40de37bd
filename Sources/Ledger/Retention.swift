package import Database
package import EnrollmentCore

/// What retiring a month took, and what it left.
package struct RetirementExtent: Sendable, Hashable {
    /// Entries that went, with their typed rows.
    package let taken: Int64
    /// Entries of the month that stay, since something that stays refers to them.
    package let kept: Int64
}

extension Custody {
    /// Takes a month that has been exported out of the database, which refuses unless it ended more than two
    /// years ago, as did every certificate of it, and all its entries are in the exported tree.
    ///
    /// - Parameters:
    ///   - month: year and month, e.g. `2023-01`.
    ///   - manifest: of the export that holds the month.
    ///   - actor: who asked for it, e.g. `os:jane`.
    ///   - id: names this act; a fresh UUIDv7.
    ///   - isTrial: to see what would be taken, and change nothing.
    /// - Throws: `DatabaseError`; `refused` with SQLSTATE GH021 when nothing of the month is there, with
    ///   GH020 and what stands in the way otherwise, its having been retired already included.
    package func retire(
        _ month: String, _ manifest: RetentionManifest, at now: Timestamp, by actor: String, id: RequestID,
        isTrial: Bool
    ) throws(DatabaseError) -> RetirementExtent {
        let values: [Parameter] = [
            .uuid(id), .text(month), .digest(manifest.digest), .integer(manifest.treeSize),
            .digest(manifest.root), .timestamp(now), .text(actor.storable),
        ]
        return try act(isTrial: isTrial) { connection throws(DatabaseError) in
            let row = try connection.row(Self.retire, values)
            return RetirementExtent(taken: try row.integer(0), kept: try row.integer(1))
        }
    }

    /// Drops the partitions of months that were retired, once they are empty and vacuumed; returns how many.
    ///
    /// - Throws: `DatabaseError`; `refused` with SQLSTATE 55P03 while somebody reads the ledger at length.
    @discardableResult
    package func dropRetired() throws(DatabaseError) -> Int64 {
        try act { connection throws(DatabaseError) in try connection.row(Self.dropRetired).integer(0) }
    }

    private static let retire = Statement(
        """
        SELECT taken, kept FROM ledger.retire($1, to_date($2, 'YYYY-MM'), $3, $4, $5, $6, $7)
        """)
    private static let dropRetired = Statement("SELECT ledger.drop_retired()::bigint")
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
