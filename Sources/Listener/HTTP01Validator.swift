package import ACME
import NIOCore
import NIOHTTP1
import NIOPosix

/// Fetches http-01 key authorizations (RFC 8555 §8.3) with a client of its own that cannot be talked into
/// calling elsewhere: every address of every hop is checked, and that very address is dialled.
///
/// Only `http` is followed, at most ten redirects, to allowed ports, 512 octets of body, within one deadline.
package struct HTTP01Validator: DomainControlValidator {
    /// What a validator may do.
    package struct Configuration: Sendable {
        /// Where the first request goes; 80 but in tests.
        package var port: Int
        /// Where redirects may go.
        package var allowedPorts: Set<Int>
        package var addresses: AddressPolicy
        /// Names under `.localhost` are 127.0.0.1 without DNS.
        package var resolvesLocalhost: Bool

        /// - Parameter allowedPorts: nil for 80 and `port`.
        package init(
            port: Int = 80, allowedPorts: Set<Int>? = nil, addresses: AddressPolicy,
            resolvesLocalhost: Bool = false
        ) {
            self.port = port
            self.allowedPorts = allowedPorts ?? [80, port]
            self.addresses = addresses
            self.resolvesLocalhost = resolvesLocalhost
        }
    }

    private static let maximumRedirects = 10

    private let configuration: Configuration
    private let resolver: NameResolver

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        resolver = NameResolver(resolvesLocalhost: configuration.resolvesLocalhost)
    }

    package func validate(
        name: String, token: String, keyAuthorization: String, timeLimit: Duration
    ) async -> DomainValidationResult {
        let deadline = NIODeadline.now() + TimeAmount(timeLimit)
        let target = ValidationTarget(
            host: name, port: configuration.port, resource: "/.well-known/acme-challenge/" + token)
        do throws(Failure) {
            let body = try await fetch(target, by: deadline)
            guard Self.trimmed(body) == Array(keyAuthorization.utf8) else {
                throw Failure(.incorrectResponse, "The resource does not hold the key authorization.")
            }
            return .valid
        } catch { return .failed(error.kind, detail: error.detail) }
    }

    /// The body of the resource, redirects followed.
    private func fetch(_ start: ValidationTarget, by deadline: NIODeadline) async throws(Failure) -> [UInt8] {
        var target = start
        for _ in 0...Self.maximumRedirects {
            let response = try await HTTP01Exchange.get(
                target, at: address(of: target, by: deadline), by: deadline)
            switch response.status {
            case 200:
                guard let body = response.body else {
                    throw Failure(.incorrectResponse, "The resource is larger than 512 octets.")
                }
                return body
            case 301, 302, 307, 308:
                guard let next = response.location.flatMap(target.following(location:)),
                    configuration.allowedPorts.contains(next.port)
                else { throw Failure(.connection, "A redirect leads where validation does not go.") }
                target = next
            default: throw Failure(.unauthorized, "The resource was answered with status \(response.status).")
            }
        }
        throw Failure(.connection, "More than \(Self.maximumRedirects) redirects.")
    }

    /// The address to dial. One forbidden address among several refuses them all: such a name is a trap.
    private func address(of target: ValidationTarget, by deadline: NIODeadline) async throws(Failure)
        -> IPAddress
    {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let found = await resolver.addresses(of: target.host, on: eventLoop, by: deadline)
        guard let first = found.first else { throw Failure(.dns, "The name does not resolve.") }
        guard found.allSatisfy(configuration.addresses.allows) else {
            throw Failure(.connection, "The name has an address that validation does not call.")
        }
        return first
    }

    private static func trimmed(_ body: [UInt8]) -> [UInt8] {
        let end = body.lastIndex { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
        return end.map { Array(body[...$0]) } ?? []
    }

    /// Why a validation failed, in words that quote nothing fetched.
    struct Failure: Error {
        let kind: DomainValidationFailure
        let detail: String

        init(_ kind: DomainValidationFailure, _ detail: String) {
            self.kind = kind
            self.detail = detail
        }
    }
}
