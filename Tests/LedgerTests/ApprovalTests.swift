import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// What people say of waiting requests.
struct ApprovalTests {
    private static let team: JSONValue = [
        "approvals": [
            [
                "rule": "rule-1", "from": "Workplace", "count": 2, "within_seconds": 86_400,
                "four_eyes": true, "members": ["os:jane", "os:joe"], "received": [],
            ]
        ]
    ]

    /// A ledger with one request that waits for approval.
    private static func waiting(_ obligations: JSONValue = team) async throws -> (LedgerFixture, Enrollment) {
        let fixture = try await LedgerFixture()
        var asked = Enrollment("one", credential: try await fixture.mint(), at: fixture.clock.now())
        (asked.effect, asked.reasonCode, asked.obligations) = (.defer, "approval.waiting", obligations)
        try await fixture.ledger.record(asked.attempt)
        return (fixture, asked)
    }

    private static func word(
        _ who: String, _ verdict: Approval.Verdict = .approve, of request: RequestID, at: Timestamp
    ) -> SpokenWord {
        SpokenWord(
            request: request, word: Approval(approver: who, verdict: verdict, at: at),
            reason: verdict == .deny ? "not ours" : nil)
    }

    /// The permit of a later attempt at what `asked` asked for.
    private static func permit(_ asked: Enrollment, at: Timestamp) -> Enrollment {
        var permit = Enrollment("one", credential: asked.credential, at: at)
        permit.history.failedAttempts = 0
        return permit
    }

    private static func said(_ fixture: LedgerFixture, of asked: Enrollment) async throws -> [Approval] {
        try await fixture.ledger.circumstances(
            device: try required(asked.device), service: LedgerFixture.service, publicKey: nil,
            credential: asked.credential, transaction: asked.key, at: fixture.clock.now()
        ).approvals
    }

