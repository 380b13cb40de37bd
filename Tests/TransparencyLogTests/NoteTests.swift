import EnrollmentCore
import Testing

@testable import TransparencyLog

/// Notes, keys, checkpoints and cosignatures.
struct NoteTests {
    /// From the documentation of golang.org/x/mod/sumdb/note (BSD-3-Clause).
    private static let neumannKey =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    private static let neumannVerifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    private static let neumannText =
        "If you think cryptography is the answer to your problem,\n"
        + "then you don't know what your problem is.\n"
    private static let neumannLine =
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    private static let rootLine =
        "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="

    @Test("the note of golang.org/x/mod/sumdb/note: read, verified, and signed to the same octets")
    func goVector() throws {
        let signer = try NoteSigner(parsing: Secret(Self.neumannKey))
        #expect(signer.verifierKey.text == Self.neumannVerifier)
        #expect(signer.keyText.equalsInConstantTime(Array(Self.neumannKey.utf8)))
        let encoded = "\(Self.neumannText)\n\(Self.neumannLine)\n\(Self.rootLine)\n"
        let note = try SignedNote(parsing: encoded)
        #expect(note.text == Self.neumannText && note.encoded == encoded)
        #expect(note.signatures.map(\.name) == ["PeterNeumann", "EnochRoot"])
        let key = try NoteVerifierKey(parsing: Self.neumannVerifier)
        #expect(key == signer.verifierKey && key.algorithm == .ed25519)
        #expect(key.verify(note) && key.cosignatureTime(in: note) == nil)
        #expect(try signer.sign(Self.neumannText).line == Self.neumannLine)
    }

    @Test("the example of C2SP signed-note")
    func specificationExample() throws {
        let key = try NoteVerifierKey(
            parsing: "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
        let line =
            "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
        let note = try SignedNote(parsing: "This is an example message.\n\n\(line)\n")
        #expect(key.verify(note))
        #expect(!key.verify(SignedNote(text: "This is an example message!\n", signatures: note.signatures)))
    }

    @Test("the checkpoint of C2SP tlog-cosignature is read as what it says")
    func specificationCheckpoint() throws {
        let encoded =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
            + "— example.com/behind-the-sofa "
            + "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
            + "— witness.example.com/w1 "
            + "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
        let note = try SignedNote(parsing: encoded)
        let checkpoint = try note.checkpoint()
        #expect(note.encoded == encoded && checkpoint.text == note.text)
        #expect(checkpoint.origin == "example.com/behind-the-sofa" && checkpoint.size == 20_852_163)
        #expect(Base64.encode(checkpoint.root.bytes) == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
        let witness = try #require(note.signatures.last)
        #expect(Cosignature.parse(witness.signature)?.seconds == 1_679_315_147)
    }

    private static let line = neumannLine

    @Test(
        "what is no note",
        arguments: [
            "", "\n", "\n\n", "a\n", "a\n\n", "a\n\n\n", "\(line)\n", "a\n\(line)\n", "a\n\n\(line)",
            "a\n\n\(line)\n\n", "a\n\n\(line)\nb\n", "a\r\n\r\n\(line)\r\n", "a\tb\n\n\(line)\n",
            "a\0\n\n\(line)\n", "a\n\n \(line)\n", "a\n\n-\(line.dropFirst())\n",
            "a\n\n—\(line.dropFirst(2))\n",
            "a\n\n— x08go/ZJkuBS\n", "a\n\n—  x08go/ZJkuBS\n", "a\n\n— n x08go/ZJkuB\n",
            "a\n\n— n x08go/==\n",
            "a\n\n— n x08gow==\n", "a\n\n— n+m x08go/ZJkuBS\n", "a\n\n— n  x08go/ZJkuBS\n",
            "a\n\n— n x08go/ZJkuBS \n", "a\n\n— n\u{a0}m x08go/ZJkuBS\n", "a\n\n— n\u{2028} x08go/ZJkuBS\n",
            "a\n\n— n x08go_ZJkuBS\n", "a\n\n— n x08go/ZJkuBT=\n", "a\n\n— n\n",
            "a\n\n" + String(repeating: "\(line)\n", count: 101),
            String(repeating: "a", count: 1_000_000) + "\n\n\(line)\n",
        ])
    func noNote(encoded: String) {
        #expect(throws: LogFormatError.self) { try SignedNote(parsing: encoded) }
    }

    @Test(
        "what is a note, though it looks odd",
        arguments: [
            "\n\n\(line)\n", "a\n\n\n\(line)\n", "a\n\nb\n\n\(line)\n", "a\n\n\(line)\n\n\(line)\n",
            "\u{7f}é\u{301}\n\n\(line)\n", "a\n\n— n\u{301}\u{ad} x08go/ZJkuBS\n", "\n\u{301}\n\n\(line)\n",
            "a\n\n" + String(repeating: "\(line)\n", count: 100),
        ])
    func oddNote(encoded: String) throws {
        let note = try SignedNote(parsing: encoded)
        #expect(note.encoded.utf8.elementsEqual(encoded.utf8))
        #expect(note.text.utf8.last == 10)
    }

    @Test(
        "what is no verifier key",
        arguments: [
            "", "PeterNeumann", "PeterNeumann+c74f20a3",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", neumannVerifier + "\n",
            " " + neumannVerifier,
            neumannVerifier + "+", neumannKey,
        ])
    func noVerifierKey(text: String) {
        #expect(throws: LogFormatError.self) { try NoteVerifierKey(parsing: text) }
    }

    @Test("what is no private key, and the refusal does not quote it")
    func noPrivateKey() throws {
        let seed = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
        for text in [
            "", "PRIVATE+KEY", neumannKeyWith("c74f20a4", seed), neumannKeyWith("C74F20A3", seed),
            neumannKeyWith("c74f20a3", "BIEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"),
            neumannKeyWith("c74f20a3", seed + "AA=="), neumannKeyWith("c74f20a3", seed) + "\n",
            Self.neumannVerifier, "PRIVATE+KEY++c74f20a3+" + seed,
        ] {
            let error = #expect(throws: LogFormatError.self) { try NoteSigner(parsing: Secret(text)) }
            #expect(error?.description.contains("AYEKFALV") == false)
        }
        #expect(throws: LogFormatError.self) {
            try NoteSigner(name: "a b", privateKey: Secret([UInt8](repeating: 1, count: 32)))
        }
        #expect(throws: LogFormatError.self) { try NoteSigner(name: "a", privateKey: Secret([1])) }
    }

