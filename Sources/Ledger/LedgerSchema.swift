package import Database

/// The schema as this program knows it.
package enum LedgerSchema {
    /// The steps, in order; the number and name are those of the file.
    package static let migrations: [Migration] = [
        Migration(number: 1, name: "foundation", script: PackageResources.m0001_foundation_sql),
        Migration(number: 2, name: "evidence", script: PackageResources.m0002_evidence_sql),
        Migration(number: 3, name: "checks", script: PackageResources.m0003_checks_sql),
        Migration(number: 4, name: "writing", script: PackageResources.m0004_writing_sql),
        Migration(number: 5, name: "issuing", script: PackageResources.m0005_issuing_sql),
        Migration(number: 6, name: "state", script: PackageResources.m0006_state_sql),
        Migration(number: 7, name: "audit", script: PackageResources.m0007_audit_sql),
        Migration(number: 8, name: "activation", script: PackageResources.m0008_activation_sql),
        Migration(number: 9, name: "approvals", script: PackageResources.m0009_approvals_sql),
        Migration(number: 10, name: "log", script: PackageResources.m0010_log_sql),
        Migration(number: 11, name: "privacy", script: PackageResources.m0011_privacy_sql),
        Migration(number: 12, name: "partitions", script: PackageResources.m0012_partitions_sql),
        Migration(number: 13, name: "auditing", script: PackageResources.m0013_auditing_sql),
        Migration(number: 14, name: "feeds", script: PackageResources.m0014_feeds_sql),
        Migration(number: 15, name: "rollback", script: PackageResources.m0015_rollback_sql),
        Migration(number: 16, name: "planning", script: PackageResources.m0016_planning_sql),
        Migration(number: 17, name: "limits", script: PackageResources.m0017_limits_sql),
        Migration(number: 18, name: "order", script: PackageResources.m0018_order_sql),
    ]

    /// SQL that creates the roles; a superuser runs it once for a cluster (deploy/postgres/roles.sql).
    package static var roles: String { String(decoding: PackageResources.roles_sql, as: UTF8.self) }

    /// SQL that takes from PUBLIC what a reader must not have; a superuser runs it inside the new database
    /// before the first migration (deploy/postgres/hardening.sql).
    package static var hardening: String { String(decoding: PackageResources.hardening_sql, as: UTF8.self) }

    /// The logins that roles.sql creates.
    package enum Login: String, Sendable, CaseIterable {
        case migrator = "gatehouse_migrator"
        case writer = "gatehouse_writer"
        case auditor = "gatehouse_auditor"
        case sequencer = "gatehouse_sequencer"
        case verifier = "gatehouse_verifier"
    }

    /// The role that owns the database and everything in it; nobody logs in as it.
    package static let owner = "gatehouse_owner"
}
