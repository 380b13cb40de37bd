/// What metrics say of the transparency log.
struct LogFigures: Sendable {
    var stored: (size: Int64, pending: Int64, checkpointAge: Int64?)?
    var isRolledBack = false
    /// Leaves that a place of publication lacks, by its name.
    var lags: [String: Int64] = [:]

    /// In the Prometheus text format; nothing before the log was looked at.
    func rendered() -> String {
        guard let stored else { return "" }
        var text = gauge("gatehouse_log_size", "Leaves of the transparency log.", stored.size)
        text += gauge("gatehouse_log_pending_leaves", "Entries that are no leaves yet.", stored.pending)
        if let age = stored.checkpointAge {
            text += gauge("gatehouse_log_checkpoint_age_seconds", "Age of the newest checkpoint.", age)
        }
        text += gauge(
            "gatehouse_log_rolled_back",
            "Whether issuance is stopped: the database lacks what was published.",
            isRolledBack ? 1 : 0)
        guard !lags.isEmpty else { return text }
        text += "# HELP gatehouse_log_publication_lag_leaves Leaves that a place of publication lacks.\n"
        text += "# TYPE gatehouse_log_publication_lag_leaves gauge\n"
        for (name, lag) in lags.sorted(by: { $0.key < $1.key }) {
            text += "gatehouse_log_publication_lag_leaves{publication=\"\(Self.escaped(name))\"} \(lag)\n"
        }
        return text
    }

    private func gauge(_ name: String, _ help: String, _ value: Int64) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            if character == "\\" || character == "\"" { escaped.append("\\") }
            escaped += character.isNewline ? "\\n" : String(character)
        }
    }
}
