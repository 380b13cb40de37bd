package import EnrollmentCore
package import FrontEnd
import PKIX

/// Enrollment over Secure Transport (RFC 7030, RFC 8951): cacerts, simpleenroll and simplereenroll below
/// `/.well-known/est/[service/]`.
package struct ESTServer: ProtocolFrontEnd {
    private let registrar: any Registrar

    /// - Parameter registrar: answers for every service.
    package init(registrar: any Registrar) { self.registrar = registrar }

    /// 64 KiB: the base64 of the largest acceptable certificate request, with room for line breaks.
    package var maximumBodySize: Int { 65_536 }

    package func respond(to request: FrontEndRequest) async -> FrontEndResponse {
        do throws(ESTRefusal) {
            switch try ESTRequest.parse(request, registrar) {
            case .authorities(let service): return authorities(of: service, request.id)
            case .enrollment(let enrollment):
                return encode(await registrar.enroll(intent(for: enrollment, request)), request.id)
            }
        } catch { return await refuse(request, error) }
    }

    private func intent(for enrollment: ESTEnrollment, _ request: FrontEndRequest) -> EnrollmentIntent {
        EnrollmentIntent(
            id: request.id, receivedAt: request.receivedAt, service: enrollment.service,
            enrollmentProtocol: .est,
            operation: enrollment.operation, request: enrollment.request, proofs: enrollment.proofs,
            claimedDevices: enrollment.claimedDevices, peer: request.peer)
    }

    /// RFC 7030 §4.1.3: everything up to the current root.
    private func authorities(of service: ServiceName, _ id: RequestID) -> FrontEndResponse {
        guard let authorities = registrar.authorities(for: service) else {
            return ESTAnswer.text(503, "unavailable", id, retryAfter: ESTAnswer.defaultRetryAfter)
        }
        return ESTAnswer.certificates([authorities.issuing] + authorities.chain)
    }

    /// RFC 7030 §4.2.3 and the table of answers.
    private func encode(_ outcome: EnrollmentOutcome, _ id: RequestID) -> FrontEndResponse {
        switch outcome {
        case .issued(let issued): return ESTAnswer.certificates([issued.certificate])
        case .deferred(let id, let seconds): return ESTAnswer.text(202, "deferred", id, retryAfter: seconds)
        case .unavailable(let seconds): return ESTAnswer.text(503, "unavailable", id, retryAfter: seconds)
        case .refused(let refusal):
            switch refusal.kind {
            case .denied: return ESTAnswer.text(403, refusal.kind.rawValue, refusal.id)
            case .noUsableProof: return ESTAnswer.text(401, refusal.kind.rawValue, refusal.id)
            case .malformed, .unacceptableRequest, .unacceptableKey, .unacceptableAlgorithm:
                return ESTAnswer.text(400, refusal.kind.rawValue, refusal.id)
            case .throttled:
                return ESTAnswer.text(
                    429, refusal.kind.rawValue, refusal.id, retryAfter: ESTAnswer.defaultRetryAfter)
            }
        }
    }

    /// Records the refusal; the registrar may answer that there are too many, or that it cannot.
    private func refuse(_ request: FrontEndRequest, _ refusal: ESTRefusal) async -> FrontEndResponse {
        let cause = refusal.cause
        let outcome = await registrar.refuse(
            RefusedRequest(
                id: request.id, receivedAt: request.receivedAt, service: refusal.service,
                enrollmentProtocol: .est,
                operation: refusal.operation, kind: cause.kind, reasonCode: cause.reasonCode,
                reason: cause.reason,
                peer: request.peer))
        switch outcome {
        case .refused(let recorded) where recorded.kind == cause.kind:
            var answer = ESTAnswer.text(cause.status, recorded.kind.rawValue, recorded.id)
            if case .wrongMethod(let allowed) = cause {
                answer.headers.append((name: "allow", value: allowed))
            }
            return answer
        case .refused, .unavailable: return encode(outcome, request.id)
        case .issued, .deferred:
            return encode(.unavailable(retryAfter: ESTAnswer.defaultRetryAfter), request.id)
        }
    }
}
