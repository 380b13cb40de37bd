import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

struct StateTests {
    private static let key = ProtocolRecordKey(service: LedgerFixture.service, kind: "acme.order", id: "o1")

    @Test func recordsAreComparedAndSwapped() async throws {
        let fixture = try await LedgerFixture()
        let ledger = fixture.ledger
        let end = fixture.clock.now().adding(seconds: 60)
        let record = ProtocolRecord(
            key: Self.key, document: ["status": "pending", "n": 1, "l": [true, nil]], expiresAt: end)
        #expect(try await ledger.load(Self.key) == nil)
        #expect(try await ledger.insert(record))
        #expect(try await !ledger.insert(record))
        #expect(try await ledger.load(Self.key) == record)
        let ready = ProtocolRecord(key: Self.key, document: ["status": "ready"], expiresAt: end)
        #expect(try await ledger.replace(ready, version: 1))
        #expect(try await !ledger.replace(ready, version: 1))
        #expect(try await ledger.load(Self.key)?.version == 2)
        fixture.clock.advance(seconds: 61)
        #expect(try await ledger.load(Self.key) == nil)
        #expect(try await !ledger.replace(ready, version: 2))
        #expect(try await ledger.insert(record))
    }

    @Test func oneOfManySwapsWins() async throws {
        let fixture = try await LedgerFixture()
        _ = try await fixture.ledger.insert(ProtocolRecord(key: Self.key, document: [:], expiresAt: nil))
        let ledgers = [fixture.ledger, fixture.replica("gw-2")]
        let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<32 {
                group.addTask {
                    try await ledgers[index % 2].replace(
                        ProtocolRecord(key: Self.key, document: ["same": true], expiresAt: nil), version: 1)
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(wins == 1)
    }

    @Test func aValueIsConsumedOnce() async throws {
        let fixture = try await LedgerFixture()
        let end = fixture.clock.now().adding(seconds: 60)
        let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 {
                group.addTask { try await fixture.ledger.consumeOnce(Self.key, expiresAt: end) }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(wins == 1)
        fixture.clock.advance(seconds: 61)
        #expect(try await fixture.ledger.forgetExpiredState(now: fixture.clock.now()) == 1)
    }

    @Test func anAccountIsBoundOnce() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let now = fixture.clock.now()
        func bind(_ account: String) async throws -> CredentialState {
            var binding = Enrollment(account, credential: credential, at: now)
            binding.kind = .assess
            let key = ProtocolRecordKey(service: LedgerFixture.service, kind: "acme.account", id: account)
            return try await fixture.ledger.bind(
                binding.attempt, account: ProtocolRecord(key: key, document: ["a": 1], expiresAt: nil),
                accountID: account,
                orderUntil: now.adding(seconds: 1_000))
        }
        #expect(try await bind("one") == .usable)
        #expect(try await bind("one") == .usable)
        #expect(try await bind("two") == .spent)
        let bound = try await fixture.ledger.accountBinding(service: LedgerFixture.service, account: "one")
        #expect(bound?.credential == credential && bound?.isRevoked == false)
        #expect(
            try await fixture.ledger.accountBinding(service: LedgerFixture.service, account: "two") == nil)
        var order = Enrollment("order", credential: credential, at: now)
        order.consumes = false
        #expect(try await fixture.ledger.reserve(order.attempt, order.reservation).name == "reserved")
        var late = Enrollment("late", credential: credential, at: now.adding(seconds: 1_001))
        late.consumes = false
        #expect(try await fixture.ledger.reserve(late.attempt, late.reservation).name == "credential expired")
        _ = try await fixture.ledger.revoke(credential, at: now, by: "a", because: "b")
        var revoked = Enrollment("revoked", credential: credential, at: now)
        revoked.consumes = false
        #expect(
            try await fixture.ledger.reserve(revoked.attempt, revoked.reservation).name
                == "credential revoked")
    }

    @Test func auditorsAskInSQL() async throws {
        let fixture = try await LedgerFixture()
        try await fixture.ledger.checkReadiness()
        let query = AuditorQuery(fixture.settings(.writer))
        let table = try query.run("SELECT view, column_name, meaning FROM dictionary", limit: 1_000)
        #expect(table.columns == ["view", "column_name", "meaning"])
        #expect(table.rows.allSatisfy { $0[2] != nil } && table.rows.count > 100)
        #expect(throws: DatabaseError.self) { try query.run("SELECT 1; SELECT 2", limit: 1) }
        #expect(try query.run("SELECT count(*) FROM policies", limit: 1).rows == [["1"]])
        for view in [
            "issuance", "open_issuance", "requests", "credentials", "credential_events", "accounts", "alerts",
            "revocations", "policies", "admin_events", "traffic", "devices", "entries",
        ] {
            _ = try query.run("SELECT * FROM audit.\(view)", limit: 10)
        }
    }

    @Test func documentsAreCanonicalAndReadBack() throws {
        let input = Enrollment("one", credential: CredentialID("AAAAAAAAAAAAAAAA"), at: Timestamp(seconds: 1))
            .input
        let document = try JSONValue(encoding: input)
        guard case .object(let members) = document else {
            Issue.record("no object")
            return
        }
        #expect(members["service"] == "laptops" && members["client_address"] == "192.0.2.1")
        #expect(throws: EncodingError.self) { try JSONValue(encoding: [1.5]) }
    }
}
