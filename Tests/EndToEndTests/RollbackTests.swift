import Foundation
import Glibc
import Testing

/// A database older than its published log (invariant L13).
@Suite struct RollbackTests {
    @Test("a restored copy stops issuance until a person gives up on record what it has lost")
    func restoredCopy() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let folder = try gate.folder("rollback")
        try gate.importDevices(["LT-RB1", "LT-RB2", "LT-RB3"].map { .laptop($0) })
        let kept = try gate.enrolled("LT-RB1", in: folder)
        try gate.stop()
        let data = "\(gate.state)/postgres"
        let copy = "\(gate.state)/copy"
        try Tool.succeed("cp", ["-a", data, copy], in: folder)

        try gate.up()
        let lost = try Judge.serial(gate.enrolled("LT-RB2", in: folder), in: folder)
        let covered = try gate.command(["ledger", "receipt", lost])
        #expect(covered.status == 0, "\(covered)")
        try gate.stop()
        // At its end the gateway publishes what it signed after the anchor's last look.
        let published = try #require(gate.size(under: "checkpoint"))
        let checkpoint = String(decoding: Data.contents("\(gate.state)/log/checkpoint"), as: UTF8.self)
        let old = try folder.write(checkpoint, to: "old-checkpoint")
        try FileManager.default.removeItem(atPath: data)
        try FileManager.default.moveItem(atPath: copy, toPath: data)

        try gate.up()
        try #require(try gate.readiness(within: 60) { $0.contains("ledger:") })
        let present = try gate.superuser("SELECT max(tree_size) FROM ledger.tree_head")
        let reason = String(decoding: try gate.admin("readyz", in: folder).body, as: UTF8.self)
        #expect(
            reason.contains(
                "the database is older than its published log: \(published) leaves were signed, it has \(present)"
            ),
            "\(reason)")
        #expect(reason.contains("gatehouse ledger accept-rollback --reason"))
        let made = try Judge.request(subject: "/CN=LT-RB3", in: folder)
        let credential = try gate.mint("laptops", "LT-RB3", "est")
        let refused = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(refused.status == 503 && refused.headers["retry-after"] != nil, "\(refused)")
        #expect(try gate.issued("LT-RB3").isEmpty)
        sleep(1)
        #expect(try gate.superuser("SELECT max(tree_size) FROM ledger.tree_head") == present, "not extended")
        let metrics = String(decoding: try gate.admin("metrics", in: folder).body, as: UTF8.self)
        #expect(metrics.contains("\ngatehouse_log_rolled_back 1\n"))

        let accepted = try gate.command(["ledger", "accept-rollback", "--reason", "the disk is gone"])
        try #require(accepted.status == 0, "\(accepted)")
        try #require(try gate.readiness(within: 60) { $0 == "ready\n" })
        let issued = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        try #require(issued.status == 200, "\(issued)")
        let next = "\(gate.state)/log/1/checkpoint"
        try #require(try gate.readiness(within: 60) { _ in FileManager.default.fileExists(atPath: next) })
        for certificate in [kept, try issued.certificate(in: folder)] {
            let serial = try Judge.serial(certificate, in: folder)
            // The newest checkpoint is of the new origin as soon as it covers the act.
            let receipt = folder.fresh("receipt")
            let made = try gate.command(["ledger", "receipt", serial, "--out", receipt])
            try #require(made.status == 0, "\(made)")
            try LogJudge.accept(receipt, of: certificate, from: gate, in: folder)
            try gate.verifierAccepts(receipt, of: certificate, in: folder)
        }
        try gate.verifierAccepts(butNot: old, in: folder)
        try gate.servesGenerationOne(in: folder)
        #expect(try gate.command(["ledger", "receipt", lost]).status == 4)
        let acts = try gate.ledger("SELECT generation, lost_size, present_size, reason FROM audit.rollbacks")
        #expect(
            acts == [
                [
                    "generation": "1", "lost_size": "\(published)", "present_size": present,
                    "reason": "the disk is gone",
                ]
            ])
        #expect(try gate.superuser("SELECT count(*) FROM ledger.entry WHERE kind = 'rollback'") == "1")
        let again = try gate.command(["ledger", "accept-rollback", "--reason", "again"])
        #expect(again.status == 1 && again.messages.contains("nothing is missing"), "\(again)")

        // Neither a restart nor the larger checkpoint in the first origin's places brings the question back.
        try gate.stop()
        try gate.up()
        #expect(try gate.readiness(within: 60) { $0 == "ready\n" })
    }

    @Test("the newest rows of the log, deleted by a superuser under a running gateway, are missed")
    func deletedRows() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let folder = try gate.folder("deleted")
        try gate.importDevices([.laptop("LT-RB4")])
        let serial = try Judge.serial(gate.enrolled("LT-RB4", in: folder), in: folder)
        #expect(try gate.command(["ledger", "receipt", serial]).status == 0)
        #expect(try gate.readiness(within: 60) { _ in gate.anchoredSize == (try? gate.treeSize()) })
        let size = try gate.treeSize()
        let tables = ["leaf", "tree_head", "checkpoint"].map { "ledger.\($0)" }
        try gate.superuser(
            tables.map { "ALTER TABLE \($0) DISABLE TRIGGER USER;" }.joined()
                + "DELETE FROM ledger.checkpoint WHERE tree_size >= \(size);"
                + "DELETE FROM ledger.tree_head WHERE tree_size >= \(size);"
                + "DELETE FROM ledger.leaf WHERE leaf_index >= \(size - 1);"
                + tables.map { "ALTER TABLE \($0) ENABLE TRIGGER USER;" }.joined())
        #expect(try gate.readiness(within: 60) { $0.contains("ledger: ") && $0.contains("\(size) leaves") })
        #expect(gate.anchoredSize == size, "the anchor never gets smaller")
    }
}

