import Foundation
import Synchronization

/// A private PostgreSQL server for tests: one for the test process, reachable by a socket in a directory that
/// nobody else can enter, gone without trace when the process ends.
package final class PostgresCluster: Sendable {
    /// The server did not do as asked.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The directory of the socket: libpq's `host`.
    package let socketDirectory: String
    private let commands: PostgresCommands
    /// The server's log so far.
    package func serverLog() throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: commands.logFile)), as: UTF8.self)
    }
    /// The data directory, as seen from here.
    package var dataDirectory: String { commands.visibleData }
    /// The directory of PostgreSQL's programs.
    package var programs: String { commands.programs }
    private let created = Mutex<[String: Int]>([:])

    private static let sharedCluster = Mutex<PostgresCluster?>(nil)

    /// The cluster of this process, started at the first call; roles.sql has been run in it, and
    /// hardening.sql in each database.
    package static func shared() throws -> PostgresCluster {
        try sharedCluster.withLock { cluster in
            if let cluster { return cluster }
            let fresh = try PostgresCluster()
            cluster = fresh
            return fresh
        }
    }

    /// A cluster of its own, for tests that stop, kill or configure the server. The caller ends it with
    /// `remove()`.
    ///
    /// - Parameters:
    ///   - settings: more lines of postgresql.conf, e.g. `shared_preload_libraries=pgaudit`.
    ///   - mebibytes: the size of the disk that holds the data; nil for no limit. Needs the right to mount.
    package static func separate(settings: [String] = [], disk mebibytes: Int? = nil) throws
        -> PostgresCluster
    {
        try PostgresCluster(settings: settings, disk: mebibytes)
    }

    private init(settings: [String] = [], disk mebibytes: Int? = nil) throws {
        commands = try PostgresCommands(settings: settings, disk: mebibytes)
        socketDirectory = commands.directory
        PostgresCommands.removeAtExit(commands)
        try commands.initialize()
        try commands.start()
        try createRoles()
    }

    /// A fresh database owned by `gatehouse_owner`, copied from the template named `template`, which
    /// `prepare` fills at its first use. Returns its name.
    package func database(template: String, prepare: (String) throws -> Void) throws -> String {
        try created.withLock { counts in
            if counts[template] == nil {
                try create(template, from: "template0")
                try superuser(Self.script("hardening.sql"), database: template)
                try prepare(template)
                counts[template] = 0
            }
            let number = (counts[template] ?? 0) + 1
            counts[template] = number
            let name = "\(template)_\(number)"
            try create(name, from: template)
            return name
        }
    }

    /// libpq keywords for one of its databases.
    package func parameters(database: String, user: String) -> [String: String] {
        ["host": socketDirectory, "dbname": database, "user": user]
    }

    /// Runs SQL as the superuser, in any database; returns what psql prints.
    @discardableResult
    package func superuser(_ sql: String, database: String) throws -> String {
        try commands.run(
            "psql",
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", socketDirectory, "-U",
                "postgres", "-d", database, "-c", sql,
            ], asServer: true)
    }

    /// Lets a migrated database believe the clocks of its gateways, as a manual clock needs it.
    package func believeGatewayClocks(in database: String) throws {
        try superuser("UPDATE ledger.setting SET clock_tolerance = NULL", database: database)
    }

    /// Stops the server; `immediate` as a crash would.
    package func stop(immediate: Bool) throws { try commands.stop(immediate: immediate) }

    /// Starts it again.
    package func start() throws { try commands.start() }

    /// Stops the server and deletes everything.
    package func remove() { commands.remove() }

    private func create(_ name: String, from template: String) throws {
        try superuser(
            "CREATE DATABASE \(name) OWNER gatehouse_owner TEMPLATE \(template)", database: "postgres")
        try superuser("REVOKE ALL ON DATABASE \(name) FROM PUBLIC", database: "postgres")
        try superuser(
            """
            GRANT CONNECT ON DATABASE \(name)
            TO gatehouse_migrator, gatehouse_writer, gatehouse_auditor, gatehouse_sequencer,
              gatehouse_verifier
            """, database: "postgres")
    }

    private func createRoles() throws {
        try superuser(Self.script("roles.sql"), database: "postgres")
    }

    /// A file of deploy/postgres.
    private static func script(_ name: String) throws -> String {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().resolvingSymlinksInPath()
        let file = directory.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("deploy/postgres/\(name)")
        return try String(contentsOf: file, encoding: .utf8)
    }
}
