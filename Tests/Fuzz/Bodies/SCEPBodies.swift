import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import OpenSSLCrypto
import PKIX
import SCEP

/// One request to SCEP: `G` and a query, or `P` and a message.
enum SCEPBody {
    static let authority = Vectors.identity("ra.key.pem", "ra.pem")

    private static var server: SCEPServer {
        SCEPServer(
            registrar: FrontEndRun.deferringRegistrar(), registrationAuthority: authority,
            random: SeededRandom())
    }

    static func run(_ octets: [UInt8]) {
        let rest = Array(octets.dropFirst())
        switch octets.first {
        case UInt8(ascii: "G"):
            let query = FrontEndRun.text(rest)
            FrontEndRun.answer(
                server, FrontEndRun.request("GET", "/scep/laptops", query: query, isSecure: false))
        case UInt8(ascii: "P"): post(rest)
        default:
            FrontEndRun.answer(
                server, FrontEndRun.request("GET", FrontEndRun.text(octets), query: "operation=GetCACaps"))
        }
    }

    static func post(_ message: [UInt8]) {
        FrontEndRun.answer(
            server,
            FrontEndRun.request(
                "POST", "/scep/laptops", query: "operation=PKIOperation", message, isSecure: false))
    }
}

/// What a device's good signature covers: the message type in the first octet, then an envelope, or after
/// `=` the content of a good one.
enum SCEPContentBody {
    private static let device = Vectors.identity("device.key.pem", "device.self-signed.pem")
    private static let authority = Vectors.certificate("ra.pem")
    private static let types = ["19", "17", "20", "21", "22", "18", "3"]

    static func run(_ octets: [UInt8]) {
        let type = types[Int(octets.first ?? 0) % types.count]
        var content = Array(octets.dropFirst())
        if content.first == UInt8(ascii: "=") {
            content.removeFirst()
            guard let sealed = try? Envelope.seal(content, to: authority, cipher: .aes256) else { return }
            content = sealed
        }
        let attributes: SignedAttributes = [
            "2.16.840.1.113733.1.9.2": .printableString(Array(type.utf8)),
            "2.16.840.1.113733.1.9.5": .octetString(Array("0123456789abcdef".utf8)),
            "2.16.840.1.113733.1.9.7": .printableString(Array("T-1".utf8)),
        ]
        let message = try? device.sign(
            content, attributes: attributes, digest: .sha256, signingTime: FrontEndRun.now.seconds)
        if let message { SCEPBody.post(message) }
    }
}

/// Signed messages and envelopes without anything around them.
enum CMSBody {
    static func run(_ octets: [UInt8]) {
        _ = try? SignedMessage(
            octets,
            reading: ["2.16.840.1.113733.1.9.2", "2.16.840.1.113733.1.9.5", "2.16.840.1.113733.1.9.7"])
        _ = try? SCEPBody.authority.open(octets)
        _ = try? CertificateBag.certificates(in: octets)
    }
}
