import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// What is personal stays out of what is hashed, is shown while it is kept, and can be erased.
struct PrivacyTests {
    /// Every place of a request that tells of a person, each with a text of its own.
    static let places: [(name: String, marker: String)] = [
        ("client address", "203.0.113.77"), ("owner", "Marker Owner \"quoted\" \\ \u{7}ü"),
        ("sid", "S-1-5-21-marker"), ("device e-mail", "marker.one@person.example"),
        ("device principal name", "marker-two@person.example"),
        ("requested e-mail", "marker.three@person.example"),
        ("requested principal name", "marker-four@person.example"),
        ("requested subject attribute", "GIVENNAME=marker-five"),
        ("requested common name", "marker.six@person.example"),
        ("shown certificate's e-mail", "marker.seven@person.example"),
        ("name that a rule made", "marker.eight@person.example"),
    ]

    static func marked(_ name: String, at instant: Timestamp) throws -> Enrollment {
        let texts = places.map(\.marker)
        let device = try required(DeviceID("LT-1"))
        var enrollment = Enrollment(name, credential: nil, at: instant)
        enrollment.adjust = { input in
            input.clientAddress = texts[0]
            input.device = DeviceFacts(
                id: device, serial: "SERIAL", groups: ["laptops"],
                email: [texts[3]], upn: [texts[4]], sid: texts[2], owner: texts[1])
            input.request.names = CertificateNames(
                commonName: texts[8], otherSubjectAttributes: [texts[7]], dns: ["a.example"],
                email: [texts[5], texts[3]], upn: [texts[6]])
            input.proofs.append(
                .clientCertificate(
                    certificate: Digest(of: [1]), device: device, state: .valid,
                    names: CertificateNames(commonName: "LT-1", email: [texts[9]])))
        }
        enrollment.trace = [
            "rules": [
                [
                    "rule": "rule-1",
                    "conditions": [
                        ["condition": "device.owner is one of those", "value": .string(texts[1])],
                        ["condition": "client.address", "value": [.string(texts[0]), "other"]],
                    ],
                ]
            ],
            "names_wished": ["email": [.string(texts[5])], "dns": ["a.example"]],
            "names_granted": ["rule-1": ["email": [.string(texts[10])]]],
        ]
        return enrollment
    }

    private static func needle(_ text: String) -> String {
        // Bodies and dumps escape what is not a letter differently: the plain part will do.
        text.hasPrefix("Marker Owner") ? "Marker Owner" : text
    }

    @Test func bodiesAndColumnsHoldNoPersonalText() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = try Self.marked("one", at: fixture.clock.now())
        let made = try required(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        _ = try await fixture.ledger.commit(enrollment.signed, under: made)
        let refused = RefusedRequest(
            id: RequestID(at: fixture.clock.now(), random: [1]), receivedAt: fixture.clock.now(),
            service: nil, enrollmentProtocol: .scep, kind: .malformed, reasonCode: "scep.malformed",
            reason: "no", peer: Peer(address: "203.0.113.99", isSecure: false))
        try await fixture.ledger.record(
            RefusalRecord(
                request: refused, owner: "Team", policy: Digest(of: LedgerFixture.policy),
                decidedAt: fixture.clock.now()))
        for text in Self.places.map(\.marker).map(Self.needle) + ["203.0.113.99"] {
            #expect(try fixture.count("ledger.entry WHERE position('\(text)' IN body) > 0") == 0, "\(text)")
            #expect(
                try fixture.count("ledger.request AS q WHERE position('\(text)' IN q::text) > 0") == 0,
                "\(text)")
            #expect(
                try fixture.count("audit.private_values WHERE position('\(text)' IN value) > 0") == 1,
                "\(text)")
        }
        // One commitment a value, not one a place: what was equal stays so.
        #expect(try fixture.count("ledger.private_value") == Self.places.count + 1)
    }

    @Test func viewsAndDocumentsShowWhatIsKept() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = try Self.marked("one", at: fixture.clock.now())
        _ = try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
        let auditor = AuditorQuery(fixture.settings(.writer))
        for view in ["issuance", "requests"] {
            #expect(
                try auditor.run("SELECT client_address FROM \(view)", limit: 1).rows == [["203.0.113.77"]])
        }
        let record = try required(try auditor.recorded(since: 0, limit: 9).next().first)
        let expected = try JSONValue(encoding: enrollment.input)
        #expect(record.request.contains(expected.canonicalText), "RFC 8785 text as without commitments")
        #expect(record.decision.contains(enrollment.trace.canonicalText))
        guard
            case .object(let shown)? = try await fixture.ledger.requestRecord(enrollment.id)?
                .document("request")
        else {
            Issue.record("no document")
            return
        }
        #expect(shown["input"] == expected && shown["client_address"] == "203.0.113.77")
        #expect(try await fixture.ledger.why(enrollment.id)?.input == expected)
    }

    @Test func aWaitingRequestIsReadBackWhole() async throws {
        let fixture = try await LedgerFixture()
        var enrollment = try Self.marked("one", at: fixture.clock.now())
        enrollment.effect = .defer
        enrollment.reasonCode = "approval.waiting"
        enrollment.reference = TransactionReference(
            service: LedgerFixture.service, text: "tx", isOrder: false)
        try await fixture.ledger.record(enrollment.attempt)
        var again = enrollment
        again.id = RequestID(at: enrollment.instant, random: [9])
        try await fixture.ledger.record(again.attempt)
        try await fixture.ledger.record(enrollment.attempt)
        #expect(
            try fixture.count("ledger.private_value") == Self.places.count,
            "neither what was counted nor what was called again keeps values")
        let reference = try required(enrollment.reference)
        #expect(try await fixture.ledger.deferredRequest(under: reference)?.input == enrollment.input)
        #expect(
            try await fixture.ledger.waitingRequest(enrollment.id)?.clientAddress == "203.0.113.77")
        _ = try fixture.redact(.request(enrollment.id))
        #expect(
            try await fixture.ledger.deferredRequest(under: reference) == nil,
            "what is not known whole is not decided again")
    }
}
