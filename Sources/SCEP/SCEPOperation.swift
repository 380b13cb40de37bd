import EnrollmentCore
import FrontEnd

/// What an HTTP request asks of SCEP (RFC 8894 §4).
enum SCEPOperation: Sendable {
    case getCACaps
    case getCACert
    /// BER of a pkiMessage.
    case pkiOperation([UInt8])

    /// Why an HTTP request is none of these. There is no transaction to answer to, so the answer is HTTP's.
    enum Failure: Error, Sendable {
        /// No such service, or SCEP is not enabled on it.
        case unknownService
        case methodNotAllowed
        case unknownOperation
        case tooLarge
        /// The text names the place.
        case malformed(String)
    }

    private static let maximumQuerySize = 65_536

    /// - Throws: `Failure`, but never `unknownService`.
    init(_ request: FrontEndRequest) throws(Failure) {
        let query = (request.query ?? "").utf8
        guard query.count <= Self.maximumQuerySize else { throw .tooLarge }
        let operation = Self.parameter("operation", in: query)
        switch request.method {
        case "POST":
            // Clients are known to leave the operation out of a POST; no other operation has a body.
            guard operation == nil || operation == Array("PKIOperation".utf8) else { throw .unknownOperation }
            switch request.body {
            case .tooLarge: throw .tooLarge
            case .complete(let octets): self = .pkiOperation(octets)
            }
        case "GET":
            switch operation.map({ String(decoding: $0, as: UTF8.self) }) {
            case "GetCACaps": self = .getCACaps
            case "GetCACert": self = .getCACert
            case "PKIOperation":
                guard let value = Self.parameter("message", in: query),
                    let octets = MessageParameter.decode(value)
                else { throw .malformed("message parameter") }
                self = .pkiOperation(octets)
            default: throw .unknownOperation
            }
        default: throw .methodNotAllowed
        }
    }

    /// The raw value of the first parameter of that name; base64 may hold further equals signs.
    private static func parameter(_ name: String, in query: String.UTF8View) -> [UInt8]? {
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            if let first = parts.first, first.elementsEqual(name.utf8) {
                return parts.count > 1 ? Array(parts[1]) : []
            }
        }
        return nil
    }
}
