package import EnrollmentCore
import Foundation

/// The manifest of an evidence export (`gatehouse ledger export --evidence`), as far as retirement needs it:
/// the tree that was exported, and the digest by which the ledger remembers the export.
package struct RetentionManifest: Sendable, Hashable {
    /// SHA-256 of the file.
    package let digest: Digest
    /// Leaves of the exported tree.
    package let treeSize: Int64
    package let root: Digest

    private struct Document: Decodable {
        let format: String
        let treeSize: Int64
        let root: Digest

        enum CodingKeys: String, CodingKey {
            case format
            case treeSize = "tree_size"
            case root = "root_sha256"
        }
    }

    /// Nil unless `content` is the manifest of an evidence export, with the members `format`, `tree_size` and
    /// `root_sha256`.
    package init?(_ content: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(content)),
            document.format.hasPrefix("gatehouse-export/")
        else { return nil }
        digest = Digest(of: content)
        treeSize = document.treeSize
        root = document.root
    }
}
