/// Requests of one source in one minute that were counted instead of recorded.
package struct TrafficCount: Sendable, Hashable {
    /// Any instant of the minute.
    package let minute: Timestamp
    /// Empty when the path named none.
    package let service: String
    /// The client address.
    package let source: String
    package let kind: RefusalKind
    package let requests: Int64

    package init(minute: Timestamp, service: String, source: String, kind: RefusalKind, requests: Int64) {
        self.minute = minute
        self.service = service
        self.source = source
        self.kind = kind
        self.requests = requests
    }
}
