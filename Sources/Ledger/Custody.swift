package import Database

/// What a person does to the record itself: retiring a month, erasing personal values, accepting a rollback.
/// All of it as the migrator's login, who becomes the owner for one transaction; no gateway has that login's
/// rights. Blocks its thread: only for commands.
package struct Custody: Sendable {
    private let settings: ConnectionSettings

    /// - Parameter settings: the database; the migrator's login, a member of `gatehouse_owner`.
    package init(_ settings: ConnectionSettings) {
        var patient = settings
        patient.statementTimeout = 3_600_000
        patient.lockTimeout = 60_000
        self.settings = patient
    }

    /// Runs one act in a transaction of its own, as the owner.
    ///
    /// - Parameter isTrial: whether to roll it back, so that it only says what it would do.
    func act<Answer>(
        isTrial: Bool = false, _ body: (Connection) throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        let connection = try Connection(settings)
        try connection.begin()
        do throws(DatabaseError) {
            _ = try connection.query(Self.becomeOwner)
            let answer = try body(connection)
            if isTrial { connection.rollback() } else { try connection.commit() }
            return answer
        } catch {
            connection.rollback()
            throw error
        }
    }

    private static let becomeOwner = Statement("SET LOCAL ROLE gatehouse_owner")
}
