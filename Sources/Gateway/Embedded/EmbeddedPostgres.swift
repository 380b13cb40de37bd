import Foundation
import Glibc
import Ledger

/// The private PostgreSQL cluster of the embedded default: durable, reachable by its Unix socket alone.
///
/// PostgreSQL's own `pg_ctl` starts and stops it. The server gets a session of its own, so that Ctrl-C
/// reaches the gateway alone and requests drain before the database stops; one left over from a killed
/// gateway is taken over as it is.
struct EmbeddedPostgres {
    let dataDirectory: String
    let socketDirectory: String
    let user: UnprivilegedUser

    /// The database's superuser: used at first start to make roles and database, and by nothing in service.
    static let superuser = "gatehouse_superuser"
    static let databaseName = "gatehouse"
    /// Logins in service. Each has only what it needs.
    static let logins = ["gatehouse_migrator", "gatehouse_writer", "gatehouse_auditor"]

    private var binaries: String { Self.binaryDirectory ?? "" }

    /// Where initdb and pg_ctl are: the newest PostgreSQL that Debian's packages put there.
    static var binaryDirectory: String? {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
            .first { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") }
    }

    /// Makes the cluster on first use. A half-made one from a killed process is made anew.
    func createIfMissing() throws {
        guard !FileManager.default.fileExists(atPath: dataDirectory) else { return }
        guard Self.binaryDirectory != nil else {
            throw StartupError(
                "PostgreSQL is not installed",
                remedy: "apt-get install postgresql, or name a server under database:")
        }
        let unfinished = dataDirectory + ".unfinished"
        try? FileManager.default.removeItem(atPath: unfinished)
        let made = try Command.run(
            "\(binaries)/initdb",
            [
                "-D", unfinished, "--username", Self.superuser, "--auth", "peer", "--encoding", "UTF8",
                "--locale", "C", "--data-checksums", "--no-instructions",
            ])
        guard made.status == 0 else {
            throw StartupError(
                "initdb failed: \(made.output)", remedy: "free disk space or permissions, then again")
        }
        try settings.write(toFile: "\(unfinished)/gatehouse.conf", atomically: false, encoding: .utf8)
        try access.write(toFile: "\(unfinished)/pg_hba.conf", atomically: false, encoding: .utf8)
        try identities.write(toFile: "\(unfinished)/pg_ident.conf", atomically: false, encoding: .utf8)
        let configuration = "\(unfinished)/postgresql.conf"
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        try (text + "\ninclude 'gatehouse.conf'\n").write(
            toFile: configuration, atomically: false, encoding: .utf8)
        try FileManager.default.moveItem(atPath: unfinished, toPath: dataDirectory)
    }

    /// Starts the server, or takes over one that runs on this cluster already.
    func start() throws {
        try makeSocketDirectory()
        if try Command.run("\(binaries)/pg_ctl", ["-D", dataDirectory, "status"]).status == 0 { return }
        let started = try Command.run(
            "\(binaries)/pg_ctl",
            [
                "-D", dataDirectory, "-l", "\(dataDirectory)/server.log", "-w", "-t", "60",
                "-o", "-k '\(socketDirectory)'", "start",
            ])
        guard started.status == 0 else {
            throw StartupError(
                "PostgreSQL does not start: \(started.output)", remedy: "read \(dataDirectory)/server.log")
        }
    }

    /// Stops the server and waits until it is gone; open transactions are rolled back.
    func stop() throws {
        let stopped = try Command.run(
            "\(binaries)/pg_ctl", ["-D", dataDirectory, "-m", "fast", "-w", "-t", "60", "stop"])
        guard stopped.status == 0 else {
            throw StartupError(
                "PostgreSQL does not stop: \(stopped.output)", remedy: "pg_ctl -D \(dataDirectory) stop")
        }
    }

    /// Makes roles and database on first use, as the cluster's superuser.
    func createRolesAndDatabase() throws {
        let exists = "SELECT 1 FROM pg_database WHERE datname = '\(Self.databaseName)'"
        if try psql(["-tAc", exists]) == "1" { return }
        let roles = "\(dataDirectory)/roles.sql"
        try LedgerSchema.roles.write(toFile: roles, atomically: true, encoding: .utf8)
        _ = try psql(["-qf", roles])
        // One transaction is not to be had: CREATE DATABASE refuses. It comes last, so a half-done start is
        // redone.
        let logins = Self.logins.joined(separator: ", ")
        _ = try psql(["-qc", "DROP DATABASE IF EXISTS \(Self.databaseName)_unfinished"])
        _ = try psql([
            "-qc",
            "CREATE DATABASE \(Self.databaseName)_unfinished OWNER \(LedgerSchema.owner) TEMPLATE template0",
        ])
        _ = try psql(["-qc", "REVOKE ALL ON DATABASE \(Self.databaseName)_unfinished FROM PUBLIC"])
        _ = try psql(["-qc", "GRANT CONNECT ON DATABASE \(Self.databaseName)_unfinished TO \(logins)"])
        _ = try psql(["-qc", "ALTER DATABASE \(Self.databaseName)_unfinished RENAME TO \(Self.databaseName)"])
    }

    private func psql(_ arguments: [String]) throws -> String {
        let ran = try Command.run(
            "\(binaries)/psql",
            ["-X", "-h", socketDirectory, "-U", Self.superuser, "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
                + arguments)
        guard ran.status == 0 else {
            throw StartupError("psql failed: \(ran.output)", remedy: "read \(dataDirectory)/server.log")
        }
        return ran.output
    }

    private func makeSocketDirectory() throws {
        if mkdir(socketDirectory, 0o700) != 0, errno != EEXIST {
            throw StartupError(
                "cannot make \(socketDirectory): \(String(cString: strerror(errno)))",
                remedy: "make its parent directory writable")
        }
        var status = stat()
        guard lstat(socketDirectory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == geteuid(), status.st_mode & 0o077 == 0
        else {
            throw StartupError(
                "\(socketDirectory) is not a private directory of this user",
                remedy: "remove it, then start again")
        }
    }

    private var settings: String {
        """
        # Written at first start. The cluster is private: no network, one user, every commit durable.
        listen_addresses = ''
        unix_socket_permissions = 0700
        max_connections = 40
        fsync = on
        synchronous_commit = on
        password_encryption = 'scram-sha-256'
        timezone = 'UTC'
        log_timezone = 'UTC'
        log_min_error_statement = panic
        log_parameter_max_length = 0
        log_parameter_max_length_on_error = 0

        """
    }

    private var access: String {
        """
        # Peer authentication only: the kernel says who is at the other end of the socket.
        local all \(Self.superuser) peer map=gatehouse
        local \(Self.databaseName) \(Self.logins.joined(separator: ",")) peer map=gatehouse

        """
    }

    private var identities: String {
        let systemUsers = Set([user.name, "root"]).sorted()
        let lines = systemUsers.flatMap { system in
            ([Self.superuser] + Self.logins).map { "gatehouse \(system) \($0)" }
        }
        return "# operating-system users and the roles they may take\n" + lines.joined(separator: "\n") + "\n"
    }
}
