import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Sequencing
import Testing
import TransparencyLog

/// What others put into a place of publication must not hide what the log has published there.
struct ForeignNoteTests {
    private let folder: TemporaryFolder
    private let fixture: SequencingFixture

    init() async throws {
        folder = try TemporaryFolder()
        fixture = try await SequencingFixture()
    }

    private var path: String { folder.path + "/log.txt" }

    private func file() -> AppendFilePublication {
        AppendFilePublication(name: "file", path: path, key: fixture.signer.verifierKey)
    }

    private func mirror() -> DirectoryPublication {
        DirectoryPublication(
            name: "mirror", folder: folder.path + "/mirror", key: fixture.signer.verifierKey)
    }

    @Test func anUnsignedNoteHidesNothingInAFile() async throws {
        let kept = try await published(to: file())
        try append(forged(size: 999_999).encoded + "\n")
        let content = try await file().content()
        #expect(content.largest == kept)
        #expect(content.foreign.count == 1 && content.foreign[0].contains("999999"), "\(content.foreign)")
        try await expectNoFork(in: file())
    }

    /// Also not one that the key has signed, with more behind it than anybody reads from the end.
    @Test func anOldNoteHidesNothingInAFile() async throws {
        let first = try await published(to: file())
        let kept = try await published(to: file())
        let opened = file()
        #expect(try await opened.largestCheckpoint() == kept)
        for _ in 0..<3 {
            let record = first.encoded + "\n"
            try append(String(repeating: record, count: 300_000 / record.utf8.count))
            #expect(try await opened.largestCheckpoint() == kept)
            #expect(try await file().largestCheckpoint() == kept)
        }
    }

    @Test func manyUnsignedNotesHideNothingInAFile() async throws {
        let kept = try await published(to: file())
        for size in 0..<250 { try append(forged(size: 1_000 + Int64(size)).encoded + "\n") }
        let content = try await file().content()
        #expect(content.largest == kept)
        #expect(content.foreign.count == 5)
        let next = try await published(to: file())
        #expect(try await file().largestCheckpoint() == next)
    }

    @Test(arguments: ["00000000000000999999", "99999999999999999999"])
    func anEmptyFileHidesNothingInAFolder(_ name: String) async throws {
        let kept = try await published(to: mirror())
        try write("", to: "mirror/checkpoints/" + name)
        #expect(try await mirror().largestCheckpoint() == kept)
        #expect(try await mirror().content().foreign.count == 1)
        // Nor does a signed note under another size.
        try write(kept.encoded, to: "mirror/checkpoints/00000000000000888888")
        #expect(try await mirror().largestCheckpoint() == kept)
        try await expectNoFork(in: mirror())
        // Nor is the history beyond it out of sight.
        try FileManager.default.removeItem(atPath: folder.path + "/mirror/checkpoint")
        #expect(try await mirror().largestCheckpoint() == kept)
        try await expectNoFork(in: mirror())
    }

    /// Without its history, the newest checkpoint is in a folder still.
    @Test func theNewestCheckpointOfAFolderCounts() async throws {
        let kept = try await published(to: mirror())
        try FileManager.default.removeItem(atPath: folder.path + "/mirror/checkpoints")
        #expect(try await mirror().largestCheckpoint() == kept)
    }

    @Test func aConvertedFileIsReadAndNotWritten() async throws {
        _ = try await published(to: file())
        let kept = try await published(to: file())
        let opened = file()
        #expect(try await opened.largestCheckpoint() == kept)
        let converted = try String(contentsOfFile: path, encoding: .utf8)
            .replacingOccurrences(of: "\n", with: "\r\n")
        try write(converted, to: "log.txt")
        for publication in [opened, file()] {
            #expect(try await publication.largestCheckpoint() == kept)
            await expectConflict("CR LF") { () async throws(PublicationError) in
                try await publication.publish(kept, tiles: fixture.tiles)
            }
        }
        try await expectNoFork(in: file())
        #expect(try String(contentsOfFile: path, encoding: .utf8) == converted)
    }

    @Test(arguments: ["log.txt", "mirror/checkpoint", "mirror/checkpoints/00000000000000000007"])
    func aPlaceWithNothingOfOursIsNone(_ name: String) async throws {
        let publication: any CheckpointPublication = name == "log.txt" ? file() : mirror()
        #expect(try await publication.largestCheckpoint() == nil)
        try write(forged(size: 7).encoded + "\n", to: name)
        await expectConflict("holds no checkpoint") { () async throws(PublicationError) in
            _ = try await publication.largestCheckpoint()
        }
        let note = try await checkpoint(after: 5)
        await expectConflict("holds no checkpoint") { () async throws(PublicationError) in
            try await publication.publish(note, tiles: fixture.tiles)
        }
    }

