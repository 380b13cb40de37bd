import EnrollmentCore
import Testing

@testable import Policy

/// Profiles are equal when they say the same, whoever loaded them.
struct CertificateProfileTests {
    private static func profile(
        name: String = "client-auth", description: String = "for laptops", team: String = "endpoint",
        reviewBy: Int64 = 2_000_000_000, keyAlgorithms: Set<KeyAlgorithm> = [.p256],
        keyUsages: Set<KeyUsage> = [.digitalSignature], purposes: [ExtendedKeyUsage] = [.clientAuth],
        validity: Int64 = 86_400, backdating: Int64 = 60
    ) -> CertificateProfile {
        CertificateProfile(
            name: ProfileName(name), description: description, owner: Owner(team: team, contact: "c"),
            reviewBy: Timestamp(seconds: reviewBy), keyAlgorithms: keyAlgorithms, keyUsages: keyUsages,
            extendedKeyUsages: purposes, maximumValidity: validity, backdating: backdating)
    }

    @Test func eachMemberCounts() {
        let others = [
            Self.profile(name: "server-auth"), Self.profile(description: ""), Self.profile(team: "network"),
            Self.profile(reviewBy: 1), Self.profile(keyAlgorithms: [.p384]), Self.profile(keyUsages: []),
            Self.profile(purposes: []), Self.profile(validity: 1), Self.profile(backdating: 0),
        ]
        let profile = Self.profile()
        #expect(profile == Self.profile() && profile.hashValue == Self.profile().hashValue)
        for other in others { #expect(profile != other) }
        #expect(Mirror(reflecting: profile).children.count == others.count, "a member that nothing compares")
    }
}
