import EnrollmentTesting
import Foundation
import Glibc
import Testing

/// `gatehouse sequencer` on the host that has the checkpoint key, beside a gateway that has none.
@Suite struct SequencerTests {
    /// A state for a sequencer alone, as docs/operating/production.md has it made.
    private func state(_ name: String, _ site: ReplicaSite, database: String) throws -> Folder {
        let state = try site.gate.folder(name)
        try state.write(
            """
            instance: \(name)
            database: { host: \(site.cluster.socketDirectory), name: \(database) }
            log: { origin: gatehouse.localhost/replicas }

            """, to: "gatehouse.yaml")
        chmod(state.path, 0o700)
        try give(state, site)
        return state
    }

    private func give(_ state: Folder, _ site: ReplicaSite) throws {
        guard geteuid() == 0 else { return }
        try Tool.succeed("chown", ["-R", "gatehouse:gatehouse", state.path], in: site.gate.directory)
    }

    private func waiting(_ site: ReplicaSite) throws -> String {
        try site.sql("SELECT count(*) FROM ledger.pending_leaf")
    }

    @Test("the log goes on in a process of its own, which leads with the one right key")
    func onAHostOfItsOwn() throws {
        let site = try ReplicaSite(["gate-s"])
        defer { site.remove() }
        let gate = try site.gate
        try waitUntil("there is a checkpoint", within: 30) {
            try site.sql("SELECT count(*) FROM ledger.checkpoint") != "0"
        }
        try gate.stop()
        let own = try state("sequencer", site, database: site.database)
        for (folder, file) in [("secrets", "checkpoint.key"), ("pki", "log.vkey")] {
            try FileManager.default.createDirectory(
                atPath: own.file(folder), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "\(gate.state)/\(folder)/\(file)", toPath: own.file("\(folder)/\(file)"))
        }
        try FileManager.default.removeItem(atPath: "\(gate.state)/secrets/checkpoint.key")
        try give(own, site)
        try gate.up()
        let folder = try gate.folder("sequenced")
        try gate.importDevices([.laptop("LT-SEQ")])
        let certificate = try gate.enrolled("LT-SEQ", in: folder)
        #expect(try waiting(site) != "0", "nobody sequences")

        let key = String(decoding: Data.contents("\(gate.state)/pki/log.vkey").dropLast(), as: UTF8.self)
        let made = try gate.commandAsOwner(["sequencer", "--make-key"], state: own.path)
        #expect(made.status == 0 && made.messages.contains(key), "the key that is there: \(made)")
        let sequencer = try gate.startAsOwner(["sequencer"], state: own.path)
        try waitUntil("every entry is a leaf", within: 30) { try waiting(site) == "0" }
        let receipt = folder.file("receipt")
        let proven = try gate.command(
            ["ledger", "receipt", Judge.serial(certificate, in: folder), "--out", receipt])
        #expect(proven.status == 0, "\(proven)")
        let judged = try Tool.run(
            gate.verifier, ["receipt", receipt, "--key", key, "--certificate", certificate], in: folder)
        #expect(judged.status == 0, "\(judged)")
        try refusals(site, key)
        sequencer.signal(SIGTERM)
        #expect(sequencer.wait(within: 40) == 0, "\(sequencer.messages.suffix(2_000))")
    }

    /// A key that did not sign the newest checkpoint leads nothing, and none is made where one has signed.
    private func refusals(_ site: ReplicaSite, _ key: String) throws {
        let gate = try site.gate
        let bare = try state("bare", site, database: site.database)
        let none = try gate.commandAsOwner(["sequencer"], state: bare.path)
        #expect(none.status == 4 && none.messages.contains("gatehouse sequencer --make-key"), "\(none)")
        let refused = try gate.commandAsOwner(["sequencer", "--make-key"], state: bare.path)
        #expect(refused.status == 3, "\(refused)")
        #expect(refused.messages.contains("the database has a checkpoint of"), "\(refused)")
        #expect(refused.messages.contains("move the key that signed it"), "\(refused)")
        #expect(access(bare.file("secrets/checkpoint.key"), F_OK) != 0)

        let empty = try site.cluster.database(template: "empty") { _ in }
        let foreign = try state("foreign", site, database: empty)
        let made = try gate.commandAsOwner(["sequencer", "--make-key"], state: foreign.path)
        #expect(
            made.status == 0 && made.messages.contains("the log is gatehouse.localhost/replicas+"), "\(made)")
        #expect(!made.messages.contains(key))
        let attributes = try FileManager.default.attributesOfItem(
            atPath: foreign.file("secrets/checkpoint.key"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let secret = Data.contents(foreign.file("secrets/checkpoint.key"))
        let again = try gate.commandAsOwner(["sequencer", "--make-key"], state: foreign.path)
        #expect(
            again.messages == made.messages && Data.contents(foreign.file("secrets/checkpoint.key")) == secret
        )

        let configuration = foreign.file("gatehouse.yaml")
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        try text.replacingOccurrences(of: empty, with: site.database)
            .write(toFile: configuration, atomically: false, encoding: .utf8)
        for verb in [["sequencer"], ["sequencer", "--make-key"]] {
            let wrong = try gate.commandAsOwner(verb, state: foreign.path)
            #expect(wrong.status == 3 && wrong.messages.contains("remedy"), "\(verb): \(wrong)")
        }
        guard geteuid() == 0 else { return }
        let root = try gate.command(["sequencer", "--state", foreign.path], withState: false)
        #expect(root.status == 5 && root.messages.contains("does not run as root"), "\(root)")
    }
}