    private func neumannKeyWith(_ id: String, _ key: String) -> String {
        "PRIVATE+KEY+PeterNeumann+\(id)+\(key)"
    }

    @Test("every octet of a signed text and of its signature line counts")
    func everyOctet() throws {
        let signer = try NoteSigner(parsing: Secret(Self.neumannKey))
        let encoded = SignedNote(text: "a\n5\nb\n", signatures: [try signer.sign("a\n5\nb\n")]).encoded
        for position in Array(encoded.utf8).indices {
            for bit in [1, 0x20] as [UInt8] {
                var octets = Array(encoded.utf8)
                octets[position] ^= bit
                let note = try? SignedNote(parsing: String(decoding: octets, as: UTF8.self))
                #expect(note.map(signer.verifierKey.verify) != true, "octet \(position)")
            }
        }
    }

    @Test("a wrong signature of a known key taints the note; unknown keys do not, whatever they share")
    func knownAndUnknown() throws {
        let signer = try signer("log.example", 1)
        let text = Checkpoint(origin: "log.example", size: 1, root: MerkleHash.empty).text
        let right = try signer.sign(text)
        let other = try self.signer("log.example", 2).sign(text)
        let wrong = NoteSignature(name: right.name, keyID: right.keyID, signature: other.signature)
        let sharesID = NoteSignature(name: "log.example/é", keyID: right.keyID, signature: [1])
        func verifies(_ signatures: [NoteSignature]) -> Bool {
            signer.verifierKey.verify(SignedNote(text: text, signatures: signatures))
        }
        #expect(verifies([right]) && verifies([right, right]))
        #expect(verifies([other, sharesID, right]))
        #expect(!verifies([]) && !verifies([other]) && !verifies([sharesID]) && !verifies([wrong]))
        #expect(!verifies([right, wrong]) && !verifies([wrong, right]))
    }

