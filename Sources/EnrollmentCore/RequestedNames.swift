/// The names a certificate request wishes for, or a certificate carries, in comparable form.
///
/// Each list is sorted and free of duplicates, so equality is equality of sets. DNS names are lower-case
/// A-labels without a trailing dot; the domain of an e-mail address or UPN is lower-case; everything else is
/// compared octet by octet.
package struct CertificateNames: Sendable, Hashable, Codable {
    /// The one subject commonName, if any.
    package var commonName: String?
    /// Subject attributes other than commonName, as `dotted-oid=value`, in their order.
    package var otherSubjectAttributes: [String]
    /// subjectAltName dNSName.
    package var dns: [String]
    /// subjectAltName rfc822Name.
    package var email: [String]
    /// subjectAltName uniformResourceIdentifier.
    package var uri: [String]
    /// subjectAltName iPAddress, in the usual text form.
    package var ip: [String]
    /// subjectAltName otherName of Microsoft's user principal name, 1.3.6.1.4.1.311.20.2.3.
    package var upn: [String]
    /// Every other subjectAltName kind, as `kind:hexadecimal`; no profile grants one, so their presence
    /// denies.
    package var unsupported: [String]

    /// Sorts each list and drops duplicates; the caller has normalised the values.
    package init(
        commonName: String? = nil, otherSubjectAttributes: [String] = [], dns: [String] = [],
        email: [String] = [],
        uri: [String] = [], ip: [String] = [], upn: [String] = [], unsupported: [String] = []
    ) {
        self.commonName = commonName
        self.otherSubjectAttributes = otherSubjectAttributes
        self.dns = Self.normalised(dns)
        self.email = Self.normalised(email)
        self.uri = Self.normalised(uri)
        self.ip = Self.normalised(ip)
        self.upn = Self.normalised(upn)
        self.unsupported = Self.normalised(unsupported)
    }

    private static func normalised(_ values: [String]) -> [String] {
        values.count < 2 ? values : Set(values).sorted()
    }
}
