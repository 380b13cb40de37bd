package import EnrollmentCore
import PKIX

/// A certificate with the key it is about.
package struct KeyedCertificate: Sendable {
    /// DER.
    package let certificate: [UInt8]
    package let signer: SoftwareSigner

    /// - Parameters:
    ///   - certificate: DER.
    ///   - signer: holds the certificate's key.
    package init(certificate: [UInt8], signer: SoftwareSigner) {
        self.certificate = certificate
        self.signer = signer
    }
}

/// The first certificates of an installation, made before there is a ledger: a root, an issuing CA, the SCEP
/// registration authority's and the listener's.
package struct AuthorityBootstrap: Sendable {
    package let root: KeyedCertificate
    package let issuing: KeyedCertificate
    /// RSA, so that SCEP clients can encrypt to it (RFC 8894 §3.1).
    package let registrationAuthority: KeyedCertificate
    package let tlsServer: KeyedCertificate

    private static let hour: Int64 = 3_600
    private static let day: Int64 = 86_400

    /// Makes all four with fresh keys.
    ///
    /// - Parameters:
    ///   - organization: into every subject, 1 to 64 characters.
    ///   - rootKey: the root's key; the issuing CA's is P-256, as is the listener's.
    ///   - hosts: further names for the listener beside localhost, 127.0.0.1 and ::1: host names or
    ///     addresses.
    ///   - now: validity begins an hour earlier.
    ///   - random: for serial numbers, and for the suffix that tells two installations' names apart.
    /// - Throws: `IssuanceError.unusableGrant` for a name that is neither host name nor address, `.signing`.
    package init(
        organization: String = "Gatehouse", rootKey: SoftwareSigner.Kind = .p384, hosts: [String] = [],
        at now: Timestamp, random: any RandomSource
    ) async throws(IssuanceError) {
        let suffix = Hex.encode(random.octets(4))
        root = try await Self.root("\(organization) Root CA \(suffix)", organization, rootKey, now, random)
        issuing = try await Self.issue(
            Self.subject("\(organization) Issuing CA \(suffix)", organization),
            extensions: [.certificateAuthority(pathLength: 0), .keyUsage([.keyCertSign, .crlSign])],
            days: 1_826, kind: .p256, by: root, at: now, random)
        registrationAuthority = try await Self.registrationAuthority(
            organization: organization, suffix: suffix, issuing: issuing, at: now, random: random)
        tlsServer = try await Self.tlsServer(hosts: hosts, issuing: issuing, at: now, random: random)
    }

    /// A fresh listener certificate, P-256, 90 days, for localhost, 127.0.0.1, ::1 and `hosts`.
    ///
    /// - Throws: as `init`.
    package static func tlsServer(
        hosts: [String], issuing: KeyedCertificate, at now: Timestamp, random: any RandomSource
    ) async throws(IssuanceError) -> KeyedCertificate {
        var names: [GeneralName] = []
        for host in ["localhost", "127.0.0.1", "::1"] + hosts {
            if let octets = IPAddressText.decode(host) {
                names.append(.ip(octets))
            } else if let name = HostName.normalised(host) {
                names.append(.dns(name))
            } else {
                throw .unusableGrant("neither host name nor address")
            }
        }
        var distinct: [GeneralName] = []
        for name in names where !distinct.contains(name) { distinct.append(name) }
        return try await issue(
            DistinguishedName(attributes: [NameAttribute(.commonName, "localhost")]),
            extensions: [
                .endEntity, .keyUsage([.digitalSignature]), .extendedKeyUsage([.serverAuthentication]),
                .subjectAlternativeName(distinct, isCritical: false),
            ],
            days: 90, kind: .p256, by: issuing, at: now, random)
    }

    private static func registrationAuthority(
        organization: String, suffix: String, issuing: KeyedCertificate, at now: Timestamp,
        random: any RandomSource
    ) async throws(IssuanceError) -> KeyedCertificate {
        try await issue(
            subject("\(organization) SCEP RA \(suffix)", organization),
            extensions: [.endEntity, .keyUsage([.digitalSignature, .keyEncipherment])],
            days: 1_825, kind: .rsa2048, by: issuing, at: now, random)
    }

    private static func root(
        _ name: String, _ organization: String, _ kind: SoftwareSigner.Kind, _ now: Timestamp,
        _ random: any RandomSource
    ) async throws(IssuanceError) -> KeyedCertificate {
        let signer = try generate(kind)
        let subject = subject(name, organization)
        return try await certify(
            subject, signer: signer,
            extensions: [.certificateAuthority(pathLength: nil), .keyUsage([.keyCertSign, .crlSign])],
            days: 3_652, issuer: Issuer(name: subject, signer: signer, latest: nil), at: now, random)
    }

    private static func issue(
        _ subject: DistinguishedName, extensions: [CertificateExtension], days: Int64,
        kind: SoftwareSigner.Kind, by issuer: KeyedCertificate, at now: Timestamp, _ random: any RandomSource
    ) async throws(IssuanceError) -> KeyedCertificate {
        guard let certificate = try? X509Certificate(der: issuer.certificate) else {
            throw .unusableAuthority("unreadable certificate")
        }
        return try await certify(
            subject, signer: try generate(kind), extensions: extensions, days: days,
            issuer: Issuer(
                name: certificate.subject, signer: issuer.signer, latest: certificate.notAfter),
            at: now, random)
    }

    private struct Issuer {
        let name: DistinguishedName
        let signer: SoftwareSigner
        let latest: Int64?
    }

    private static func certify(
        _ subject: DistinguishedName, signer: SoftwareSigner, extensions: [CertificateExtension], days: Int64,
        issuer: Issuer, at now: Timestamp, _ random: any RandomSource
    ) async throws(IssuanceError) -> KeyedCertificate {
        guard let info = try? SubjectPublicKeyInfo(der: signer.subjectPublicKeyInfo),
            let issuerInfo = try? SubjectPublicKeyInfo(der: issuer.signer.subjectPublicKeyInfo),
            let serials = RandomSerialNumbers(instance: 1, random: random)
        else { throw .unusableAuthority("unreadable key") }
        let start = now.seconds - hour
        let end = min(start + days * day - 1, issuer.latest ?? .max)
        let body = TBSCertificate(
            serialNumber: serials.next(), signatureAlgorithm: issuer.signer.signatureAlgorithm,
            issuer: issuer.name, notBefore: start, notAfter: end, subject: subject,
            subjectPublicKeyInfo: info,
            extensions: extensions + [
                .subjectKeyIdentifier(keyIdentifier(info)),
                .authorityKeyIdentifier(keyIdentifier(issuerInfo)),
            ])
        let signature: [UInt8]
        do { signature = try await issuer.signer.sign(body.der) } catch { throw .signing(error) }
        return KeyedCertificate(
            certificate: X509Certificate.assemble(
                tbsCertificate: body.der, signatureAlgorithm: issuer.signer.signatureAlgorithm,
                signature: signature),
            signer: signer)
    }

    private static func generate(_ kind: SoftwareSigner.Kind) throws(IssuanceError) -> SoftwareSigner {
        do { return try SoftwareSigner(generating: kind) } catch { throw .signing(error) }
    }

    private static func subject(_ name: String, _ organization: String) -> DistinguishedName {
        DistinguishedName(attributes: [
            NameAttribute(.organizationName, organization), NameAttribute(.commonName, name),
        ])
    }
}
