import SwiftASN1

/// Textual encoding of DER (RFC 7468).
package enum PEM {
    /// One block with 64 columns, ending in a line feed.
    ///
    /// - Parameter label: e.g. `CERTIFICATE`.
    package static func encode(label: String, der: [UInt8]) -> String {
        PEMDocument(type: label, derBytes: der).pemString + "\n"
    }

    /// DER of every block with that label, in order; other blocks and text around them are skipped.
    ///
    /// - Parameter text: at most 1 MiB.
    /// - Throws: `PKIXError.malformed` for a broken block or when no block bears the label.
    package static func decode(_ text: String, label: String) throws(PKIXError) -> [[UInt8]] {
        guard text.utf8.count <= 1_048_576 else { throw .tooLarge }
        let documents: [PEMDocument]
        do { documents = try PEMDocument.parseMultiple(pemString: text) } catch { throw .malformed("PEM") }
        let found = documents.filter { $0.discriminator == label }.map(\.derBytes)
        guard !found.isEmpty else { throw .malformed("PEM without \(label)") }
        return found
    }
}
