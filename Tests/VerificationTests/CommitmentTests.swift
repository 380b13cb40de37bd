import EnrollmentCore
import Simulation
import Testing

@testable import Verification

extension VerificationTests {
    /// Commitments are found wherever they stand, and nothing else is taken for one.
    @Suite struct CommitmentTests {
        private static let digest = Digest(of: Array("value".utf8))
        private static let commitment = "\"commitment:\(digest)\""

        private static func places(_ json: String) throws -> [Range<Int>] {
            let document = Array("{\"a\":\(json)}".utf8)
            var strings: [Range<Int>] = []
            _ = try RecordMembers(document, noting: Commitment.quotedLength, in: &strings)
            return Commitment.found(in: document, at: strings).map { found in
                #expect(found.commitment.digest == Self.digest)
                return found.place.lowerBound - 5..<found.place.upperBound - 5
            }
        }

        @Test func theyAreFoundAnywhere() throws {
            let length = Self.commitment.utf8.count
            let places = [
                (Self.commitment, [0]), ("[1,22,\(Self.commitment)]", [6]),
                ("{\"b\":[\"commitment:\",{\"c\":\(Self.commitment)}]}", [25]),
                ("[\(Self.commitment),\(Self.commitment)]", [1, 2 + length]),
            ]
            for (json, starts) in places {
                #expect(try Self.places(json) == starts.map { $0..<$0 + length })
            }
        }

        @Test(
            arguments: [
                "\"\"", "\"commitment:\"", String(commitment.dropLast(2)) + "\"",
                "\"" + commitment.dropFirst(2),
                "\"" + commitment.dropFirst(2).dropLast() + "0\"",
                commitment.replacing("commitment:", with: "commitment;"),
                commitment.replacing("commitment:", with: "commitment:g"),
                commitment.replacing("commitment:", with: "Commitment:"),
                String(commitment.dropLast()) + "0\"",
            ])
        func nothingElseIsOne(_ json: String) throws { #expect(try Self.places(json).isEmpty) }
    }
}
