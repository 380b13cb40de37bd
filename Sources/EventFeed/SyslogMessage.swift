package import EnrollmentCore

/// One message of the syslog protocol (RFC 5424), framed for TLS (RFC 5425 §4.3).
package struct SyslogMessage: Sendable, Hashable {
    /// `log audit` (RFC 5424 §6.2.1).
    private static let facility = 13

    /// RFC 5424 §6.2.1: 0 emergency to 7 debug.
    package let severity: Int
    package let instant: Timestamp
    /// Which gateway speaks.
    package let host: String
    /// The kind of event.
    package let identifier: String
    package let content: String

    package init(severity: Int, instant: Timestamp, host: String, identifier: String, content: String) {
        self.severity = severity
        self.instant = instant
        self.host = host
        self.identifier = identifier
        self.content = content
    }

    /// The message: `MSG-ANY`, since a byte order mark would spoil the JSON.
    package var text: String {
        let priority = Self.facility * 8 + min(max(severity, 0), 7)
        return "<\(priority)>1 \(instant.description) \(Self.printable(host, 255)) gatehouse - "
            + "\(Self.printable(identifier, 32)) - \(content)"
    }

    /// Length, space, message: octet counting.
    package var frame: [UInt8] {
        let octets = Array(text.utf8)
        return Array("\(octets.count) ".utf8) + octets
    }

    /// PRINTUSASCII of that length at most; the nil value when nothing is left.
    private static func printable(_ text: String, _ length: Int) -> String {
        let kept = text.unicodeScalars.filter { (33...126).contains($0.value) }.prefix(length)
        return kept.isEmpty ? "-" : String(String.UnicodeScalarView(kept))
    }
}

extension Occurrence.Severity {
    /// RFC 5424 §6.2.1.
    var syslog: Int {
        switch self {
        case .informational: return 6
        case .low: return 5
        case .medium: return 4
        case .high: return 3
        case .critical: return 2
        }
    }
}