    @Test("names are compared as octets: a composed letter is not a decomposed one")
    func nameOctets() throws {
        let composed = try signer("log.example/\u{e9}", 1)
        let decomposed = try signer("log.example/e\u{301}", 1)
        let signature = try composed.sign("a\n")
        let renamed = NoteSignature(
            name: decomposed.verifierKey.name, keyID: signature.keyID, signature: signature.signature)
        #expect(composed.verifierKey.verify(SignedNote(text: "a\n", signatures: [signature])))
        #expect(!composed.verifierKey.verify(SignedNote(text: "a\n", signatures: [renamed])))
    }

    @Test(
        "texts that no note can have are not signed", arguments: ["", "a", "a\nb", "a\r\n", "a\0\n", "\t\n"])
    func unsignable(text: String) throws {
        let signer = try signer("log.example", 1)
        #expect(throws: LogFormatError.self) { try signer.sign(text) }
        #expect(throws: LogFormatError.self) { try signer.cosign(text, at: 1) }
    }

    @Test("cosignatures: the time is signed, and the key is not the one that signs notes")
    func cosignature() throws {
        let witness = try signer("witness.example", 3)
        let checkpoint = Checkpoint(
            origin: "log.example", size: 7, root: MerkleHash.empty, extensionLines: ["more"])
        let key = witness.cosignerKey
        func time(_ signatures: NoteSignature...) -> Int64? {
            key.cosignatureTime(in: SignedNote(text: checkpoint.text, signatures: signatures))
        }
        let line = try witness.cosign(checkpoint.text, at: 1_679_315_147)
        #expect(time(line) == 1_679_315_147)
        #expect(try time(line, witness.cosign(checkpoint.text, at: 1_679_315_150)) == 1_679_315_150)
        #expect(try NoteVerifierKey(parsing: key.text) == key && key.algorithm == .cosignature)
        #expect(key.keyID != witness.verifierKey.keyID)
        #expect(try time(witness.sign(checkpoint.text)) == nil)
        #expect(!witness.verifierKey.verify(SignedNote(text: checkpoint.text, signatures: [line])))
        for position in line.signature.indices {
            var octets = line.signature
            octets[position] ^= 1
            #expect(time(NoteSignature(name: line.name, keyID: line.keyID, signature: octets)) == nil)
        }
        #expect(throws: LogFormatError.self) { try witness.cosign(checkpoint.text, at: -1) }
        #expect(throws: LogFormatError.self) { try witness.cosign("no checkpoint\n", at: 1) }
    }

    private static let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

    @Test(
        "what is no checkpoint",
        arguments: [
            "", "\n", "o\n1\n", "o\n1\n\(root)", "\n1\n\(root)\n", "o\n\n\(root)\n", "o\n01\n\(root)\n",
            "o\n-1\n\(root)\n", "o\n+1\n\(root)\n", "o\n1 \n\(root)\n", "o\n9223372036854775808\n\(root)\n",
            "o\n١\n\(root)\n", "o\n1\n\(root.dropLast())\n", "o\n1\nCsUY\n", "o\n1\n\(root)\n\n",
            "o\n1\n\(root)\n\nx\n", "o\n1\n\(root.dropLast(2))J=\n", "o\n1\n\(root)=\n",
        ])
    func noCheckpoint(text: String) {
        #expect(throws: LogFormatError.self) { try Checkpoint(parsing: text) }
    }

    @Test(
        "what is a checkpoint",
        arguments: [
            "o\n0\n\(root)\n", "a b+c\n9223372036854775807\n\(root)\n", "o\n1\n\(root)\nx\n \n",
            "\u{301}\n1\n\(root)\n\u{301}\n",
        ])
    func oddCheckpoint(text: String) throws {
        #expect(try Checkpoint(parsing: text).text.utf8.elementsEqual(text.utf8))
    }

    private func signer(_ name: String, _ seed: UInt8) throws -> NoteSigner {
        try NoteSigner(name: name, privateKey: Secret([UInt8](repeating: seed, count: 32)))
    }
}
