import ACME
import EnrollmentCore
import Identity

/// The small texts of the vocabulary: what can be read is written back as the same value.
enum EncodingsBody {
    static func run(_ octets: [UInt8]) {
        let text = String(decoding: octets, as: UTF8.self)
        if let decoded = Base64.decode(octets) { precondition(Array(Base64.encode(decoded).utf8) == octets) }
        if let decoded = Base64.decodeURLSafe(octets) {
            precondition(Array(Base64.encodeURLSafe(decoded).utf8) == octets)
        }
        if let decoded = Hex.decode(text) { precondition(Hex.encode(decoded) == text.lowercased()) }
        if let instant = Timestamp(rfc3339: text) {
            precondition(Timestamp(rfc3339: instant.description) == instant)
        }
        if let id = RequestID(text) { precondition(id.description == text.lowercased()) }
        if let device = DeviceID(text) { precondition(device.rawValue == text) }
        if let host = HostName.normalised(text) { precondition(HostName.normalised(host) == host) }
        if let address = IPAddressText.decode(text) {
            precondition(IPAddressText.decode(IPAddressText.encode(address)) == address)
        }
        _ = IPAddressText.encode(octets)
        _ = CredentialID(text)
        _ = Base32.encode(octets)
    }
}

/// JSON as ACME reads it, and the signatures and keys in it.
enum JOSEBody {
    static func run(_ octets: [UInt8]) {
        _ = try? FlattenedJWS(octets)
        guard let document = try? JSONReader.read(octets) else { return }
        if let again = try? JSONReader.read(Array(document.canonicalText.utf8)) {
            precondition(again == document)
        }
        _ = try? FlattenedJWS(document)
        if let key = try? JSONWebKey(document) { precondition(!key.thumbprint.isEmpty) }
    }
}

/// Device lists.
enum DeviceImportBody {
    static func run(_ octets: [UInt8]) {
        for format in DeviceImport.Format.allCases { _ = try? DeviceImport.parse(octets, as: format) }
    }
}
