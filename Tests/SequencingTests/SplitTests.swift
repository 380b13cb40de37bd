import EnrollmentCore
import Foundation
import Ledger
import Sequencing
import Synchronization
import Testing
import TransparencyLog

/// One key, two histories: what must not come to be, and where it shows.
struct SplitTests {
    /// A standby was promoted while the primary lived on: each has a leader, a lease and the log's key, and
    /// no two of their checkpoints need be of one size.
    @Test(arguments: [true, false])
    func twoDatabasesDoNotShareAPlace(isFolder: Bool) async throws {
        let folder = try TemporaryFolder()
        let (first, second) = (try await SequencingFixture(), try await SequencingFixture())
        let place: @Sendable () -> any CheckpointPublication = {
            let (path, key) = (folder.path + "/log", first.signer.verifierKey)
            return isFolder
                ? DirectoryPublication(name: "place", folder: path, key: key)
                : AppendFilePublication(name: "place", path: path, key: key)
        }
        let (publisher, forked) = (first.publisher([place()]), second.publisher([place()]))
        let leader = first.sequencer("leader", publisher: publisher)
        let promoted = second.sequencer("promoted", publisher: forked)
        // Both lead before anything is published.
        #expect(try await promoted.step() == .appended(0))
        try first.addEntries(300)
        #expect(try await leader.step() == .appended(300))
        await leader.publish()
        for count in [301, 7] {
            try second.addEntries(count)
            #expect(try await promoted.step() == .appended(count))
            await promoted.publish()
            let status = try required(await forked.status.first)
            #expect(status.isStopped && status.failure?.contains("another history") == true, "\(status)")
        }
        try first.addEntries(2)
        #expect(try await leader.step() == .appended(2))
        await leader.publish()
        #expect(await publisher.status.first?.failure == nil)
        let kept = try required(try await place().largestCheckpoint()).checkpoint()
        let head = try required(try await first.log.latestHead())
        #expect(kept.size == 302 && kept.root == head.root)
        if isFolder {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/log/checkpoints")
            #expect(names.compactMap { Int($0) }.sorted() == [300, 302])
        }
        // Whoever takes over in the other database reads what is published and does not begin.
        await promoted.resign()
        let next = second.sequencer("next", publisher: second.publisher([place()]))
        let error = await #expect(throws: SequencerError.self) { try await next.step() }
        guard case .rolledBack = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// What this host could not remember must be nowhere else: neither in the database nor in a publication.
    @Test func aCheckpointThatCannotBeRememberedIsNotReleased() async throws {
        let (fixture, folder) = (try await SequencingFixture(), try TemporaryFolder())
        let place = DirectoryPublication(
            name: "place", folder: folder.path, key: fixture.signer.verifierKey)
        let isFull = Mutex(true)
        let remembered = Mutex<[SignedNote]>([])
        let sequencer = Sequencer(
            log: fixture.postgresLog("a"), signer: fixture.signer, publisher: fixture.publisher([place]),
            pace: SequencingFixture.patient, logger: SequencingFixture.quiet,
            beforeRelease: { note in
                remembered.withLock { $0.append(note) }
                if isFull.withLock({ $0 }) { throw Missing() }
            })
        try fixture.addEntries(5)
        for _ in 0..<3 {
            #expect(try await sequencer.step() == .following)
            await sequencer.publish()
            #expect(try await place.largestCheckpoint() == nil)
            #expect(try fixture.count("checkpoint") == 0)
            #expect(try fixture.count("tree_head") == 1, "no second head before the first is signed")
        }
        isFull.withLock { $0 = false }
        try fixture.addEntries(2)
        #expect(try await sequencer.step() == .appended(2))
        await sequencer.publish()
        let notes = remembered.withLock { $0 }
        #expect(Set(notes.dropLast()).count == 1, "the same note each time")
        #expect(try await place.largestCheckpoint() == notes.last)
        try await fixture.expectSoundLog()
    }

    /// A publication whose end was cut off proves nothing any more; the leader's own memory still does.
    @Test func aTruncatedFileDoesNotExcuseADatabaseSetBack() async throws {
        let (fixture, folder) = (try await SequencingFixture(), try TemporaryFolder())
        let path = folder.path + "/log.txt"
        let place = { AppendFilePublication(name: "file", path: path, key: fixture.signer.verifierKey) }
        let sequencer = fixture.sequencer("a", publisher: fixture.publisher([place()]))
        var ends: [UInt64] = []
        for _ in 0..<2 {
            try fixture.addEntries(10)
            _ = try await sequencer.step()
            await sequencer.publish()
            ends.append(UInt64(try Data(contentsOf: URL(fileURLWithPath: path)).count))
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: ends[0] + (ends[1] - ends[0]) / 2)
        try file.close()
        #expect(try await place().largestCheckpoint()?.checkpoint().size == 10)
        for (table, column) in [("checkpoint", "tree_size"), ("tree_head", "tree_size")] {
            try fixture.tamper(table, "DELETE FROM ledger.\(table) WHERE \(column) > 10")
        }
        try fixture.tamper("leaf", "DELETE FROM ledger.leaf WHERE leaf_index >= 10")
        try fixture.addEntries(30)
        #expect(try await sequencer.step() == .following)
        await #expect(throws: SequencerError.self) { try await sequencer.step() }
        #expect(try fixture.count("tree_head") == 1)
    }
}
