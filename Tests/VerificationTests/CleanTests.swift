import Database
import EnrollmentCore
import EnrollmentTesting
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    @Suite struct CleanTests {
        @Test func everythingHolds() async throws {
            let copy = try await LedgerCopy()
            let report = try copy.verify()
            #expect(report.violations.isEmpty, "\(report.text)")
            #expect(report.isSound)
            #expect(report.treeSize == Int64(report.entries))
            for invariant in Invariant.allCases where ![.l13, .manifest].contains(invariant) {
                let line = try #require(report.line(invariant))
                #expect(line.verdict == .ok && line.count > 0, "\(invariant): \(line)")
            }
            #expect(report.line(.l13)?.verdict.word == "not checked")
            #expect(report.line(.l12)?.notes == ["1 not recomputable: redacted", "1 not taken by policy"])
            try copy.drop()
        }

        @Test func everyTableHasRows() async throws {
            let copy = try await LedgerCopy()
            for table in TypedTable.allCases {
                #expect(try copy.value("SELECT count(*) FROM ledger.\(table.name)") != "0", "\(table.name)")
            }
            try copy.drop()
        }

        @Test func nothingIsWritten() async throws {
            let copy = try await LedgerCopy()
            let evidence = try copy.evidence()
            for reader in [evidence.bodies, evidence.tables] {
                #expect(throws: DatabaseError.self) {
                    _ = try reader.query(Statement("DELETE FROM ledger.entry"))
                }
            }
            try copy.drop()
        }

        @Test func anOlderCheckpointIsAPrefix() async throws {
            let copy = try await LedgerCopy()
            let note = try copy.value("SELECT note FROM ledger.checkpoint ORDER BY tree_size LIMIT 1") + "\n"
            let report = try copy.verify { $0.anchors = [try $0.anchor(name: "old", note: note)] }
            #expect(report.line(.l13)?.verdict == .ok && report.line(.l13)?.count == 1)
            #expect(throws: VerificationError.self) {
                try copy.verify { options in
                    let forged = note.replacing("\n\n", with: "0\n\n")
                    options.anchors = [try options.anchor(name: "old", note: forged)]
                }
            }
            try copy.drop()
        }

        @Test func entriesMayWaitForAMinute() async throws {
            let copy = try await LedgerCopy()
            try copy.house.cluster.superuser(
                "SELECT ledger.append_admin_event(ledger.new_id(), now(), 'os:jane', 'device.set', 'LT-1', 'found')",
                database: copy.database)
            let recorded = try copy.value(
                "SELECT (extract(epoch FROM max(recorded_at)) * 1e6)::bigint FROM ledger.entry")
            let at = try #require(Int64(recorded))
            let early = try copy.verify { $0.now = Timestamp(microseconds: at + 59_000_000) }
            #expect(early.isSound && early.line(.l10)?.notes == ["1 waiting"])
            let late = try copy.verify { $0.now = Timestamp(microseconds: at + 62_000_000) }
            #expect(late.violations.keys.sorted() == [.l10])
            try copy.drop()
        }

        @Test func witnessesAreAskedFor() async throws {
            let copy = try await LedgerCopy()
            let witness = try NoteSigner(
                name: "witness.example", privateKey: Secret([UInt8](repeating: 3, count: 32)))
            func quorum() throws -> VerificationReport {
                try copy.verify {
                    $0.witnesses = [witness.cosignerKey]
                    $0.quorum = 1
                }
            }
            #expect(try quorum().violations[.l11]?.fault == "no checkpoint has 1 cosignatures")
            let note = try SignedNote(
                parsing: try copy.value("SELECT note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1")
                    + "\n")
            let line = try witness.cosign(note.text, at: 1_700_000_000).line
            try copy.attack(
                """
                INSERT INTO ledger.cosignature
                SELECT max(tree_size), 'witness.example', '\(line)', now() FROM ledger.checkpoint
                """)
            #expect(try quorum().isSound)
            try copy.attack(
                "UPDATE ledger.cosignature SET tree_size = (SELECT min(tree_size) FROM ledger.checkpoint)")
            #expect(try quorum().violations[.l11]?.fault == "the cosignature of witness.example is wrong")
            try copy.drop()
        }
    }
}
