import EnrollmentTesting
import Foundation
import Glibc
import Testing

/// The drill of docs/operating/backup.md, by the very commands that stand there.
@Suite struct BackupTests {
    @Test("a whole restore is proven whole; one without its last WAL segment is found out")
    func drill() throws {
        let drill = try Drill()
        defer { drill.remove() }
        try drill.issue("BEFORE")
        try drill.run("base")
        try drill.run("state", as: .gateway)
        try drill.issue("AFTER")
        try drill.archive()
        let kept = try drill.archived()
        try drill.issue("LAST")
        try drill.waitUntilSequenced()
        try drill.run("checkpoint", as: .gateway)
        try drill.archive()
        #expect(try drill.archived().count > kept.count)
        drill.lose()

        try drill.run("restore")
        let whole = try drill.attempt("verify")
        #expect(whole.status == 0, "\(whole)")
        try drill.stopRestored()

        for segment in try drill.archived() where !kept.contains(segment) {
            try FileManager.default.removeItem(atPath: "\(drill.backup.path)/wal/\(segment)")
        }
        try drill.run("restore")
        let short = try drill.attempt("verify")
        #expect(short.status == 6, "\(short)")
        #expect(short.output.contains("\(try drill.keptSize() - 1)"), "the range is named: \(short)")
        try drill.expectNoIssuance()
    }
}

/// One ledger with its archive, its gateway, and a place for what is restored.
private final class Drill {
    enum User { case server, gateway }

    let site: ReplicaSite
    let backup: Folder
    private let elsewhere: Folder
    private let socket: Folder
    private let work: Folder
    private var restores = 0
    private let blocks: [String: String]

    init() throws {
        let page = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("../../docs/operating/backup.md").standardizedFileURL
        blocks = Self.blocks(try String(contentsOf: page, encoding: .utf8))
        work = try .temporary()
        (backup, elsewhere, socket) = (
            try work.folder("backup"), try work.folder("elsewhere"), try work.folder("s")
        )
        try FileManager.default.createDirectory(
            atPath: "\(backup.path)/wal", withIntermediateDirectories: true)
        for folder in [work, backup, elsewhere, socket] { chmod(folder.path, 0o777) }
        chmod("\(backup.path)/wal", 0o777)
        let settings = (blocks["settings"] ?? "").replacingOccurrences(of: "$BACKUP", with: backup.path)
        #expect(!settings.isEmpty, "the page has the server's settings")
        site = try ReplicaSite(["gate-k"], settings: settings.split(separator: "\n").map(String.init))
    }

    func remove() {
        try? stopRestored()
        site.remove()
        work.remove()
    }

    /// The fenced blocks of a page by the word after their language.
    private static func blocks(_ page: String) -> [String: String] {
        var found: [String: String] = [:]
        var name: String?
        for line in page.components(separatedBy: "\n") {
            if line.hasPrefix("```") {
                name = name == nil ? line.split(separator: " ").last.map(String.init) ?? "" : nil
            } else if let name {
                found[name, default: ""] += line + "\n"
            }
        }
        return found
    }

    // MARK: The page's commands

    /// Runs one block, which must succeed.
    func run(_ name: String, as user: User = .server) throws {
        if name == "restore" { restores += 1 }
        let done = try attempt(name, as: user)
        guard done.status == 0 else { throw Trouble("block \(name) of backup.md: \(done)") }
    }

    func attempt(_ name: String, as user: User = .server) throws -> Finished {
        let text = try #require(blocks[name], "backup.md has no block \(name)")
        let login = user == .server ? "postgres" : "gatehouse"
        let shell = ["bash", "-euo", "pipefail", "-c", text]
        let isRoot = geteuid() == 0
        let folder = try work.folder(name)
        chmod(folder.path, 0o777)
        return try Tool.run(
            isRoot ? "runuser" : "env", (isRoot ? ["-u", login, "--", "env"] : []) + variables() + shell,
            in: folder, within: 120)
    }

