import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import PKIX
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct EnrollmentTests {
        @Test func everyProtocolComesToTheSameDecision() async throws {
            let house = try await Gatehouse()
            let est = house.intent(
                try Ask(try await house.credential().proof(.est)).with { $0.claims = ["LT-042"] })
            let scep = house.intent(
                try Ask(try await house.credential().proof(.scep)).with {
                    $0.via = .scep
                    $0.reference = TransactionReference(service: $0.service, text: "t1", isOrder: false)
                })
            try await house.bind("account-1", with: try await house.credential())
            let acme = house.intent(
                try house.order(try certificateRequest(), account: "account-1", order: "1"))
            var decisions: [[String: JSONValue]] = []
            for intent in [est, scep, acme] {
                let issued = try #require(await house.registrar.enroll(intent).certificate)
                #expect(issued.requestID == intent.id && issued.device.rawValue == "LT-042")
                let read = try X509Certificate(der: issued.certificate)
                #expect(read.subjectPublicKeyInfo.der == intent.request.publicKey.subjectPublicKeyInfo)
                #expect(read.serialNumber == issued.serial)
                decisions.append(try await house.decision(intent.id))
            }
            #expect(decisions[0]["rule_ids"] == ["corp-laptop-client-auth"])
            #expect(decisions[0]["effect"] == "permit" && decisions[0]["reason_code"] == "permitted")
            #expect(decisions[1] == decisions[0] && decisions[2] == decisions[0])
            #expect(try house.issuedCount() == 3)
        }

        @Test func anAccountOrdersAgainAndAgainButItsCredentialIsSpent() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            try await house.bind("account-1", with: credential)
            let inquiry = EnrollmentInquiry(
                id: house.newID(), receivedAt: house.clock.now(), service: Gatehouse.laptops,
                enrollmentProtocol: .acme, names: CertificateNames(dns: ["lt-042.devices.localhost"]),
                proofs: [.account(id: "account-1")], peer: Peer(address: "192.0.2.7", isSecure: true))
            guard case .possible = await house.registrar.assess(inquiry) else {
                Issue.record("not possible")
                return
            }
            for order in ["1", "2"] {
                _ = try await house.issue(
                    try house.order(try certificateRequest(), account: "account-1", order: order))
            }
            let other = house.intent(try Ask(try credential.proof(.est)))
            #expect(await house.registrar.enroll(other).name == "no_usable_proof")
            #expect(try await house.reason(other.id) == "credential.spent")
            #expect(try house.count("ledger.alert") == 1)
            // Revoking the credential ends the account that it bound.
            #expect(
                try await house.ledger.revoke(credential.id, at: house.clock.now(), by: "a", because: "b"))
            let late = house.intent(
                try house.order(try certificateRequest(), account: "account-1", order: "3"))
            #expect(await house.registrar.enroll(late).name == "no_usable_proof")
            #expect(try await house.reason(late.id) == "credential.revoked")
            #expect(try house.issuedCount() == 2)
        }

        @Test func aCredentialBindsOneAccount() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            try await house.bind("account-1", with: credential)
            try await house.bind("account-1", with: credential)
            guard
                case .refused(let refusal) = await house.registrar.bind(
                    try house.offer("account-2", credential))
            else {
                Issue.record("bound twice")
                return
            }
            #expect(refusal.kind == .noUsableProof)
            #expect(try house.count("ledger.account") == 1)
        }

        @Test func whatIsAskedForByAnotherNameIsDeniedAndSpendsNothing() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            let wrong = house.intent(
                try Ask(try credential.proof(), request: try certificateRequest(device: "LT-043")))
            #expect(await house.registrar.enroll(wrong).name == "denied")
            #expect(try await house.reason(wrong.id) == "csr.names_differ")
            _ = try await house.issue(try Ask(try credential.proof()))
            #expect(try house.issuedCount() == 1)
        }

        @Test func aKeyBelongsToOneDeviceAndABlockedOneToNone() async throws {
            let house = try await Gatehouse()
            let key = try freshKey()
            let first = try await house.issue(
                try Ask(try await house.credential().proof(), request: try certificateRequest(key)))
            let copied = house.intent(
                try Ask(
                    try await house.credential(for: "LT-043").proof(),
                    request: try certificateRequest(key, device: "LT-043")))
            #expect(await house.registrar.enroll(copied).name == "denied")
            #expect(try await house.reason(copied.id) == "key.seen_on_other_device")
            #expect(
                try await house.ledger.revoke(
                    issuer: first.issuer, serial: first.serial, at: house.clock.now(), reason: .keyCompromise,
                    by: "a", because: "b"))
            let blocked = house.intent(
                try Ask(try await house.credential().proof(), request: try certificateRequest(key)))
            #expect(await house.registrar.enroll(blocked).name == "denied")
            #expect(try await house.reason(blocked.id) == "key.blocked")
        }

        @Test func aDeviceThatTheDirectoryDoesNotKnowIsDenied() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential(for: "LT-999")
            let intent = house.intent(
                try Ask(try credential.proof(), request: try certificateRequest(device: "LT-999")))
            #expect(await house.registrar.enroll(intent).name == "denied")
            #expect(try await house.reason(intent.id) == "device.unknown")
        }

        /// The one certificate of a use is not replaced by asking the same again once it is revoked: the use
        /// is spent, and the refusal is on the ledger like any other.
        @Test func onceItsCertificateIsRevokedTheSameRequestIsRefused() async throws {
            let house = try await Gatehouse()
            let ask = try Ask(try await house.credential().proof())
            let issued = try await house.issue(ask)
            #expect(
                try await house.ledger.revoke(
                    issuer: issued.issuer, serial: issued.serial, at: house.clock.now(), reason: .superseded,
                    by: "a", because: "b"))
            let again = house.intent(ask)
            #expect(await house.registrar.enroll(again).name == "no_usable_proof")
            #expect(try await house.reason(again.id) == "credential.spent")
            #expect(try house.issuedCount() == 0)
        }
    }
}

extension Gatehouse {
    func offer(_ account: String, _ credential: Credential) throws -> AccountBindingOffer {
        AccountBindingOffer(
            id: newID(), receivedAt: clock.now(), service: Self.laptops,
            binding: try credential.binding(of: account),
            account: ProtocolRecord(
                key: ProtocolRecordKey(service: Self.laptops, kind: "acme.account", id: account),
                document: [:],
                expiresAt: nil),
            accountID: account, peer: Peer(address: "192.0.2.7", isSecure: true))
    }

    func bind(_ account: String, with credential: Credential) async throws {
        guard case .bound = await registrar.bind(try offer(account, credential)) else {
            Issue.record("\(account) was not bound")
            return
        }
    }

    /// An ACME order of an account, at its finalization.
    func order(_ request: CertificateRequest, account: String, order: String) throws -> Ask {
        try Ask(.account(id: account), request: request).with {
            $0.via = .acme
            $0.reference = TransactionReference(service: $0.service, text: order, isOrder: true)
        }
    }

    /// The recorded decision, but for what no two requests share.
    func decision(_ id: RequestID) async throws -> [String: JSONValue] {
        guard case .object(var members)? = try await ledger.why(id)?.decision else { throw NotRecorded() }
        for name in ["request_id", "trace"] { members[name] = nil }
        return members
    }
}

struct NotRecorded: Error {}
