import Crypto
package import EnrollmentCore

/// The versioned keys from which the secrets of enrollment credentials are derived. They live on gateway
/// hosts, never in the database.
package struct MasterKeys: Sendable {
    private let keys: [Int: SymmetricKey]
    /// The version that new credentials use: the highest.
    package let currentVersion: Int

    /// Nil unless there is at least one key and each has 32 octets.
    ///
    /// - Parameter keys: by version, counted from 1.
    package init?(_ keys: [Int: Secret]) {
        guard let newest = keys.keys.max(), keys.values.allSatisfy({ $0.revealed.count == 32 }) else {
            return nil
        }
        self.keys = keys.mapValues { SymmetricKey(data: $0.revealed) }
        currentVersion = newest
    }

    /// The secret of one shape of a credential (HKDF-SHA-256, RFC 5869), or nil for an unknown key version.
    ///
    /// - Parameter count: octets.
    func derive(_ shape: EnrollmentProtocol, of id: CredentialID, version: Int, count: Int) -> [UInt8]? {
        derive("enrollment credential", "\(shape.rawValue)\u{0}\(id.rawValue)", version, count)
    }

    /// The key that authenticates ACME nonces, the same on every replica.
    package var nonceKey: Secret { Secret(derive("acme nonce", "", currentVersion, 32) ?? []) }

    private func derive(_ purpose: String, _ name: String, _ version: Int, _ count: Int) -> [UInt8]? {
        guard let key = keys[version] else { return nil }
        let context = "gatehouse \(purpose)\u{0}\(name)"
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, info: Array(context.utf8), outputByteCount: count)
        return derived.withUnsafeBytes { Array($0) }
    }
}
