import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

struct ReconciliationTests {
    @Test func anotherGatewayClosesWhatIsOlderThanItsDeadline() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = Enrollment("orphan", credential: nil, at: fixture.clock.now())
        let made = try required(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        let other = fixture.replica("gw-2")
        fixture.clock.advance(seconds: 29)
        #expect(try await other.reconcile(gateway: nil, now: fixture.clock.now()) == 0)
        fixture.clock.advance(seconds: 1)
        #expect(try await other.reconcile(gateway: nil, now: fixture.clock.now()) == 1)
        #expect(try await other.reconcile(gateway: nil, now: fixture.clock.now()) == 0)

        #expect(try await fixture.ledger.commit(enrollment.signed, under: made) == nil)
        let serial = Hex.encode(enrollment.serial)
        let auditor = AuditorQuery(fixture.settings(.auditor))
        let revoked = try auditor.run(
            "SELECT reason, why FROM revocations WHERE serial = '\(serial)'", limit: 9)
        #expect(revoked.rows == [["cessationOfOperation", "signing deadline passed"]])
        let alerts = try auditor.run(
            "SELECT severity, owner, subject FROM alerts WHERE detector = 'orphan-reservation'", limit: 9)
        #expect(alerts.rows == [["warn", "Team", serial]])
        #expect(try auditor.run("SELECT state FROM issuance", limit: 9).rows == [["closed"]])
    }

    /// A gateway whose clock is fast dates its deadlines late: nothing stays open for longer than a minute.
    @Test func ageClosesToo() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = Enrollment("fast clock", credential: nil, at: fixture.clock.now())
        _ = try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
        let other = fixture.replica("gw-2")
        #expect(try await other.reconcile(gateway: nil, now: fixture.clock.now()) == 0)
        #expect(try fixture.count("audit.open_issuance") == 1)
        _ = try fixture.cluster.superuser(
            """
            ALTER TABLE ledger.entry DISABLE TRIGGER refuse_change;
            UPDATE ledger.entry SET recorded_at = recorded_at - interval '40 seconds' WHERE kind = 'reservation';
            """, database: fixture.database)
        #expect(try await other.reconcile(gateway: nil, now: fixture.clock.now()) == 1)
        #expect(try fixture.count("audit.open_issuance") == 0)
        #expect(try fixture.count("ledger.open_reservation") == 0)
        #expect(try fixture.count("ledger.alert WHERE detector = 'orphan-reservation'") == 1)
    }

    @Test func whatTheSignerGaveUpItselfIsNoOrphan() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = Enrollment("given up", credential: nil, at: fixture.clock.now())
        _ = try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
        #expect(try await fixture.ledger.close(enrollment.id, because: "the signer failed"))
        #expect(try fixture.count("ledger.alert") == 0)
        #expect(try fixture.count("ledger.revocation") == 1)
    }

    @Test func closingAndCompletingExcludeEachOtherAHundredTimes() async throws {
        let fixture = try await LedgerFixture()
        let replica = fixture.replica("gw-2")
        var made: [(Enrollment, Reservation)] = []
        for round in 0..<100 {
            var enrollment = Enrollment("round \(round)", credential: nil, at: fixture.clock.now())
            enrollment.device = DeviceID("LT-\(round)")
            let reservation = try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
            made.append((enrollment, try required(reservation.reservation)))
        }
        fixture.clock.advance(seconds: 60)
        let now = fixture.clock.now()
        async let closed = Self.reconcile(replica, now)
        var issued = 0
        for (enrollment, reservation) in made {
            if try await fixture.ledger.commit(enrollment.signed, under: reservation) != nil { issued += 1 }
        }
        let closings = try await closed
        #expect(issued + closings == 100)
        #expect(try fixture.count("ledger.certificate") == issued)
        #expect(try fixture.count("ledger.revocation") == closings)
    }

    @Test func standingsTellKnownFromRogue() async throws {
        let fixture = try await LedgerFixture()
        var certificates: [MetCertificate] = []
        func met(_ enrollment: Enrollment, _ content: [UInt8]) -> MetCertificate {
            MetCertificate(
                fingerprint: Digest(of: content), issuer: "issuing", serial: enrollment.serial, notBefore: 0,
                notAfter: 0)
        }
        for (round, name) in ["issued", "open", "closed"].enumerated() {
            var enrollment = Enrollment(name, credential: nil, at: fixture.clock.now())
            enrollment.device = DeviceID("LT-\(round)")
            let made = try required(
                try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
            if name == "issued" { _ = try await fixture.ledger.commit(enrollment.signed, under: made) }
            if name == "closed" { _ = try await fixture.ledger.close(enrollment.id, because: "test") }
            certificates.append(met(enrollment, enrollment.certificate))
            if name == "issued" { certificates.append(met(enrollment, enrollment.certificate + [0])) }
        }
        certificates.append(
            MetCertificate(
                fingerprint: Digest(of: [9]), issuer: "issuing", serial: [1, 2, 3, 4, 5, 6, 7, 8],
                notBefore: 0,
                notAfter: 0))
        let standings = try await fixture.ledger.standings(of: certificates)
        #expect(standings == [.known, .otherCertificate, .reserved, .closed, .unreserved])
        #expect(standings.map(\.isRogue) == [false, true, false, true, true])

        let rogue = Digest(of: [9])
        for isFirst in [true, false] {
            #expect(
                try await fixture.ledger.alertRogue(
                    rogue, owner: "Team", detail: "rogue", at: fixture.clock.now()) == isFirst)
        }
        #expect(try fixture.count("ledger.alert WHERE detector = 'rogue-certificate'") == 1)
        // What is known is no rogue, whoever says so.
        await #expect(throws: LedgerError.self) {
            try await fixture.ledger.alertRogue(
                certificates[0].fingerprint, owner: "Team", detail: "no", at: fixture.clock.now())
        }
    }

    @Test func startsOfGatewaysClaimCertificatesByTheirNames() async throws {
        let fixture = try await LedgerFixture()
        let (root, tls, other) = (Digest(of: [1]), Digest(of: [2]), Digest(of: [3]))
        func record(_ action: String, _ reason: String) async throws {
            try await fixture.ledger.append(
                AdminEvent(
                    at: fixture.clock.now(), actor: "os:ada", action: action, target: "gw-1", reason: reason))
        }
        try await record("gateway.start", "root \(root), issuing \(root), scep-ra \(tls), tls \(tls)")
        // No start writes these.
        try await record("device.set", "root \(other)")
        for reason in [
            "\(other)", "Root \(other)", "own \(other)", "root  \(other)", "root \(other),",
            "root,\(other)", "root tls \(other)", "root \(other) x", "root \(other)0",
        ] {
            try await record("gateway.start", reason)
        }
        let claims = try await fixture.ledger.claimedCertificates()
        #expect(claims == [root: [.root, .issuing], tls: [.registrationAuthority, .listener]])
    }

    @Test func aFalseClaimIsRogue() {
        #expect(CertificateStanding.claimedOwn.isRogue && !CertificateStanding.own.isRogue)
    }

    private static func reconcile(_ ledger: PostgresLedger, _ now: Timestamp) async throws -> Int {
        var total = 0
        for _ in 0..<20 { total += try await ledger.reconcile(gateway: nil, now: now) }
        return total
    }
}