    /// The folder with the verifier. A copy: the server's user need not be able to enter the checkout.
    private func programs() throws -> String {
        let folder = try work.folder("programs")
        chmod(folder.path, 0o755)
        let copy = "\(folder.path)/gatehouse-verify"
        if !FileManager.default.fileExists(atPath: copy) {
            let products = URL(fileURLWithPath: Gate.binary).deletingLastPathComponent().path
            try FileManager.default.copyItem(atPath: "\(products)/gatehouse-verify", toPath: copy)
        }
        return folder.path
    }

    private func variables() throws -> [String] {
        let path = "\(try programs()):\(site.cluster.programs):/usr/bin:/bin"
        return [
            "PATH=\(path)", "STATE=\(try site.gate.state)", "PGHOST=\(site.cluster.socketDirectory)",
            "PGUSER=postgres", "DATABASE=\(site.database)", "BACKUP=\(backup.path)",
            "ELSEWHERE=\(elsewhere.path)", "ADMIN=\((try? site.gate.endpoints.admin) ?? "")",
            "RESTORED=\(work.path)/restored-\(restores)", "RESTORED_SOCKET=\(socket.path)",
        ]
    }

    /// Sends what was written so far to the archive, and waits until it is there.
    func archive() throws {
        let segment = try site.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
        try run("switch")
        try waitUntil("\(segment) is archived", within: 30) { try archived().contains(segment) }
    }

    /// The names of the archived segments.
    func archived() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(backup.path)/wal")
            .filter { !$0.hasSuffix(".part") }.sorted()
    }

    func stopRestored() throws {
        let stop = ["-D", "\(work.path)/restored-\(restores)", "-w", "-m", "fast", "stop"]
        let program = "\(site.cluster.programs)/pg_ctl"
        try Tool.succeed(
            geteuid() == 0 ? "runuser" : program,
            (geteuid() == 0 ? ["-u", "postgres", "--", program] : []) + stop, in: work)
    }

    // MARK: The ledger

    /// The first server and its gateway are gone.
    func lose() {
        for gate in site.gates { gate.kill() }
        try? site.cluster.stop(immediate: true)
    }

    func issue(_ name: String) throws {
        let gate = try site.gate
        let reply = try ask(gate, name)
        #expect(reply.certificate != nil, "\(reply)")
    }

    private func ask(_ gate: Gate, _ name: String) throws -> Reply {
        let device = TestDevice.laptop("LT-K-\(name)")
        try gate.importDevices([device])
        let credential = try gate.mint("laptops", device.id, "est")
        return try Requester(gate, name).ask(
            .est, Wish(credential: credential, user: device.id, commonName: device.id, dns: device.dns))
    }

    func waitUntilSequenced() throws {
        try waitUntil("every entry is in a checkpoint", within: 60) {
            try site.sql(
                "SELECT (SELECT max(tree_size) FROM ledger.checkpoint) = (SELECT count(*) FROM ledger.entry)")
                == "t"
        }
        let entries = try site.sql("SELECT count(*) FROM ledger.entry")
        try waitUntil("the gateway serves that checkpoint", within: 60) {
            let note = try site.gate.admin("log/checkpoint", in: work.folder("served")).body
            return String(decoding: note, as: UTF8.self).contains("\n\(entries)\n")
        }
    }

    /// The tree size of the checkpoint that was kept elsewhere.
    func keptSize() throws -> Int {
        let lines = String(decoding: Data.contents(elsewhere.file("checkpoint")), as: UTF8.self)
            .split(separator: "\n")
        return try #require(lines.dropFirst().first.flatMap { Int($0) })
    }

    /// The gateway, brought to the database that lost its end, says so and issues nothing.
    func expectNoIssuance() throws {
        let gate = try site.gate
        let file = "\(gate.state)/gatehouse.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacingOccurrences(of: site.cluster.socketDirectory, with: socket.path)
            .write(toFile: file, atomically: false, encoding: .utf8)
        try gate.up()
        let url = "\(try gate.endpoints.admin)/readyz"
        try waitUntil("readyz names the ledger", within: 60) {
            let said = try Tool.run("curl", ["-sS", "--max-time", "10", url], in: work)
            return said.output.contains("ledger")
        }
        let reply = try ask(gate, "REFUSED")
        #expect(reply.certificate == nil, "\(reply)")
        #expect(reply.code == "503", "\(reply)")
    }
}
