import EnrollmentCore
import Foundation
import Testing

@testable import TransparencyLog

/// Implementations of the log's formats that share nothing with ours accept what we write and refuse it
/// changed: Go's of notes, tiles and trees, proofbundle's of proofs and cosignatures, one in plain Python of
/// all. We accept what Go writes.
@Suite(.serialized)
struct IndependentVerifierTests {
    /// A log of 700 entries in files: `vkey`, `witness`, `receipt`, `older`, `certificate` and the tiles.
    private final class Files {
        let log: LogFixture
        let folder: URL

        init() async throws {
            log = try LogFixture(size: 700)
            folder = FileManager.default.temporaryDirectory.appending(path: "gatehouse-log-\(UUID())")
            for tile in log.tiles(700) { try write(tile.octets, tile.path) }
            try write(Array((log.signer.verifierKey.text + "\n").utf8), "vkey")
            try write(Array(log.witness.cosignerKey.text.utf8), "witness")
            try write(Array(try await log.receipt(300, 700).encoded.utf8), "receipt")
            try write(Array(try log.checkpoint(289).encoded.utf8), "older")
            try write(log.certificate, "certificate")
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func path(_ name: String) -> String { folder.appending(path: name).path }

        func write(_ octets: [UInt8], _ name: String) throws {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(octets).write(to: file)
        }

        /// Changes one octet of a file, and returns what puts it back.
        func change(_ name: String, at offset: (([UInt8]) -> Int)) throws -> () throws -> Void {
            let before = Array(try Data(contentsOf: folder.appending(path: name)))
            var octets = before
            octets[offset(before)] ^= 1
            try write(octets, name)
            return { try self.write(before, name) }
        }

        func go() throws -> IndependentVerifier.Result {
            try IndependentVerifier.go([
                "-witness", path("witness"), "-tiles", folder.path, "-older", path("older"), path("vkey"),
                path("receipt"),
            ])
        }

        func proofbundle() throws -> IndependentVerifier.Result {
            try IndependentVerifier.proofbundle([path("vkey"), path("receipt"), path("witness")])
        }

        func python() throws -> IndependentVerifier.Result {
            try IndependentVerifier.python([
                path("vkey"), path("receipt"), "--certificate", path("certificate"), "--older", path("older"),
                "--tiles", folder.path,
            ])
        }
    }

    @Test("proofbundle accepts our receipt and our witness's cosignature, and refuses them changed")
    func proofbundle() async throws {
        let files = try await Files()
        let accepted = try files.proofbundle()
        #expect(accepted.status == 0, "\(accepted.complaint)")
        let octets = try Data(contentsOf: URL(filePath: files.path("receipt")))
        let receipt = String(decoding: octets, as: UTF8.self)
        let places = ["extra ", "index 300", "\n\n", "\n700\n", "— gate", "— witness"]
        for place in places {
            let range = try #require(receipt.range(of: place))
            // In the entry, in the index, in the last hash, in the size, in a signature.
            let offset = place == "\n\n" ? -5 : place.hasPrefix("—") ? 60 : place == "\n700\n" ? 3 : 8
            let start = receipt[..<range.lowerBound].utf8.count + offset
            let restore = try files.change("receipt") { _ in start }
            let refused = try files.proofbundle()
            #expect(refused.status == 1 && refused.complaint.contains("refused: "), "\(place): \(refused)")
            try restore()
        }
        let other = try NoteSigner(
            name: "witness.example", privateKey: Secret([UInt8](repeating: 7, count: 32)))
        try files.write(Array(other.cosignerKey.text.utf8), "witness")
        #expect(try files.proofbundle().status == 1)
    }

    @Test("both accept our receipt, our witness's cosignature, our tiles and an older checkpoint")
    func accepted() async throws {
        let files = try await Files()
        let go = try files.go()
        #expect(go.status == 0, "\(go.complaint)")
        #expect(go.output.split(separator: "\n").count == 3)
        let python = try files.python()
        #expect(python.status == 0, "\(python.complaint)")
        #expect(python.output.split(separator: "\n").count == 4)
    }