extension Gate {
    /// Caches may hold tiles of the history that was lost, under the paths of its origin.
    fileprivate func servesGenerationOne(in folder: Folder) throws {
        let note = try admin("log/1/checkpoint", in: folder)
        let lines = String(decoding: note.body, as: UTF8.self).components(separatedBy: "\n")
        try #require(note.status == 200 && lines.count > 2 && lines[0].hasSuffix("/1"), "\(note)")
        let tile = "tile/0/000.p/\(min(Int(lines[1]) ?? 0, 255))"
        for (path, caching) in [
            ("log/\(tile)", "no-cache"), ("log/1/\(tile)", "public, max-age=60, immutable"),
        ] {
            let answer = try admin(path, in: folder)
            #expect(answer.status == 200 && answer.headers["cache-control"] == caching, "\(path): \(answer)")
        }
        for path in ["log/2/checkpoint", "log/01/checkpoint", "log/0/checkpoint", "log/-1/\(tile)"] {
            #expect(try admin(path, in: folder).status == 404, "\(path)")
        }
    }

    /// It knows a receipt by the whole key file.
    fileprivate func verifierAccepts(_ receipt: String, of certificate: String, in folder: Folder) throws {
        let words = ["receipt", receipt, "--key", "\(state)/pki/log.vkey", "--certificate", certificate]
        let judged = try Tool.run(verifier, words, in: folder)
        #expect(judged.status == 0, "\(judged)")
    }

    /// By whichever lines of the key file, the ledger is sound, and a checkpoint of what was lost is missed.
    fileprivate func verifierAccepts(butNot old: String, in folder: Folder) throws {
        let whole = "\(state)/pki/log.vkey"
        let lines = String(decoding: Data.contents(whole), as: UTF8.self).split(separator: "\n")
        try #require(lines.count == 2)
        let ledger = ["database", "--host", "\(state)/run", "--name", "gatehouse", "--key"]
        for key in [whole] + lines.map(String.init) {
            let sound = try Tool.run(verifier, ledger + [key], in: folder)
            #expect(sound.status == 0, "\(key): \(sound)")
            let missed = try Tool.run(verifier, ledger + [key, "--against", old], in: folder)
            #expect(missed.status == 6 && missed.output.contains("L13     VIOLATED"), "\(key): \(missed)")
        }
        guard try verifier.hasSuffix("/gatehouse-verify") else { return }
        let own = try command(["ledger", "verify"])
        #expect(own.status == 0, "\(own)")
    }

    /// Leaves under the anchor.
    fileprivate var anchoredSize: Int? { size(under: "anchor") }

    fileprivate func size(under checkpoint: String) -> Int? {
        let lines = String(decoding: Data.contents("\(state)/log/\(checkpoint)"), as: UTF8.self)
            .components(separatedBy: "\n")
        return lines.count > 1 ? Int(lines[1]) : nil
    }
}
