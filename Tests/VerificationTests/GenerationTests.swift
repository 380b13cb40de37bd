import EnrollmentCore
import EnrollmentTesting
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    /// A log that goes on under another name after an accepted rollback, and what is known of its key.
    @Suite struct GenerationTests {
        private static let seed = Secret([UInt8](repeating: 9, count: 32))

        private static func vkey(_ generation: String = "", seed: Secret = seed) throws -> String {
            try NoteSigner(name: House.origin + generation, privateKey: seed).verifierKey.text
        }

        /// The newest checkpoint under the name of generation 1, which the ledger has on record.
        private static func renamed() async throws -> LedgerCopy {
            let copy = try await LedgerCopy()
            let old = try SignedNote(
                parsing: try copy.value("SELECT note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1")
                    + "\n"
            ).checkpoint()
            let signer = try NoteSigner(name: House.origin + "/1", privateKey: seed)
            let text = Checkpoint(origin: House.origin + "/1", size: old.size, root: old.root).text
            let note = SignedNote(text: text, signatures: [try signer.sign(text)]).encoded
            try copy.attack(
                """
                UPDATE ledger.checkpoint SET origin = '\(House.origin)/1', note = '\(note)'
                WHERE tree_size = \(old.size)
                """)
            return copy
        }

        @Test(arguments: [["/1", ""], ["", "/1"], ["/1"], [""], ["/2", "/1", ""], ["/2"]])
        func anyOfItsNamesServes(_ names: [String]) async throws {
            let copy = try await Self.renamed()
            let witness = try NoteSigner(name: "w.example", privateKey: Self.seed).cosignerKey.text
            let file = try ([witness, "not a key"] + names.map { try Self.vkey($0) }).joined(separator: "\n")
            let key = try VerificationOptions.logKey(in: file + "\r\n")
            let first = try copy.value("SELECT note FROM ledger.checkpoint ORDER BY tree_size LIMIT 1") + "\n"
            let last =
                try copy.value("SELECT note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1") + "\n"
            let report = try copy.verify {
                $0.log = key
                $0.anchors = [
                    try $0.anchor(name: "first", note: first), try $0.anchor(name: "last", note: last),
                ]
            }
            #expect(report.isSound, "\(report.text)")
            #expect(report.line(.l13)?.count == 2)
            try copy.drop()
        }

        @Test(arguments: ["", "/1", "/2"])
        func whatWasLostIsViolated(_ name: String) async throws {
            let copy = try await Self.renamed()
            let signer = try NoteSigner(name: House.origin, privateKey: Self.seed)
            let text = Checkpoint(origin: House.origin, size: 9_999, root: Digest(of: [1])).text
            let note = SignedNote(text: text, signatures: [try signer.sign(text)]).encoded
            let report = try copy.verify {
                $0.log = try VerificationOptions.logKey(in: Self.vkey(name))
                $0.anchors = [try $0.anchor(name: "lost", note: note)]
            }
            #expect(report.violations.keys.sorted() == [.l13], "\(report.text)")
            try copy.drop()
        }

        @Test(arguments: ["", "/1"])
        func aGenerationWithoutRollbackIsViolated(_ name: String) async throws {
            let copy = try await Self.renamed()
            try copy.attackAgain(
                "UPDATE ledger.checkpoint SET origin = replace(origin, 'ledger/1', 'ledger/3'),"
                    + " note = replace(note, 'ledger/1', 'ledger/3')")
            let report = try copy.verify { $0.log = try VerificationOptions.logKey(in: Self.vkey(name)) }
            #expect(report.violations.keys.sorted() == [.l11], "\(report.text)")
            try copy.drop()
        }

        @Test func keysOfSeveralLogsAreRefused() throws {
            let other = Secret([UInt8](repeating: 8, count: 32))
            let files = [
                "", "nothing", try Self.vkey() + "\n" + Self.vkey("/1", seed: other),
                try Self.vkey() + "\n" + Self.vkey("/x"), try Self.vkey() + "\n" + Self.vkey("/01"),
                try NoteSigner(name: "w.example", privateKey: Self.seed).cosignerKey.text,
            ]
            for file in files {
                #expect(throws: VerificationError.self, "\(file)") {
                    try VerificationOptions.logKey(in: file)
                }
            }
        }

        @Test func oneIsSingular() {
            let one = Invariant.allCases.map { $0.counted(1) }
            for text in ["1 row", "1 certificate", "1 older checkpoint", "1 leaf", "1 entry"] {
                #expect(one.contains(text))
            }
            #expect(Invariant.l9.counted(0) == "0 rows" && Invariant.l13.counted(2) == "2 older checkpoints")
        }
    }
}
