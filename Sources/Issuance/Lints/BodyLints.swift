import EnrollmentCore
import PKIX
import Policy

/// The bytes are the only ones their meaning can have; covers UTCTime through 2049 as well.
enum CanonicalEncoding: Lint {
    static let citation = "RFC 5280 §4.1, §4.1.2.5"
    static func fault(in subject: LintSubject) -> String? {
        let read = subject.certificate
        let written = TBSCertificate(
            serialNumber: read.serialNumber, signatureAlgorithm: read.signatureAlgorithm, issuer: read.issuer,
            notBefore: read.notBefore, notAfter: read.notAfter, subject: read.subject,
            subjectPublicKeyInfo: read.subjectPublicKeyInfo, extensions: read.extensions)
        return written.der == read.der ? nil : "written again it differs"
    }
}

enum VersionThree: Lint {
    static let citation = "RFC 5280 §4.1.2.1"
    static func fault(in subject: LintSubject) -> String? {
        subject.certificate.version == 3 ? nil : "version \(subject.certificate.version)"
    }
}

/// Positive, 17 octets, and the one that was drawn.
enum SerialNumberShape: Lint {
    static let citation = "RFC 5280 §4.1.2.2"
    static func fault(in subject: LintSubject) -> String? {
        let serial = subject.certificate.serialNumber
        guard serial.count == 17, let first = serial.first, (0x01...0x7f).contains(first) else {
            return "not 17 octets beginning with 01 to 7f"
        }
        return serial == subject.serial ? nil : "not the serial that was drawn"
    }
}

/// The issuer's own algorithm, which is what the outer field will repeat.
enum SignatureAlgorithmOfIssuer: Lint {
    static let citation = "RFC 5280 §4.1.2.3"
    static func fault(in subject: LintSubject) -> String? {
        subject.certificate.signatureAlgorithm == subject.signatureAlgorithm
            ? nil : "not the issuer's algorithm"
    }
}

enum IssuerNameOfAuthority: Lint {
    static let citation = "RFC 5280 §4.1.2.4"
    static func fault(in subject: LintSubject) -> String? {
        subject.certificate.issuer.der == subject.issuer.subject.der
            ? nil : "not the issuer's subject, octet for octet"
    }
}

/// Name constraints of the issuer are not evaluated here, so an issuer that has them cannot issue.
enum NoNameConstraints: Lint {
    static let citation = "RFC 5280 §4.2.1.10"
    static func fault(in subject: LintSubject) -> String? {
        let constrained = subject.issuer.extensions.contains { $0.identifier.description == "2.5.29.30" }
        return constrained ? "the issuer bears name constraints" : nil
    }
}

/// Both ends inclusive, so that the span is one second more than their difference.
enum ValidityWithinGrant: Lint {
    static let citation = "RFC 5280 §4.1.2.5"
    static func fault(in subject: LintSubject) -> String? {
        let certificate = subject.certificate
        let now = subject.preparedAt.seconds
        guard certificate.notBefore <= now, certificate.notAfter > now else { return "not valid when signed" }
        guard certificate.notBefore >= subject.issuer.notBefore,
            certificate.notAfter <= subject.issuer.notAfter
        else { return "outlives its issuer" }
        guard now - certificate.notBefore <= min(subject.grant.profile.backdating, 86_400) else {
            return "backdated too far"
        }
        guard certificate.notAfter <= subject.grant.maximumNotAfter.seconds,
            certificate.notAfter - certificate.notBefore < subject.grant.profile.maximumValidity
        else { return "longer than granted" }
        return nil
    }
}

enum KeyAsRequested: Lint {
    static let citation = "RFC 5280 §4.1.2.7"
    static func fault(in subject: LintSubject) -> String? {
        guard subject.certificate.subjectPublicKeyInfo.der == subject.publicKey.subjectPublicKeyInfo else {
            return "not the requested key"
        }
        let isOwn = subject.issuer.subjectPublicKeyInfo.der == subject.publicKey.subjectPublicKeyInfo
        return isOwn ? "the issuer's own key" : nil
    }
}
