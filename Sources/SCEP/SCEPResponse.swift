import FrontEnd

extension FrontEndResponse {
    /// A signed answer (RFC 8894 §4.3).
    static func pkiMessage(_ der: [UInt8]) -> FrontEndResponse {
        FrontEndResponse(status: 200, headers: [("content-type", "application/x-pki-message")], body: der)
    }

    /// A plain-text answer where there is no transaction to answer to.
    static func plain(_ status: Int, _ text: String, headers: [(name: String, value: String)] = [])
        -> FrontEndResponse
    {
        FrontEndResponse(
            status: status, headers: [("content-type", "text/plain")] + headers, body: Array(text.utf8))
    }

    static var throttled: FrontEndResponse {
        plain(429, "too many requests\n", headers: [("retry-after", String(SCEPServer.retryAfter))])
    }

    /// - Parameter retryAfter: seconds.
    static func unavailable(retryAfter: Int64) -> FrontEndResponse {
        plain(503, "unavailable\n", headers: [("retry-after", String(max(1, retryAfter)))])
    }
}
