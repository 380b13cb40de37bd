import EnrollmentCore
import Ledger

/// ArcSight's Common Event Format, CEF:0 (“Implementing ArcSight Common Event Format”, version 26): header
/// fields between bars, then `key=value` pairs whose lengths the format's dictionary bounds.
enum CommonEventFormat {
    static func text(of occurrence: Occurrence) -> String {
        let name = header(occurrence.action, 512)
        let severity = [1, 3, 5, 8, 10][occurrence.severity.rawValue]
        let head = "CEF:0|Gatehouse|Gatehouse|1|\(header(occurrence.action, 128))|\(name)|\(severity)|"
        return head + pairs(occurrence).joined(separator: " ")
    }

    private static func pairs(_ occurrence: Occurrence) -> [String] {
        let event = occurrence.event
        var pairs: [String] = []
        func add(_ key: String, _ value: String?, _ length: Int) {
            guard let value = Occurrence.clean(value, length) else { return }
            pairs.append("\(key)=\(escaped(value))")
        }
        func add(custom number: Int, _ label: String, _ value: String?) {
            guard value != nil else { return }
            add("cs\(number)", value, 4_000)
            add("cs\(number)Label", label, 1_023)
        }
        add("rt", String(event.recordedAt.microseconds / 1_000), 20)
        add("externalId", event.entry, 40)
        add("cn1", String(event.index), 20)
        add("cn1Label", "leafIndex", 1_023)
        add("cat", occurrence.subject.rawValue, 1_023)
        add("act", occurrence.action, 63)
        add("outcome", occurrence.outcome.rawValue, 63)
        add("app", event.enrollmentProtocol, 31)
        add("dvchost", event.gateway, 100)
        add("deviceExternalId", event.device, 255)
        add("suser", occurrence.actor, 1_023)
        addAddress(occurrence.clientAddress, add)
        add("reason", occurrence.reasonCode ?? occurrence.reason, 1_023)
        add(custom: 1, "requestId", event.request)
        add(custom: 2, "service", event.service)
        add(custom: 3, "certificateSerial", occurrence.serial)
        add(custom: 4, "rules", occurrence.rules.isEmpty ? nil : occurrence.rules.joined(separator: " "))
        add(custom: 5, "policySha256", occurrence.policy)
        add(custom: 6, "leafHash", event.leafHash)
        add("msg", occurrence.message, 1_023)
        return pairs
    }

    /// `src` is for IPv4; IPv6 has a field of its own.
    private static func addAddress(_ address: String?, _ add: (String, String?, Int) -> Void) {
        guard let address else { return }
        if address.contains(":") {
            add("c6a2", address, 45)
            add("c6a2Label", "Source IPv6 Address", 1_023)
        } else {
            add("src", address, 45)
        }
    }

    /// A header field: bars and backslashes escaped.
    static func header(_ text: String, _ length: Int) -> String {
        var output = ""
        for character in Occurrence.clean(text, length)?.unicodeScalars ?? "".unicodeScalars {
            if character == "|" || character == "\\" { output += "\\" }
            output.unicodeScalars.append(character)
        }
        return output
    }

    /// An extension's value: equals signs and backslashes escaped; bars are not.
    static func escaped(_ text: String) -> String {
        var output = ""
        for character in text.unicodeScalars {
            if character == "=" || character == "\\" { output += "\\" }
            output.unicodeScalars.append(character)
        }
        return output
    }
}
