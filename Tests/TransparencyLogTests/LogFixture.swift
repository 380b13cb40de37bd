import EnrollmentCore
import Foundation

@testable import TransparencyLog

/// A log of certificates with its key, a witness, tiles and receipts.
struct LogFixture {
    static let origin = "gate.example/ledger"
    let signer: NoteSigner
    let witness: NoteSigner
    let bodies: [[UInt8]]
    let certificate = Array("not really a certificate".utf8)

    init(size: Int = 1_000) throws {
        signer = try NoteSigner(name: Self.origin, privateKey: Secret([UInt8](repeating: 1, count: 32)))
        witness = try NoteSigner(
            name: "witness.example", privateKey: Secret([UInt8](repeating: 2, count: 32)))
        let digest = Digest(of: certificate)
        bodies = (0..<size).map {
            Array(#"{"certificate_sha256":"\#(digest)","kind":"certificate","serial":"\#($0)"}"#.utf8)
        }
    }

    private func builder(_ size: Int) -> (TreeBuilder, [Tile]) {
        var builder = TreeBuilder()
        let full = bodies[..<size].flatMap { builder.append(MerkleHash.leaf($0)) }
        return (builder, full + builder.partialTiles)
    }

    /// The tiles of the tree of that size.
    func tiles(_ size: Int) -> [Tile] { builder(size).1 }

    /// A checkpoint signed by the log and the witness.
    func checkpoint(_ size: Int) throws -> SignedNote {
        let text = Checkpoint(origin: Self.origin, size: Int64(size), root: builder(size).0.root()).text
        return SignedNote(
            text: text, signatures: [try signer.sign(text), try witness.cosign(text, at: 1_795_348_800)])
    }

    func receipt(_ index: Int, _ size: Int) async throws -> LogProof {
        let stored = Dictionary(uniqueKeysWithValues: tiles(size).map { ($0.path, $0.hashes) })
        let hashes = try await MerkleProof.inclusion(
            index: Int64(index), size: Int64(size), from: StoredTiles(stored))
        return LogProof(
            extra: bodies[index], index: Int64(index), hashes: hashes, checkpoint: try checkpoint(size))
    }

    /// Verifies as an auditor does who trusts this log and wants its witness.
    func verify(_ encoded: String) throws {
        let proof = try LogProof(parsing: encoded)
        try proof.verify(
            leaf: MerkleHash.leaf(proof.extra ?? []), log: signer.verifierKey,
            witnesses: [witness.cosignerKey], quorum: 1)
    }
}
