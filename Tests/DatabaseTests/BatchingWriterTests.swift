import Database
import EnrollmentTesting
import Glibc
import Synchronization
import Testing

@Suite(.serialized) struct BatchingWriterTests {
    @Test func onePoisonedJobHarmsNoOther() async throws {
        let fixture = try DatabaseFixture()
        let writer = BatchingWriter(fixture.settings)
        _ = try await writer.write { connection throws(DatabaseError) in
            try connection.query(insertNoteStrictly, [.integer(7)])
        }
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in Int64(0)..<40 {
                group.addTask {
                    do throws(DatabaseError) {
                        _ = try await writer.write { connection throws(DatabaseError) in
                            try connection.query(insertNoteStrictly, [.integer(number)])
                        }
                        return true
                    } catch {
                        #expect(number == 7 && !error.isTransient)
                        return false
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(outcomes == 39)
        #expect(try fixture.notes() == 40)
    }

    @Test func aSwallowedFailureIsNotReportedAsDurable() async throws {
        let writer = BatchingWriter(try DatabaseFixture().settings)
        await #expect(throws: DatabaseError.self) {
            try await writer.write { connection throws(DatabaseError) in
                do { _ = try connection.query(Statement("SELECT 1/0")) } catch {}
            }
        }
    }

    @Test func aStoppedServerIsUnavailableAndServiceResumes() async throws {
        let fixture = try DatabaseFixture(separate: true)
        defer { fixture.cluster.remove() }
        let writer = BatchingWriter(fixture.settings, waitLimit: .milliseconds(800))
        let reader = ReadPool(fixture.settings, connections: 1, waitLimit: .milliseconds(800))
        @Sendable func note(_ number: Int64) async throws(DatabaseError) {
            _ = try await writer.write { connection throws(DatabaseError) in
                try connection.query(insertNote, [.integer(number)])
            }
        }
        try await note(1)
        try fixture.cluster.stop(immediate: true)
        let started = ContinuousClock.now
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in Int64(2)..<22 {
                group.addTask {
                    do throws(DatabaseError) { try await note(number) } catch { return error.isTransient }
                    return false
                }
            }
            group.addTask {
                do throws(DatabaseError) { try await reader.read { _ in } } catch { return error.isTransient }
                return false
            }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(refused)
        #expect(ContinuousClock.now - started < .seconds(10))
        try fixture.cluster.start()
        try await note(30)
        #expect(try fixture.notes() == 2)
    }

    @Test func anUnknownCommitIsTriedAgain() async throws {
        let fixture = try DatabaseFixture()
        let gate = try CommitCutter(server: fixture.cluster.socketDirectory)
        defer { gate.close() }
        var settings = fixture.settings
        settings.parameters["host"] = gate.directory
        // The cutter relays one connection at a time.
        let writer = BatchingWriter(settings, connections: 1)
        gate.cutNextCommit()
        let runs = Counter()
        _ = try await writer.write { connection throws(DatabaseError) in
            runs.increment()
            return try connection.query(insertNote, [.integer(1)])
        }
        #expect(runs.value == 2)
        #expect(gate.hasCut)
        #expect(try fixture.notes() == 1)
    }

    /// Each job holds what the other wants before it asks for what the other holds.
    @Test func jobsThatDeadlockAreBothDone() async throws {
        let fixture = try DatabaseFixture()
        let writer = BatchingWriter(fixture.settings, connections: 2, batch: 1)
        let arrived = Counter()
        let runs = Counter()
        @Sendable func insert(_ first: Int64, _ second: Int64) async throws(DatabaseError) {
            try await writer.write { connection throws(DatabaseError) in
                runs.increment()
                _ = try connection.query(insertNote, [.integer(first)])
                arrived.increment()
                for _ in 0..<2_000 where arrived.value < 2 { usleep(1_000) }
                _ = try connection.query(insertNote, [.integer(second)])
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await insert(1, 2) }
            group.addTask { try await insert(2, 1) }
            try await group.waitForAll()
        }
        #expect(try fixture.notes() == 2)
        // The one that is ended may be first again, and meet the other again.
        #expect(runs.value >= 3, "PostgreSQL ended one of them, which ran again")
    }

    @Test func aFullQueueIsUnavailable() async throws {
        let writer = BatchingWriter(try DatabaseFixture().settings, connections: 1, capacity: 1)
        let refusals = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    do throws(DatabaseError) {
                        _ = try await writer.write { connection throws(DatabaseError) in
                            try connection.query(Statement("SELECT 1 FROM pg_sleep(0.01)"))
                        }
                        return 0
                    } catch { return error.isTransient ? 1 : 100 }
                }
            }
            return await group.reduce(0, +)
        }
        #expect((1..<50).contains(refusals))
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}
