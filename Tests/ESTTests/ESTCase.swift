import EST
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

/// One request in a table, everyday unless a field says otherwise.
struct ESTCase: Sendable, CustomTestStringConvertible {
    var name = ""
    var method = "POST"
    var path = "/.well-known/est/laptops/simpleenroll"
    var mediaType: String? = "application/pkcs10"
    var authorization: [String] = ["Basic " + Base64.encode(Array("LT-042:SECRETTEXT".utf8))]
    var body = FrontEndRequest.Body.complete(Array(Vectors.request.utf8))
    var certificate: [UInt8]?
    var isSecure = true
    /// What is expected.
    var status = 200
    var reasonCode = ""
    var kind = RefusalKind.malformed

    var testDescription: String { name }

    static let id = RequestID(at: Timestamp(seconds: 1_790_000_000), random: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])

    init(_ name: String, _ change: (inout ESTCase) -> Void = { _ in }) {
        self.name = name
        change(&self)
    }

    /// A case that is refused before it becomes an intent.
    init(
        _ name: String, _ status: Int, _ reasonCode: String, _ kind: RefusalKind = .malformed,
        _ change: (inout ESTCase) -> Void
    ) {
        self.name = name
        change(&self)
        self.status = status
        self.reasonCode = reasonCode
        self.kind = kind
    }

    var request: FrontEndRequest {
        var headers = authorization.map { (name: "authorization", value: $0) }
        if let mediaType { headers.append((name: "content-type", value: mediaType)) }
        return FrontEndRequest(
            id: ESTCase.id, receivedAt: Timestamp(seconds: 1_790_000_000), method: method, path: path,
            headers: headers, body: body,
            peer: Peer(address: "192.0.2.7", isSecure: isSecure, clientCertificate: certificate))
    }

    func answer(from registrar: ScriptedRegistrar) async -> FrontEndResponse {
        await ESTServer(registrar: registrar).respond(to: request)
    }
}

extension FrontEndResponse {
    func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
    var text: String { String(decoding: body, as: UTF8.self) }
}
