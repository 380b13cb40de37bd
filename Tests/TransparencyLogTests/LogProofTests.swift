import EnrollmentCore
import Testing

@testable import TransparencyLog

/// Receipts as their holders check them.
struct LogProofTests {
    @Test(
        "a receipt is read back as it was written, and verifies",
        arguments: [(0, 1), (6, 7), (255, 256), (3, 700)])
    func roundTrip(index: Int, size: Int) async throws {
        let log = try LogFixture(size: size)
        let receipt = try await log.receipt(index, size)
        let parsed = try LogProof(parsing: receipt.encoded)
        #expect(parsed == receipt && parsed.encoded == receipt.encoded)
        try log.verify(receipt.encoded)
    }

    @Test("every octet of a receipt counts, those of the cosignature too")
    func everyOctet() async throws {
        let log = try LogFixture(size: 11)
        let encoded = Array(try await log.receipt(4, 11).encoded.utf8)
        for position in encoded.indices {
            for bit in [1, 0x20, 0x80] as [UInt8] {
                var octets = encoded
                octets[position] ^= bit
                #expect(throws: LogFormatError.self, "octet \(position)") {
                    try log.verify(String(decoding: octets, as: UTF8.self))
                }
            }
            #expect(throws: LogFormatError.self) {
                try log.verify(String(decoding: encoded[..<position], as: UTF8.self))
            }
        }
    }

    @Test("another leaf, log, witness or quorum is refused")
    func others() async throws {
        let log = try LogFixture(size: 20)
        let proof = try await log.receipt(4, 20)
        let leaf = MerkleHash.leaf(log.bodies[4])
        let (key, witness) = (log.signer.verifierKey, log.witness.cosignerKey)
        try proof.verify(leaf: leaf, log: key)
        try proof.verify(leaf: leaf, log: key, witnesses: [witness, witness], quorum: 1)
        func refused(
            _ leaf: Digest, _ key: NoteVerifierKey, _ witnesses: [NoteVerifierKey], _ quorum: Int
        ) {
            #expect(throws: LogFormatError.self) {
                try proof.verify(leaf: leaf, log: key, witnesses: witnesses, quorum: quorum)
            }
        }
        refused(MerkleHash.leaf(log.bodies[5]), key, [witness], 1)
        refused(leaf, key, [witness, witness], 2)
        refused(leaf, key, [], 1)
        refused(leaf, key, [log.witness.verifierKey], 1)
        refused(leaf, key, [key], 1)
        refused(leaf, log.witness.verifierKey, [witness], 1)
        let impostor = try NoteSigner(
            name: LogFixture.origin, privateKey: Secret([UInt8](repeating: 9, count: 32)))
        refused(leaf, impostor.verifierKey, [witness], 1)
    }

    @Test("a witness whose signature is wrong is an error even without a quorum")
    func wrongWitness() async throws {
        let log = try LogFixture(size: 20)
        let proof = try await log.receipt(4, 20)
        let other = try log.witness.cosign(try log.checkpoint(19).text, at: 5)
        let note = SignedNote(
            text: proof.checkpoint.text, signatures: [try log.signer.sign(proof.checkpoint.text), other])
        let tainted = LogProof(extra: proof.extra, index: 4, hashes: proof.hashes, checkpoint: note)
        let leaf = MerkleHash.leaf(log.bodies[4])
        try tainted.verify(leaf: leaf, log: log.signer.verifierKey)
        #expect(throws: LogFormatError.self) {
            try tainted.verify(
                leaf: leaf, log: log.signer.verifierKey, witnesses: [log.witness.cosignerKey])
        }
    }

    @Test("what is no proof")
    func noProof() async throws {
        let log = try LogFixture(size: 3)
        let note = try log.checkpoint(3).encoded
        let (head, hash) = ("c2sp.org/tlog-proof@v1\n", Base64.encode(MerkleHash.empty.bytes) + "\n")
        #expect(try LogProof(parsing: head + "index 0\n\n" + note).extra == nil)
        #expect(try LogProof(parsing: head + "extra \nindex 0\n\n" + note).extra == [])
        let most = String(repeating: hash, count: 63)
        #expect(try LogProof(parsing: head + "index 0\n" + most + "\n" + note).hashes.count == 63)
        for text in [
            "", "\n\n", head, head + "\n" + note, head + "index 0\n" + note,
            "c2sp.org/tlog-proof@v2\nindex 0\n\n" + note,
            head + "index 00\n\n" + note, head + "index\n\n" + note, head + "index -1\n\n" + note,
            head + "index  0\n\n" + note, head + "index 9223372036854775808\n\n" + note,
            head + "index 0\nextra QQ==\n\n" + note, head + "extra QQ\nindex 0\n\n" + note,
            head + "extra QR==\nindex 0\n\n" + note, head + "extra QQ==\nextra QQ==\nindex 0\n\n" + note,
            head + "extra\nindex 0\n\n" + note, head + "Index 0\n\n" + note,
            head + "index 0\nQQ==\n\n" + note,
            head + "index 0\n" + most + hash + "\n" + note, head + "index 0\n\n\n" + note,
            " " + head + "index 0\n\n" + note,
            head + "index 0\n\na\n\n— n x08go/ZJkuBS\n", head.dropLast() + "\r\nindex 0\r\n\r\n" + note,
            head + "extra " + String(repeating: "AAAA", count: 500_000) + "\nindex 0\n\n" + note,
        ] {
            #expect(throws: LogFormatError.self, "\(text.prefix(60))") { try LogProof(parsing: text) }
        }
    }
}
