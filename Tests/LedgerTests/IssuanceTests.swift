import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

struct IssuanceTests {
    @Test func reserveCommitAndAnswerAgain() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let enrollment = Enrollment("one", credential: credential, at: fixture.clock.now())
        let ledger = fixture.ledger
        let made = try required(
            try await ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        guard case .inFlight(enrollment.id) = try await ledger.standing(of: enrollment.key) else {
            Issue.record("not in flight")
            return
        }
        let issued = try required(try await ledger.commit(enrollment.signed, under: made))
        #expect(issued.certificate == enrollment.certificate && issued.serial == enrollment.serial)
        #expect(try await ledger.commit(enrollment.signed, under: made) == issued)
        var again = Enrollment("one", credential: credential, at: fixture.clock.now())
        again.serial[1] ^= 1
        guard case .issued(issued) = try await ledger.reserve(again.attempt, again.reservation) else {
            Issue.record("not issued")
            return
        }
        let record = try required(try await ledger.certificate(digest: Digest(of: enrollment.certificate)))
        #expect(record.device == enrollment.device && record.names.commonName == "LT-1" && !record.isRevoked)
        let history = try await ledger.history(
            device: try required(enrollment.device), service: LedgerFixture.service,
            publicKey: record.publicKey,
            at: fixture.clock.now())
        #expect(history == HistoryFacts(activeCertificates: 1, lastProofs: ["one_time_credential"]))
        let other = try await ledger.history(
            device: try required(DeviceID("LT-2")), service: LedgerFixture.service,
            publicKey: record.publicKey,
            at: fixture.clock.now())
        #expect(other.keySeenOnOtherDevice && !other.keyBlocked)
        #expect(try await ledger.requestRecord(enrollment.id)?.entries.count == 5)
        #expect(try await ledger.why(enrollment.id)?.state == "issued")
    }