    @Test func theLatestWordOfEachPersonCounts() async throws {
        let (fixture, asked) = try await Self.waiting()
        #expect(try await Self.said(fixture, of: asked).isEmpty)
        for (who, verdict) in [
            ("os:joe", Approval.Verdict.approve), ("os:jane", .deny), ("os:jane", .approve),
        ] {
            fixture.clock.advance(seconds: 60)
            let word = Self.word(who, verdict, of: asked.id, at: fixture.clock.now())
            #expect(try await fixture.ledger.append(word) == .recorded)
        }
        #expect(
            try await Self.said(fixture, of: asked) == [
                Approval(approver: "os:jane", verdict: .approve, at: fixture.clock.now()),
                Approval(approver: "os:joe", verdict: .approve, at: asked.instant.adding(seconds: 60)),
            ])
        let words = try await fixture.ledger.spokenWords(limit: 10)
        #expect(words.map(\.word.verdict) == [.approve, .deny, .approve])
        #expect(words.map(\.reason) == [nil, "not ours", nil])
        #expect(words.allSatisfy { $0.request == asked.id && $0.device == asked.device })
        #expect(try fixture.count("ledger.entry WHERE kind = 'approval'") == 3)
        let other = Enrollment("two", credential: nil, at: asked.instant)
        #expect(try await Self.said(fixture, of: other).isEmpty)
    }

    @Test func aWordSaidTwiceUnderOneIDIsOneWord() async throws {
        let (fixture, asked) = try await Self.waiting()
        let connection = try Connection(fixture.settings(.writer))
        func approve(_ verdict: String) throws -> String? {
            try connection.readText(
                """
                SELECT ledger.approve('018f0000-0000-7000-8000-000000000001', '\(asked.id)', '\(verdict)',
                  '\(asked.instant)', 'os:jane', 'why')
                """, limit: 1
            ).rows.first?.first ?? nil
        }
        #expect(try approve("approve") == "recorded")
        #expect(try approve("approve") == "recorded")
        #expect(throws: DatabaseError.self) { try approve("deny") }
        #expect(try fixture.count("ledger.approval") == 1)
    }

    @Test func whatWaitsIsListedUntilItIsAnsweredOtherwise() async throws {
        let (fixture, asked) = try await Self.waiting()
        let ledger = fixture.ledger
        _ = try await ledger.append(Self.word("os:joe", of: asked.id, at: fixture.clock.now()))
        _ = try await ledger.append(Self.word("os:jane", .deny, of: asked.id, at: fixture.clock.now()))
        let found = try required(try await ledger.waitingRequests(limit: 10).first)
        #expect(found.request == asked.id && found.device == asked.device && found.waits)
        #expect(found.approvedBy == ["os:joe"] && found.deniedBy == ["os:jane"])
        #expect(found.mintedBy == "admin" && found.ruleIDs == ["rule-1"] && found.owner == "Team")
        #expect(found.heldUntil == asked.instant.adding(seconds: 72 * 3_600))
        let asks = try required(found.required.first)
        #expect(asks.team == "Workplace" && asks.count == 2 && asks.within == 86_400)
        #expect(asks.fourEyes && asks.members == ["os:jane", "os:joe"])
        let rows = try Connection(fixture.settings(.auditor)).readText(
            "SELECT team, count, within_seconds, four_eyes, members, denied_by FROM waiting_approvals",
            limit: 9
        ).rows
        #expect(rows == [["Workplace", "2", "86400", "t", "{os:jane,os:joe}", "{os:jane}"]])

        // A poll that is told the same is counted; the list shows the one row.
        var poll = asked
        poll.id = Enrollment("one", credential: nil, at: asked.instant).id
        #expect(try await ledger.record(poll.attempt) == asked.id)
        #expect(try await ledger.waitingRequest(poll.id) == nil)
        #expect(try await ledger.waitingRequest(asked.id) == found)

        // Denied: it waits no more, but whoever denied it may still approve it.
        poll.effect = .deny
        poll.reasonCode = "approval.denied"
        #expect(try await ledger.record(poll.attempt) == poll.id)
        #expect(try await ledger.waitingRequests(limit: 10).isEmpty)
        let denied = try required(try await ledger.waitingRequest(poll.id))
        #expect(denied.request == asked.id && !denied.waits)
        #expect(
            try await ledger.append(Self.word("os:jane", of: asked.id, at: fixture.clock.now())) == .recorded)
    }

    @Test func whoseCredentialIsHeldNoMoreIsNotListed() async throws {
        let (fixture, asked) = try await Self.waiting()
        fixture.clock.advance(seconds: 72 * 3_600)
        #expect(try await fixture.ledger.waitingRequests(limit: 10).isEmpty)
        #expect(try await fixture.ledger.waitingRequest(asked.id)?.waits == true)
    }

    @Test(
        arguments: [
            [:], ["approvals": "x"], ["approvals": [1, "x"]],
            ["approvals": [["count": "many", "within_seconds": "x", "four_eyes": 3, "members": 4]]],
        ] as [JSONValue])
    func anOddDecisionDoesNotHideTheRest(_ obligations: JSONValue) async throws {
        let (fixture, asked) = try await Self.waiting(obligations)
        let found = try required(try await fixture.ledger.waitingRequests(limit: 10).first)
        #expect(found.request == asked.id && found.required.isEmpty)
        let rows = try Connection(fixture.settings(.auditor)).readText(
            "SELECT DISTINCT request_id, count FROM waiting_approvals", limit: 9
        ).rows
        #expect(rows == [[asked.id.description, nil]])
    }

    @Test func onlyWhatWaitsCanBeApproved() async throws {
        let (fixture, asked) = try await Self.waiting()
        let (ledger, now) = (fixture.ledger, fixture.clock.now())
        var denied = Enrollment("two", credential: nil, at: now)
        denied.effect = .deny
        try await ledger.record(denied.attempt)
        var inquiry = Enrollment("three", credential: nil, at: now)
        (inquiry.kind, inquiry.effect) = (.assess, .defer)
        try await ledger.record(inquiry.attempt)
        let nobody = Enrollment("four", credential: nil, at: now)
        #expect(try await ledger.append(Self.word("os:jane", of: nobody.id, at: now)) == .unknown)
        #expect(try await ledger.append(Self.word("os:jane", of: inquiry.id, at: now)) == .unknown)
        #expect(try await ledger.append(Self.word("os:jane", of: denied.id, at: now)) == .notDeferred)

        let permit = Self.permit(asked, at: now)
        let made = try required(try await ledger.reserve(permit.attempt, permit.reservation).reservation)
        #expect(try await ledger.append(Self.word("os:jane", of: asked.id, at: now)) == .inFlight)
        _ = try await ledger.commit(permit.signed, under: made)
        #expect(try await ledger.append(Self.word("os:jane", .deny, of: asked.id, at: now)) == .issued)
        #expect(try fixture.count("ledger.approval") == 0)
    }

    /// A deferral keeps its state, and says which request was decided in its place.
    @Test func whatWasDecidedAgainSaysSo() async throws {
        let (fixture, asked) = try await Self.waiting()
        let (ledger, now) = (fixture.ledger, fixture.clock.now())
        #expect(try await ledger.why(asked.id)?.supersededBy == nil)
        _ = try await ledger.append(Self.word("os:joe", of: asked.id, at: now))
        #expect(
            try await ledger.waitingRequest(asked.id)?.words
                == [Approval(approver: "os:joe", verdict: .approve, at: now)])
        var permit = Self.permit(asked, at: now)
        permit.approvals = try await Self.said(fixture, of: asked)
        let made = try required(try await ledger.reserve(permit.attempt, permit.reservation).reservation)
        _ = try await ledger.commit(permit.signed, under: made)
        let before = try required(try await ledger.why(asked.id))
        #expect(before.state == "deferred" && before.supersededBy == permit.id)
        let after = try required(try await ledger.why(permit.id))
        #expect(after.state == "issued" && after.supersededBy == nil)
        let rows = try Connection(fixture.settings(.auditor)).readText(
            "SELECT superseded_by FROM issuance WHERE state = 'deferred'", limit: 9
        ).rows
        #expect(rows == [[permit.id.description]])
    }

    @Test func aWordThatComesBeforeTheReservationIsHeard() async throws {
        let (fixture, asked) = try await Self.waiting()
        let (ledger, now) = (fixture.ledger, fixture.clock.now())
        _ = try await ledger.append(Self.word("os:joe", of: asked.id, at: now))
        var permit = Self.permit(asked, at: now)
        #expect(try await ledger.reserve(permit.attempt, permit.reservation).name == "history")
        permit.approvals = try await Self.said(fixture, of: asked)
        _ = try await ledger.append(Self.word("os:jane", .deny, of: asked.id, at: now))
        #expect(try await ledger.reserve(permit.attempt, permit.reservation).name == "history")
        // Nor is there a word more in the input than was said.
        permit.approvals = try await Self.said(fixture, of: asked)
        permit.approvals.append(Approval(approver: "os:root", verdict: .approve, at: now))
        #expect(try await ledger.reserve(permit.attempt, permit.reservation).name == "history")
        permit.approvals.removeLast()
        #expect(try await ledger.reserve(permit.attempt, permit.reservation).name == "reserved")
    }

    /// One approval is of one certificate: what is asked once that has ended waits for a word of its own.
    @Test(arguments: ["revoked", "expired"]) func wordsEndWithTheirCertificate(_ end: String) async throws {
        let fixture = try await LedgerFixture()
        let (ledger, clock) = (fixture.ledger, fixture.clock)
        var asked = Enrollment("one", credential: nil, at: clock.now())
        (asked.effect, asked.reasonCode, asked.obligations) = (.defer, "approval.waiting", Self.team)
        try await ledger.record(asked.attempt)
        _ = try await ledger.append(Self.word("os:joe", of: asked.id, at: clock.now()))
        _ = try await ledger.append(Self.word("os:jane", .deny, of: asked.id, at: clock.now()))
        var permit = Self.permit(asked, at: clock.now())
        permit.approvals = try await Self.said(fixture, of: asked)
        let made = try required(try await ledger.reserve(permit.attempt, permit.reservation).reservation)
        _ = try await ledger.commit(permit.signed, under: made)
        #expect(try await Self.said(fixture, of: asked).isEmpty)
        if end == "revoked" {
            #expect(
                try await ledger.revoke(
                    issuer: "issuing", serial: permit.serial, at: clock.now(), reason: .superseded, by: "a",
                    because: "b"))
        } else {
            clock.advance(seconds: permit.validity)
        }

        #expect(try await Self.said(fixture, of: asked).isEmpty)
        var again = Self.permit(asked, at: clock.now())
        again.approvals = permit.approvals
        #expect(try await ledger.reserve(again.attempt, again.reservation).name == "history")
        asked.id = Enrollment("one", credential: nil, at: clock.now()).id
        asked.instant = clock.now()
        #expect(try await ledger.record(asked.attempt) == asked.id)
        let found = try required(try await ledger.waitingRequests(limit: 10).first)
        #expect(found.request == asked.id && found.approvedBy.isEmpty && found.deniedBy.isEmpty)
        #expect(try fixture.count("audit.waiting_approvals WHERE approved_by || denied_by = '{}'") == 1)
        #expect(try fixture.count("audit.approvals") == 2)

        // A denial after it counts like any other word.
        _ = try await ledger.append(Self.word("os:jane", .deny, of: asked.id, at: clock.now()))
        again.approvals = []
        #expect(try await ledger.reserve(again.attempt, again.reservation).name == "history")
        again.approvals = try await Self.said(fixture, of: asked)
        #expect(again.approvals.map(\.verdict) == [.deny])
        #expect(try await ledger.reserve(again.attempt, again.reservation).name == "reserved")
    }

    /// A reservation that never became a certificate does not use up an approval.
    @Test func wordsOutliveAClosedReservation() async throws {
        let (fixture, asked) = try await Self.waiting()
        let (ledger, clock) = (fixture.ledger, fixture.clock)
        _ = try await ledger.append(Self.word("os:joe", of: asked.id, at: clock.now()))
        let said = try await Self.said(fixture, of: asked)
        var permit = Self.permit(asked, at: clock.now())
        permit.approvals = said
        #expect(try await ledger.reserve(permit.attempt, permit.reservation).name == "reserved")
        clock.advance(seconds: permit.deadline)
        var again = Self.permit(asked, at: clock.now())
        again.approvals = said
        let made = try required(try await ledger.reserve(again.attempt, again.reservation).reservation)
        #expect(try await Self.said(fixture, of: asked) == said)
        _ = try await ledger.commit(again.signed, under: made)
        #expect(try await Self.said(fixture, of: asked).isEmpty)
    }

    @Test func whatADecisionMayKnowOfTheCredential() async throws {
        let (fixture, asked) = try await Self.waiting()
        let ledger = fixture.ledger
        let device = try required(asked.device)
        func history() async throws -> HistoryFacts {
            try await ledger.circumstances(
                device: device, service: LedgerFixture.service, publicKey: Digest(of: asked.spki),
                credential: asked.credential, transaction: nil, at: fixture.clock.now()
            ).history
        }
        #expect(try await history() == HistoryFacts(mintedBy: "admin"))
        let guesses = UnrecordedCounts(
            traffic: [],
            guesses: [
                GuessCount(
                    credential: try required(asked.credential), minute: fixture.clock.now(), guesses: 41)
            ])
        try await ledger.flush(guesses)
        try await ledger.flush(guesses)
        let permit = Self.permit(asked, at: fixture.clock.now())
        let made = try required(try await ledger.reserve(permit.attempt, permit.reservation).reservation)
        #expect(try await history().lastProofs.isEmpty)
        _ = try await ledger.commit(permit.signed, under: made)
        let expected = HistoryFacts(
            activeCertificates: 1, failedAttempts: 82, lastProofs: ["one_time_credential"], mintedBy: "admin")
        #expect(try await history() == expected)
    }

    /// A renewal has no credential of its own that could be held.
    @Test func whatHasNoCredentialWaitsToo() async throws {
        let fixture = try await LedgerFixture()
        var renewal = Enrollment("one", credential: nil, at: fixture.clock.now())
        (renewal.effect, renewal.reasonCode) = (.defer, "approval.waiting")
        try await fixture.ledger.record(renewal.attempt)
        fixture.clock.advance(seconds: 96 * 3_600)
        let found = try required(try await fixture.ledger.waitingRequests(limit: 10).first)
        #expect(found.heldUntil == nil && found.mintedBy == nil && found.required.isEmpty)
        let word = Self.word("os:joe", of: renewal.id, at: fixture.clock.now())
        #expect(try await fixture.ledger.append(word) == .recorded)
    }

    /// Words that no gateway wrote through the function.
    @Test func nobodyForgesAWord() async throws {
        let (fixture, asked) = try await Self.waiting()
        let now = fixture.clock.now()
        _ = try await fixture.ledger.append(Self.word("os:joe", of: asked.id, at: now))
        let other = Enrollment("two", credential: nil, at: now)
        var denied = other
        denied.effect = .deny
        try await fixture.ledger.record(denied.attempt)
        let columns =
            "entry_id, request_id, transaction_key, number, approver, verdict, at, reason, kind, effect"
        let from = "FROM ledger.approval"
        let forgeries = [
            "'\(denied.id)', '\(denied.id)', transaction_key, 2, 'os:x', 'approve', at, NULL, kind, effect",
            "'\(asked.id)', '\(denied.id)', transaction_key, 2, 'os:x', 'approve', at, NULL, kind, 'deny'",
            "'\(asked.id)', request_id, sha256('x'), 2, 'os:x', 'approve', at, NULL, kind, effect",
            "'\(asked.id)', request_id, transaction_key, 1, 'os:x', 'approve', at, NULL, kind, effect",
            "'\(asked.id)', request_id, transaction_key, 2, 'os:x', 'deny', at, NULL, kind, effect",
            "'\(asked.id)', request_id, transaction_key, 2, '', 'approve', at, NULL, kind, effect",
            "'\(asked.id)', request_id, transaction_key, 2, 'os:x', 'maybe', at, NULL, kind, effect",
            "gen_random_uuid(), request_id, transaction_key, 2, 'os:x', 'approve', at, NULL, kind, effect",
        ]
        for forgery in forgeries {
            #expect(throws: PostgresCluster.Failure.self, "\(forgery)") {
                try fixture.asOwner("INSERT INTO ledger.approval (\(columns)) SELECT \(forgery) \(from)")
            }
        }
        for login in [LedgerSchema.Login.writer, .auditor] {
            let connection = try Connection(fixture.settings(login))
            #expect(throws: DatabaseError.self) {
                try connection.readText(
                    "INSERT INTO ledger.approval SELECT * FROM ledger.approval", limit: 1)
            }
        }
        let auditor = try Connection(fixture.settings(.auditor))
        #expect(throws: DatabaseError.self) {
            try auditor.readText(
                "SELECT ledger.approve(gen_random_uuid(), '\(asked.id)', 'approve', now(), 'os:x', '')",
                limit: 1)
        }
        #expect(try auditor.readText("SELECT approver FROM approvals", limit: 9).rows == [["os:joe"]])
        #expect(try fixture.count("ledger.approval") == 1)
    }
}
