/// The only source of the current time. Read once per request (`Date()` appears in Gateway alone).
package protocol WallClock: Sendable {
    /// The current instant.
    func now() -> Timestamp
}

/// The only source of unpredictable octets.
package protocol RandomSource: Sendable {
    /// `count` octets from a cryptographic generator.
    func octets(_ count: Int) -> [UInt8]
}

/// Makes certificate serial numbers (RFC 5280 §4.1.2.2): positive, unpredictable, 17 octets.
package protocol SerialNumberSource: Sendable {
    /// A fresh serial number, big-endian; the first octet is 0x01 to 0x7f.
    func next() -> [UInt8]
}

/// Checks offered proofs. Reads the ledger, never decides.
package protocol ProofVerifier: Sendable {
    /// What the proofs of a request are worth.
    ///
    /// - Parameter key: makes the transaction key once the requester is known, since a spent credential is
    ///   still usable for the transaction that spent it.
    /// - Throws: `ProofError` when nothing offered is authentic.
    func verify(
        _ proofs: [Proof], service: ServiceName, from peer: Peer, at now: Timestamp,
        key: @Sendable (VerifiedRequester) -> TransactionKey?
    ) async throws(ProofError) -> VerifiedRequester

    /// The same proofs as they stand now: states change while a request waits or loses a race.
    func reverify(
        _ proofs: [VerifiedProof], service: ServiceName, key: TransactionKey, at now: Timestamp
    ) async throws(LedgerError) -> [VerifiedProof]
}

/// Why no requester could be made out.
package enum ProofError: Error, Sendable, Hashable {
    /// Nothing was offered.
    case none
    /// A credential whose secret is wrong, or that was never minted; its id when one could be read.
    case wrongCredential(CredentialID?)
    /// A certificate that is not ours, or an account nobody bound.
    case unknown(String)
    /// Too many wrong guesses from this source; the id of the credential last guessed at, as above.
    case throttled(CredentialID?)
    case unavailable(LedgerError)
}

/// The registered devices and what is known of them.
package protocol DeviceDirectory: Sendable {
    /// The facts of one device as of `now`; nil when it is not registered.
    func facts(for device: DeviceID, at now: Timestamp) async throws(LedgerError) -> DeviceFacts?
}
