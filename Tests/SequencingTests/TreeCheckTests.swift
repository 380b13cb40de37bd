import EnrollmentCore
import Ledger
import Sequencing
import Testing
import TransparencyLog

/// Tree heads that are not the roots of their leaves.
struct TreeCheckTests {
    @Test func aWrongRootIsFoundHoweverTheTreeGrew() async throws {
        let fixture = try await SequencingFixture()
        let check = TreeCheck(fixture.log)
        let sequencer = fixture.sequencer("a")
        var heads: [LogTreeHead] = []
        for count in [3, 300, 1, 1_000, 1] {
            try fixture.addEntries(count)
            #expect(try await sequencer.step() == .appended(count))
            let head = try required(try await fixture.log.latestHead())
            #expect(try await check.agrees(LogTreeHead(size: head.size, root: MerkleHash.empty)) == false)
            for check in [check, TreeCheck(fixture.log)] { #expect(try await check.agrees(head)) }
            heads.append(head)
        }
        // The one before the newest is in the tree too, and not its head.
        #expect(try await check.agrees(LogTreeHead(size: 1_305, root: heads[3].root)) == false)
        #expect(try await check.agrees(LogTreeHead(size: 1_306, root: heads[4].root)) == false)
    }

    /// Tiles that agree with a forged root do not excuse it: the leaves do not.
    @Test func aForgedTileIsNotBelieved() async throws {
        let fixture = try await SequencingFixture()
        let check = TreeCheck(fixture.log)
        try fixture.addEntries(255)
        let sequencer = fixture.sequencer("a")
        #expect(try await sequencer.step() == .appended(255))
        #expect(try await check.agrees(try required(try await fixture.log.latestHead())))
        try fixture.addEntries(1)
        #expect(try await sequencer.step() == .appended(1))
        var forged = TreeBuilder()
        let tile = try required((0..<256).flatMap { _ in forged.append(MerkleHash.empty) }.first)
        try fixture.tamper("tile", "UPDATE ledger.tile SET hashes = '\\x\(Hex.encode(tile.octets))'")
        let head = LogTreeHead(size: 256, root: forged.root())
        #expect(try await TreeCheck(fixture.log).agrees(head), "the tiles alone")
        #expect(try await check.agrees(head) == false)
    }

    /// A database that was set back and went on otherwise is judged by what it holds.
    @Test func anotherDatabaseIsReadAnew() async throws {
        let fixture = try await SequencingFixture()
        let check = TreeCheck(fixture.log)
        try fixture.addEntries(10)
        let before = fixture.sequencer("before")
        #expect(try await before.step() == .appended(10))
        #expect(try await check.agrees(try required(try await fixture.log.latestHead())))
        await before.resign()
        for table in ["checkpoint", "tree_head", "leaf"] {
            try fixture.tamper(table, "DELETE FROM ledger.\(table)")
        }
        try fixture.addEntries(12)
        let after = fixture.sequencer("after")
        #expect(try await after.step() == .appended(12))
        #expect(try await check.agrees(try required(try await fixture.log.latestHead())))
    }
}
