import Foundation
import Glibc
import Testing

/// Judges the log by programs that share no code with us.
enum LogJudge {
    /// Python and Go accept a receipt, knowing nothing but the newest line of pki/log.vkey.
    static func accept(_ receipt: String, of certificate: String, from gate: Gate, in folder: Folder) throws {
        let keys = String(decoding: Data.contents("\(gate.state)/pki/log.vkey"), as: UTF8.self)
        let newest = try #require(keys.split(separator: "\n").first)
        let key = try folder.write("\(newest)\n", to: "log.vkey")
        let clients = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Clients").standardizedFileURL.path
        try Tool.succeed(
            "python3", ["\(clients)/log_verify.py", key, receipt, "--certificate", certificate], in: folder)
        // No network and no modules: what Debian's golang-golang-x-mod-dev installs.
        try Tool.succeed(
            "go", ["run", "\(clients)/logcheck/main.go", key, receipt], in: folder,
            environment: [
                "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                "GOCACHE": "/tmp/gatehouse-go-cache",
            ], within: 300)
    }
}

extension Gate {
    /// A certificate for a laptop that is imported already, by EST; its PEM file.
    func enrolled(_ device: String, in folder: Folder) throws -> String {
        let made = try Judge.request(subject: "/CN=\(device)", in: folder)
        let credential = try mint("laptops", device, "est")
        let answer = try EST(self, folder).enrol(made, user: credential.userAndPassword)
        guard answer.status == 200 else { throw Trouble("\(device): \(answer)") }
        return try answer.certificate(in: folder)
    }

    /// A request to the admin listener.
    func admin(_ path: String, in folder: Folder) throws -> EST.Answer {
        try EST(self, folder).curl(["--path-as-is", "\(try endpoints.admin)/\(path)"])
    }

    /// Leaves under the newest tree head.
    func treeSize() throws -> Int {
        Int(try superuser("SELECT max(tree_size) FROM ledger.tree_head")) ?? 0
    }

    /// Whether /readyz says what is awaited, in time.
    func readiness(within seconds: Int, _ isAwaited: (String) -> Bool) throws -> Bool {
        let folder = try folder("readiness")
        for _ in 0..<(seconds * 5) {
            if isAwaited(String(decoding: try admin("readyz", in: folder).body, as: UTF8.self)) {
                return true
            }
            usleep(200_000)
        }
        return false
    }

    /// Runs SQL as the superuser of its PostgreSQL.
    @discardableResult
    func superuser(_ sql: String, database: String = "gatehouse") throws -> String {
        let arguments = [
            "-X", "-qtA", "-v", "ON_ERROR_STOP=1", "-h", "\(state)/run", "-U", "gatehouse_superuser", "-d",
            database, "-c", sql,
        ]
        return try Tool.succeed("psql", arguments, in: folder("superuser")).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs with its PostgreSQL up and its gateway down.
    func withPostgresAlone(_ body: () throws -> Void) throws {
        try startPostgres()
        defer { try? postgres(["-m", "fast", "stop"]) }
        try body()
    }

    /// For a gateway that finds it running, and stops it with itself.
    func startPostgres() throws {
        try postgres(["-l", "\(state)/postgres/server.log", "-o", "-k '\(state)/run'", "start"])
    }

    /// pg_ctl on its cluster.
    func postgres(_ arguments: [String]) throws {
        let pgctl = try PostgresPrograms.path("pg_ctl")
        let cluster = "\(state)/postgres"
        let owner = try FileManager.default.attributesOfItem(atPath: cluster)[.ownerAccountName] as? String
        // As the user that owns the state.
        let asOwner = geteuid() == 0 ? ["runuser", "-u", owner ?? "", "--"] : []
        let words = asOwner + [pgctl, "-D", cluster, "-w"] + arguments
        try Tool.succeed(words[0], Array(words.dropFirst()), in: folder("postgres"), environment: clock)
    }
}
