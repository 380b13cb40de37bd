import EnrollmentCore

/// The certificate request of a finalize payload, its names held against the order's (RFC 8555 §7.4).
struct CertificationWish: Sendable {
    /// As policy is to see it: its DNS names are the order's, and its common name is left out when it only
    /// repeats one of them.
    ///
    /// Clients put the first ordered name into the subject by habit. That asks for nothing the order does not
    /// name already, whereas a common name of its own is a wish that policy compares with what it grants.
    let request: CertificateRequest

    /// - Throws: `malformed` for a payload that is none, `badCSR` for a request that cannot be certified.
    init(_ signed: SignedRequest, _ order: ACMEOrder) throws(ACMEProblem) {
        guard let text = try signed.object()["csr"]?.string, let der = Base64.decodeURLSafe(text.utf8) else {
            throw .refused(.malformed, "payload", "the payload must hold a csr in unpadded base64url")
        }
        let parsed: CertificateRequest
        do throws(CertificateRequestError) {
            parsed = try CertificateRequest(der: der)
        } catch {
            throw Self.problem(for: error)
        }
        guard let names = Self.names(of: parsed.names, within: Set(order.names)) else {
            throw .refused(
                .badCSR, "csr_names", "the names of the certificate request are not those of the order")
        }
        request = CertificateRequest(
            publicKey: parsed.publicKey, names: names, extendedKeyUsages: parsed.extendedKeyUsages,
            digest: parsed.digest, challengePassword: nil)
    }

    /// The names to hand on; nil when they are not the order's.
    private static func names(of wished: CertificateNames, within ordered: Set<String>) -> CertificateNames? {
        guard wished.email.isEmpty, wished.uri.isEmpty, wished.ip.isEmpty, wished.upn.isEmpty,
            wished.unsupported.isEmpty
        else { return nil }
        let commonName = wished.commonName.map { $0.lowercased() }
        let repeated = commonName.map(ordered.contains) ?? false
        let asked = Set(wished.dns).union(repeated ? [commonName].compactMap { $0 } : [])
        guard asked == ordered else { return nil }
        return CertificateNames(
            commonName: repeated ? nil : wished.commonName,
            otherSubjectAttributes: wished.otherSubjectAttributes, dns: Array(ordered))
    }

    /// Every fault of a certificate request is `badCSR` (RFC 8555 §6.7: "e.g., due to a short key");
    /// badPublicKey and badSignatureAlgorithm speak of the JWS. The ledger tells them apart.
    private static func problem(for error: CertificateRequestError) -> ACMEProblem {
        switch error {
        case .tooLarge:
            return .refused(.badCSR, "csr", "the certificate request is too large", kind: .malformed)
        case .malformed:
            return .refused(.badCSR, "csr", "the certificate request cannot be read", kind: .malformed)
        case .possessionNotProven:
            return .refused(
                .badCSR, "csr_signature", "the certificate request's own signature does not verify")
        case .unacceptableAlgorithm:
            return .refused(
                .badCSR, "csr_algorithm", "the certificate request's signature algorithm is not accepted",
                kind: .unacceptableAlgorithm)
        case .unacceptableKey:
            return .refused(
                .badCSR, "csr_key", "the certificate request's key is not accepted", kind: .unacceptableKey)
        case .unacceptableContents:
            return .refused(.badCSR, "csr_contents", "the certificate request asks for what is never granted")
        }
    }
}
