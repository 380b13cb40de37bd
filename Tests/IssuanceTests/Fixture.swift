import EnrollmentCore
import EnrollmentTesting
import Issuance
import PKIX
import Testing

@testable import Policy

/// An issuing CA and a grant for it.
struct Fixture {
    static let now = Timestamp(seconds: 1_795_348_800)  // 2026-11-22T12:00:00Z

    let bootstrap: AuthorityBootstrap
    let authority: CertificateAuthority
    let serials: RandomSerialNumbers

    init(rootKey: SoftwareSigner.Kind = .p256, hosts: [String] = [], random: any RandomSource) async throws {
        bootstrap = try await AuthorityBootstrap(rootKey: rootKey, hosts: hosts, at: Self.now, random: random)
        authority = try CertificateAuthority(
            name: "issuing", certificate: try X509Certificate(der: bootstrap.issuing.certificate),
            chain: [bootstrap.root.certificate], signer: bootstrap.issuing.signer)
        serials = try #require(RandomSerialNumbers(instance: 7, random: random))
    }

    init() async throws { try await self.init(random: SeededRandom(seed: 1)) }

    static let deviceNames = CertificateNames(
        commonName: "lt-042.devices.localhost", dns: ["lt-042.devices.localhost"])

    static func grant(
        names: CertificateNames = deviceNames, keyUsages: Set<KeyUsage> = Set(KeyUsage.allCases),
        purposes: [ExtendedKeyUsage] = [.clientAuth],
        profilePurposes: [ExtendedKeyUsage] = [.clientAuth, .serverAuth],
        validity: Int64 = 90 * 86_400, backdating: Int64 = 3_600, until: Timestamp? = nil
    ) -> Grant {
        Grant(
            profile: CertificateProfile(
                name: ProfileName("client-auth"), description: "", owner: Owner(team: "t", contact: "c"),
                reviewBy: Timestamp(seconds: 2_000_000_000),
                keyAlgorithms: Set(KeyAlgorithm.allCases), keyUsages: keyUsages,
                extendedKeyUsages: profilePurposes, maximumValidity: validity, backdating: backdating),
            names: names, extendedKeyUsages: purposes,
            maximumNotAfter: until ?? now.adding(seconds: validity))
    }

    static func key(_ kind: SoftwareSigner.Kind = .p256) throws -> PublicKey {
        try PublicKey(subjectPublicKeyInfo: try SoftwareSigner(generating: kind).subjectPublicKeyInfo)
    }

    /// Prepares and signs as Registration does, the ledger being an honest echo.
    func issue(_ grant: Grant = grant(), key: PublicKey) async throws -> [UInt8] {
        let prepared = try authority.prepare(grant, publicKey: key, serial: serials.next(), at: Self.now)
        let row = prepared.reservation(deadline: Self.now.adding(seconds: 30))
        let reservation = Reservation(
            requestID: RequestID(at: Self.now, random: []), issuer: row.issuer, serial: row.serial,
            tbsDigest: Digest(of: row.tbsCertificate))
        return try await authority.sign(prepared, under: reservation, at: Self.now).certificate
    }
}
