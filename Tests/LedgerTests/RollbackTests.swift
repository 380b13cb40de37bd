import Database
import EnrollmentCore
import EnrollmentTesting
import Testing

@testable import Ledger

/// Which losses of the log a recorded act covers, and how the act is recorded.
struct RollbackTests {
    private static func root(_ text: String) -> Digest { Digest(of: Array(text.utf8)) }

    /// The first act gave up what lay between 30 and 100 leaves, the third what lay between 60 and 80. The
    /// second was lost with the database it was recorded in.
    private static let state = LogState(
        head: LogTreeHead(size: 70, root: root("70")), leaves: 70,
        rollbacks: [
            AcceptedRollback(generation: 1, lostSize: 100, lostRoot: root("lost 100"), presentSize: 30),
            AcceptedRollback(generation: 3, lostSize: 80, lostRoot: root("lost 80"), presentSize: 60),
        ])

    @Test(
        "an act covers the loss that was accepted and no other",
        arguments: [
            (0, 30, "30", false),  // was kept: has to be there
            (0, 31, "31", true), (0, 99, "99", true), (0, 100, "lost 100", true),
            (0, 100, "another", false),  // a fork that nobody has seen
            (0, 101, "101", false),  // more than was given up
            (1, 50, "50", false), (1, 61, "61", true), (2, 80, "lost 80", true), (2, 81, "81", false),
            (3, 61, "61", false),  // a second rollback, which nobody has accepted
            (4, 10, "10", false),
        ])
    func coverage(generation: Int64, size: Int64, root: String, isCovered: Bool) {
        let seen = SeenCheckpoint(generation: generation, size: size, root: Self.root(root))
        #expect(Self.state.hasAcceptedLoss(of: seen) == isCovered)
    }

    @Test("a log that forked at the size it was seen at keeps nothing of that size")
    func fork() {
        let state = LogState(
            head: nil, leaves: 0,
            rollbacks: [
                AcceptedRollback(
                    generation: 1, lostSize: 20, lostRoot: Self.root("seen"), presentSize: 25)
            ])
        func covers(_ size: Int64, _ root: String) -> Bool {
            state.hasAcceptedLoss(of: SeenCheckpoint(generation: 0, size: size, root: Self.root(root)))
        }
        #expect(covers(20, "seen") && !covers(20, "other") && !covers(19, "19") && !covers(21, "21"))
    }

    @Test func actIsRecorded() async throws {
        let fixture = try await LedgerFixture()
        let rollback = PostgresRollback(ReadPool(fixture.settings(.sequencer), connections: 1))
        let before = try await rollback.state()
        #expect(before.head == nil && before.rollbacks == [] && before.pending > 0)
        let lost = SeenCheckpoint(generation: 0, size: 9, root: Self.root("9"))
        func act(_ generation: Int64, present: LogTreeHead? = nil) -> RollbackAcceptance {
            RollbackAcceptance(
                generation: generation, lost: lost, present: present, at: fixture.clock.now(),
                actor: "os:jane", reason: "the disk is gone")
        }
        let stale = act(2, present: LogTreeHead(size: 3, root: Self.root("3")))
        func accept(_ act: RollbackAcceptance, isTrial: Bool = false) throws {
            let id = RequestID(at: act.at, random: FreshRandom().octets(10))
            try fixture.custody.accept(act, id: id, isTrial: isTrial)
        }
        #expect(throws: DatabaseError.self) { try accept(stale) }
        #expect(throws: DatabaseError.self) { try accept(stale, isTrial: true) }
        try accept(act(2), isTrial: true)
        #expect(try await rollback.state().rollbacks == [], "a trial records nothing")
        try accept(act(2))
        #expect(throws: DatabaseError.self) { try accept(act(2)) }
        #expect(throws: DatabaseError.self) { try accept(act(1)) }
        let auditor = AuditorQuery(fixture.settings(.auditor))
        #expect(
            try auditor.run("SELECT actor, writer FROM rollbacks", limit: 9).rows
                == [["os:jane", "gatehouse_migrator"]])
        let after = try await rollback.state()
        #expect(
            after.rollbacks
                == [AcceptedRollback(generation: 2, lostSize: 9, lostRoot: lost.root, presentSize: 0)])
        #expect(after.pending == before.pending + 1, "the act is an entry of the log")
        #expect(after.hasAcceptedLoss(of: lost))
        #expect(throws: (any Error).self) {
            try fixture.asOwner("DELETE FROM ledger.rollback")
        }
    }
}
