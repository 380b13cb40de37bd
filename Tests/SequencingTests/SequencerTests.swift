import EnrollmentCore
import EnrollmentTesting
import Ledger
import Sequencing
import Synchronization
import Testing
import TransparencyLog

/// One sequencer on a log.
struct SequencerTests {
    @Test func entriesBecomeLeavesOfASignedTree() async throws {
        let fixture = try await SequencingFixture()
        let sequencer = fixture.sequencer("a")
        #expect(try await sequencer.step() == .appended(0))
        var total = 0
        for count in [1, 2, 253, 1, 300, 999] {
            try fixture.addEntries(count)
            #expect(try await sequencer.step() == .appended(count))
            total += count
            #expect(try await fixture.log.latestHead()?.size == Int64(total))
        }
        try await fixture.expectSoundLog()
        #expect(try fixture.count("tile") == total / 256)
    }

    @Test func aSuccessorMakesTheSameTree() async throws {
        let fixture = try await SequencingFixture()
        for round in 0..<6 {
            let sequencer = fixture.sequencer("round \(round)")
            try fixture.addEntries(97)
            #expect(try await sequencer.step() == .appended(97))
            await sequencer.resign()
        }
        try await fixture.expectSoundLog()
    }

    @Test func aBacklogIsTakenUpWithoutPauses() async throws {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(6_500)
        var pace = Sequencer.Pace()
        pace.extending = .seconds(300)
        let sequencer = fixture.sequencer("a", pace: pace)
        let running = Task { try await sequencer.run() }
        #expect(try await eventually(within: .seconds(60)) { try fixture.count("pending_leaf") == 0 })
        running.cancel()
        try await running.value
        #expect(try fixture.number("SELECT max(tree_size) FROM ledger.checkpoint") == 6_500)
        #expect(await sequencer.epoch == nil)
        #expect(try fixture.number("SELECT count(*) FROM ledger.lease WHERE expires_at > now()") == 0)
    }

