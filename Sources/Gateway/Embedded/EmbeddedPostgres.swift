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
    static let logins = LedgerSchema.Login.allCases.map(\.rawValue)

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
        _ = try writeAccess(to: unfinished)
        let configuration = "\(unfinished)/postgresql.conf"
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        try (text + "\ninclude 'gatehouse.conf'\n").write(
            toFile: configuration, atomically: false, encoding: .utf8)
        try FileManager.default.moveItem(atPath: unfinished, toPath: dataDirectory)
    }

    /// Starts the server, or takes over one that runs on this cluster already.
    func start() throws {
        try makeSocketDirectory()
        // An earlier program knew fewer logins.
        let isChanged = try writeAccess(to: dataDirectory)
        if try isRunning() {
            if isChanged { _ = try psql(["-qc", "SELECT pg_reload_conf()"]) }
            return
        }
        // The state may have been moved since its configuration was written. pg_ctl hands this to a shell.
        let socket = "-k '" + socketDirectory.replacingOccurrences(of: "'", with: "'\\''") + "'"
        let started = try Command.run(
            "\(binaries)/pg_ctl",
            [
                "-D", dataDirectory, "-l", "\(dataDirectory)/server.log", "-o", socket, "-w", "-t", "60",
                "start",
            ])
        guard started.status == 0 else {
            throw StartupError(
                "PostgreSQL does not start: \(started.output)", remedy: "read \(dataDirectory)/server.log")
        }
    }

    /// Whether this cluster's own server runs. `pg_ctl status` alone would believe any process that happens
    /// to have the number in a postmaster.pid left by a power cut; such a file is removed.
    private func isRunning() throws -> Bool {
        let identity = "\(dataDirectory)/postmaster.pid"
        guard let text = try? String(contentsOfFile: identity, encoding: .utf8),
            let process = text.split(separator: "\n").first.flatMap({ Int32($0) })
        else { return false }
        let arguments = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
        let words = arguments.split(separator: "\0").map(String.init)
        guard words.first?.hasSuffix("/postgres") == true, words.contains(dataDirectory) else {
            try FileManager.default.removeItem(atPath: identity)
            return false
        }
        // It may be recovering still.
        for _ in 0..<300 {
            if (try? psql(["-tAc", "SHOW data_directory"])) == dataDirectory { return true }
            usleep(200_000)
        }
        throw StartupError(
            "PostgreSQL (process \(process)) runs but does not answer",
            remedy: "read \(dataDirectory)/server.log")
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

    /// Makes roles and database on first use, and roles that an earlier program did not know, as the
    /// cluster's superuser.
    ///
    /// One transaction is not to be had, since CREATE DATABASE refuses one. So the database gets its name
    /// last, and a half-done start is done again.
    func createRolesAndDatabase() throws {
        let name = Self.databaseName
        if try psql(["-tAc", "SELECT 1 FROM pg_database WHERE datname = '\(name)'"]) == "1" {
            return try addMissingRoles()
        }
        try run(LedgerSchema.roles, in: "postgres")
        let unfinished = "\(name)_unfinished"
        for statement in [
            "DROP DATABASE IF EXISTS \(unfinished)",
            "CREATE DATABASE \(unfinished) OWNER \(LedgerSchema.owner) TEMPLATE template0",
            "REVOKE ALL ON DATABASE \(unfinished) FROM PUBLIC",
            grantConnect(unfinished),
        ] {
            _ = try psql(["-qc", statement])
        }
        try run(LedgerSchema.hardening, in: unfinished)
        _ = try psql(["-qc", "ALTER DATABASE \(unfinished) RENAME TO \(name)"])
    }

    private func addMissingRoles() throws {
        let connected = try psql([
            "-tAc",
            """
            SELECT count(*) FROM pg_roles WHERE rolname LIKE 'gatehouse%' AND rolcanlogin AND NOT rolsuper
              AND has_database_privilege(rolname, '\(Self.databaseName)', 'CONNECT')
            """,
        ])
        if connected == "\(Self.logins.count)" { return }
        try run(LedgerSchema.roles, in: "postgres")
        _ = try psql(["-qc", grantConnect(Self.databaseName)])
    }

    private func grantConnect(_ database: String) -> String {
        "GRANT CONNECT ON DATABASE \(database) TO \(Self.logins.joined(separator: ", "))"
    }

    /// Writes who may connect, where the files say something else; whether they did.
    private func writeAccess(to directory: String) throws -> Bool {
        var isChanged = false
        for (name, text) in [("pg_hba.conf", access), ("pg_ident.conf", identities)] {
            let path = "\(directory)/\(name)"
            if (try? String(contentsOfFile: path, encoding: .utf8)) == text { continue }
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            isChanged = true
        }
        return isChanged
    }

    private func run(_ script: String, in database: String) throws {
        let file = "\(dataDirectory)/first-start.sql"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        _ = try psql(["-qf", file], in: database)
        try FileManager.default.removeItem(atPath: file)
    }

    private func psql(_ arguments: [String], in database: String = "postgres") throws -> String {
        let connection = ["-X", "-h", socketDirectory, "-U", Self.superuser, "-d", database]
        let ran = try Command.run("\(binaries)/psql", connection + ["-v", "ON_ERROR_STOP=1"] + arguments)
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
        unix_socket_directories = '\(socketDirectory.replacingOccurrences(of: "'", with: "''"))'
        unix_socket_permissions = 0700
        max_connections = 80
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
