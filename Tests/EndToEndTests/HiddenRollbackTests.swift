import Foundation
import Glibc
import Testing

/// A database and an anchor set back together, where only publications know better, and somebody has put
/// something in those.
@Suite(.serialized) struct HiddenRollbackTests {
    enum Hiding: String, CaseIterable {
        case unsignedNote, emptyFile, converted
    }

    @Test(
        "what others put into a publication does not hide that the database is older",
        arguments: Hiding.allCases)
    func hidden(by hiding: Hiding) throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let folder = try gate.folder("hidden")
        let (file, checkpoints) = ("\(gate.state)/log/checkpoints.txt", "\(gate.state)/log/checkpoints")
        try gate.setBack(in: folder)
        let manager = FileManager.default
        switch hiding {
        case .unsignedNote:
            try manager.removeItem(atPath: checkpoints)
            try manager.removeItem(atPath: "\(gate.state)/log/checkpoint")
            let text = String(decoding: Data.contents(file), as: UTF8.self)
            let note = try #require(text.components(separatedBy: "\n\n— ").first?.split(separator: "\n"))
            let signature = try #require(text.split(separator: "\n").first { $0.hasPrefix("— ") })
            let forged = "\(note[0])\n999999\n\(note[2])\n\n\(signature)\n\n"
            try Data((text + forged).utf8).write(to: URL(fileURLWithPath: file))
        case .emptyFile:
            try manager.removeItem(atPath: file)
            try manager.removeItem(atPath: "\(gate.state)/log/checkpoint")
            try Data().write(to: URL(fileURLWithPath: checkpoints + "/00000000000000999999"))
        case .converted:
            try manager.removeItem(atPath: checkpoints)
            try manager.removeItem(atPath: "\(gate.state)/log/checkpoint")
            try Tool.succeed("sed", ["-i", "s/$/\r/", file], in: folder)
        }
        let before = Data.contents(file)
        try gate.up()
        #expect(
            try gate.readiness(within: 60) { $0.contains("the database is older than its published log") })
        let present = try gate.treeSize()
        sleep(2)
        #expect(try gate.treeSize() == present, "not extended")
        #expect(Data.contents(file) == before, "not written")
    }

    @Test("a place that cannot be read stops a new process, and one that has read it goes on")
    func unreadable() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let file = "\(gate.state)/log/checkpoints.txt"
        #expect(try gate.readiness(within: 60) { $0 == "ready\n" && !Data.contents(file).isEmpty })
        try gate.stop()
        let manager = FileManager.default
        try manager.moveItem(atPath: file, toPath: file + ".kept")
        try manager.createDirectory(atPath: file, withIntermediateDirectories: false)
        try gate.up()
        #expect(try gate.readiness(within: 20) { $0.contains("ledger: ") && $0.contains(file) })
        sleep(2)
        #expect(try gate.readiness(within: 1) { $0.contains("log.publish") })
        try manager.removeItem(atPath: file)
        try manager.moveItem(atPath: file + ".kept", toPath: file)
        #expect(try gate.readiness(within: 20) { $0 == "ready\n" })
    }

    @Test("a key without an anchor beside it says so, once, and signs")
    func withoutAnchor() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        #expect(
            try gate.readiness(within: 60) { _ in manager.fileExists(atPath: "\(gate.state)/log/anchor") })
        #expect(try gate.readiness(within: 60) { _ in (try? gate.treeSize()) ?? 0 > 0 })
        try gate.stop()
        try manager.removeItem(atPath: "\(gate.state)/log")
        try gate.up()
        let said = "had no anchor for"
        #expect(try gate.readiness(within: 60) { $0 == "ready\n" && gate.messages.contains(said) })
        try gate.stop()
        try gate.up()
        #expect(try gate.readiness(within: 60) { $0 == "ready\n" })
        sleep(1)
        #expect(gate.messages.components(separatedBy: said).count == 2)
    }

    @Test("a tree head that is not the root of its leaves stops issuance")
    func wrongRoot() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        #expect(try gate.readiness(within: 60) { $0 == "ready\n" })
        // Whoever has the sequencer's login can do this; the gateway's own sequencer may be first.
        for _ in 0..<10 {
            let forgery = """
                BEGIN;
                SELECT ledger.append(ledger.new_id(), 'admin', NULL, ledger.object('n', 'x'));
                SELECT ledger.extend_log(epoch, holder, (SELECT max(tree_size) FROM ledger.tree_head),
                  ARRAY(SELECT entry_id FROM ledger.pending_leaf), sha256('x'), '{}', '{}', '{}')
                FROM ledger.lease;
                COMMIT
                """
            if (try? gate.superuser(forgery)) != nil { break }
        }
        let changed = "the stored log was changed"
        #expect(try gate.readiness(within: 20) { $0.contains("ledger: ") && $0.contains(changed) })
        try gate.stop()
        try gate.up()
        #expect(try gate.readiness(within: 20) { $0.contains(changed) })
    }

    private var manager: FileManager { .default }
}

extension Gate {
    /// Puts the database and the anchor back to before what is in the places of publication.
    fileprivate func setBack(in folder: Folder) throws {
        try importDevices([.laptop("LT-HR1")])
        try #require(try readiness(within: 60) { $0 == "ready\n" })
        try stop()
        let kept = ["postgres", "log/anchor"]
        for path in kept { try Tool.succeed("cp", ["-a", "\(state)/\(path)", "\(state)/run"], in: folder) }
        try up()
        let before = try treeSize()
        try importDevices([.laptop("LT-HR2")])
        try #require(try readiness(within: 60) { _ in (try? treeSize()) ?? 0 > before })
        try stop()
        for path in kept {
            let copy = "\(state)/run/" + (path.split(separator: "/").last ?? "")
            try Tool.succeed("rm", ["-r", "\(state)/\(path)"], in: folder)
            try Tool.succeed("mv", [copy, "\(state)/\(path)"], in: folder)
        }
    }

    /// What it has logged since it was first started.
    fileprivate var messages: String {
        String(decoding: Data.contents(directory.file("up.err")), as: UTF8.self)
    }
}
