import Crypto
package import EnrollmentCore

/// The shapes in which one enrollment credential is handed to its device, one for each protocol.
///
/// SCEP and EST carry id and secret as one string of 48 upper-case base32 characters: 16 of id, 32 of secret
/// (160 bits). Windows accepts only PrintableString in a challenge, and people retype them.
package struct CredentialShapes: Sendable {
    private let masterKeys: MasterKeys
    private let id: CredentialID
    private let version: Int

    package init(of id: CredentialID, version: Int, masterKeys: MasterKeys) {
        self.id = id
        self.version = version
        self.masterKeys = masterKeys
    }

    /// SCEP challengePassword or EST Basic password; nil for an unknown master key version.
    package func text(for shape: EnrollmentProtocol) -> Secret? {
        masterKeys.derive(shape, of: id, version: version, count: 20).map {
            Secret(id.rawValue + Base32.encode($0))
        }
    }

    /// The 32 octets of an ACME external-account key; nil for an unknown master key version.
    package var externalAccountKey: Secret? {
        masterKeys.derive(.acme, of: id, version: version, count: 32).map { Secret($0) }
    }

    /// Whether `offered` is the text of that shape, compared in constant time.
    package func matches(_ offered: OfferedCredential) -> Bool {
        guard let expected = text(for: offered.shape) else { return false }
        return expected.equalsInConstantTime(offered.text.revealed)
    }

    /// Whether the HMAC-SHA-256 of an external-account binding was made with this credential's key.
    package func matches(_ binding: ExternalAccountBinding) -> Bool {
        guard let key = externalAccountKey else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            binding.authenticationCode, authenticating: binding.signingInput,
            using: SymmetricKey(data: key.revealed))
    }

    /// The credential id that a text of SCEP or EST begins with; nil when it has not that form.
    package static func id(in text: Secret) -> CredentialID? {
        guard text.revealed.count == 48 else { return nil }
        return CredentialID(String(decoding: text.revealed.prefix(16), as: UTF8.self))
    }
}