    /// The first append of all was cut short.
    @Test func anInterruptedFirstNoteIsNone() async throws {
        let record = try await checkpoint(after: 2).encoded + "\n"
        let next = try await checkpoint(after: 2)
        for length in 0..<record.utf8.count {
            try write(String(decoding: record.utf8.prefix(length), as: UTF8.self), to: "log.txt")
            guard record.utf8.prefix(length).last.map({ $0 < 0x80 }) ?? true else { continue }
            #expect(try await file().largestCheckpoint() == nil, "\(length)")
            try await file().publish(next, tiles: fixture.tiles)
            #expect(try await file().largestCheckpoint() == next, "\(length)")
        }
    }

    /// Who has never read a place does not extend the log; who has goes on.
    @Test(arguments: [true, false])
    func aPlaceThatCannotBeReadStopsWhoeverHasNotReadIt(isFile: Bool) async throws {
        let publisher = fixture.publisher([isFile ? file() : mirror()])
        let sequencer = fixture.sequencer("a", publisher: publisher)
        let blocked = folder.path + (isFile ? "/log.txt" : "/mirror/checkpoints")
        try block(blocked, isFile)
        try fixture.addEntries(5)
        for _ in 0..<2 { #expect(try await sequencer.step() == .following) }
        #expect(try fixture.count("tree_head") == 0)
        // It does not stand in another's way either.
        let other = fixture.sequencer("b")
        #expect(try await other.step() == .appended(5))
        await other.resign()
        try FileManager.default.removeItem(atPath: blocked)
        #expect(try await sequencer.step() == .appended(0))
        await sequencer.publish()
        await sequencer.resign()
        try FileManager.default.removeItem(atPath: blocked)
        try block(blocked, isFile)
        try fixture.addEntries(5)
        #expect(try await sequencer.step() == .appended(5))
        // Not so a new one.
        await sequencer.resign()
        let fresh = fixture.sequencer("c", publisher: fixture.publisher([isFile ? file() : mirror()]))
        #expect(try await fresh.step() == .following)
    }

    /// Something that is there and cannot be read, also by root.
    private func block(_ path: String, _ isFile: Bool) throws {
        if isFile {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } else {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    /// What another database holds, signed by the same key, gets nowhere.
    private func expectNoFork(in publication: any CheckpointPublication) async throws {
        let before = try contents()
        let other = try await SequencingFixture()
        try other.addEntries(30)
        let sequencer = other.sequencer("other")
        _ = try await sequencer.step()
        let fork = try required(try await other.log.latestCheckpoint()).signedNote()
        await expectConflict("") { () async throws(PublicationError) in
            try await publication.publish(fork, tiles: other.tiles)
        }
        #expect(try contents() == before)
    }

    private func contents() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().map {
            $0 + ":" + ((try? String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8)) ?? "")
        }
    }

    private func forged(size: Int64) -> SignedNote {
        let text = Checkpoint(origin: SequencingFixture.origin, size: size, root: MerkleHash.empty).text
        let other = Checkpoint(origin: SequencingFixture.origin, size: 1, root: MerkleHash.empty).text
        let signature = try? fixture.signer.sign(other)
        return SignedNote(text: text, signatures: [signature].compactMap { $0 })
    }

    private func published(to publication: any CheckpointPublication) async throws -> SignedNote {
        let note = try await checkpoint(after: 5)
        try await publication.publish(note, tiles: fixture.tiles)
        return note
    }

    private func checkpoint(after entries: Int) async throws -> SignedNote {
        try fixture.addEntries(entries)
        let sequencer = fixture.sequencer("one of many")
        #expect(try await sequencer.step() == .appended(entries))
        await sequencer.resign()
        return try required(try await fixture.log.latestCheckpoint()).signedNote()
    }

    private func write(_ text: String, to name: String) throws {
        let file = URL(fileURLWithPath: folder.path + "/" + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    private func append(_ text: String) throws {
        let file = try required(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    private func expectConflict(
        _ words: String, _ body: () async throws(PublicationError) -> Void
    ) async {
        do throws(PublicationError) {
            try await body()
            Issue.record("no conflict")
        } catch {
            guard case .conflict(let what) = error, words.isEmpty || what.contains(words) else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
