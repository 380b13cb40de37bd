import EnrollmentCore
import PKIX
import Policy

/// Read back and normalised, the names are those that policy granted, neither fewer nor more.
enum NamesAsGranted: Lint {
    static let citation = "RFC 5280 §4.1.2.6, §4.2.1.6"
    static func fault(in subject: LintSubject) -> String? {
        guard let names = try? CertificateNames(subject.certificate) else { return "unreadable names" }
        return names == subject.grant.names ? nil : "not the granted names"
    }
}

/// A common name is at most 64 characters. Where a server is identified by it, it is an alternative name too;
/// a device's common name may be its directory name, which is no DNS name.
enum CommonNameAmongAlternatives: Lint {
    static let citation = "RFC 5280 appendix A.1 (ub-common-name), RFC 9525 §2"
    static func fault(in subject: LintSubject) -> String? {
        guard let names = try? CertificateNames(subject.certificate) else { return "unreadable names" }
        guard let commonName = names.commonName else { return nil }
        guard commonName.unicodeScalars.count <= 64 else { return "common name too long" }
        let alternatives = names.dns + names.email + names.uri + names.ip + names.upn
        guard subject.grant.extendedKeyUsages.contains(.serverAuth) else { return nil }
        let isAmong = alternatives.contains { $0 == commonName || $0 == commonName.lowercased() }
        return isAmong ? nil : "common name is no alternative name"
    }
}

enum AlternativeNameCriticality: Lint {
    static let citation = "RFC 5280 §4.2.1.6"
    static func fault(in subject: LintSubject) -> String? {
        let isEmpty = subject.certificate.subject.isEmpty
        guard let alternatives = subject.certificate.extension(.subjectAlternativeName) else {
            return isEmpty ? "neither subject nor alternative name" : nil
        }
        return alternatives.isCritical == isEmpty ? nil : "critical if and only if the subject is empty"
    }
}
