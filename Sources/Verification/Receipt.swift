package import EnrollmentCore
import PKIX
import Simulation
import TransparencyLog

/// The proof that one certificate is on the ledger: complete in itself, verified without the ledger.
package struct Receipt: Sendable {
    /// What the ledger says of the certificate.
    package let requestID: String
    package let issuer: String
    /// In hexadecimal.
    package let serial: String
    package let signedAt: String
    package let certificate: Digest
    /// Where the certificate's entry is in the log, and the size of the tree that this is proved of.
    package let leafIndex: Int64
    package let treeSize: Int64
    private let proof: LogProof

    /// Reads a receipt; nothing is verified.
    ///
    /// - Parameter text: a proof of C2SP tlog-proof whose extra data are the entry's body.
    /// - Throws: `VerificationError.receipt`.
    package init(parsing text: String) throws(VerificationError) {
        do throws(LogFormatError) { proof = try LogProof(parsing: text) } catch {
            throw .receipt("not a receipt: \(error)")
        }
        guard let body = proof.extra, let members = try? RecordMembers(body),
            EntryKind.certificate.fits(members),
            let certificate = members.text("certificate_sha256").flatMap({ Digest($0) }),
            let request = members.text("request_id"), let issuer = members.text("issuer"),
            let serial = members.text("serial"), let signedAt = members.text("signed_at"),
            let head = try? proof.checkpoint.checkpoint()
        else { throw .receipt("not a receipt: its extra data are not the entry of a certificate") }
        (requestID, self.issuer, self.serial, self.signedAt) = (request, issuer, serial, signedAt)
        self.certificate = certificate
        (leafIndex, treeSize) = (proof.index, head.size)
    }

    /// What does not hold; nil when the receipt proves what it says.
    ///
    /// - Parameter pem: the certificate that it is to be of, in PEM or DER.
    package func fault(_ options: VerificationOptions, certificate pem: [UInt8]? = nil) -> String? {
        guard let body = proof.extra else { return "it has no entry" }
        if let pem {
            let blocks = try? PEM.decode(String(decoding: pem, as: UTF8.self), label: "CERTIFICATE")
            guard Digest(of: blocks?.first ?? pem) == certificate else {
                return "it is of another certificate"
            }
        }
        let origin = (try? proof.checkpoint.checkpoint().origin) ?? ""
        guard options.generation(of: origin) != nil, let log = options.key(for: origin) else {
            return "its checkpoint is of \(origin), not of \(options.log.name)"
        }
        do throws(LogFormatError) {
            try proof.verify(
                leaf: MerkleHash.leaf(body), log: log, witnesses: options.witnesses, quorum: options.quorum)
            return nil
        } catch { return error.description }
    }
}
