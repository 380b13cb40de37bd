import Foundation
import Glibc
import Testing

/// A superuser of the database who sets it back and writes the row that would excuse it.
@Suite struct ForgedRollbackTests {
    @Test("a rollback accepted only in the database excuses nothing; one that the key signed does for good")
    func forgedAcceptance() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let folder = try gate.folder("forged")
        try gate.importDevices(["LT-FR1", "LT-FR2"].map { .laptop($0) })
        let serial = try Judge.serial(gate.enrolled("LT-FR1", in: folder), in: folder)
        try #require(try gate.command(["ledger", "receipt", serial]).status == 0)
        let size = try gate.leaves()
        try #require(try gate.says("ready\n") { try gate.anchor().contains("\n\(size)\n") })
        try gate.forgeRollback(of: size)

        try #require(try gate.says("nobody did so here or where the log's key is"))
        let made = try Judge.request(subject: "/CN=LT-FR2", in: folder)
        let credential = try gate.mint("laptops", "LT-FR2", "est")
        let refused = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(refused.status == 503, "\(refused)")
        sleep(2)
        #expect(try gate.leaves() < size, "not extended")
        #expect(try gate.anchor().contains("\n\(size)\n"), "not given up")

        // A person who knows of it confirms it here, in a file that no login of the database reaches.
        let accepted = try gate.command(["ledger", "accept-rollback", "--reason", "I did it"])
        try #require(accepted.status == 0, "\(accepted)")
        try #require(try gate.says("ready\n") { try gate.anchor().split(separator: "\n")[0].hasSuffix("/1") })
        let issued = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(issued.status == 200, "\(issued)")

        // Another host has no such file: what the key signed since then is enough.
        try gate.stop()
        try FileManager.default.removeItem(atPath: "\(gate.state)/log/accepted")
        try gate.up()
        #expect(try gate.says("ready\n"))
        // It vouches for no later act.
        try gate.forgeRollback(of: try gate.leaves())
        #expect(try gate.says("(generation 2)"))
    }
}

extension Gate {
    fileprivate func leaves() throws -> Int {
        Int(try superuser("SELECT max(tree_size) FROM ledger.tree_head")) ?? 0
    }

    fileprivate func anchor() throws -> String {
        try String(contentsOfFile: "\(state)/log/anchor", encoding: .utf8)
    }

    /// Takes the newest tree head away, and says for its owner that this was accepted.
    fileprivate func forgeRollback(of size: Int) throws {
        let tables = ["leaf", "tree_head", "checkpoint", "cosignature", "rollback"].map { "ledger.\($0)" }
        try superuser(
            "BEGIN;" + tables.map { "ALTER TABLE \($0) DISABLE TRIGGER USER;" }.joined()
                + "DELETE FROM ledger.cosignature WHERE tree_size >= \(size);"
                + "DELETE FROM ledger.checkpoint WHERE tree_size >= \(size);"
                + "DELETE FROM ledger.tree_head WHERE tree_size >= \(size);"
                + "DELETE FROM ledger.leaf WHERE leaf_index >= (SELECT max(tree_size) FROM ledger.tree_head);"
                + "INSERT INTO ledger.rollback SELECT (SELECT count(*) + 1 FROM ledger.rollback), "
                + "(SELECT entry_id FROM ledger.entry EXCEPT SELECT entry_id FROM ledger.rollback LIMIT 1), "
                + "\(size + 1_000), sha256('x'), tree_size, root_hash, now(), 'jane', 'x' "
                + "FROM ledger.tree_head ORDER BY tree_size DESC LIMIT 1;"
                + tables.map { "ALTER TABLE \($0) ENABLE TRIGGER USER;" }.joined() + "COMMIT")
    }

    /// Whether /readyz says this within a minute, and what else is awaited holds.
    fileprivate func says(_ words: String, and isAwaited: () throws -> Bool = { true }) throws -> Bool {
        let folder = try folder("says")
        for _ in 0..<300 {
            let body = String(decoding: try admin("readyz", in: folder).body, as: UTF8.self)
            if body.contains(words), !(words == "ready\n" && body != words), try isAwaited() { return true }
            usleep(200_000)
        }
        return false
    }
}
