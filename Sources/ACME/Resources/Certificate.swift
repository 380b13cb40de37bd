import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// The issued chain, leaf first (RFC 8555 §7.4.2).
    func certificate(_ id: String, _ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            try signed.requireEmptyPayload()
            guard let certificate = try await load(ACMECertificate.self, id, exchange)?.state,
                certificate.account == account.id
            else { throw .absent }
            return FrontEndResponse(
                status: 200, headers: [("Content-Type", "application/pem-certificate-chain")],
                body: Array(certificate.pem.utf8))
        }
    }
}
