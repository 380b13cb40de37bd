import EnrollmentCore
import FrontEnd

/// A request that may be answered: its path, method, size and type are in order.
enum ESTRequest: Sendable {
    case authorities(ServiceName)
    case enrollment(ESTEnrollment)

    /// - Parameter registrar: says which services exist and speak EST.
    /// - Throws: in this order, what is wrong with connection, path, service, operation, method, size, media
    ///   type, offered proofs, base64 and certificate request.
    static func parse(_ request: FrontEndRequest, _ registrar: any Registrar) throws(ESTRefusal) -> ESTRequest
    {
        guard request.peer.isSecure else { throw ESTRefusal(.insecure, service: nil) }
        let target = try ESTOperation.target(of: request.path)
        guard let service = registrar.service(named: target.service) else {
            throw ESTRefusal(.unknownService, service: target.service)
        }
        guard service.protocols.contains(.est) else { throw ESTRefusal(.notEnabled, service: service.name) }
        switch target.operation {
        case .cacerts:
            guard request.method == "GET" || request.method == "HEAD" else {
                throw ESTRefusal(.wrongMethod(allowed: "GET, HEAD"), service: service.name)
            }
            return .authorities(service.name)
        case .simpleenroll, .simplereenroll:
            return .enrollment(
                try ESTEnrollment.parse(
                    request, service.name, mustPossessCertificate: target.operation == .simplereenroll))
        case .fullcmc, .serverkeygen, .csrattrs:
            throw ESTRefusal(.notServed, service: service.name)
        }
    }
}
