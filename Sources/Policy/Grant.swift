package import EnrollmentCore

/// Leave to issue one certificate: its profile, names and limits. Only policy constructs one, and only
/// issuance uses it (invariant I3).
package struct Grant: Sendable, Hashable {
    package let profile: CertificateProfile
    /// The names the certificate carries, all of them decided; the request's own were compared already.
    package let names: CertificateNames
    package let extendedKeyUsages: [ExtendedKeyUsage]
    /// Latest notAfter: the instant of decision plus the shortest validity any rule or the profile allows,
    /// or what the request asked for when that is earlier.
    package let maximumNotAfter: Timestamp

    init(
        profile: CertificateProfile, names: CertificateNames, extendedKeyUsages: [ExtendedKeyUsage],
        maximumNotAfter: Timestamp
    ) {
        self.profile = profile
        self.names = names
        self.extendedKeyUsages = extendedKeyUsages
        self.maximumNotAfter = maximumNotAfter
    }

    /// Leave to issue nothing: no name, no usage, no time.
    init(nothingOf profile: CertificateProfile, at instant: Timestamp) {
        self.init(
            profile: profile, names: CertificateNames(), extendedKeyUsages: [], maximumNotAfter: instant)
    }

    /// Whether it is leave to issue nothing. What a certificate is granted has a usage.
    var isOfNothing: Bool { extendedKeyUsages.isEmpty }
}
