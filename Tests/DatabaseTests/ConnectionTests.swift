import Database
import Testing

struct ConnectionTests {
    static let echo = Statement(
        "SELECT $1::text, $2::int8, $3::bytea, $4::uuid, $5::bool, $6::timestamptz, $7::text[]")

    @Test func valuesOfEveryTypeComeBack() throws {
        let connection = try Connection(DatabaseFixture().settings)
        let id = [UInt8](0..<16)
        let row = try connection.row(
            Self.echo,
            [
                .text("ä'; DROP"), .integer(.min), .bytes([0, 255]), .uuid(id), .bool(true),
                .timestamp(1_795_348_800_000_001),
                .texts(["a", "", "b,{\""]),
            ])
        #expect(try row.text(0) == "ä'; DROP")
        #expect(try row.integer(1) == .min)
        #expect(try row.bytes(2) == [0, 255])
        #expect(try row.uuid(3) == id)
        #expect(try row.bool(4))
        #expect(try row.timestamp(5) == 1_795_348_800_000_001)
        #expect(try row.texts(6) == ["a", "", "b,{\""])
    }

    @Test func nullsAndWrongTypesAreErrors() throws {
        let connection = try Connection(DatabaseFixture().settings)
        let row = try connection.row(
            Self.echo,
            [.text(nil), .integer(nil), .bytes([]), .uuid(nil), .bool(nil), .timestamp(.max), .texts([])])
        #expect(try row.optionalText(0) == nil)
        #expect(throws: DatabaseError.self) { try row.text(0) }
        #expect(throws: DatabaseError.self) { try row.integer(2) }
        #expect(throws: DatabaseError.self) { try row.text(99) }
        #expect(try row.bytes(2) == [])
        #expect(try row.texts(6) == [])
    }

    @Test func refusalsCarryTheirState() throws {
        let connection = try Connection(DatabaseFixture().settings)
        let error = #expect(throws: DatabaseError.self) { try connection.query(Statement("SELECT 1/0")) }
        guard case .refused(let sqlState, _) = error else {
            Issue.record("not refused")
            return
        }
        #expect(sqlState == "22012")
        #expect(connection.isUsable)
    }

    @Test func aServerThatIsNotThereIsUnavailable() {
        let settings = ConnectionSettings(["host": "/nonexistent", "dbname": "x", "user": "x"])
        let error = #expect(throws: DatabaseError.self) { try Connection(settings) }
        #expect(error?.isTransient == true)
    }

    @Test func statementsAreStoppedInTime() throws {
        var settings = try DatabaseFixture().settings
        settings.statementTimeout = 100
        let connection = try Connection(settings)
        let error = #expect(throws: DatabaseError.self) {
            try connection.query(Statement("SELECT 1 FROM pg_sleep(5)"))
        }
        #expect(error?.isTransient == true)
    }

    @Test func textQueriesTakeOneStatementAndStopAtTheLimit() throws {
        let connection = try Connection(DatabaseFixture().settings)
        let table = try connection.readText(
            "SELECT n AS number, NULL AS nothing FROM generate_series(1, 100000) n", limit: 2)
        #expect(table.columns == ["number", "nothing"])
        #expect(table.rows == [["1", nil], ["2", nil]])
        #expect(table.isTruncated)
        #expect(throws: DatabaseError.self) { try connection.readText("SELECT 1; SELECT 2", limit: 2) }
    }

    @Test(arguments: [0, 1, 999, 1_000, 2_500]) func rowsComeInBatches(_ count: Int64) throws {
        let connection = try Connection(DatabaseFixture().settings)
        try connection.beginSnapshot()
        let numbers = Statement("SELECT n, 'x'::text FROM generate_series(1, $1::int8) AS n")
        var cursor = try connection.cursor(numbers, [.integer(count)], batch: 500)
        var seen: [Int64] = []
        while let rows = try cursor.next() {
            #expect(rows.count <= 500)
            for row in rows { seen.append(try row.integer(0)) }
        }
        #expect(seen == Array(1..<count + 1))
        #expect(try cursor.next() == nil)
        // Writing is refused, and the connection lives on.
        #expect(throws: DatabaseError.self) { try connection.query(insertNote, [.integer(1)]) }
        connection.rollback()
        #expect(connection.isUsable)
    }
}
