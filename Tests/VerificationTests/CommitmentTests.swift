import EnrollmentCore
import Testing

@testable import Verification

extension VerificationTests {
    /// Commitments are found wherever they stand, and nothing else is taken for one.
    @Suite struct CommitmentTests {
        private static let digest = Digest(of: Array("value".utf8))
        private static let commitment = "\"commitment:\(digest)\""

        private static func places(_ text: String) -> [Range<Int>] {
            Commitment.places(in: Array(text.utf8)).map(\.place)
        }

        @Test func theyAreFoundAnywhere() {
            for before in 0..<36 {
                for after in [0, 1, 7] {
                    // Of the prefix's own octets, so that the search has to step back.
                    let padding = String(("commitment:\"ttiem" + "\"commitment\"commit:").prefix(before))
                    let text = padding + Self.commitment + String(repeating: "t", count: after)
                    let found = Commitment.places(in: Array(text.utf8))
                    #expect(found.map(\.place) == [before..<before + Self.commitment.utf8.count])
                    #expect(found.first?.commitment.digest == Self.digest)
                }
            }
            let length = Self.commitment.utf8.count
            #expect(Self.places(Self.commitment + Self.commitment) == [0..<length, length..<2 * length])
        }

        @Test(
            arguments: [
                "", "\"commitment:", String(commitment.dropLast()), String(commitment.dropFirst()),
                commitment.replacing("commitment:", with: "commitment;"),
                commitment.replacing("commitment:", with: "commitment:g"),
                commitment.replacing("commitment:", with: "Commitment:"),
                String(commitment.dropLast()) + "0\"",
            ])
        func nothingElseIsOne(_ text: String) { #expect(Self.places(text).isEmpty) }
    }
}
