import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Logging
import Sequencing
import Synchronization
import Testing
import TransparencyLog

/// A ledger with a log of its own, and as many sequencers as a test wants.
struct SequencingFixture {
    static let origin = "gate.example/ledger"

    let cluster: PostgresCluster
    let database: String
    let signer: NoteSigner
    /// Read as the gateway reads it.
    let log: PostgresLogReader

    init(_ server: PostgresCluster? = nil, origin: String = origin) async throws {
        let server = try server ?? PostgresCluster.shared()
        cluster = server
        database = try server.database(template: "sequencing_tests") { name in
            let migrator = ConnectionSettings(server.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try server.believeGatewayClocks(in: name)
        }
        signer = try NoteSigner(name: origin, privateKey: Secret([UInt8](repeating: 7, count: 32)))
        let writer = ConnectionSettings(server.parameters(database: database, user: "gatehouse_writer"))
        log = PostgresLogReader(ReadPool(writer, connections: 1))
    }

    var tiles: LogTiles { LogTiles(log) }

    func settings(_ login: LedgerSchema.Login) -> ConnectionSettings {
        ConnectionSettings(cluster.parameters(database: database, user: login.rawValue))
    }

    func ledger(_ name: String = "gw-1") -> PostgresLedger {
        PostgresLedger(
            writer: BatchingWriter(settings(.writer)), reader: ReadPool(settings(.writer), connections: 1),
            gateway: name, clock: ManualClock(), random: FreshRandom())
    }

    func postgresLog(_ holder: String) -> PostgresLog {
        PostgresLog(
            writer: BatchingWriter(settings(.sequencer)),
            reader: ReadPool(settings(.sequencer), connections: 1), holder: holder)
    }

    func publisher(_ publications: [any CheckpointPublication] = []) -> CheckpointPublisher {
        CheckpointPublisher(publications, tiles: tiles, logger: Self.quiet)
    }

    func sequencer(
        _ holder: String, publisher: CheckpointPublisher? = nil, witnesses: [WitnessClient] = [],
        pace: Sequencer.Pace = patient, mayExtend: @escaping @Sendable () async -> Bool = { true }
    ) -> Sequencer {
        Sequencer(
            log: postgresLog(holder), signer: signer, publisher: publisher ?? self.publisher(),
            witnesses: witnesses, pace: pace, logger: Self.quiet, mayExtend: mayExtend)
    }

    /// A busy machine must not make a leader lose its lease, unless that is what is tested.
    static var patient: Sequencer.Pace {
        var pace = Sequencer.Pace()
        pace.leaseSeconds = 60
        return pace
    }

    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Adds that many entries in one statement, like those of no other database: a fork must be one.
    func addEntries(_ count: Int) throws {
        try cluster.superuser(
            """
            SELECT count(ledger.append(
              ledger.new_id(), 'admin', NULL, ledger.object('n', gen_random_uuid()::text)))
            FROM generate_series(1, \(count))
            """, database: database)
    }

    /// Runs SQL as one of the logins.
    @discardableResult
    func run(_ sql: String, as role: String) throws -> String {
        let become = role == "gatehouse_owner" ? "SET ROLE" : "SET SESSION AUTHORIZATION"
        return try cluster.superuser("\(become) \(role); \(sql)", database: database)
    }

    /// As a superuser can, who first turns off what stands against it.
    func tamper(_ table: String, _ sql: String) throws {
        try cluster.superuser(
            "ALTER TABLE ledger.\(table) DISABLE TRIGGER ALL; \(sql); ALTER TABLE ledger.\(table) ENABLE TRIGGER ALL",
            database: database)
    }

    /// As if five seconds had passed.
    func expireLease() throws {
        try cluster.superuser("UPDATE ledger.lease SET expires_at = clock_timestamp()", database: database)
    }

    func number(_ sql: String) throws -> Int {
        Int(try cluster.superuser(sql, database: database).filter { $0.isNumber || $0 == "-" }) ?? -1
    }

    func count(_ table: String) throws -> Int { try number("SELECT count(*) FROM ledger.\(table)") }

    /// Every entry is one leaf, indices have no gap, every tree head is the tree over the leaves before it,
    /// every stored tile is of that tree, and every checkpoint is signed and says what its head says.
    func expectSoundLog() async throws {
        let rows = try cluster.superuser(
            """
            SELECT l.leaf_index || ' ' || encode(e.leaf_hash, 'hex')
            FROM ledger.leaf AS l JOIN ledger.entry AS e USING (entry_id) ORDER BY l.leaf_index
            """, database: database
        ).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(rows.map { Int($0[0]) } == Array(0..<rows.count))
        #expect(rows.count == (try count("leaf")))
        #expect(try number("SELECT count(*) FROM ledger.entry") == rows.count)
        #expect(try count("pending_leaf") == 0)
        let leaves = try rows.map { try required(Digest(String($0[1]))) }
        let heads = try cluster.superuser(
            "SELECT tree_size || ' ' || encode(root_hash, 'hex') FROM ledger.tree_head ORDER BY tree_size",
            database: database
        ).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(Int(try required(heads.last)[0]) == leaves.count)
        for head in heads {
            let size = try required(Int(head[0]))
            #expect(naiveRoot(leaves[..<size]).description == head[1], "size \(size)")
        }
        for index in 0..<(leaves.count / 256) {
            let address = TileAddress(level: 0, index: Int64(index), width: 256)
            #expect(try await tiles.hashes(of: address) == Array(leaves[(index * 256)..<((index + 1) * 256)]))
        }
        let checkpoints = try await log.checkpoints(limit: 10_000)
        #expect(checkpoints.count == heads.count)
        for stored in checkpoints {
            let note = try stored.signedNote()
            #expect(signer.verifierKey.verify(note))
            #expect(try note.checkpoint().root == (try await log.head(size: stored.size))?.root)
        }
    }
}

/// RFC 9162 §2.1.1 as it is written, without any of the program's trees.
func naiveRoot(_ leaves: ArraySlice<Digest>) -> Digest {
    guard leaves.count > 1, let first = leaves.indices.first else { return leaves.first ?? MerkleHash.empty }
    var half = 1
    while half * 2 < leaves.count { half *= 2 }
    let middle = first + half
    return MerkleHash.node(naiveRoot(leaves[..<middle]), naiveRoot(leaves[middle...]))
}

/// Unpredictable octets, since several ledgers of one test must not name two facts alike.
struct FreshRandom: RandomSource {
    func octets(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
}

/// A folder that is gone when the test ends.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sequencing-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A truth that several tasks share.
final class Flag: Sendable {
    private let current: Mutex<Bool>

    init(_ value: Bool) { current = Mutex(value) }

    var value: Bool {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}

struct Missing: Error {}
func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Missing() }
    return value
}

/// Waits until `condition` holds.
func eventually(
    within limit: Duration, _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(50))
    }
    return false
}
