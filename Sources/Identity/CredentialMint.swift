package import EnrollmentCore

/// Mints enrollment credentials: one recorded, per-device, single-use secret (product: Enrollment
/// credentials).
package struct CredentialMint: Sendable {
    private let store: any CredentialStore
    private let masterKeys: MasterKeys
    private let clock: any WallClock
    private let random: any RandomSource

    package init(
        store: any CredentialStore, masterKeys: MasterKeys, clock: any WallClock, random: any RandomSource
    ) {
        self.store = store
        self.masterKeys = masterKeys
        self.clock = clock
        self.random = random
    }

    /// Records a credential, then returns it with its shapes; a secret exists for nobody before its row does.
    ///
    /// - Parameters:
    ///   - timeToLive: seconds.
    ///   - actor: who mints, as the ledger shall name them.
    /// - Throws: `LedgerError` when nothing was recorded.
    package func mint(
        service: ServiceName, device: DeviceID, restrictedTo: EnrollmentProtocol?, timeToLive: Int64,
        actor: String
    ) async throws(LedgerError) -> (record: CredentialRecord, shapes: CredentialShapes) {
        guard let id = CredentialID(Base32.encode(random.octets(10))) else {
            throw .unavailable("the random source gave too few octets")
        }
        let now = clock.now()
        let record = CredentialRecord(
            id: id, masterKeyVersion: masterKeys.currentVersion, service: service, device: device,
            restrictedTo: restrictedTo, mintedAt: now, expiresAt: now.adding(seconds: timeToLive),
            mintedBy: actor)
        try await store.mint(record, by: actor)
        let shapes = CredentialShapes(of: id, version: record.masterKeyVersion, masterKeys: masterKeys)
        return (record, shapes)
    }
}
