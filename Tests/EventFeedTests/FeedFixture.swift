import Database
import EnrollmentCore
import EnrollmentTesting
import EventFeed
import Foundation
import Ledger
import Logging
import Synchronization

/// A ledger with a log, and feeds from it.
struct FeedFixture {
    let cluster: PostgresCluster
    let database: String
    let folder: URL

    init() throws {
        let server = try PostgresCluster.shared()
        cluster = server
        database = try server.database(template: "feed_tests") { name in
            let migrator = ConnectionSettings(server.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try server.believeGatewayClocks(in: name)
        }
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("feed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func ledger(_ gateway: String) -> PostgresLedger {
        let settings = ConnectionSettings(cluster.parameters(database: database, user: "gatehouse_writer"))
        return PostgresLedger(
            writer: BatchingWriter(settings), reader: ReadPool(settings, connections: 1), gateway: gateway,
            clock: ManualClock(), random: FreshRandom())
    }

    /// Records that many facts and makes leaves of them, as a sequencer does.
    func record(_ count: Int) async throws {
        let writer = ledger("gw-0")
        for number in 0..<count {
            try await writer.append(
                AdminEvent(
                    at: ManualClock().now(), actor: "os:ada", action: "device.set", target: "LT-\(number)",
                    reason: "test"))
        }
        try cluster.superuser(
            """
            SELECT ledger.take_lease('test', (SELECT epoch FROM ledger.lease), 60);
            SELECT ledger.extend_log(
              (SELECT epoch FROM ledger.lease), 'test',
              (SELECT coalesce(max(tree_size), 0) FROM ledger.tree_head),
              (SELECT array_agg(entry_id ORDER BY entry_id) FROM ledger.pending_leaf), sha256('root'), '{}', '{}', '{}')
            """, database: database)
    }

    func position(_ feed: String) throws -> Int {
        let text = try cluster.superuser(
            "SELECT position FROM state.feed WHERE name = '\(feed)'", database: database)
        return Int(text.filter(\.isNumber)) ?? -1
    }

    /// A delivery at work, until it is cancelled.
    func deliver(
        _ feed: String, to destination: FeedDestination, gateway: String = "gw-1", format: EventFormat = .ecs,
        settling: Duration = .milliseconds(300), report: @escaping @Sendable (FeedReport) -> Void = { _ in }
    ) -> Task<Void, any Error> {
        var pace = FeedDelivery.Pace()
        pace.batch = 8
        pace.idle = .milliseconds(100)
        pace.settling = settling
        pace.claim = 2
        pace.patience = .milliseconds(500)
        let delivery = FeedDelivery(
            Feed(name: feed, format: format, sendsPersonal: false, destination: destination),
            ledger: ledger(gateway), instance: gateway,
            logger: Logger(label: "feed") { _ in SwiftLogNoOpLogHandler() }, pace: pace, report: report)
        return Task { try await delivery.run() }
    }

    /// `event.sequence` of every whole line of a file.
    func sequences(_ file: URL) -> [Int] {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            guard let start = line.range(of: "\"sequence\":")?.upperBound else { return nil }
            return Int(line[start...].prefix(while: \.isNumber))
        }
    }
}

/// Unpredictable octets: several gateways must not name two facts alike.
struct FreshRandom: RandomSource {
    func octets(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
}

/// Waits until something holds, at most so long; false when it never did.
func eventually(_ limit: Duration = .seconds(20), _ holds: () throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now.advanced(by: limit)
    while ContinuousClock.now < deadline {
        if try holds() { return true }
        try await Task.sleep(for: .milliseconds(50))
    }
    return try holds()
}
