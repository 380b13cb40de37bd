/// What metrics say of the transparency log.
struct LogFigures: Sendable {
    var stored: (size: Int64, pending: Int64, checkpointAge: Int64?)?
    var isRolledBack = false
    /// Leaves that a place of publication lacks, by its name.
    var lags: [String: Int64] = [:]
    /// Leaves that a witness has cosigned, and whether it was shown another history, by its name.
    var witnesses: [String: (size: Int64, isContradicting: Bool)] = [:]

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
        text += gauges(
            "gatehouse_log_publication_lag_leaves", "Leaves that a place of publication lacks.",
            "publication",
            lags)
        text += gauges(
            "gatehouse_log_witness_size", "Leaves that a witness has cosigned.", "witness",
            witnesses.mapValues(\.size))
        return text
            + gauges(
                "gatehouse_log_witness_contradicts",
                "Whether a witness answers as if it had been shown another history.", "witness",
                witnesses.mapValues { $0.isContradicting ? 1 : 0 })
    }

    /// One for each name; nothing when there is none.
    private func gauges(_ name: String, _ help: String, _ label: String, _ values: [String: Int64]) -> String
    {
        guard !values.isEmpty else { return "" }
        let samples = values.sorted { $0.key < $1.key }
            .map { "\(name){\(label)=\"\(Self.escaped($0.key))\"} \($0.value)\n" }
        return "# HELP \(name) \(help)\n# TYPE \(name) gauge\n" + samples.joined()
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
