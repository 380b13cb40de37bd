import EnrollmentCore
import Testing

@testable import Verification

extension VerificationTests {
    /// What people and programs read.
    @Suite struct OutputTests {
        @Test func aLineForEachInvariant() async throws {
            let copy = try await LedgerCopy()
            let text = try copy.verify().text
            let counts = #/\d+/#
            #expect(
                text.replacing(counts, with: "#").replacing(#/(?:root) .*/#, with: "root") == Self.clean,
                "\(text)")
            try copy.drop()
        }

        @Test func aViolationIsNamedAndTheRestCounted() async throws {
            let copy = try await LedgerCopy()
            try copy.attack("UPDATE ledger.decision SET owner = 'somebody else'")
            let report = try copy.verify()
            let count = try copy.value("SELECT count(*) FROM ledger.decision")
            let lines = report.text.split(separator: "\n")
            let place = try #require(lines.firstIndex { $0.hasPrefix("L9      VIOLATED     ") })
            #expect(
                lines[place + 1].contains(
                    #/^ +first: leaf \d+, decision of request [0-9a-f-]{36}: decision.owner/#))
            #expect(lines[place + 2] == "        and \((Int(count) ?? 0) - 1) more")
            let document = try #require(
                report.documents.first { document in
                    guard case .object(let members) = document else { return false }
                    return members["invariant"] == "L9"
                })
            guard case .object(let members) = document else { return }
            #expect(members["verdict"] == "VIOLATED" && members["violations"] == .integer(Int64(count) ?? 0))
            #expect(members["fault"] == "decision.owner is not what was hashed")
            try copy.drop()
        }

        private static let clean = """
            # leaves, # entries, root
            log     ok           leaves, tiles and tree heads are one tree (# leaves)
            L#      ok           no reservation without a permitted enrollment (# reservations)
            L#      ok           certificates are what was reserved and decided (# certificates)
            L#      ok           a credential is used once (# uses)
            L#      ok           every request is decided, and ends once (# requests)
            L#      ok           serial numbers are unique (# reservations)
            L#      ok           nothing was altered, removed or added (# entries)
            L#      ok           tables say what was hashed (# rows)
            L#     ok           every entry becomes a leaf within # s (# entries)
            L#     ok           checkpoints are of this tree, signed and witnessed \
            (# checkpoints; witnesses not asked for)
            L#     ok           decisions come out again as recorded \
            (# decisions; # not recomputable: redacted; # not taken by policy)
            L#     not checked  nothing that was ever published is gone \
            (no older checkpoint was given: --against)
            privacy ok           commitments have their value or a redaction (# commitments; # redacted)

            """
    }
}
