extension Output {
    /// A record of CSV (RFC 4180) with its line end. As in PostgreSQL's COPY, NULL is an empty field without
    /// quotes, and the empty text one in quotes.
    static func csv(_ fields: [String?]) -> String {
        fields.map { $0.map(csvField) ?? "" }.joined(separator: ",") + "\r\n"
    }

    /// Spreadsheets run a cell that begins like a formula; an apostrophe keeps it text. By scalars: a
    /// carriage return and its line feed are one character, and a sign with an accent is another than the
    /// sign.
    private static func csvField(_ text: String) -> String {
        let first = text.unicodeScalars.first
        let safe = first.map { "=+-@\t\r".unicodeScalars.contains($0) } == true ? "'" + text : text
        let isPlain = !safe.unicodeScalars.contains { "\",\r\n".unicodeScalars.contains($0) }
        guard !isPlain || safe.isEmpty else { return safe }
        var quoted = "\""
        for scalar in safe.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
