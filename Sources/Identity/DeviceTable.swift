import EnrollmentCore

/// Reads device lists as comma-separated text: a line of column names, then one device a line. Lists are
/// split by `;`. As strict as the other form: a column that is silently dropped could open the gate.
struct DeviceTable {
    /// The columns there may be, in any order; all but `id` may be left out. The posture columns are lists
    /// side by side: the first source with the first status, and so on.
    static let columns = [
        "id", "serial", "udid", "groups", "dns", "email", "upn", "sid", "owner", "posture_source",
        "posture_status", "posture_jailbroken", "posture_observed_at",
    ]

    private let header: [String]

    /// The devices of a table.
    ///
    /// - Throws: the first line that cannot be taken.
    static func parse(_ text: [UInt8]) throws(DeviceImport.LineError) -> [(line: Int, device: DeviceFacts)] {
        let records = try records(text)
        guard let first = records.first else { return [] }
        let table = DeviceTable(header: first.fields)
        try at(first.line) { () throws(DeviceField.Problem) in try table.check() }
        var devices: [(line: Int, device: DeviceFacts)] = []
        for record in records.dropFirst() {
            let device = try at(record.line) { () throws(DeviceField.Problem) in
                try table.device(record.fields)
            }
            devices.append((record.line, device))
        }
        return devices
    }

    private static func records(_ text: [UInt8]) throws(DeviceImport.LineError)
        -> [CommaSeparatedText.Record]
    {
        do throws(CommaSeparatedText.SyntaxError) {
            return try CommaSeparatedText.records(text, longest: DeviceImport.maximumLineLength)
        } catch {
            throw DeviceImport.LineError(
                line: error.line, problem: "field \(error.field + 1) \(error.problem)")
        }
    }

    private static func at<Value>(_ line: Int, _ body: () throws(DeviceField.Problem) -> Value)
        throws(DeviceImport.LineError) -> Value
    {
        do throws(DeviceField.Problem) { return try body() } catch {
            throw DeviceImport.LineError(line: line, problem: error.text)
        }
    }

    private func check() throws(DeviceField.Problem) {
        var seen: Set<String> = []
        for name in header {
            guard Self.columns.contains(name) else {
                let hint =
                    Self.columns.first { $0.isNearly(name) }.map { "did you mean \($0)?" }
                    ?? "there are \(Self.columns.joined(separator: ", "))"
                throw DeviceField.Problem("unknown column \"\(name.prefix(80))\": \(hint)")
            }
            guard seen.insert(name).inserted else {
                throw DeviceField.Problem("the column \(name) is there twice")
            }
        }
        guard seen.contains("id") else { throw DeviceField.Problem("there is no column id") }
    }

    private func device(_ fields: [String]) throws(DeviceField.Problem) -> DeviceFacts {
        guard fields.count == header.count else {
            throw DeviceField.Problem("\(fields.count) fields under \(header.count) columns")
        }
        let row = Dictionary(zip(header, fields), uniquingKeysWith: { first, _ in first })
        return DeviceFacts(
            id: try DeviceField.id(row["id"]), serial: try text(row, "serial"), udid: try text(row, "udid"),
            groups: try texts(row, "groups"),
            dns: try texts(row, "dns").map { name throws(DeviceField.Problem) in
                try DeviceField.dnsName(name)
            },
            email: try texts(row, "email"), upn: try texts(row, "upn"), sid: try text(row, "sid"),
            owner: try text(row, "owner"), posture: try posture(row))
    }

    private func posture(_ row: [String: String]) throws(DeviceField.Problem) -> [PostureFact] {
        let sources = try texts(row, "posture_source")
        let statuses = try column(row, "posture_status", sources.count)
        let jailbroken = try column(row, "posture_jailbroken", sources.count)
        let observed = try column(row, "posture_observed_at", sources.count)
        var facts: [PostureFact] = []
        for ((source, status), (jailbroken, observed)) in zip(
            zip(sources, statuses), zip(jailbroken, observed))
        {
            guard !facts.contains(where: { $0.source == source }) else {
                throw DeviceField.Problem("posture_source names \(source) twice")
            }
            facts.append(
                PostureFact(
                    source: source, status: try DeviceField.status(status, "posture_status"),
                    jailbroken: try jailbroken.map { text throws(DeviceField.Problem) in
                        try DeviceField.boolean(text, "posture_jailbroken")
                    },
                    observedAt: try observed.map { text throws(DeviceField.Problem) in
                        try DeviceField.instant(text, "posture_observed_at")
                    }))
        }
        return facts
    }

    /// One value for each posture source; empty ones are nil.
    private func column(_ row: [String: String], _ name: String, _ count: Int) throws(DeviceField.Problem)
        -> [String?]
    {
        guard let text = row[name], !text.isEmpty else { return Array(repeating: nil, count: count) }
        let values = text.split(separator: ";", omittingEmptySubsequences: false)
        guard values.count == count else {
            throw DeviceField.Problem("\(name) has \(values.count) values for \(count) in posture_source")
        }
        return values.map { $0.isEmpty ? nil : String($0) }
    }

    private func text(_ row: [String: String], _ name: String) throws(DeviceField.Problem) -> String? {
        guard let text = row[name], !text.isEmpty else { return nil }
        return try checked(text, name)
    }

    private func texts(_ row: [String: String], _ name: String) throws(DeviceField.Problem) -> [String] {
        guard let text = row[name], !text.isEmpty else { return [] }
        return try text.split(separator: ";", omittingEmptySubsequences: false)
            .map { part throws(DeviceField.Problem) in try checked(String(part), name) }
    }

    /// Spreadsheets leave spaces; a group with one in front would be another group.
    private func checked(_ text: String, _ name: String) throws(DeviceField.Problem) -> String {
        guard text.first != " ", text.last != " " else {
            throw DeviceField.Problem("\(name) has a space before or after \"\(text.prefix(80))\"")
        }
        return try DeviceField.text(text, name)
    }
}

extension String {
    /// Whether one change of a character, or two neighbours swapped, or more by case alone, make it `other`.
    fileprivate func isNearly(_ other: String) -> Bool {
        guard other.utf8.count <= 80 else { return false }
        let (left, right) = (Array(lowercased().utf8), Array(other.lowercased().utf8))
        let start = zip(left, right).prefix { $0 == $1 }.count
        let end = zip(left.dropFirst(start).reversed(), right.dropFirst(start).reversed())
            .prefix { $0 == $1 }.count
        let (old, new) = (left.dropFirst(start).dropLast(end), right.dropFirst(start).dropLast(end))
        return old.count <= 1 && new.count <= 1 || old.count == 2 && old.elementsEqual(new.reversed())
    }
}
