import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Synchronization
import TransparencyLog

@testable import Verification

/// A copy of the whole ledger, for one test to break.
struct LedgerCopy {
    private static let count = Mutex(0)

    let house: House
    let database: String

    init() async throws {
        let house = try await House.whole.value
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        self.house = house
        database = "verification_copy_\(number)"
        try house.cluster.superuser(
            "CREATE DATABASE \(database) OWNER gatehouse_owner TEMPLATE \(house.database)",
            database: "postgres")
    }

    /// Runs SQL as the superuser, with nothing in its way that the ledger put there.
    @discardableResult
    func attack(_ sql: String) throws -> String {
        try house.cluster.superuser(Self.unprotect + sql, database: database)
    }

    /// Runs SQL as the superuser after an attack: what stood in its way is gone already.
    func attackAgain(_ sql: String) throws {
        try house.cluster.superuser("SET session_replication_role = replica;" + sql, database: database)
    }

    func verify(_ change: (inout VerificationOptions) throws -> Void = { _ in }) throws -> VerificationReport
    {
        var options = VerificationOptions(
            log: house.signer.verifierKey,
            now: Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)))
        try change(&options)
        return try Verification(options).run(evidence())
    }

    func evidence() throws -> DatabaseEvidence {
        try DatabaseEvidence(
            ConnectionSettings(house.cluster.parameters(database: database, user: "gatehouse_verifier")))
    }

    func value(_ sql: String) throws -> String {
        try house.cluster.superuser(sql, database: database).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func drop() throws {
        try house.cluster.superuser("DROP DATABASE \(database) WITH (FORCE)", database: "postgres")
    }

    /// Disables every trigger, and drops every constraint but keys.
    private static let unprotect = """
        SET client_min_messages = error;
        DO $$
        DECLARE
          t record;
        BEGIN
          FOR t IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
                   WHERE connamespace = 'ledger'::regnamespace AND contype IN ('f', 'c', 'u') AND conrelid <> 0 AND coninhcount = 0
                     AND conparentid = 0
                   ORDER BY contype = 'u' LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', t.name, t.conname);
          END LOOP;
          FOR t IN SELECT oid::regclass AS name FROM pg_class
                   WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p') LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t.name);
          END LOOP;
          FOR t IN SELECT attrelid::regclass AS name, attname FROM pg_attribute
                   WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ledger'::regnamespace)
                     AND attgenerated <> '' AND attnum > 0 LOOP
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION', t.name, t.attname);
          END LOOP;
          FOR t IN SELECT indexrelid::regclass AS name FROM pg_index
                   JOIN pg_class ON pg_class.oid = indexrelid
                   WHERE relnamespace = 'ledger'::regnamespace AND indisunique AND NOT indisprimary LOOP
            EXECUTE format('DROP INDEX IF EXISTS %s', t.name);
          END LOOP;
        END $$;
        SET session_replication_role = replica;

        """
}

extension VerificationReport {
    /// The lines that are violated, by invariant.
    var violations: [Invariant: Violation] {
        var found: [Invariant: Violation] = [:]
        for line in lines { if case .violated(let first, _) = line.verdict { found[line.invariant] = first } }
        return found
    }

    func line(_ invariant: Invariant) -> Line? { lines.first { $0.invariant == invariant } }
}
