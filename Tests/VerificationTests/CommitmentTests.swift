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
                ("{\(Self.commitment):1}", [1]),
                ("[\(Self.commitment),\(Self.commitment)]", [1, 2 + length]),
            ]
            for (json, starts) in places {
                #expect(try Self.places(json) == starts.map { $0..<$0 + length })
            }
        }

        private static let digits = "\(digest)"
        private static let others: [String] = [
            "", "commitment:", "commitment:\(digits.dropLast())", "ommitment:\(digits)",
            "ommitment:\(digits)0",
            "commitment;\(digits)", "Commitment:\(digits)", "commitment:\(digits)0", "commitment:g\(digits)",
            "commitment:g\(digits.dropFirst())", "commitment:\(digits.dropLast())g",
            "x\\\"commitment:\(digits)",
        ]

        @Test(arguments: others)
        func nothingElseIsOne(_ text: String) throws { #expect(try Self.places("\"\(text)\"").isEmpty) }
    }
}
