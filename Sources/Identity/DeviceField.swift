import EnrollmentCore

/// What each field of a device must be, however it is written.
enum DeviceField {
    /// A field that cannot be taken.
    struct Problem: Error {
        /// The sentence, naming the field.
        let text: String
        init(_ text: String) { self.text = text }
    }

    static func id(_ text: String?, _ name: String = "id") throws(Problem) -> DeviceID {
        guard let id = DeviceID(text ?? "") else {
            throw Problem("\(name) must be 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        return id
    }

    static func text(_ text: String, _ name: String) throws(Problem) -> String {
        let isPrintable = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        guard isPrintable, (1...500).contains(text.utf8.count) else {
            throw Problem("\(name) must have 1 to 500 octets and no control characters")
        }
        return text
    }

    /// Lower case, without a trailing dot; letters, digits, hyphens and dots, and one leading `*.` at most.
    static func dnsName(_ text: String, _ name: String = "dns") throws(Problem) -> String {
        let lowered = text.lowercased()
        let labels = (lowered.hasPrefix("*.") ? String(lowered.dropFirst(2)) : lowered)
            .split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
                        || byte == 0x5f
                }
        }
        guard isName, lowered.utf8.count <= 253 else {
            throw Problem("\(name) holds a name that is none: \(text.prefix(80))")
        }
        return lowered
    }

    static func status(_ text: String?, _ name: String) throws(Problem) -> PostureStatus {
        guard let status = text.flatMap(PostureStatus.init(rawValue:)) else {
            throw Problem("\(name) must be compliant, noncompliant, unknown or unavailable")
        }
        return status
    }

    static func boolean(_ text: String, _ name: String) throws(Problem) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default: throw Problem("\(name) must be true or false")
        }
    }

    static func instant(_ text: String, _ name: String) throws(Problem) -> Timestamp {
        guard let instant = Timestamp(rfc3339: text) else {
            throw Problem("\(name) must be an RFC 3339 time, e.g. 2026-11-22T10:00:00Z")
        }
        return instant
    }
}
