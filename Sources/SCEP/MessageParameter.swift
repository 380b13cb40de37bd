import EnrollmentCore

/// The `message` parameter of a GET (RFC 8894 §4.1): base64 as clients put it into a URL.
///
/// `+` stays `+`; some clients leave `+`, `/` and `=` bare, some break lines, some encode twice.
enum MessageParameter {
    /// The octets, or nil when it is not base64 of the standard alphabet.
    static func decode(_ value: [UInt8]) -> [UInt8]? {
        guard var text = percentDecoded(value) else { return nil }
        if text.contains(UInt8(ascii: "%")) {
            guard let once = percentDecoded(text) else { return nil }
            text = once
        }
        text.removeAll { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: " ") }
        while text.last == UInt8(ascii: "=") { text.removeLast() }
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return text.isEmpty ? nil : Base64.decode(text)
    }

    private static func percentDecoded(_ value: [UInt8]) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = value[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                decoded.append(octet)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let escaped = Hex.decode(digits) else { return nil }
            decoded += escaped
            rest = rest.dropFirst(2)
        }
        return decoded
    }
}