    @Test("both take the line of the key file that has the checkpoint's name")
    func generations() async throws {
        let files = try await Files()
        let key = files.log.signer.verifierKey.text
        let newer = try NoteSigner(
            name: LogFixture.origin + "/1", privateKey: Secret([UInt8](repeating: 7, count: 32))
        ).verifierKey.text
        for lines in ["\(newer)\n\(key)\n", "\(key)\n\(newer)\n"] {
            try files.write(Array(lines.utf8), "vkey")
            #expect(try files.go().status == 0 && files.python().status == 0)
        }
        try files.write(Array("\(newer)\n".utf8), "vkey")
        let (go, python) = (try files.go(), try files.python())
        #expect(go.status == 1 && go.complaint.contains("refused: no key of"), "\(go.complaint)")
        #expect(python.status == 1 && python.complaint.contains("refused: not a"), "\(python.complaint)")
    }

    @Test("both refuse what was changed")
    func refused() async throws {
        let files = try await Files()
        func place(_ text: String) -> ([UInt8]) -> Int {
            { octets in
                let range = String(decoding: octets, as: UTF8.self).range(of: text)
                return range.map { String(decoding: octets, as: UTF8.self)[..<$0.lowerBound].utf8.count } ?? 0
            }
        }
        let changes: [(file: String, offset: ([UInt8]) -> Int, onlyPython: Bool)] = [
            ("receipt", { _ in 40 }, false),  // the entry
            ("receipt", { place("index 300")($0) + 8 }, false),
            ("receipt", { place("\n700\n")($0) + 3 }, false),
            ("receipt", { place("— gate")($0) + 40 }, false),
            ("receipt", { place("\n\n")($0) - 5 }, false),  // the last hash
            ("vkey", { $0.count - 10 }, false),
            ("older", { place("\n289\n")($0) + 3 }, false),
            ("tile/0/001", { _ in 4_000 }, false),
            ("tile/0/002.p/188", { _ in 100 }, false),
            ("certificate", { _ in 3 }, true),
        ]
        for change in changes {
            let restore = try files.change(change.file, at: change.offset)
            let python = try files.python()
            #expect(python.status == 1 && python.complaint.contains("refused: "), "\(change.file)")
            if !change.onlyPython {
                let go = try files.go()
                #expect(go.status == 1 && go.complaint.contains("refused: "), "\(change.file)")
            }
            try restore()
        }
        #expect(try files.go().status == 0 && files.python().status == 0)
    }

    @Test("both refuse another log's history: an older checkpoint that ours does not continue")
    func fork() async throws {
        let files = try await Files()
        let text = Checkpoint(origin: LogFixture.origin, size: 289, root: Digest(of: [1])).text
        let forked = SignedNote(text: text, signatures: [try files.log.signer.sign(text)])
        try files.write(Array(forked.encoded.utf8), "older")
        #expect(try files.go().status == 1)
        #expect(try files.python().status == 1)
    }

    @Test("Go refuses another witness, and a receipt without its cosignature")
    func witness() async throws {
        let files = try await Files()
        let other = try NoteSigner(
            name: "witness.example", privateKey: Secret([UInt8](repeating: 7, count: 32)))
        try files.write(Array(other.cosignerKey.text.utf8), "witness")
        #expect(try files.go().status == 1)
    }

    @Test("we accept a note that Go signed, with a key that Go made")
    func signedByGo() throws {
        let text = Checkpoint(origin: "go.example/log", size: 5, root: MerkleHash.leaf([5])).text
        let result = try IndependentVerifier.go(["-sign", "go.example/log"], input: text)
        #expect(result.status == 0, "\(result.complaint)")
        let lines = result.output.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let key = try NoteVerifierKey(parsing: String(try #require(lines.first)))
        let note = try SignedNote(parsing: String(try #require(lines.last)))
        #expect(key.verify(note) && key.name == "go.example/log")
        #expect(try note.checkpoint().size == 5)
        #expect(!key.verify(SignedNote(text: text + "x\n", signatures: note.signatures)))
    }
}
