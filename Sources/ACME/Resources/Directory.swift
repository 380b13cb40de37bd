import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// The directory (RFC 8555 §7.1.1). What is not offered is not listed.
    func directory(_ exchange: ACMEExchange) throws(ACMEProblem) -> FrontEndResponse {
        try exchange.allow(["GET", "HEAD"])
        func url(_ resource: ACMEResource) -> JSONValue { .string(exchange.locations.url(resource)) }
        let profiles = exchange.service.profiles.map { ($0.key.rawValue, JSONValue.string($0.value)) }
        return exchange.json(
            200,
            [
                "newNonce": url(.newNonce), "newAccount": url(.newAccount), "newOrder": url(.newOrder),
                "meta": [
                    "externalAccountRequired": true,
                    "profiles": .object(Dictionary(profiles, uniquingKeysWith: { first, _ in first })),
                ],
            ])
    }

    /// A fresh nonce (RFC 8555 §7.2).
    func newNonce(_ exchange: ACMEExchange) throws(ACMEProblem) -> FrontEndResponse {
        try exchange.allow(["HEAD", "GET"])
        let nonce = nonces.issue(for: exchange.service.name, at: exchange.now)
        return FrontEndResponse(
            status: exchange.request.method == "HEAD" ? 200 : 204, headers: [("Replay-Nonce", nonce)])
    }
}
