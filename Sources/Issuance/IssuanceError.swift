/// Why no certificate came to be.
package enum IssuanceError: Error, Sendable, Hashable {
    /// The authority's own certificate and key cannot issue; the text says why.
    case unusableAuthority(String)
    /// The grant cannot be put into a certificate for this key; the text says why.
    case unusableGrant(String)
    /// A lint found fault with the certificate before it was signed.
    case lint(LintFinding)
    /// The reservation is for another certificate (invariant I7).
    case reservationDiffers
    /// The key did not sign.
    case signing(SigningError)
    /// What came back does not verify, or does not hold the bytes that were linted.
    case signatureDiffers
}
