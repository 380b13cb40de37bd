import Foundation
import Synchronization

/// The server's own programs, run as a user that PostgreSQL accepts.
final class PostgresCommands: Sendable {
    /// Holds the data and the socket; nobody else can list it.
    let directory: String
    let programs: String
    private let settings: [String]
    private let disk: LimitedDisk?
    private static let leftovers = Mutex<[PostgresCommands]>([])

    init(settings: [String], disk mebibytes: Int?) throws {
        programs = try Self.findPrograms()
        self.settings = settings
        let template = Array("/tmp/gh-XXXXXX".utf8CString)
        directory = try template.withUnsafeBufferPointer { _ in
            var path = template
            guard let made = mkdtemp(&path) else {
                throw PostgresCluster.Failure(description: "no temporary directory")
            }
            return String(cString: made)
        }
        if geteuid() == 0, let user = getpwnam("postgres") {
            chown(directory, user.pointee.pw_uid, user.pointee.pw_gid)
            // Gateways of another user get to the socket, and peer authentication says who they are.
            chmod(directory, 0o711)
        }
        let data = "\(directory)/data"
        disk = try mebibytes.map { try LimitedDisk(at: data, mebibytes: $0) }
    }

    /// Deletes the cluster when the process ends, however its tests went.
    static func removeAtExit(_ commands: PostgresCommands) {
        let isFirst = leftovers.withLock { all in
            all.append(commands)
            return all.count == 1
        }
        if isFirst {
            atexit { for cluster in PostgresCommands.leftovers.withLock({ $0 }) { cluster.remove() } }
        }
    }

    func initialize() throws {
        try run(
            "initdb",
            [
                "-D", data, "-A", "peer", "--no-instructions", "--no-sync", "-E", "UTF8", "--locale=C",
                "-U", "postgres",
            ], asServer: true)
        try write(
            "local all all peer map=gatehouse\nlocal replication postgres peer map=gatehouse\n",
            to: "\(visibleData)/pg_hba.conf")
        let lines = ["max_connections=600", "shared_buffers=16MB"] + settings
        try write(lines.map { "\($0)\n" }.joined(), to: "\(visibleData)/postgresql.auto.conf")
        let logins = [
            "postgres", "gatehouse_migrator", "gatehouse_writer", "gatehouse_auditor", "gatehouse_sequencer",
            "gatehouse_verifier",
        ]
        // A gateway does not run as root: where tests do, its processes are this system user's.
        let users = Set(["postgres", currentUser, "gatehouse"]).sorted()
        let map = users.flatMap { user in logins.map { "gatehouse \(user) \($0)\n" } }.joined()
        try write(map, to: "\(visibleData)/pg_ident.conf")
    }

    func start() throws {
        try run(
            "pg_ctl",
            [
                "-D", data, "-w", "-t", "30", "-l", logFile, "-o",
                "-c listen_addresses='' -k \(directory)",
                "start",
            ], asServer: true)
    }

    func stop(immediate: Bool) throws {
        try run("pg_ctl", ["-D", data, "-w", "-m", immediate ? "immediate" : "fast", "stop"], asServer: true)
    }

    func remove() {
        _ = try? run("pg_ctl", ["-D", data, "-w", "-m", "immediate", "stop"], asServer: true)
        disk?.remove()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Runs one of PostgreSQL's programs and returns what it prints.
    ///
    /// By `posix_spawn`, because the server must inherit no descriptor of ours: whoever waited for its end by
    /// one would wait for ever. Its output goes to a file for the same reason.
    @discardableResult
    func run(_ program: String, _ arguments: [String], asServer: Bool) throws -> String {
        let isOther = geteuid() == 0 && asServer
        let path = "\(programs)/\(program)"
        let start = (disk?.entrance ?? []) + ["/bin/sh", "-c", "cd / && exec \"$@\"", "sh"]
        let command =
            start + (isOther ? ["/usr/sbin/runuser", "-u", "postgres", "--", path] : [path]) + arguments
        let output = "\(directory)/output-\(UUID().uuidString)"
        defer { unlink(output) }
        let status = try Self.spawn(command, output: output)
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard status == 0 else {
            throw PostgresCluster.Failure(description: "\(program): \(text.prefix(2_000))")
        }
        return text
    }

    private static func spawn(_ command: [String], output: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let settings = ["PATH=/usr/bin:/bin", "LC_ALL=C"]
        let arguments = command.map { (text: String) in strdup(text) } + [nil]
        let environment = settings.map { (text: String) in strdup(text) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var child = pid_t()
        guard let program = command.first,
            posix_spawn(&child, program, &actions, nil, arguments, environment) == 0
        else { throw PostgresCluster.Failure(description: "cannot start \(command.first ?? "")") }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw PostgresCluster.Failure(description: "lost \(program)") }
        }
        return status
    }

    var logFile: String { "\(directory)/log" }
    /// The data directory as a path of this process.
    var visibleData: String { disk.map { $0.root + data } ?? data }
    private var data: String { "\(directory)/data" }

    private var currentUser: String {
        getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "postgres"
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else {
            throw PostgresCluster.Failure(description: "cannot write \(path)")
        }
        defer { fclose(file) }
        fputs(text, file)
    }

    /// The newest of the installed versions.
    private static func findPrograms() throws -> String {
        let base = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [])
            .sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        let candidates = versions.map { "\(base)/\($0)/bin" } + ["/usr/local/pgsql/bin", "/usr/bin"]
        guard
            let found = candidates.first(where: {
                FileManager.default.isExecutableFile(atPath: "\($0)/initdb")
            })
        else { throw PostgresCluster.Failure(description: "PostgreSQL is not installed") }
        return found
    }
}