    @Test func aSpentCredentialIsSpentForAnotherKey() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let first = Enrollment("one", credential: credential, at: fixture.clock.now())
        let second = Enrollment("two", credential: credential, at: fixture.clock.now())
        #expect(try await fixture.ledger.reserve(first.attempt, first.reservation).name == "reserved")
        #expect(
            try await fixture.ledger.reserve(second.attempt, second.reservation).name == "credential spent")
        #expect(try fixture.count("ledger.request") == 1)
        try await fixture.ledger.alertSpent(
            credential, state: .spent, request: second.id, owner: "Team", at: fixture.clock.now())
        #expect(try fixture.count("ledger.alert") == 1)
    }

    @Test(arguments: ["expired", "revoked"]) func anUnusableCredentialIsNamed(_ state: String) async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint(ttl: 60)
        var enrollment = Enrollment("one", credential: credential, at: fixture.clock.now())
        if state == "expired" {
            enrollment.instant = fixture.clock.now().adding(seconds: 61)
        } else {
            #expect(
                try await fixture.ledger.revoke(credential, at: fixture.clock.now(), by: "a", because: "lost")
            )
            #expect(
                try await !fixture.ledger.revoke(
                    credential, at: fixture.clock.now(), by: "a", because: "lost"))
        }
        let result = try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
        #expect(result.name == "credential \(state)")
    }

    @Test func aClosedReservationMayBeFollowedAndItsSignerLoses() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let first = Enrollment("one", credential: credential, at: fixture.clock.now())
        let made = try required(
            try await fixture.ledger.reserve(first.attempt, first.reservation).reservation)
        #expect(try await fixture.ledger.close(first.id, because: "test"))
        #expect(try await !fixture.ledger.close(first.id, because: "test"))
        #expect(try await fixture.ledger.commit(first.signed, under: made) == nil)
        let second = Enrollment("one", credential: credential, at: fixture.clock.now())
        let next = try required(
            try await fixture.ledger.reserve(second.attempt, second.reservation).reservation)
        #expect(try await fixture.ledger.commit(second.signed, under: next) != nil)
        #expect(try fixture.count("ledger.revocation") == 1)
        #expect(try fixture.count("ledger.credential_event WHERE kind = 'consume'") == 1)
    }

    @Test func aDanglingReservationIsClosedByRetryAndByReconciling() async throws {
        let fixture = try await LedgerFixture()
        let first = Enrollment("one", credential: try await fixture.mint(), at: fixture.clock.now())
        _ = try await fixture.ledger.reserve(first.attempt, first.reservation)
        let later = fixture.clock.now().adding(seconds: 120)
        let retry = Enrollment("one", credential: first.credential, at: later)
        #expect(try await fixture.ledger.reserve(retry.attempt, retry.reservation).name == "reserved")
        #expect(try await fixture.ledger.reconcile(gateway: nil, now: fixture.clock.now()) == 0)
        #expect(try await fixture.ledger.reconcile(gateway: "gw-2", now: fixture.clock.now()) == 0)
        #expect(try await fixture.ledger.reconcile(gateway: "gw-1", now: fixture.clock.now()) == 1)
        #expect(try fixture.count("ledger.revocation") == 2)
    }

    @Test func aRevokedCertificateDoesNotGiveItsCredentialBack() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = Enrollment("one", credential: try await fixture.mint(), at: fixture.clock.now())
        let made = try required(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        _ = try await fixture.ledger.commit(enrollment.signed, under: made)
        #expect(
            try await fixture.ledger.revoke(
                issuer: "issuing", serial: enrollment.serial, at: fixture.clock.now(), reason: .keyCompromise,
                by: "a",
                because: "stolen"))
        let again = Enrollment("one", credential: enrollment.credential, at: fixture.clock.now())
        #expect(try await fixture.ledger.reserve(again.attempt, again.reservation).name == "credential spent")
        let history = try await fixture.ledger.history(
            device: try required(enrollment.device), service: LedgerFixture.service,
            publicKey: Digest(of: enrollment.spki), at: fixture.clock.now())
        #expect(
            history
                == HistoryFacts(
                    activeCertificates: 0, keyBlocked: true, lastProofs: ["one_time_credential"]))
    }

    @Test func aDeferralHoldsItsCredentialAndIsCounted() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint(ttl: 60)
        var first = Enrollment("one", credential: credential, at: fixture.clock.now())
        first.effect = .defer
        first.reasonCode = "posture.stale"
        first.reference = TransactionReference(service: LedgerFixture.service, text: "tx-1", isOrder: false)
        try await fixture.ledger.record(first.attempt)
        var repeated = first
        repeated.id = RequestID(at: first.instant, random: [9])
        try await fixture.ledger.record(repeated.attempt)
        #expect(try fixture.count("ledger.request") == 1)
        #expect(
            try await fixture.ledger.deferredRequest(under: try required(first.reference))?.input
                == first.input)
        let later = fixture.clock.now().adding(seconds: 3_600)
        let rival = Enrollment("two", credential: credential, at: later)
        #expect(try await fixture.ledger.reserve(rival.attempt, rival.reservation).name == "credential spent")
        let held = try required(try await fixture.ledger.credential(credential))
        #expect(
            held.deferredFor == first.key
                && held.state(for: first.key, service: held.service, at: later) == .usable)
        let final = Enrollment("one", credential: credential, at: later)
        #expect(try await fixture.ledger.reserve(final.attempt, final.reservation).name == "reserved")
    }

    @Test func recordsHoldNoSecretAndNoNUL() async throws {
        let fixture = try await LedgerFixture()
        let refused = RefusedRequest(
            id: RequestID(at: fixture.clock.now(), random: [1]), receivedAt: fixture.clock.now(),
            service: ServiceName("no\0where"), enrollmentProtocol: .scep, kind: .malformed,
            reasonCode: "scep.malformed",
            reason: "NUL \0 in it", peer: Peer(address: "192.0.2.9", isSecure: false))
        let refusal = RefusalRecord(
            request: refused, owner: "Team", policy: Digest(of: LedgerFixture.policy),
            decidedAt: fixture.clock.now(),
            credential: try await fixture.mint())
        try await fixture.ledger.record(refusal)
        try await fixture.ledger.record(refusal)
        #expect(try fixture.count("ledger.credential_event WHERE kind = 'reject'") == 1)
        #expect(try await fixture.ledger.why(refused.id)?.state == "denied")
    }
}
