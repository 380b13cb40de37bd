package import EnrollmentCore
package import FrontEnd
package import OpenSSLCrypto
import PKIX

/// SCEP (RFC 8894) below `/scep/{service}`: GetCACaps, GetCACert, and PKIOperation with PKCSReq,
/// RenewalReq and CertPoll.
package struct SCEPServer: ProtocolFrontEnd {
    package let maximumBodySize = 262_144
    /// Seconds after which a throttled client, or one whose answer could not be written, may ask again.
    static let retryAfter: Int64 = 30

    let registrar: any Registrar
    private let authority: CMSIdentity
    private let random: any RandomSource

    /// - Parameters:
    ///   - registrar: judges and records.
    ///   - registrationAuthority: opens requests and signs answers; its certificate carries digitalSignature
    ///     and keyEncipherment and is issued by the issuing CA.
    ///   - random: nonces.
    package init(registrar: any Registrar, registrationAuthority: CMSIdentity, random: any RandomSource) {
        self.registrar = registrar
        authority = registrationAuthority
        self.random = random
    }

    package func respond(to request: FrontEndRequest) async -> FrontEndResponse {
        let name = Self.serviceName(inPath: request.path)
        do throws(SCEPOperation.Failure) {
            guard let name, let service = registrar.service(named: name), service.protocols.contains(.scep),
                let authorities = registrar.authorities(for: name)
            else { throw .unknownService }
            switch try SCEPOperation(request) {
            case .getCACaps: return .plain(200, Self.capabilities)
            case .getCACert: return certificates(authorities)
            case .pkiOperation(let octets):
                return try await pkiOperation(octets, service: name, request: request)
            }
        } catch {
            return await refuse(error, service: name, request: request)
        }
    }

    /// The service in `/scep/{service}`, whatever follows it: clients append names of programs.
    private static func serviceName(inPath path: String) -> ServiceName? {
        let components = path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        guard components.count >= 2, components[0] == "scep", components[1].utf8.count <= 64 else {
            return nil
        }
        return ServiceName(String(components[1]))
    }

    /// RFC 8894 §3.5.2.
    ///
    /// DIVERGES: `DES3` is there because strongSwan's client misreads the list and finds SHA-256 in its place
    /// (docs/protocols/scep.md). A request encrypted with it is refused like any other below the floor.
    private static let capabilities = """
        AES
        DES3
        POSTPKIOperation
        Renewal
        SCEPStandard
        SHA-256
        SHA-384
        SHA-512

        """

    /// RFC 8894 §4.2.1.2: the registration authority first, since clients encrypt to the first that can.
    private func certificates(_ authorities: CertificateAuthorities) -> FrontEndResponse {
        FrontEndResponse(
            status: 200, headers: [("content-type", "application/x-x509-ca-ra-cert")],
            body: CertificateBag.certsOnly([authority.certificate, authorities.issuing] + authorities.chain))
    }

    private func pkiOperation(
        _ octets: [UInt8], service: ServiceName, request: FrontEndRequest
    ) async throws(SCEPOperation.Failure) -> FrontEndResponse {
        do throws(PKIMessage.Failure) {
            let message = try PKIMessage(octets)
            let reply = reply(message.transaction, to: request)
            do throws(MessageRefusal) {
                let (outcome, cipher) = try await outcome(of: message, service: service, request: request)
                let recipient = CertRep.Recipient(certificate: message.signer.der, cipher: cipher)
                return reply.response(to: outcome, recipient: recipient)
            } catch {
                throw .refused(message.transaction, error)
            }
        } catch {
            switch error {
            case .unreadable(let place): throw .malformed(place)
            case .refused(let transaction, let refusal):
                let outcome = await record(refusal, service: service, request: request)
                return reply(transaction, to: request).response(
                    to: refusal.answer(outcome), failure: refusal.failure)
            }
        }
    }

    /// The outcome of a message, and the cipher to answer in.
    private func outcome(
        of message: PKIMessage, service: ServiceName, request: FrontEndRequest
    ) async throws(MessageRefusal) -> (EnrollmentOutcome, ContentCipher) {
        let opened: OpenedMessage
        switch message.type {
        case .pkcsReq:
            opened = try OpenedMessage(message, with: authority)
            let intent = try pkcsReq(opened, service: service, request: request)
            return (await registrar.enroll(intent), opened.cipher)
        case .renewalReq:
            opened = try OpenedMessage(message, with: authority)
            let intent = try renewalReq(opened, service: service, request: request)
            return (await registrar.enroll(intent), opened.cipher)
        case .certPoll:
            opened = try OpenedMessage(message, with: authority)
            return (try await certPoll(opened, service: service, request: request), opened.cipher)
        case .getCert, .getCRL:
            throw MessageRefusal(
                .unacceptableRequest, "scep.not_served", "GetCert and GetCRL are not served.")
        }
    }

    private func reply(_ transaction: Transaction, to request: FrontEndRequest) -> CertRep {
        CertRep(
            authority: authority, transaction: transaction, senderNonce: random.octets(16),
            signingTime: request.receivedAt.seconds)
    }

    private func record(
        _ refusal: MessageRefusal, service: ServiceName?, request: FrontEndRequest
    ) async -> EnrollmentOutcome {
        await registrar.refuse(
            RefusedRequest(
                id: request.id, receivedAt: request.receivedAt, service: service, enrollmentProtocol: .scep,
                kind: refusal.kind, reasonCode: refusal.reasonCode, reason: refusal.reason, peer: request.peer
            ))
    }

    /// Records a request without a transaction and answers it by an HTTP status.
    private func refuse(
        _ failure: SCEPOperation.Failure, service: ServiceName?, request: FrontEndRequest
    ) async -> FrontEndResponse {
        let (status, refusal): (Int, MessageRefusal) =
            switch failure {
            case .unknownService:
                (
                    404,
                    MessageRefusal(
                        .malformed, "scep.unknown_service", "No such service, or SCEP is off there.")
                )
            case .methodNotAllowed:
                (405, MessageRefusal(.malformed, "scep.method", "Neither GET nor POST."))
            case .unknownOperation:
                (
                    400,
                    MessageRefusal(
                        .malformed, "scep.operation", "The operation is missing or not one we know.")
                )
            case .tooLarge:
                (413, MessageRefusal(.malformed, "scep.too_large", "The message is too large."))
            case .malformed(let place):
                (400, MessageRefusal(.malformed, "scep.malformed", "The message cannot be read: \(place)."))
            }
        switch await record(refusal, service: service, request: request) {
        case .unavailable(let retryAfter): return .unavailable(retryAfter: retryAfter)
        case .refused(let recorded) where recorded.kind == .throttled: return .throttled
        case .refused, .issued, .deferred:
            let allow = status == 405 ? [(name: "allow", value: "GET, POST")] : []
            return .plain(status, "request not acceptable (request \(request.id))\n", headers: allow)
        }
    }
}