    @Test func proofsFollowFromStoredTiles() async throws {
        let fixture = try await SequencingFixture()
        let sequencer = fixture.sequencer("a")
        var sizes: [Int64] = []
        for count in [5, 251, 400, 1, 111] {
            try fixture.addEntries(count)
            _ = try await sequencer.step()
            sizes.append(try required(try await fixture.log.latestHead()).size)
        }
        let newest = try required(try await fixture.log.latestHead())
        let leaves = try await fixture.log.leafHashes(from: 0, count: 768)
        for index in [Int64(0), 4, 255, 256, 511, 767] {
            let proof = try await MerkleProof.inclusion(index: index, size: newest.size, from: fixture.tiles)
            let leaf = leaves[Int(index)]
            #expect(
                MerkleProof.verifyInclusion(
                    proof, leaf: leaf, index: index, size: newest.size, root: newest.root))
        }
        for size in sizes {
            let old = try required(try await fixture.log.head(size: size))
            let proof = try await MerkleProof.consistency(from: size, to: newest.size, from: fixture.tiles)
            #expect(
                MerkleProof.verifyConsistency(proof, from: size, old.root, to: newest.size, newest.root))
        }
        for address in [
            TileAddress(level: 0, index: 3, width: 1), TileAddress(level: 1, index: 0, width: 4),
            TileAddress(level: 0, index: .max, width: 1), TileAddress(level: 9, index: 0, width: 1),
        ] {
            await #expect(throws: LogTiles.Missing.self) { try await fixture.tiles.hashes(of: address) }
        }
    }

    @Test func theReadSideFindsLeavesAndCheckpoints() async throws {
        let fixture = try await SequencingFixture()
        let log = fixture.postgresLog("b")
        #expect(try await fixture.log.latestHead() == nil)
        #expect(try await fixture.log.latestCheckpoint() == nil)
        try fixture.addEntries(2)
        let waiting = try await fixture.log.pending(limit: 10)
        #expect(try await fixture.log.leafIndex(entry: waiting[1].entry) == nil)
        let sequencer = fixture.sequencer("a")
        _ = try await sequencer.step()
        try fixture.addEntries(1)
        _ = try await sequencer.step()
        #expect(try await fixture.log.leafIndex(entry: waiting[1].entry) == 1)
        let epoch = try required(await sequencer.epoch)
        try await log.addCosignature(epoch: epoch, size: 2, witness: "w", line: "— w AAAAAAAA")
        #expect(try await fixture.log.latestCheckpoint()?.size == 3)
        let cosigned = try required(try await fixture.log.checkpoint(atLeast: 1, cosignatures: 1))
        #expect(cosigned.size == 2)
        #expect(try cosigned.signedNote().signatures.map(\.name) == [SequencingFixture.origin, "w"])
        #expect(try await fixture.log.checkpoint(atLeast: 4) == nil)
        #expect(try await fixture.log.checkpoints(limit: 1).map(\.size) == [3])
    }

    @Test func nothingIsWrittenWhileItMayNot() async throws {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(3)
        let isAllowed = Mutex(false)
        let allowed: @Sendable () async -> Bool = { isAllowed.withLock { $0 } }
        let sequencer = fixture.sequencer("a", mayExtend: allowed)
        #expect(try await sequencer.step() == .held)
        #expect(try fixture.count("leaf") == 0)
        isAllowed.withLock { $0 = true }
        #expect(try await sequencer.step() == .appended(3))
        try await fixture.expectSoundLog()
    }

    @Test func tamperingIsNoticedByWhoTakesOver() async throws {
        let changes = [
            ("leaf", "UPDATE ledger.leaf SET leaf_hash = sha256('x') WHERE leaf_index = 300"),
            ("leaf", "DELETE FROM ledger.leaf WHERE leaf_index = 300"),
            ("tile", "UPDATE ledger.tile SET hashes = overlay(hashes PLACING '\\x00ff'::bytea FROM 77)"),
            ("tile", "DELETE FROM ledger.tile"),
            ("tree_head", "UPDATE ledger.tree_head SET root_hash = sha256('x') WHERE tree_size = 310"),
            ("checkpoint", "UPDATE ledger.checkpoint SET note = replace(note, E'\\n310\\n', E'\\n311\\n')"),
        ]
        for (table, change) in changes {
            let fixture = try await SequencingFixture()
            try fixture.addEntries(310)
            let first = fixture.sequencer("a")
            _ = try await first.step()
            await first.resign()
            try fixture.tamper(table, change)
            try fixture.addEntries(1)
            let next = fixture.sequencer("b")
            let error = await #expect(throws: SequencerError.self, "\(change)") {
                try await next.step()
            }
            guard case .tampered = error else {
                Issue.record("\(change): \(String(describing: error))")
                continue
            }
            #expect(try fixture.count("pending_leaf") == 1)
        }
    }

    @Test func aLogSetBackUnderItsFeetStopsIt() async throws {
        let fixture = try await SequencingFixture()
        let sequencer = fixture.sequencer("a")
        for _ in 0..<3 {
            try fixture.addEntries(10)
            _ = try await sequencer.step()
        }
        try fixture.tamper("checkpoint", "DELETE FROM ledger.checkpoint WHERE tree_size > 10")
        try fixture.tamper("tree_head", "DELETE FROM ledger.tree_head WHERE tree_size > 10")
        try fixture.tamper("leaf", "DELETE FROM ledger.leaf WHERE leaf_index >= 10")
        try fixture.addEntries(30)
        #expect(try await sequencer.step() == .following)
        let error = await #expect(throws: SequencerError.self) { try await sequencer.step() }
        guard case .rolledBack = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try fixture.number("SELECT max(tree_size) FROM ledger.tree_head") == 10)
    }

    @Test func aRestartedDatabaseIsTakenUpAgain() async throws {
        let cluster = try PostgresCluster.separate()
        defer { cluster.remove() }
        let fixture = try await SequencingFixture(cluster)
        try fixture.addEntries(20)
        let sequencer = fixture.sequencer("a")
        let running = Task { try await sequencer.run() }
        #expect(try await eventually(within: .seconds(60)) { try fixture.count("checkpoint") == 1 })
        try cluster.stop(immediate: true)
        try await Task.sleep(for: .milliseconds(700))
        try cluster.start()
        try fixture.addEntries(20)
        #expect(try await eventually(within: .seconds(60)) { try fixture.count("checkpoint") == 2 })
        running.cancel()
        try await running.value
        try await fixture.expectSoundLog()
    }
}
