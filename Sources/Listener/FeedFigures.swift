/// What metrics say of one feed to another system.
struct FeedFigures: Sendable {
    let position: Int64
    let behind: Int64
    let isConnected: Bool
    let failures: Int64

    /// In the Prometheus text format; nothing without feeds. Names have no character that needs escaping.
    static func rendered(_ feeds: [String: FeedFigures]) -> String {
        guard !feeds.isEmpty else { return "" }
        let sorted = feeds.sorted { $0.key < $1.key }
        func family(_ name: String, _ type: String, _ help: String, _ value: (FeedFigures) -> Int64) -> String
        {
            "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
                + sorted.map { "\(name){feed=\"\($0.key)\"} \(value($0.value))\n" }.joined()
        }
        return family("gatehouse_feed_position", "gauge", "Leaves of the log delivered.", \.position)
            + family("gatehouse_feed_behind", "gauge", "Leaves of the log not yet delivered.", \.behind)
            + family("gatehouse_feed_connected", "gauge", "Whether this gateway delivers.") {
                $0.isConnected ? 1 : 0
            }
            + family("gatehouse_feed_failures_total", "counter", "Deliveries that broke off.", \.failures)
    }
}
