import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    /// Requests that a person must approve, over the whole path.
    @Suite struct ApprovalTests {
        private static let hour: Int64 = 3_600
        private static let contractors = ServiceName("contractors")

        /// The starter bundle with other terms of approval, the service open to SCEP and ACME too.
        private static func bundle(_ approval: String) throws -> PolicyBundle {
            let folder = try PolicyFolder()
            try folder.replace(#"["os:operator"]"#, by: #"["os:jane", "os:joe"]"#, in: "owners.yaml")
            try folder.replace(
                "protocols: [est]", by: "protocols: [est, scep, acme]", in: "catalog/services.yaml")
            try folder.replace(
                "approval: { from: Contractor Office, count: 1, within: 24h }",
                by: "approval: { from: Contractor Office, \(approval), within: 24h }",
                in: "rules/contractor-client-auth.yaml")
            return try PolicyBundle(files: BundleFile.read(directory: folder.path))
        }

        /// A contractor's machine that has asked and been told to wait.
        private static func waiting(
            _ approval: String = "count: 1", via: EnrollmentProtocol = .est, mintedBy minter: String = "test",
            through wrap: (PostgresLedger) -> any IssuanceLedger = { $0 }
        ) async throws -> (Gatehouse, Ask, RequestID) {
            let house = try await Gatehouse(through: wrap, bundle: try bundle(approval))
            try await house.register("CX-9", group: "contractors")
            let (record, shapes) = try await house.mint.mint(
                service: contractors, device: try #require(DeviceID("CX-9")), restrictedTo: nil,
                timeToLive: hour, actor: minter)
            let credential = Credential(id: record.id, shapes: shapes)
            let names = CertificateNames(commonName: "CX-9")
            let ask = try Ask(try credential.proof(via), request: try certificateRequest(names: names)).with {
                ($0.service, $0.via) = (contractors, via)
                $0.reference =
                    via == .scep
                    ? TransactionReference(service: contractors, text: "t1", isOrder: false) : nil
            }
            let intent = house.intent(ask)
            guard case .deferred(intent.id, let retryAfter) = await house.registrar.enroll(intent) else {
                throw NotDeferred()
            }
            #expect(retryAfter > 0)
            #expect(try await house.reason(intent.id) == "approval.waiting")
            try await house.replay(intent.id)
            return (house, ask, intent.id)
        }

        @Test func anESTRetryCollectsTheCertificateOnceApproved() async throws {
            let (house, ask, request) = try await Self.waiting()
            #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred")
            #expect(try house.count("ledger.request") == 1)
            let listed = try #require(try await house.ledger.waitingRequests(limit: 9).first)
            #expect(listed.request == request && listed.required.first?.team == "Contractor Office")
            #expect(listed.required.first?.members == ["os:jane", "os:joe"])
            try await house.say("os:jane", .approve, of: request)
            let issued = try await house.issue(ask)
            #expect(await house.registrar.enroll(house.intent(ask)).certificate == issued)
            #expect(try await house.ledger.waitingRequests(limit: 9).isEmpty)
            #expect(
                try house.value("SELECT attempt FROM audit.issuance WHERE state = 'issued'") == "2")
            try await house.replay(issued.requestID)
            let history = try #require(try await house.ledger.requestRecord(request))
            #expect(history.entries.map(\.kind).contains("approval"))
        }

        @Test func aSCEPPollCollectsTheCertificateOnceApproved() async throws {
            let (house, ask, request) = try await Self.waiting(via: .scep)
            let reference = try #require(ask.reference)
            #expect(await house.poll(reference)?.name == "deferred")
            #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred")
            try await house.say("os:joe", .approve, of: request)
            let issued = try #require(await house.poll(reference)?.certificate)
            #expect(await house.poll(reference)?.certificate == issued)
            #expect(
                try house.value("SELECT follows FROM audit.issuance WHERE state = 'issued'")
                    == request.description)
            try await house.replay(issued.requestID)
        }

        @Test func asManyApproveAsTheRuleAsksFor() async throws {
            let (house, ask, request) = try await Self.waiting("count: 2")
            for stranger in ["os:root", "jane", "os:jane "] {
                try await house.say(stranger, .approve, of: request)
            }
            try await house.say("os:jane", .approve, of: request)
            try await house.say("os:jane", .approve, of: request)
            #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred")
            try await house.say("os:joe", .approve, of: request)
            _ = try await house.issue(ask)
        }

        /// Whoever minted is no second pair of eyes, behind sudo neither.
        @Test(arguments: ["os:jane", "os:root, logged in as jane"])
        func fourEyesAreTwoPeople(_ minter: String) async throws {
            let (house, ask, request) = try await Self.waiting("count: 1, four_eyes: true", mintedBy: minter)
            try await house.say("os:jane", .approve, of: request)
            #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred")
            try await house.say("os:joe", .approve, of: request)
            try await house.replay(try await house.issue(ask).requestID)
        }

        @Test func aDenialStandsUntilTheSamePersonApproves() async throws {
            let (house, ask, request) = try await Self.waiting()
            try await house.say("os:jane", .deny, of: request)
            try await house.say("os:joe", .approve, of: request)
            let refused = house.intent(ask)
            #expect(await house.registrar.enroll(refused).refusal == .denied)
            #expect(try await house.reason(refused.id) == "approval.denied")
            try await house.replay(refused.id)
            try await house.say("os:jane", .approve, of: request)
            _ = try await house.issue(ask)
        }

        /// The credential outlives its hour while it waits, but an approval does not outlive its day.
        @Test func anApprovalExpires() async throws {
            let (house, ask, request) = try await Self.waiting()
            try await house.say("os:jane", .approve, of: request)
            house.clock.advance(seconds: 24 * Self.hour + 1)
            #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred")
            try await house.say("os:jane", .approve, of: request)
            house.clock.advance(seconds: 23 * Self.hour)
            _ = try await house.issue(ask)
        }

        @Test func theWaitEndsWithTheHoldOnTheCredential() async throws {
            let (house, ask, request) = try await Self.waiting()
            house.clock.advance(seconds: 72 * Self.hour)
            try await house.say("os:jane", .approve, of: request)
            #expect(await house.registrar.enroll(house.intent(ask)).refusal == .noUsableProof)
        }

        /// One approval is of one certificate: a renewal can be asked for again, but not on the same word.
        @Test func onceItsCertificateIsRevokedTheSameRequestWaitsAgain() async throws {
            let folder = try PolicyFolder()
            try folder.replace(#"["os:operator"]"#, by: #"["os:jane", "os:joe"]"#, in: "owners.yaml")
            try folder.replace(
                "if_csr_differs: deny",
                by: "if_csr_differs: deny\n\napproval: { from: Contractor Office, count: 1, within: 24h }",
                in: "rules/corp-laptop-client-auth.yaml")
            let house = try await Gatehouse(
                bundle: try PolicyBundle(files: BundleFile.read(directory: folder.path)))
            let (first, _) = try await house.issueApproved(try Ask(try await house.credential().proof()))
            let renewal = try Ask(.clientCertificate(first.certificate)).with { $0.operation = .rekey }
            let (renewed, request) = try await house.issueApproved(renewal)
            #expect(await house.registrar.enroll(house.intent(renewal)).certificate == renewed)

            #expect(
                try await house.ledger.revoke(
                    issuer: renewed.issuer, serial: renewed.serial, at: house.clock.now(),
                    reason: .superseded, by: "a", because: "b"))
            let again = house.intent(renewal)
            #expect(await house.registrar.enroll(again).name == "deferred")
            #expect(try await house.reason(again.id) == "approval.waiting")
            try await house.replay(again.id)
            let listed = try #require(try await house.ledger.waitingRequests(limit: 9).first)
            #expect(listed.request == again.id && listed.approvedBy.isEmpty)
            #expect(await house.registrar.enroll(house.intent(renewal)).name == "deferred")
            #expect(try house.issuedCount() == 1)

            // A denial after the certificate is heard; whoever denied may still approve.
            try await house.say("os:jane", .deny, of: request)
            #expect(await house.registrar.enroll(house.intent(renewal)).refusal == .denied)
            try await house.say("os:jane", .approve, of: again.id)
            let next = try await house.issue(renewal)
            #expect(next.serial != renewed.serial)
            try await house.replay(next.requestID)
        }

        /// Approval is of one key: another request of the same device waits by itself.
        @Test func anApprovalIsOfOneTransaction() async throws {
            let (house, ask, request) = try await Self.waiting()
            try await house.say("os:jane", .approve, of: request)
            let (_, shapes) = try await house.mint.mint(
                service: Self.contractors, device: try #require(DeviceID("CX-9")), restrictedTo: nil,
                timeToLive: Self.hour, actor: "test")
            let other = try Ask(
                .oneTimeCredential(
                    OfferedCredential(shape: .est, text: try #require(shapes.text(for: .est)))),
                request: try certificateRequest(names: CertificateNames(commonName: "CX-9"))
            ).with { $0.service = Self.contractors }
            #expect(await house.registrar.enroll(house.intent(other)).name == "deferred")
            _ = try await house.issue(ask)
            #expect(await house.registrar.enroll(house.intent(other)).name == "deferred")
        }

        @Test func aDenialBetweenDecisionAndReservationIsHeard() async throws {
            let (house, ask, request) = try await Self.waiting(through: { ledger in
                InterruptedLedger(ledger) { (inner, attempt) throws(LedgerError) in
                    guard let first = try await inner.waitingRequests(limit: 1).first,
                        !first.deniedBy.contains("os:joe")
                    else { return }
                    let word = Approval(approver: "os:joe", verdict: .deny, at: attempt.input.instant)
                    _ = try await inner.append(
                        SpokenWord(request: first.request, word: word, reason: "stop"))
                }
            })
            try await house.say("os:jane", .approve, of: request)
            #expect(await house.registrar.enroll(house.intent(ask)).refusal == .denied)
            #expect(try house.count("ledger.reservation") == 0)
        }

        /// An order is not kept waiting before it has a key: what is approved is the finalization.
        @Test func anInquiryDoesNotWait() async throws {
            let (house, _, _) = try await Self.waiting()
            let credential = try await house.credential(for: "CX-9", service: Self.contractors)
            let assessed = await house.registrar.assess(
                EnrollmentInquiry(
                    id: house.newID(), receivedAt: house.clock.now(), service: Self.contractors,
                    enrollmentProtocol: .acme, names: CertificateNames(commonName: "CX-9"),
                    proofs: [try credential.proof()], peer: Peer(address: "192.0.2.7", isSecure: true)))
            guard case .possible = assessed else {
                Issue.record("\(assessed)")
                return
            }
        }
    }
}

extension Gatehouse {
    /// Asks, is told to wait, has it approved and asks again; with the request that waited.
    fileprivate func issueApproved(_ ask: Ask) async throws -> (IssuedCertificate, RequestID) {
        let waiting = intent(ask)
        #expect(await registrar.enroll(waiting).name == "deferred")
        try await say("os:jane", .approve, of: waiting.id)
        return (try await issue(ask), waiting.id)
    }

    /// Has a person speak, as `approval approve` and `approval deny` do.
    fileprivate func say(_ who: String, _ verdict: Approval.Verdict, of request: RequestID) async throws {
        let word = Approval(approver: who, verdict: verdict, at: clock.now())
        let spoken = SpokenWord(request: request, word: word, reason: verdict == .deny ? "no" : nil)
        #expect(try await ledger.append(spoken) == .recorded)
    }
}
