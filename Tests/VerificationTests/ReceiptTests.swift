import EnrollmentCore
import EnrollmentTesting
import PKIX
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    /// A certificate's proof, without the ledger.
    @Suite struct ReceiptTests {
        @Test func aReceiptProvesItsCertificateAndNoOther() async throws {
            let house = try await House.whole.value
            let receipt = try Self.receipt(of: house)
            let read = try Receipt(parsing: receipt)
            let options = VerificationOptions(
                log: house.signer.verifierKey, now: Timestamp(microseconds: 0))
            #expect(read.fault(options) == nil)
            let der = try house.value(
                "SELECT encode(der, 'hex') FROM ledger.certificate ORDER BY request_id LIMIT 1")
            let certificate = try #require(Hex.decode(der))
            #expect(read.fault(options, certificate: certificate) == nil)
            let pem = PEM.encode(label: "CERTIFICATE", der: certificate)
            #expect(read.fault(options, certificate: Array(pem.utf8)) == nil)
            #expect(read.fault(options, certificate: [0x30, 0]) == "it is of another certificate")
            let other = try NoteSigner(
                name: House.origin, privateKey: Secret([UInt8](repeating: 1, count: 32)))
            #expect(
                read.fault(VerificationOptions(log: other.verifierKey, now: Timestamp(microseconds: 0)))
                    != nil)
            let index = try #require(receipt.split(separator: "\n").first { $0.hasPrefix("index ") })
            let moved = try Receipt(parsing: receipt.replacing(index, with: "index 0"))
            #expect(moved.fault(options)?.contains("is not at index 0") == true)
            #expect(throws: VerificationError.receipt("not a receipt: \(Self.refusal)")) {
                try Receipt(parsing: "nothing")
            }
        }

        private static var refusal: String {
            do throws(LogFormatError) { _ = try LogProof(parsing: "nothing") } catch {
                return error.description
            }
            return ""
        }

        private static func receipt(of house: House) throws -> String {
            let hashes = try house.value(
                "SELECT string_agg(encode(leaf_hash, 'hex'), ' ' ORDER BY leaf_index) FROM ledger.leaf")
            let leaves = hashes.split(separator: " ").compactMap { Digest(String($0)) }
            let request = "(SELECT request_id FROM ledger.certificate ORDER BY request_id LIMIT 1)"
            let entry =
                "ledger.entry JOIN ledger.leaf USING (entry_id) WHERE kind = 'certificate' AND request_id = \(request)"
            let body = try house.value("SELECT body FROM \(entry)")
            let index = try #require(Int64(try house.value("SELECT leaf_index FROM \(entry)")))
            let note =
                try house.value("SELECT note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1") + "\n"
            return LogProof(
                extra: Array(body.utf8), index: index, hashes: path(leaves, Int(index)),
                checkpoint: try SignedNote(parsing: note)
            ).encoded
        }

        /// RFC 9162 §2.1.3.1, as it stands there.
        private static func path(_ leaves: [Digest], _ index: Int) -> [Digest] {
            guard leaves.count > 1 else { return [] }
            let half = split(leaves.count)
            return index < half
                ? path(Array(leaves[..<half]), index) + [root(Array(leaves[half...]))]
                : path(Array(leaves[half...]), index - half) + [root(Array(leaves[..<half]))]
        }

        private static func root(_ leaves: [Digest]) -> Digest {
            guard leaves.count > 1 else { return leaves.first ?? MerkleHash.empty }
            let half = split(leaves.count)
            return MerkleHash.node(root(Array(leaves[..<half])), root(Array(leaves[half...])))
        }

        private static func split(_ count: Int) -> Int {
            var half = 1
            while half * 2 < count { half *= 2 }
            return half
        }
    }
}
