import EnrollmentCore
import EnrollmentTesting
import Ledger
import Sequencing
import Synchronization
import Testing
import TransparencyLog

/// Several sequencers on one log.
struct LeadershipTests {
    /// Within its lease of 5 seconds, an attempt each second, and what a busy machine adds.
    @Test func aKilledLeaderIsReplaced() async throws {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(10)
        do {
            let killed = fixture.sequencer("killed", pace: Sequencer.Pace())
            #expect(try await killed.step() == .appended(10))
        }
        let successor = fixture.sequencer("successor", pace: Sequencer.Pace())
        let running = Task { try await successor.run() }
        try fixture.addEntries(10)
        #expect(try await eventually(within: .seconds(60)) { try fixture.count("checkpoint") == 2 })
        running.cancel()
        try await running.value
        try await fixture.expectSoundLog()
    }

    @Test func aReleasedLeaseIsTakenAtOnce() async throws {
        let fixture = try await SequencingFixture()
        let (first, second) = (fixture.sequencer("a"), fixture.sequencer("b"))
        #expect(try await first.step() == .appended(0))
        #expect(try await second.step() == .following)
        await first.resign()
        #expect(try await second.step() == .appended(0))
        #expect(try await first.step() == .following)
    }

    /// Whoever died before the database's clock was set back an hour leads no longer for that.
    @Test func aLeaseFromTheFutureHoldsNobodyUp() async throws {
        let fixture = try await SequencingFixture()
        let (dead, next) = (fixture.sequencer("dead"), fixture.sequencer("next"))
        #expect(try await dead.step() == .appended(0))
        #expect(try await next.step() == .following)
        try fixture.cluster.superuser(
            "UPDATE ledger.lease SET expires_at = expires_at + interval '1 hour'", database: fixture.database)
        #expect(try await next.step() == .appended(0))
    }

    @Test func aZombieWritesNothing() async throws {
        let fixture = try await SequencingFixture()
        let (zombie, leader) = (fixture.sequencer("zombie"), fixture.sequencer("leader"))
        try fixture.addEntries(5)
        #expect(try await zombie.step() == .appended(5))
        try fixture.expireLease()
        try fixture.addEntries(5)
        #expect(try await leader.step() == .appended(5))
        try fixture.addEntries(5)
        #expect(try await zombie.step() == .following)
        #expect(try await zombie.step() == .following)
        #expect(try fixture.count("pending_leaf") == 5)
        #expect(try await leader.step() == .appended(5))
        try await fixture.expectSoundLog()
    }

    /// The zombie has read what waits; before it writes, another leads and has taken the same entries, or
    /// has taken none, so that nothing but the lease stands against the zombie.
    @Test(arguments: [true, false])
    func aZombieThatWakesBeforeItsWriteIsRefused(entriesWereTaken: Bool) async throws {
        let fixture = try await SequencingFixture()
        let leader = fixture.sequencer("leader") { entriesWereTaken }
        let calls = Mutex(0)
        let zombie = fixture.sequencer("zombie") {
            let call = calls.withLock { count in
                count += 1
                return count
            }
            if call == 2 {
                try? fixture.expireLease()
                _ = try? await leader.step()
            }
            return true
        }
        try fixture.addEntries(5)
        #expect(try await zombie.step() == .following)
        #expect(await leader.epoch == 2)
        #expect(try fixture.count("leaf") == (entriesWereTaken ? 5 : 0))
        #expect(try fixture.count("pending_leaf") == (entriesWereTaken ? 0 : 5))
        #expect(try fixture.number("SELECT count(*) FROM ledger.tree_head WHERE sequencer = 'zombie'") == 0)
    }

    @Test func aHeadThatWasNotSignedIsSignedByTheNext() async throws {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(7)
        let calls = Mutex(0)
        let crashed = fixture.sequencer("crashed") {
            calls.withLock { count in
                count += 1
                return count <= 2
            }
        }
        #expect(try await crashed.step() == .appended(7))
        #expect(try fixture.count("tree_head") == 1)
        #expect(try fixture.count("checkpoint") == 0)
        try fixture.expireLease()
        let next = fixture.sequencer("next")
        #expect(try await next.step() == .appended(0))
        let head = try required(try await fixture.log.latestHead())
        let note = try required(try await fixture.log.latestCheckpoint()).signedNote()
        let expected = Checkpoint(origin: SequencingFixture.origin, size: 7, root: head.root)
        #expect(try note.checkpoint() == expected)
        // The crashed one comes back and would sign it too.
        let late = try await crashed.step()
        #expect(late == .following || late == .held)
        try await fixture.expectSoundLog()
    }

    @Test func aHeadIsSignedBeforeAnotherIsMade() async throws {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(7)
        let calls = Mutex(0)
        let slow = fixture.sequencer("slow") {
            calls.withLock { count in
                count += 1
                return count != 3
            }
        }
        #expect(try await slow.step() == .appended(7))
        try fixture.addEntries(2)
        #expect(try await slow.step() == .appended(2))
        #expect(try fixture.count("checkpoint") == 2)
        try await fixture.expectSoundLog()
    }

    /// Sixty-four writers at several gateways, two sequencers, and leases that end all the time.
    @Test func fightingSequencersMakeOneLog() async throws {
        let fixture = try await SequencingFixture()
        let isWriting = Flag(true)
        try await withThrowingTaskGroup { group in
            for name in ["a", "b"] {
                let sequencer = fixture.sequencer(name)
                group.addTask {
                    while try isWriting.value || fixture.count("pending_leaf") > 0 {
                        _ = try await sequencer.step()
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
            }
            group.addTask {
                while isWriting.value {
                    try fixture.expireLease()
                    try await Task.sleep(for: .milliseconds(60))
                }
                try fixture.expireLease()
            }
            group.addTask {
                try await write(fixture)
                isWriting.value = false
            }
            try await group.waitForAll()
        }
        #expect(try fixture.count("entry") == 64 * 16)
        // How often it changed hands is for the machine's load to say.
        #expect(try fixture.number("SELECT count(DISTINCT sequencer) FROM ledger.tree_head") >= 1)
        try await fixture.expectSoundLog()
    }

    private func write(_ fixture: SequencingFixture) async throws {
        let ledgers = ["gw-1", "gw-2", "gw-3"].map { fixture.ledger($0) }
        try await withThrowingTaskGroup { group in
            for writer in 0..<64 {
                let ledger = ledgers[writer % 3]
                group.addTask {
                    for number in 0..<16 {
                        let event = AdminEvent(
                            at: ManualClock().now(), actor: "writer \(writer)", action: "test",
                            target: "\(number)", reason: "load")
                        try await ledger.append(event)
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
