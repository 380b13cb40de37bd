package import EnrollmentCore

/// A linted TBSCertificate that can be signed at most once (invariant I3): not copyable, and signing uses it
/// up.
package struct PreparedCertificate: ~Copyable, Sendable {
    let issuer: String
    let serial: [UInt8]
    /// DER: exactly the bytes that will be signed.
    package let tbsCertificate: [UInt8]
    let publicKey: Digest
    let names: CertificateNames
    let notBefore: Timestamp
    let notAfter: Timestamp

    /// What is to be reserved for it.
    ///
    /// - Parameter deadline: after this instant the reservation may be closed unsigned.
    package borrowing func reservation(deadline: Timestamp) -> ReservationRecord {
        ReservationRecord(
            issuer: issuer, serial: serial, tbsCertificate: tbsCertificate, publicKey: publicKey,
            names: names,
            notBefore: notBefore, notAfter: notAfter, signingDeadline: deadline)
    }
}
