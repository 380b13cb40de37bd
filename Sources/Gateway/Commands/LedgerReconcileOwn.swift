import EnrollmentCore
import Foundation
import Ledger
import PKIX

/// The certificates that gateways make for themselves. The ledger has no reservation for them, only the word
/// of a start; so each must be what its gateway would have made, and cannot be anybody else's.
struct OwnCertificates {
    private static let lifetimeOfListener: Int64 = 90 * 86_400

    private let claims: [Digest: Set<OwnCertificate>]
    private let root: X509Certificate
    private let issuing: X509Certificate
    private let registrationAuthority: X509Certificate

    /// - Parameter claims: what starts recorded.
    /// - Throws: `StartupError` when an authority's certificate is not in the state.
    init(claims: [Digest: Set<OwnCertificate>], state: StateDirectory) throws {
        self.claims = claims
        root = try Self.kept("root", state)
        issuing = try Self.kept(AuthorityStore.issuerName, state)
        registrationAuthority = try Self.kept("scep-ra", state)
    }

    /// The certificate that the state has under that name.
    static func kept(_ name: String, _ state: StateDirectory) throws -> X509Certificate {
        let path = "\(state.pki)/\(name).pem"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartupError("cannot read \(path)", remedy: "restore it from the backup")
        }
        guard
            let der = try? PEM.decode(String(decoding: data, as: UTF8.self), label: "CERTIFICATE").first,
            let certificate = try? X509Certificate(der: der)
        else { throw StartupError("\(path) holds no certificate", remedy: "restore it from the backup") }
        return certificate
    }

    /// Whether a certificate is one that its start may call its own; nil when none does.
    func judge(_ certificate: X509Certificate, _ fingerprint: Digest, signedBy issuer: String) -> Bool? {
        claims[fingerprint]?.contains { isOwn(certificate, as: $0, signedBy: issuer) }
    }

    private func isOwn(
        _ certificate: X509Certificate, as name: OwnCertificate, signedBy issuer: String
    ) -> Bool {
        switch name {
        case .root: issuer == "root" && isAuthority(certificate) && isOnly(certificate, like: root)
        case .issuing: issuer == "root" && isAuthority(certificate) && isOnly(certificate, like: issuing)
        case .registrationAuthority:
            issuer == AuthorityStore.issuerName && isOnly(certificate, like: registrationAuthority)
                && has(certificate, [.endEntity, .keyUsage([.digitalSignature, .keyEncipherment])])
        case .listener: isListeners(certificate, signedBy: issuer)
        }
    }

    /// First start makes it, once: at most its serial number and validity may be others.
    private func isOnly(_ certificate: X509Certificate, like kept: X509Certificate) -> Bool {
        certificate.subject == kept.subject && certificate.subjectPublicKeyInfo == kept.subjectPublicKeyInfo
            && Set(certificate.extensions) == Set(kept.extensions)
    }

    private func isAuthority(_ certificate: X509Certificate) -> Bool {
        (try? certificate.extension(.basicConstraints)?.basicConstraints().isCA) ?? false
    }

    /// Each renewal has a fresh key; but it is good for this machine's own names only, and not for long.
    func isListeners(_ certificate: X509Certificate, signedBy issuer: String) -> Bool {
        let addresses: [[UInt8]] = [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]
        let names = [GeneralName.dns("localhost")] + addresses.map { .ip($0) }
        return issuer == AuthorityStore.issuerName
            && certificate.notAfter - certificate.notBefore < Self.lifetimeOfListener
            && certificate.subject == DistinguishedName(attributes: [NameAttribute(.commonName, "localhost")])
            && certificate.subjectPublicKeyInfo.namedCurve == .p256
            && has(
                certificate,
                [
                    .endEntity, .keyUsage([.digitalSignature]), .extendedKeyUsage([.serverAuthentication]),
                    .subjectAlternativeName(names, isCritical: false),
                ])
    }

    /// Whether its extensions are these and both key identifiers, and no others.
    private func has(_ certificate: X509Certificate, _ extensions: [CertificateExtension]) -> Bool {
        let identifiers: Set<OID> = [.subjectKeyIdentifier, .authorityKeyIdentifier]
        let further = certificate.extensions.filter { !identifiers.contains($0.identifier) }
        return certificate.extensions.count == extensions.count + identifiers.count
            && Set(further) == Set(extensions)
    }
}
