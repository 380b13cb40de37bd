import EnrollmentCore
import PKIX
import Policy

/// One cited check of a certificate before it is signed.
protocol Lint {
    /// The clause that asks for it.
    static var citation: String { get }
    /// What is wrong; nil when nothing is.
    static func fault(in subject: LintSubject) -> String?
}

/// What a lint may look at: the bytes to be signed, read back, and what they must agree with.
struct LintSubject {
    let certificate: TBSCertificate
    let issuer: X509Certificate
    let signatureAlgorithm: AlgorithmIdentifier
    let authorityKeyIdentifier: [UInt8]
    let publicKey: PublicKey
    let grant: Grant
    let serial: [UInt8]
    let preparedAt: Timestamp
}

/// A lint's fault.
package struct LintFinding: Sendable, Hashable {
    /// The lint's name, e.g. `SerialNumberShape`.
    package let lint: String
    /// The clause that asks for it, e.g. `RFC 5280 §4.1.2.2`.
    package let citation: String
    package let fault: String
}

/// Every lint there is.
enum Lints {
    static var all: [any Lint.Type] {
        [
            CanonicalEncoding.self, VersionThree.self, SerialNumberShape.self,
            SignatureAlgorithmOfIssuer.self,
            IssuerNameOfAuthority.self, NoNameConstraints.self, ValidityWithinGrant.self, KeyAsRequested.self,
            NamesAsGranted.self, CommonNameAmongAlternatives.self, AlternativeNameCriticality.self,
            EndEntityOnly.self, KeyUsageFitsKey.self, ExtendedKeyUsageAsGranted.self, KeyIdentifiers.self,
            KnownExtensionsOnly.self,
        ]
    }

    static func run(_ subject: LintSubject) throws(IssuanceError) {
        for lint in all {
            guard let fault = lint.fault(in: subject) else { continue }
            throw .lint(LintFinding(lint: "\(lint)", citation: lint.citation, fault: fault))
        }
    }
}
