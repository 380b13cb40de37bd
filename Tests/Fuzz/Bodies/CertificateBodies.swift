import Crypto
import EnrollmentCore
import PKIX

/// Certificates, their extensions and keys, and bags of them.
enum CertificateBody {
    static func run(_ octets: [UInt8]) {
        for rules in [X509Certificate.Rules.strict, .lenientSerial] {
            guard let certificate = try? X509Certificate(der: octets, rules: rules) else { continue }
            precondition(certificate.der == octets)
            _ = try? PublicKey(subjectPublicKeyInfo: certificate.toBeSigned.subjectPublicKeyInfo)
            _ = try? CertificateNames(certificate)
            for found in certificate.toBeSigned.extensions {
                _ = try? found.basicConstraints()
                _ = try? found.keyUsage()
                _ = try? found.extendedKeyUsage()
                _ = try? found.subjectAlternativeName()
                _ = try? found.subjectKeyIdentifier()
                _ = try? found.authorityKeyIdentifier()
            }
        }
        _ = try? CertificateBag.certificates(in: octets)
        _ = try? GeneralName.list(der: octets)
        _ = try? PublicKey(subjectPublicKeyInfo: octets)
        _ = try? PEM.decode(String(decoding: octets, as: UTF8.self), label: "CERTIFICATE")
    }
}

/// Certification requests as they come, and once more with a key and a signature that fit, so that the
/// judgement of names and attributes behind the proof of possession is reached.
enum CertificateRequestBody {
    static func run(_ octets: [UInt8]) {
        judge(octets)
        guard let request = try? CertificationRequest(der: octets) else { return }
        precondition(request.der == octets)
        _ = try? request.challengePassword()
        _ = try? request.requestedExtensions(acceptingMicrosoft: true)
        if let signed = signedAgain(request) { judge(signed) }
    }

    private static func judge(_ der: [UInt8]) {
        for rules in [CertificateRequest.AttributeRules.standard, .acceptingMicrosoft] {
            _ = try? CertificateRequest(der: der, attributeRules: rules)
        }
    }

    private static let key = try? P256.Signing.PrivateKey(rawRepresentation: Array(UInt8(1)...32))
    private static let algorithm = OID("1.2.840.10045.4.3.2").map { DERWriter.sequence([DERWriter.oid($0)]) }

    private static func signedAgain(_ request: CertificationRequest) -> [UInt8]? {
        guard let key, let algorithm, var parts = try? DERElements.sequence(request.information),
            parts.count >= 3
        else { return nil }
        parts[2] = Array(key.publicKey.derRepresentation)
        let information = DERWriter.sequence(parts)
        guard let signature = try? key.signature(for: information) else { return nil }
        return DERWriter.sequence([
            information, algorithm, DERWriter.bitString(Array(signature.derRepresentation)),
        ])
    }
}
