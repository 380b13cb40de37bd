import Database
import EnrollmentTesting
import Testing

/// Reading one state of a database ahead of who takes the rows.
struct SnapshotReaderTests {
    private static func numbers(_ stream: RowStream) throws -> [Int64] {
        var (stream, seen): (RowStream, [Int64]) = (stream, [])
        while let row = try stream.next() { seen.append(try row.integer(0)) }
        #expect(try stream.next() == nil)
        return seen
    }

    private static let thousand = Statement("SELECT n FROM generate_series(1, 1000) AS n")

    @Test(arguments: [1, 7, 500, 999, 1_000, 1_001], [1, 3]) func rowsComeInOrder(_ batch: Int, _ depth: Int)
        throws
    {
        let reader = try SnapshotReader(DatabaseFixture().settings)
        #expect(
            try Self.numbers(reader.stream(Self.thousand, batch: batch, depth: depth)) == Array(1...1_000))
        let none = Statement("SELECT n FROM generate_series(1, 0) AS n")
        #expect(try Self.numbers(reader.stream(none, batch: batch, depth: depth)) == [])
    }

    @Test func streamsAreReadSideBySide() throws {
        let reader = try SnapshotReader(DatabaseFixture().settings)
        var streams = (0..<30).map { _ in reader.stream(Self.thousand, batch: 10) }
        for number in 1...1_000 {
            for index in streams.indices { #expect(try streams[index].next()?.integer(0) == Int64(number)) }
        }
    }

    @Test func allReadersSeeTheSameState() throws {
        let fixture = try DatabaseFixture()
        let writer = try Connection(fixture.settings)
        _ = try writer.query(insertNote, [.integer(1)])
        let reader = try SnapshotReader(fixture.settings)
        _ = try writer.query(insertNote, [.integer(2)])
        let other = try reader.another()
        _ = try writer.query(insertNote, [.integer(3)])
        let notes = Statement("SELECT id FROM public.note ORDER BY id")
        #expect(try Self.numbers(reader.stream(notes, batch: 5)) == [1])
        #expect(try Self.numbers(other.stream(notes, batch: 5)) == [1])
        #expect(try other.query(notes).map { row in try row.integer(0) } == [1])
        #expect(throws: DatabaseError.self) { try other.query(insertNote, [.integer(4)]) }
        #expect(try fixture.notes() == 3)
    }

    @Test func whatFailsIsToldEachTime() throws {
        let reader = try SnapshotReader(DatabaseFixture().settings)
        var missing = reader.stream(Statement("SELECT n FROM public.nowhere"), batch: 5)
        for _ in 0..<2 { #expect(throws: DatabaseError.self) { try missing.next() } }
        let late = Statement("SELECT 1 / (12 - n) FROM generate_series(1, 100) AS n")
        for depth in [1, 3] {
            var divided = try SnapshotReader(DatabaseFixture().settings).stream(late, batch: 5, depth: depth)
            for _ in 1...10 { #expect(try divided.next() != nil) }
            for _ in 0..<2 { #expect(throws: DatabaseError.self) { try divided.next() } }
        }
    }

    @Test func whoCannotBeReachedIsTold() throws {
        let nowhere = ConnectionSettings(["host": "/nonexistent", "dbname": "x"])
        #expect(throws: DatabaseError.self) { try SnapshotReader(nowhere) }
    }
}
