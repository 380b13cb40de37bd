import Database
import EnrollmentCore

extension StartupError {
    /// Why the database did not do what a command asked of it.
    init(_ error: DatabaseError) {
        switch error {
        case .unavailable(let reason): self.init("\(error)", remedy: Self.remedy(unavailable: reason))
        case .refused, .unexpectedRow: self.init("\(error)", remedy: Self.otherSchema)
        }
    }

    /// Why the ledger did not do what a command asked of it.
    init(_ error: LedgerError) {
        switch error {
        case .unavailable(let reason): self.init(DatabaseError.unavailable(reason))
        case .rejected(let reason):
            self.init("the database refused: \(reason)", remedy: Self.otherSchema)
        }
    }

    private static let otherSchema = "gatehouse db status tells whether its schema is this program's"

    /// Where the server is there and does not let the login in, libpq's words and the server's say so.
    static func isLoginRefused(_ reason: String) -> Bool {
        ["authentication", "password", "pg_hba.conf", "role \"", "permission denied for database"].contains {
            reason.contains($0)
        }
    }

    private static func remedy(unavailable reason: String) -> String {
        isLoginRefused(reason)
            ? "set the login up, let it in by pg_hba.conf, and give its password by PGPASSFILE"
            : "start the server that the configuration names; that of a state runs while gatehouse up does"
    }
}
