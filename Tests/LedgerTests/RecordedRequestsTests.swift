import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// What a replay reads.
struct RecordedRequestsTests {
    @Test("requests come in batches, latest first, since an instant, up to a limit")
    func batches() async throws {
        let fixture = try await LedgerFixture()
        let start = fixture.clock.now()
        let denied = (0..<1_005).map { number -> AttemptRecord in
            var enrollment = Enrollment("r\(number)", credential: nil, at: start)
            enrollment.effect = .deny
            enrollment.reasonCode = "no-rule"
            return enrollment.attempt
        }
        await withTaskGroup(of: Void.self) { group in
            for attempt in denied {
                group.addTask { _ = try? await fixture.ledger.record(attempt) }
            }
        }
        let auditor = AuditorQuery(fixture.settings(.writer))
        #expect(try Self.sizes(auditor.recorded(since: start.microseconds, limit: .max)) == [1_000, 5])
        #expect(try Self.sizes(auditor.recorded(since: start.microseconds, limit: 3)) == [3])
        #expect(try auditor.recorded(since: start.microseconds, limit: 3).count == 3)
        #expect(try Self.sizes(auditor.recorded(since: start.microseconds + 1, limit: .max)) == [])
        let record = try #require(try auditor.recorded(since: 0, limit: 1).next().first)
        let latest = try #require(denied.map(\.id).max())
        #expect(record.request.contains("\"request_id\":\"\(latest)\""))
        #expect(record.decision.contains("\"reason_code\":\"no-rule\""))
    }

    private static func sizes(_ requests: RecordedRequests) throws -> [Int] {
        var sizes: [Int] = []
        while let records = try? requests.next(), !records.isEmpty { sizes.append(records.count) }
        return sizes
    }
}
