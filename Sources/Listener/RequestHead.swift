import NIOHTTP1

/// A request header that we accept, taken apart (RFC 9112 §2, §3).
struct RequestHead: Sendable {
    let method: String
    /// As sent, percent-encoding untouched.
    let path: String
    /// As sent, without `?`.
    let query: String?
    /// Lower-case names, values as sent.
    let headers: [(name: String, value: String)]
    /// As announced; nil when chunked or absent.
    let contentLength: Int?
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    let expectsContinue: Bool
    /// Whether the connection may carry another request.
    let keepsAlive: Bool
    /// HTTP/1.0, where staying alive has to be said.
    let isOldVersion: Bool

    /// - Throws: the status of the answer: 400, 417 or 505.
    init(_ head: HTTPRequestHead) throws(UnacceptableHead) {
        guard head.version.major == 1 else { throw .version }
        isOldVersion = head.version.minor == 0
        let hosts = head.headers["host"].count
        guard hosts == 1 || (isOldVersion && hosts == 0) else { throw .malformed }
        let target = try RequestHead.originForm(head.uri)
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map(String.init) ?? ""
        query = parts.count == 2 ? parts.last.map(String.init) : nil
        method = head.method.rawValue
        headers = head.headers.map { (name: $0.name.lowercased(), value: $0.value) }
        let lengths = head.headers["content-length"]
        contentLength = lengths.first.flatMap { Int($0) }
        guard lengths.isEmpty || contentLength != nil else { throw .malformed }
        let expectations = isOldVersion ? [] : head.headers["expect"]
        expectsContinue = expectations.first?.lowercased() == "100-continue"
        guard expectations.isEmpty || (expectations.count == 1 && expectsContinue) else { throw .expectation }
        // We upgrade to nothing, and the HTTP stack below stops reading behind such a request.
        keepsAlive = head.isKeepAlive && !head.headers.contains(name: "upgrade")
    }

    /// RFC 9112 §3.2.2: the absolute form is accepted, its authority ignored as the Host field is.
    private static func originForm(_ target: String) throws(UnacceptableHead) -> Substring {
        if target.hasPrefix("/") { return target[...] }
        guard let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) else {
            throw .malformed
        }
        let rest = target.dropFirst(scheme.count)
        guard let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }), rest[slash] == "/" else {
            throw .malformed
        }
        return rest[slash...]
    }
}

/// Why a request is answered by the listener itself; the raw value is the status.
enum UnacceptableHead: UInt, Error, Sendable {
    case malformed = 400
    case timeout = 408
    case expectation = 417
    case version = 505
}
