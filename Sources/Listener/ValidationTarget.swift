/// Where one hop of an http-01 validation goes (RFC 8555 §8.3): an `http` URL taken apart strictly.
package struct ValidationTarget: Sendable, Hashable {
    /// Lower case: a DNS name or a version 4 address.
    package let host: String
    package let port: Int
    /// Path and query, beginning with `/`.
    package let resource: String

    /// - Parameters:
    ///   - host: a name that is known to be well-formed.
    ///   - resource: begins with `/`.
    package init(host: String, port: Int, resource: String) {
        self.host = host
        self.port = port
        self.resource = resource
    }

    /// Where a Location field leads from here; nil unless it is an absolute `http` URL without user
    /// information, or an absolute path. Anything but visible ASCII is refused, a fragment is dropped.
    package func following(location: String) -> ValidationTarget? {
        let text = location.prefix { $0 != "#" }
        guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return nil
        }
        if text.hasPrefix("/"), !text.hasPrefix("//") {
            return ValidationTarget(host: host, port: port, resource: String(text))
        }
        guard text.prefix(7).lowercased() == "http://" else { return nil }
        let rest = text.dropFirst(7)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let (host, port) = ValidationTarget.authority(rest[..<end]) else { return nil }
        let resource = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
        return ValidationTarget(host: host, port: port, resource: resource)
    }

    /// Host and port; nil with user information, a version 6 literal, or characters no host name has.
    private static func authority(_ text: Substring) -> (String, Int)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first?.lowercased(), (1...253).contains(host.utf8.count), parts.count <= 2,
            host.utf8.allSatisfy(isHostCharacter)
        else { return nil }
        guard parts.count == 2, let digits = parts.last else { return (host, 80) }
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), (1...65_535).contains(port)
        else { return nil }
        return (host, port)
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
