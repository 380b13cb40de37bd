package import PKIX

extension CertificateRequest {
    /// Which attributes of a certification request may carry its extension wishes.
    package enum AttributeRules: Sendable, Hashable {
        /// extensionRequest alone (RFC 2985 §5.4.2).
        case standard
        /// Microsoft's 1.3.6.1.4.1.311.2.1.14 as well, for SCEP.
        case acceptingMicrosoft
    }

    /// Parses a PKCS#10 request, vets its key, verifies its self-signature and judges its contents, in this
    /// order.
    ///
    /// - Parameters:
    ///   - der: at most 16 KiB, nothing after the request.
    ///   - attributeRules: where extension wishes may stand.
    /// - Throws: `CertificateRequestError`; see its cases.
    package init(
        der: [UInt8], attributeRules: AttributeRules = .standard
    ) throws(CertificateRequestError) {
        let request: CertificationRequest
        do { request = try CertificationRequest(der: der) } catch { throw CertificateRequestError(error) }
        let publicKey = try PublicKey(subjectPublicKeyInfo: request.subjectPublicKeyInfo)
        try SignatureVerification.verify(
            request.signature, over: request.information, algorithm: request.signatureAlgorithm, by: publicKey
        )
        let wishes = try ExtensionWishes(request, attributeRules)
        self.init(
            publicKey: publicKey,
            names: try CertificateNames(subject: request.subject, alternatives: wishes.names),
            extendedKeyUsages: wishes.extendedKeyUsages,
            digest: Digest(of: request.informationWithoutChallengePassword),
            challengePassword: try Self.challengePassword(request))
    }

    private static func challengePassword(
        _ request: CertificationRequest
    ) throws(CertificateRequestError) -> Secret? {
        do {
            guard var text = try request.challengePassword() else { return nil }
            while let last = text.last, [0x00, 0x09, 0x0a, 0x0d, 0x20].contains(last) { text.removeLast() }
            return Secret(text)
        } catch { throw CertificateRequestError(error) }
    }
}

extension CertificateRequestError {
    /// The same cause in this type's words.
    init(_ error: PKIXError) {
        switch error {
        case .tooLarge: self = .tooLarge
        case .malformed(let place): self = .malformed(place)
        case .forbidden(let what): self = .unacceptableContents(what)
        }
    }
}

/// The extensions a request wishes for, reduced to what may matter: names and extended key usages. Key usage
/// and every uncritical extension besides are for the profile to say and are passed over.
private struct ExtensionWishes {
    var names: [GeneralName] = []
    var extendedKeyUsages: [String] = []

    init(
        _ request: CertificationRequest, _ rules: CertificateRequest.AttributeRules
    ) throws(CertificateRequestError) {
        do throws(PKIXError) {
            for wish in try request.requestedExtensions(acceptingMicrosoft: rules == .acceptingMicrosoft) {
                try read(wish)
            }
        } catch { throw CertificateRequestError(error) }
    }

    private mutating func read(_ wish: CertificateExtension) throws(PKIXError) {
        switch wish.identifier {
        case .subjectAlternativeName: names = try wish.subjectAlternativeName()
        case .extendedKeyUsage: extendedKeyUsages = try wish.extendedKeyUsage().map(\.description).sorted()
        case .basicConstraints:
            if try wish.basicConstraints().isCA { throw .forbidden("request for a CA certificate") }
        case .keyUsage: _ = try wish.keyUsage()
        default:
            if wish.isCritical { throw .forbidden("critical extension \(wish.identifier)") }
        }
    }
}

extension CertificateNames {
    /// The names a certificate carries, normalised as those of a request are, so that the two compare.
    ///
    /// - Throws: `CertificateRequestError` for names that no request may wish for either.
    package init(_ certificate: X509Certificate) throws(CertificateRequestError) {
        try self.init(certificate.toBeSigned)
    }

    /// The names a certificate body carries; see `init(_: X509Certificate)`.
    package init(_ toBeSigned: TBSCertificate) throws(CertificateRequestError) {
        var alternatives: [GeneralName] = []
        do throws(PKIXError) {
            if let found = toBeSigned.extension(.subjectAlternativeName) {
                alternatives = try found.subjectAlternativeName()
            }
        } catch { throw CertificateRequestError(error) }
        try self.init(subject: toBeSigned.subject, alternatives: alternatives)
    }
}
