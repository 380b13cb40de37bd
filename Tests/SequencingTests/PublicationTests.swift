import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Sequencing
import Testing
import TransparencyLog

/// Where checkpoints are kept outside the database.
struct PublicationTests {
    private let folder: TemporaryFolder
    private let fixture: SequencingFixture

    init() async throws {
        folder = try TemporaryFolder()
        fixture = try await SequencingFixture()
    }

    @Test func aFolderIsAMirrorOfTheTree() async throws {
        let publication = DirectoryPublication(
            name: "mirror", folder: folder.path + "/a/b", key: fixture.signer.verifierKey)
        let sequencer = fixture.sequencer("a", publisher: fixture.publisher([publication]))
        #expect(try await publication.largestCheckpoint() == nil)
        for count in [300, 10, 300] {
            try fixture.addEntries(count)
            _ = try await sequencer.step()
            await sequencer.publish()
        }
        let mirror = Mirror(folder: folder.path + "/a/b")
        let note = try SignedNote(parsing: try mirror.text("checkpoint"))
        let newest = try note.checkpoint()
        #expect(newest.size == 610)
        #expect(try await publication.largestCheckpoint() == note)
        for size in [300, 310, 610] {
            let kept = try mirror.text("checkpoints/00000000000000000\(size)")
            let old = try SignedNote(parsing: kept).checkpoint()
            let proof = try await MerkleProof.consistency(from: old.size, to: newest.size, from: mirror)
            #expect(
                MerkleProof.verifyConsistency(proof, from: old.size, old.root, to: newest.size, newest.root))
        }
        let index: Int64 = 609
        let leaf = try required(try await fixture.log.leafHashes(from: index, count: 1).first)
        let proof = try await MerkleProof.inclusion(index: index, size: newest.size, from: mirror)
        #expect(
            MerkleProof.verifyInclusion(
                proof, leaf: leaf, index: index, size: newest.size, root: newest.root))
    }

    @Test func aFolderIsWrittenOnce() async throws {
        let fresh = {
            DirectoryPublication(name: "mirror", folder: folder.path, key: fixture.signer.verifierKey)
        }
        let first = try await checkpoint(after: 5)
        try await fresh().publish(first, tiles: fixture.tiles)
        let path = folder.path + "/checkpoints/00000000000000000005"
        #expect(try permissions(path) == 0o444)
        // Again, also after a restart, and an older one.
        let second = try await checkpoint(after: 5)
        try await fresh().publish(second, tiles: fixture.tiles)
        try await fresh().publish(second, tiles: fixture.tiles)
        try await fresh().publish(first, tiles: fixture.tiles)
        #expect(try await fresh().largestCheckpoint() == second)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == first.encoded)
        // Cosignatures come into the file that may be replaced, and into no other.
        let cosigned = SignedNote(
            text: second.text, signatures: second.signatures + [try NoteSignature(parsing: "— w AAAAAAAA")])
        try await fresh().publish(cosigned, tiles: fixture.tiles)
        #expect(try String(contentsOfFile: folder.path + "/checkpoint", encoding: .utf8) == cosigned.encoded)
        #expect(try await fresh().largestCheckpoint() == second)
        let other = try NoteSigner(
            name: "other.example/log", privateKey: Secret([UInt8](repeating: 1, count: 32)))
        let text = Checkpoint(origin: "other.example/log", size: 20, root: MerkleHash.empty).text
        let foreign = SignedNote(text: text, signatures: [try other.sign(text)])
        await expectConflict { () async throws(PublicationError) in
            try await fresh().publish(foreign, tiles: fixture.tiles)
        }
    }

    @Test(arguments: ["checkpoints/00000000000000000010", "tile/0/000.p/10"])
    func anotherFileInItsPlaceStopsAFolder(_ taken: String) async throws {
        let publication = DirectoryPublication(
            name: "mirror", folder: folder.path, key: fixture.signer.verifierKey)
        let publisher = fixture.publisher([publication])
        let sequencer = fixture.sequencer("a", publisher: publisher)
        try fixture.addEntries(5)
        _ = try await sequencer.step()
        await sequencer.publish()
        let path = folder.path + "/" + taken
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data("forged".utf8).write(to: URL(fileURLWithPath: path))
        for lag in [Int64(5), 10] {
            try fixture.addEntries(5)
            #expect(try await sequencer.step() == .appended(5))
            await sequencer.publish()
            let status = try required(await publisher.status.first)
            #expect(status.isStopped)
            #expect(status.failure?.contains("something else") == true)
            #expect(status.size == 5)
            #expect(status.lag == lag)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "forged")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/checkpoints/00000000000000000015"))
        #expect(try fixture.count("checkpoint") == 3)
    }

    @Test func aFileOnlyGrows() async throws {
        let path = folder.path + "/log.txt"
        let fresh = { AppendFilePublication(name: "file", path: path, key: fixture.signer.verifierKey) }
        #expect(try await fresh().largestCheckpoint() == nil)
        var notes: [SignedNote] = []
        for _ in 0..<3 {
            let note = try await checkpoint(after: 2)
            try await fresh().publish(note, tiles: fixture.tiles)
            try await fresh().publish(note, tiles: fixture.tiles)
            notes.append(note)
        }
        try await fresh().publish(notes[0], tiles: fixture.tiles)
        let whole = notes.map { $0.encoded + "\n" }.joined()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
        #expect(try await fresh().largestCheckpoint() == notes[2])
        let forked = Checkpoint(origin: SequencingFixture.origin, size: 6, root: MerkleHash.empty).text
        let fork = SignedNote(text: forked, signatures: [try fixture.signer.sign(forked)])
        await expectConflict { () async throws(PublicationError) in
            try await fresh().publish(fork, tiles: fixture.tiles)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
    }

    @Test func anInterruptedAppendIsClosed() async throws {
        let whole = try await checkpoint(after: 2)
        let torn = try await checkpoint(after: 2)
        let next = try await checkpoint(after: 2)
        let lost = Array((torn.encoded + "\n").utf8)
        for length in 1..<lost.count {
            let path = folder.path + "/log-\(length).txt"
            try Data(Array((whole.encoded + "\n").utf8) + lost.prefix(length)).write(
                to: URL(fileURLWithPath: path))
            let publication = AppendFilePublication(name: "file", path: path, key: fixture.signer.verifierKey)
            #expect(try await publication.largestCheckpoint() == whole, "\(length)")
            try await publication.publish(next, tiles: fixture.tiles)
            #expect(try await publication.largestCheckpoint() == next, "\(length)")
        }
    }

    @Test func aLargeFileIsReadFromItsEnd() async throws {
        let path = folder.path + "/log.txt"
        let note = try await checkpoint(after: 1)
        let record = note.encoded + "\n"
        let many = String(repeating: record, count: 300_000 / record.utf8.count + 10)
        try Data(many.utf8).write(to: URL(fileURLWithPath: path))
        let publication = AppendFilePublication(name: "file", path: path, key: fixture.signer.verifierKey)
        #expect(try await publication.largestCheckpoint() == note)
        try Data((record + String(repeating: "x\n", count: 200_000)).utf8).write(
            to: URL(fileURLWithPath: path))
        #expect(try await publication.largestCheckpoint() == note)
    }

    @Test func aFailureDelaysNothingAndEndsByItself() async throws {
        let blocked = folder.path + "/blocked"
        try Data().write(to: URL(fileURLWithPath: blocked))
        let publisher = fixture.publisher([
            DirectoryPublication(
                name: "blocked", folder: blocked + "/mirror", key: fixture.signer.verifierKey),
            AppendFilePublication(
                name: "file", path: folder.path + "/log.txt", key: fixture.signer.verifierKey),
        ])
        let sequencer = fixture.sequencer("a", publisher: publisher)
        for _ in 0..<2 {
            try fixture.addEntries(5)
            #expect(try await sequencer.step() == .appended(5))
            await sequencer.publish()
        }
        var status = await publisher.status
        #expect(status.map(\.lag) == [10, 0])
        #expect(status.map(\.size) == [0, 10])
        #expect(status.map { $0.failure == nil } == [false, true])
        #expect(status.map(\.isStopped) == [false, false])
        try FileManager.default.removeItem(atPath: blocked)
        await sequencer.publish()
        status = await publisher.status
        #expect(status.map(\.lag) == [0, 0])
        #expect(status.map(\.failure) == [nil, nil])
    }

    /// A database set back to before what is published is not extended, whoever restarts what.
    @Test func aPublishedCheckpointStopsAnOlderLog() async throws {
        let publication = AppendFilePublication(
            name: "file", path: folder.path + "/log.txt", key: fixture.signer.verifierKey)
        let text = Checkpoint(origin: SequencingFixture.origin, size: 12, root: MerkleHash.empty).text
        try await publication.publish(
            SignedNote(text: text, signatures: [try fixture.signer.sign(text)]), tiles: fixture.tiles)
        for count in [5, 7] {
            // Too short first, then of that size with another root.
            let before = fixture.sequencer("before")
            try fixture.addEntries(count)
            _ = try await before.step()
            await before.resign()
            let sequencer = fixture.sequencer("a", publisher: fixture.publisher([publication]))
            let error = await #expect(throws: SequencerError.self) { try await sequencer.step() }
            guard case .rolledBack = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            try fixture.expireLease()
        }
        #expect(try fixture.count("leaf") == 12)
    }

    private func checkpoint(after entries: Int) async throws -> SignedNote {
        try fixture.addEntries(entries)
        let sequencer = fixture.sequencer("one of many")
        #expect(try await sequencer.step() == .appended(entries))
        await sequencer.resign()
        return try required(try await fixture.log.latestCheckpoint()).signedNote()
    }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func expectConflict(_ body: () async throws(PublicationError) -> Void) async {
        do throws(PublicationError) {
            try await body()
            Issue.record("published")
        } catch {
            guard case .conflict = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}

/// The tiles as a client of a static mirror finds them.
private struct Mirror: TileReader {
    let folder: String

    func hashes(of address: TileAddress) async throws -> [Digest] {
        let octets = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(address.path)"))
        return try required(Tile.hashes(in: Array(octets)))
    }

    func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
    }
}
