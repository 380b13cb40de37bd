import EnrollmentCore
import PKIX
import Policy

/// The extensions of an end-entity certificate: profile and grant decide each of them.
///
/// No distribution point and no authority information: what they would point to is not served.
enum LeafExtensions {
    static func compose(
        _ grant: Grant, key: KeyAlgorithm, info: SubjectPublicKeyInfo, authority: [UInt8],
        subjectIsEmpty: Bool
    ) throws(IssuanceError) -> [CertificateExtension] {
        let usages = Set(grant.profile.keyUsages.compactMap { bit($0, fitting: key) })
        guard !usages.isEmpty else { throw .unusableGrant("no key usage fits \(key.rawValue)") }
        var purposes: [OID] = []
        for purpose in grant.extendedKeyUsages {
            guard let oid = OID(purpose.objectIdentifier) else { throw .unusableGrant("extended key usage") }
            purposes.append(oid)
        }
        guard !purposes.isEmpty else { throw .unusableGrant("no extended key usage") }
        let names = try GrantedNames.alternatives(grant.names)
        guard !names.isEmpty || !subjectIsEmpty else { throw .unusableGrant("no name") }
        let alternatives =
            names.isEmpty
            ? [] : [CertificateExtension.subjectAlternativeName(names, isCritical: subjectIsEmpty)]
        return [
            .endEntity, .keyUsage(usages), .extendedKeyUsage(purposes),
            .subjectKeyIdentifier(keyIdentifier(info)), .authorityKeyIdentifier(authority),
        ] + alternatives
    }

    /// The bit of a usage, if keys of that kind can be used so (RFC 3279 §2.3, RFC 5480 §3, RFC 9295 §3).
    static func bit(_ usage: KeyUsage, fitting key: KeyAlgorithm) -> KeyUsageBit? {
        switch (usage, key) {
        case (.digitalSignature, _): return .digitalSignature
        case (.keyEncipherment, .rsa2048), (.keyEncipherment, .rsa3072), (.keyEncipherment, .rsa4096):
            return .keyEncipherment
        case (.keyAgreement, .p256), (.keyAgreement, .p384), (.keyAgreement, .p521): return .keyAgreement
        case (.keyEncipherment, _), (.keyAgreement, _): return nil
        }
    }
}
