import EnrollmentCore

/// Keeps an offered secret off the ledger where a client has put it in the place of a name: as Basic user
/// name, or as a name in its certificate request. Those texts are recorded, and the credential may be usable
/// still.
struct Redaction: Sendable {
    private let secrets: [Secret]

    /// - Parameter proofs: as offered.
    init(of proofs: [Proof]) {
        secrets = proofs.compactMap { proof in
            if case .oneTimeCredential(let offered) = proof { offered.text } else { nil }
        }
    }

    /// The text itself, or a mark in the place of one that holds an offered secret, or that has the form of
    /// an enrollment credential's text: it may be one for another protocol.
    func callAsFunction(_ text: String) -> String {
        let isCredential = text.utf8.count == 48 && text.utf8.allSatisfy(Base32.isCharacter)
        return isCredential || secrets.contains { $0.occurs(in: text) } ? "«secret»" : text
    }

    /// The names with every one that holds a secret marked.
    func callAsFunction(_ names: CertificateNames) -> CertificateNames {
        CertificateNames(
            commonName: names.commonName.map { self($0) },
            otherSubjectAttributes: names.otherSubjectAttributes.map { self($0) },
            dns: names.dns.map { self($0) }, email: names.email.map { self($0) },
            uri: names.uri.map { self($0) }, ip: names.ip, upn: names.upn.map { self($0) },
            unsupported: names.unsupported)
    }
}
