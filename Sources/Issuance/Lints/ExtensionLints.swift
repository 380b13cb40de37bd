import EnrollmentCore
import PKIX
import Policy

enum EndEntityOnly: Lint {
    static let citation = "RFC 5280 §4.2.1.9"
    static func fault(in subject: LintSubject) -> String? {
        guard let found = subject.certificate.extension(.basicConstraints) else { return nil }
        guard let constraints = try? found.basicConstraints() else { return "unreadable basicConstraints" }
        return constraints.isCA || constraints.pathLength != nil ? "names a CA" : nil
    }
}

/// Critical, never empty, never a CA's, and nothing the key cannot do.
enum KeyUsageFitsKey: Lint {
    static let citation = "RFC 5280 §4.2.1.3, RFC 3279 §2.3, RFC 5480 §3, RFC 9295 §3"
    static func fault(in subject: LintSubject) -> String? {
        guard let found = subject.certificate.extension(.keyUsage), found.isCritical,
            let bits = try? found.keyUsage(), !bits.isEmpty
        else { return "absent, empty or not critical" }
        let fitting = KeyUsage.allCases.filter { subject.grant.profile.keyUsages.contains($0) }
            .compactMap { LeafExtensions.bit($0, fitting: subject.publicKey.algorithm) }
        return bits.isSubset(of: Set(fitting)) ? nil : "more than profile and key allow"
    }
}

/// Explicit, never anyExtendedKeyUsage, exactly what was granted and the profile has.
enum ExtendedKeyUsageAsGranted: Lint {
    static let citation = "RFC 5280 §4.2.1.12"
    static func fault(in subject: LintSubject) -> String? {
        guard let purposes = try? subject.certificate.extension(.extendedKeyUsage)?.extendedKeyUsage() else {
            return "absent or unreadable"
        }
        let allowed = Set(subject.grant.profile.extendedKeyUsages)
        guard subject.grant.extendedKeyUsages.allSatisfy(allowed.contains) else {
            return "beyond the profile"
        }
        let granted = subject.grant.extendedKeyUsages.map(\.objectIdentifier)
        guard !purposes.contains(.anyExtendedKeyUsage), purposes.map(\.description) == granted,
            Set(purposes).count == purposes.count
        else { return "not what was granted" }
        return nil
    }
}

/// Both there, not critical, and the authority's equal to the issuer's own.
enum KeyIdentifiers: Lint {
    static let citation = "RFC 5280 §4.2.1.1, §4.2.1.2"
    static func fault(in subject: LintSubject) -> String? {
        guard let own = subject.certificate.extension(.subjectKeyIdentifier), !own.isCritical,
            let authority = subject.certificate.extension(.authorityKeyIdentifier), !authority.isCritical
        else { return "absent or critical" }
        guard (try? own.subjectKeyIdentifier()) == keyIdentifier(subject.certificate.subjectPublicKeyInfo)
        else {
            return "subject key identifier is not the key's"
        }
        guard (try? authority.authorityKeyIdentifier()) == subject.authorityKeyIdentifier else {
            return "authority key identifier is not the issuer's"
        }
        return nil
    }
}

/// Nothing but what the profile composes; duplicates do not parse.
enum KnownExtensionsOnly: Lint {
    static let citation = "RFC 5280 §4.2"
    private static let known: Set<OID> = [
        .basicConstraints, .keyUsage, .extendedKeyUsage, .subjectKeyIdentifier, .authorityKeyIdentifier,
        .subjectAlternativeName,
    ]
    static func fault(in subject: LintSubject) -> String? {
        subject.certificate.extensions.allSatisfy { known.contains($0.identifier) }
            ? nil : "unknown extension"
    }
}
