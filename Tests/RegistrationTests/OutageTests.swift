import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct OutageTests {
        @Test func withoutALedgerNothingIsIssuedAndServiceResumes() async throws {
            let cluster = try PostgresCluster.separate()
            defer { cluster.remove() }
            let house = try await Gatehouse(cluster: cluster, patience: 300)
            let credential = try await house.credential()
            let ask = try Ask(try credential.proof(.scep)).with { $0.via = .scep }
            let spare = try await house.credential()
            try cluster.stop(immediate: true)

            #expect(await house.registrar.enroll(house.intent(ask)).name == "unavailable")
            #expect(await house.registrar.enroll(house.intent(try Ask())).name == "unavailable")
            let reference = TransactionReference(service: Gatehouse.laptops, text: "t", isOrder: false)
            #expect(await house.poll(reference)?.name == "unavailable")
            let inquiry = EnrollmentInquiry(
                id: house.newID(), receivedAt: house.clock.now(), service: Gatehouse.laptops,
                enrollmentProtocol: .acme, names: CertificateNames(), proofs: [.account(id: "a")],
                peer: Peer(address: "192.0.2.7", isSecure: true))
            if case .unavailable = await house.registrar.assess(inquiry) {
            } else {
                Issue.record("assessed without a ledger")
            }
            if case .unavailable = await house.registrar.bind(try house.offer("a", spare)) {
            } else {
                Issue.record("bound without a ledger")
            }
            let refused = RefusedRequest(
                id: house.newID(), receivedAt: house.clock.now(), service: Gatehouse.laptops,
                enrollmentProtocol: .scep, kind: .malformed, reasonCode: "scep.der", reason: "not DER",
                peer: Peer(address: "192.0.2.7", isSecure: false))
            #expect(await house.registrar.refuse(refused).name == "unavailable")

            try cluster.start()
            var outcome = await house.registrar.enroll(house.intent(ask))
            for _ in 0..<50 where outcome.name == "unavailable" {
                outcome = await house.registrar.enroll(house.intent(ask))
            }
            #expect(outcome.name == "issued")
            #expect(try house.count("ledger.certificate") == 1)
            #expect(try house.count("ledger.reservation") == 1)
            #expect(try house.count("ledger.request") == 1)
        }
    }
}
