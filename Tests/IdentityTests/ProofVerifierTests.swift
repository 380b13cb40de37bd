import Crypto
import Database
import EnrollmentCore
import EnrollmentTesting
import Identity
import Ledger
import Testing

/// The verifier over the real ledger.
@Suite(.serialized) struct ProofVerifierTests {
    static let laptops = ServiceName("laptops")
    let clock = ManualClock()
    let peer = Peer(address: "192.0.2.7", isSecure: true)
    let ledger: PostgresLedger
    let masterKeys: MasterKeys
    let mint: CredentialMint
    let verifier: LedgerProofVerifier

    init() async throws {
        let cluster = try PostgresCluster.shared()
        let database = try cluster.database(template: "identity_tests") { name in
            let migrator = ConnectionSettings(cluster.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try cluster.believeGatewayClocks(in: name)
        }
        let settings = ConnectionSettings(cluster.parameters(database: database, user: "gatehouse_writer"))
        let random = SeededRandom()
        ledger = PostgresLedger(
            writer: BatchingWriter(settings), reader: ReadPool(settings, connections: 1), gateway: "gw-1",
            clock: clock, random: random)
        masterKeys = try CredentialShapesTests.keys([1: 7, 2: 9])
        mint = CredentialMint(store: ledger, masterKeys: masterKeys, clock: clock, random: random)
        verifier = LedgerProofVerifier(
            ledger: ledger, credentials: ledger, masterKeys: masterKeys, guesses: GuessLimiter(limit: 1_000))
    }

    private func minted(
        only: EnrollmentProtocol? = nil, by mint: CredentialMint? = nil
    ) async throws -> (CredentialRecord, CredentialShapes) {
        try await (mint ?? self.mint).mint(
            service: Self.laptops, device: try #require(DeviceID("LT-1")), restrictedTo: only,
            timeToLive: 3_600, actor: "test")
    }

    private func offer(_ shapes: CredentialShapes, _ shape: EnrollmentProtocol) throws -> Proof {
        .oneTimeCredential(OfferedCredential(shape: shape, text: try #require(shapes.text(for: shape))))
    }

    private func binding(_ id: String, _ shapes: CredentialShapes) throws -> Proof {
        let key = SymmetricKey(data: try #require(shapes.externalAccountKey).revealed)
        let input = Array("x.y".utf8)
        return .externalAccountBinding(
            ExternalAccountBinding(
                keyID: id, signingInput: input,
                authenticationCode: Array(HMAC<SHA256>.authenticationCode(for: input, using: key))))
    }

    private func verify(_ proofs: Proof..., service: ServiceName = laptops) async throws(ProofError)
        -> VerifiedRequester
    {
        try await verifier.verify(proofs, service: service, from: peer, at: clock.now()) { _ in nil }
    }

    private func failure(_ proofs: Proof...) async -> ProofError? {
        do throws(ProofError) {
            _ = try await verifier.verify(proofs, service: Self.laptops, from: peer, at: clock.now()) { _ in
                nil
            }
            return nil
        } catch { return error }
    }

    @Test func everyShapeProvesTheSameRequester() async throws {
        let (record, shapes) = try await minted()
        let byText = try await verify(try offer(shapes, .scep))
        #expect(byText.device == record.device)
        #expect(byText.proofs == [.oneTimeCredential(id: record.id, device: record.device, state: .usable)])
        #expect(try await verify(try offer(shapes, .est)) == byText)
        #expect(try await verify(try binding(record.id.rawValue, shapes)) == byText)
        #expect(record.masterKeyVersion == 2)
    }

    @Test func aSecretOfAnOlderMasterKeyStillCounts() async throws {
        let old = CredentialMint(
            store: ledger, masterKeys: try CredentialShapesTests.keys([1: 7]), clock: clock,
            random: SeededRandom(seed: 5))
        let (record, shapes) = try await minted(by: old)
        #expect(record.masterKeyVersion == 1)
        #expect(try await verify(try offer(shapes, .est)).device == record.device)
    }

    @Test func aRestrictedCredentialWorksInItsProtocolOnly() async throws {
        for only in [EnrollmentProtocol.scep, .est, .acme] {
            let (record, shapes) = try await minted(only: only)
            let offers: [(EnrollmentProtocol, Proof)] = [
                (.scep, try offer(shapes, .scep)), (.est, try offer(shapes, .est)),
                (.acme, try binding(record.id.rawValue, shapes)),
            ]
            for (shape, proof) in offers {
                let error = await failure(proof)
                #expect(error == (shape == only ? nil : .wrongCredential(record.id)), "\(only) as \(shape)")
            }
        }
    }

    @Test func aShapeIsNotWorthAnotherShape() async throws {
        let (record, shapes) = try await minted()
        let text = try #require(shapes.text(for: .scep))
        let error = await failure(.oneTimeCredential(OfferedCredential(shape: .est, text: text)))
        #expect(error == .wrongCredential(record.id))
    }

    /// Both are wrong guesses, refused alike; only the ledger learns whose credential was guessed at.
    @Test func anUnknownIDIsAWrongGuessToo() async throws {
        let never = try CredentialShapesTests.shapes("BBBBBBBBBBBBBBBB", version: 2, masterKeys)
        #expect(await failure(try offer(never, .est)) == .wrongCredential(nil))
        #expect(await failure(try binding("BBBBBBBBBBBBBBBB", never)) == .wrongCredential(nil))
        #expect(await failure(try binding("not an id", never)) == .wrongCredential(nil))
        let short = OfferedCredential(shape: .est, text: Secret("short"))
        #expect(await failure(.oneTimeCredential(short)) == .wrongCredential(nil))
    }

    @Test func aWrongProofBesideARightOneIsStillWrong() async throws {
        let (_, shapes) = try await minted()
        let never = try CredentialShapesTests.shapes("BBBBBBBBBBBBBBBB", version: 2, masterKeys)
        #expect(await failure(try offer(shapes, .est), try offer(never, .est)) == .wrongCredential(nil))
    }

    @Test func nothingOfferedProvesNothing() async throws {
        #expect(await failure() == ProofError.none)
        let control = DomainAuthorization(name: "a.example", method: "http-01", validatedAt: clock.now())
        #expect(await failure(.domainControl([control])) == ProofError.none)
        #expect(await failure(.account(id: "a")) == .unknown("nobody bound this account"))
    }

    @Test func statesFollowTheLedgerWhenLookedAtAgain() async throws {
        let (record, shapes) = try await minted()
        let key = TransactionKey(digest: Digest(of: [1]))
        let before = try await verify(try offer(shapes, .est)).proofs
        func state() async throws -> VerifiedProof? {
            try await verifier.reverify(before, service: Self.laptops, key: key, at: clock.now()).first
        }
        func proof(_ state: CredentialState) -> VerifiedProof {
            .oneTimeCredential(id: record.id, device: record.device, state: state)
        }
        #expect(try await state() == proof(.usable))
        clock.advance(seconds: 3_600)
        #expect(try await state() == proof(.expired))
        #expect(try await ledger.revoke(record.id, at: clock.now(), by: "a", because: "b"))
        #expect(try await state() == proof(.revoked))
        let elsewhere = try await verify(try offer(shapes, .est), service: ServiceName("servers"))
        #expect(elsewhere.proofs == [proof(.foreignService)])
    }

    @Test func aSecretExistsForNobodyBeforeItsRow() async throws {
        let closed = CredentialMint(
            store: ledger, masterKeys: masterKeys, clock: clock, random: NoRandom())
        await #expect(throws: LedgerError.self) { _ = try await minted(by: closed) }
        #expect(try await ledger.credentials(service: nil, device: nil, limit: 10).isEmpty)
        let (record, _) = try await minted()
        #expect(try await ledger.credentials(service: nil, device: nil, limit: 10) == [record])
    }
}

/// A generator that gives nothing.
private struct NoRandom: RandomSource {
    func octets(_ count: Int) -> [UInt8] { [] }
}
