package import EnrollmentCore

/// One HTTP request as a front-end sees it: values, no sockets.
package struct FrontEndRequest: Sendable {
    /// What arrived as the body.
    package enum Body: Sendable {
        case complete([UInt8])
        /// More than `limit` octets were sent; the rest was not read.
        case tooLarge(limit: Int)
    }

    /// The correlation id; the ledger's request id if the request reaches it.
    package let id: RequestID
    package let receivedAt: Timestamp
    /// Upper case, e.g. `POST`.
    package let method: String
    /// The path as sent, percent-encoding untouched, without query.
    package let path: String
    /// The query as sent, without `?`; nil when there is none.
    package let query: String?
    /// Names in lower case, values as sent; several of one name in their order.
    package let headers: [(name: String, value: String)]
    package let body: Body
    package let peer: Peer

    package init(
        id: RequestID, receivedAt: Timestamp, method: String, path: String, query: String? = nil,
        headers: [(name: String, value: String)] = [], body: Body = .complete([]), peer: Peer
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
    }

    /// The first value of a header, by its lower-case name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The media type of the body: lower case, without parameters; nil when none is given.
    package var mediaType: String? {
        header("content-type").map { value in
            let type = value.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
            return type.trimmingWhitespace().lowercased()
        }
    }
}

extension Substring {
    fileprivate func trimmingWhitespace() -> String {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
