package import EnrollmentCore
package import PKIX
package import Policy

/// An issuer: prepares what policy granted and signs what was reserved, nothing else.
package struct CertificateAuthority: Sendable {
    /// As in paths and on the ledger, e.g. `issuing`.
    package let name: String
    package let certificate: X509Certificate
    /// DER from this authority's issuer up to the root.
    package let chain: [[UInt8]]

    let signer: any Signer
    let keyIdentifier: [UInt8]
    private let publicKey: PublicKey

    /// - Parameters:
    ///   - name: as in paths.
    ///   - certificate: its own.
    ///   - chain: DER from its issuer up to the root, the root last; empty for a root.
    ///   - signer: its key.
    /// - Throws: `.unusableAuthority` unless the certificate is a CA's, may sign certificates, bears a key
    ///   identifier, and is about the signer's key.
    package init(
        name: String, certificate: X509Certificate, chain: [[UInt8]], signer: any Signer
    ) throws(IssuanceError) {
        guard certificate.subjectPublicKeyInfo.der == signer.subjectPublicKeyInfo else {
            throw .unusableAuthority("certificate and key differ")
        }
        guard !certificate.subject.isEmpty,
            (try? certificate.extension(.basicConstraints)?.basicConstraints())?.isCA == true,
            (try? certificate.extension(.keyUsage)?.keyUsage())?.contains(.keyCertSign) == true
        else { throw .unusableAuthority("not a CA certificate") }
        guard let identifier = try? certificate.extension(.subjectKeyIdentifier)?.subjectKeyIdentifier(),
            !identifier.isEmpty
        else { throw .unusableAuthority("no subject key identifier") }
        guard let key = try? PublicKey(subjectPublicKeyInfo: certificate.subjectPublicKeyInfo) else {
            throw .unusableAuthority("unacceptable key")
        }
        self.name = name
        self.certificate = certificate
        self.chain = chain
        self.signer = signer
        keyIdentifier = identifier
        publicKey = key
    }

    /// Composes the certificate that a grant allows for a key, and lints it.
    ///
    /// Everything in it comes from the grant and its profile; the request gave the key alone.
    ///
    /// - Parameters:
    ///   - serial: 17 octets from a `SerialNumberSource`.
    ///   - now: the signing instant, from which notBefore is backdated.
    /// - Throws: `.unusableGrant` or `.lint`.
    package func prepare(
        _ grant: Grant, publicKey: PublicKey, serial: [UInt8], at now: Timestamp
    ) throws(IssuanceError) -> PreparedCertificate {
        guard grant.profile.keyAlgorithms.contains(publicKey.algorithm) else {
            throw .unusableGrant("the profile does not certify \(publicKey.algorithm.rawValue)")
        }
        guard let info = try? SubjectPublicKeyInfo(der: publicKey.subjectPublicKeyInfo) else {
            throw .unusableGrant("public key")
        }
        let validity = try validity(of: grant, at: now)
        let subject = try GrantedNames.subject(grant.names)
        let composed = TBSCertificate(
            serialNumber: serial, signatureAlgorithm: signer.signatureAlgorithm, issuer: certificate.subject,
            notBefore: validity.lowerBound.seconds, notAfter: validity.upperBound.seconds, subject: subject,
            subjectPublicKeyInfo: info,
            extensions: try LeafExtensions.compose(
                grant, key: publicKey.algorithm, info: info, authority: keyIdentifier,
                subjectIsEmpty: subject.isEmpty))
        // The lints read the bytes that will be signed, not the values they were made of (invariant I7).
        guard let read = try? TBSCertificate(der: composed.der) else { throw .unusableGrant("encoding") }
        try Lints.run(
            LintSubject(
                certificate: read, issuer: certificate, signatureAlgorithm: signer.signatureAlgorithm,
                authorityKeyIdentifier: keyIdentifier, publicKey: publicKey, grant: grant, serial: serial,
                preparedAt: now))
        return PreparedCertificate(
            issuer: name, serial: serial, tbsCertificate: composed.der, publicKey: publicKey.digest,
            names: grant.names, notBefore: validity.lowerBound, notAfter: validity.upperBound)
    }

    /// Signs a prepared certificate under its reservation, and checks the result.
    ///
    /// - Parameters:
    ///   - prepared: used up, whatever happens.
    ///   - reservation: read back from the durable row (invariant I1).
    ///   - now: recorded as the signing instant.
    /// - Throws: `.reservationDiffers`, `.signing` or `.signatureDiffers`.
    package func sign(
        _ prepared: consuming PreparedCertificate, under reservation: Reservation, at now: Timestamp
    ) async throws(IssuanceError) -> SignedCertificateRecord {
        let tbsCertificate = prepared.tbsCertificate
        guard reservation.issuer == name, prepared.issuer == name, reservation.serial == prepared.serial,
            reservation.tbsDigest == Digest(of: tbsCertificate)
        else { throw .reservationDiffers }
        let signature: [UInt8]
        do { signature = try await signer.sign(tbsCertificate) } catch { throw .signing(error) }
        let der = X509Certificate.assemble(
            tbsCertificate: tbsCertificate, signatureAlgorithm: signer.signatureAlgorithm,
            signature: signature)
        guard let read = try? X509Certificate(der: der), read.toBeSigned.der == tbsCertificate else {
            throw .signatureDiffers
        }
        do {
            try SignatureVerification.verify(
                read.signature, over: read.toBeSigned.der, algorithm: read.signatureAlgorithm, by: publicKey)
        } catch { throw .signatureDiffers }
        return SignedCertificateRecord(certificate: der, signedAt: now)
    }

    /// The first and last second of validity, both inclusive (RFC 5280 §4.1.2.5): backdated, but not before
    /// the issuer; no longer than grant, profile and issuer allow.
    private func validity(of grant: Grant, at now: Timestamp) throws(IssuanceError) -> ClosedRange<Timestamp>
    {
        let issuerStart = Timestamp(seconds: certificate.notBefore)
        let issuerEnd = Timestamp(seconds: certificate.notAfter)
        let backdating = min(max(grant.profile.backdating, 0), 86_400)
        let start = max(now.wholeSeconds.adding(seconds: -backdating), issuerStart)
        let profileEnd = start.adding(seconds: max(grant.profile.maximumValidity, 0)).adding(seconds: -1)
        let end = min(min(grant.maximumNotAfter.wholeSeconds, profileEnd), issuerEnd)
        guard now >= issuerStart, end > now, start <= end else { throw .unusableGrant("no validity left") }
        return start...end
    }
}
