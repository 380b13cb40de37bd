package import Database
package import EnrollmentCore

/// The entry that records a certificate, as a receipt needs it.
package struct CertificateEntry: Sendable, Hashable {
    package let entry: RequestID
    /// The name of the issuing CA.
    package let issuer: String
    /// The entry's body, exactly as it is hashed.
    package let body: [UInt8]
}

/// Finds the entries of certificates for receipts.
package struct PostgresReceipt: Sendable {
    private let pool: ReadPool

    /// - Parameter pool: logged in as `gatehouse_writer`.
    package init(_ pool: ReadPool) { self.pool = pool }

    /// The entries of all certificates with that serial number or that SHA-256; serial numbers are unique
    /// within an issuer.
    ///
    /// - Parameter octets: of the serial number as the certificate has it, leading zeros left out or not; 32
    ///   of them may be a SHA-256 too.
    package func certificates(_ octets: [UInt8]) async throws(LedgerError) -> [CertificateEntry] {
        let serial = Array(octets.drop { $0 == 0 })
        let values: [Parameter] = [.text(Hex.encode(serial)), .bytes(octets)]
        do {
            return try await pool.read { connection throws(DatabaseError) in
                var found: [CertificateEntry] = []
                for row in try connection.query(Self.certificates, values) {
                    found.append(
                        CertificateEntry(
                            entry: try row.requestID(0), issuer: try row.text(1),
                            body: Array(try row.text(2).utf8)))
                }
                return found
            }
        } catch { throw LedgerError(error) }
    }

    private static let certificates = Statement(
        """
        SELECT o.entry_id, o.issuer, e.body
        FROM ledger.outcome AS o JOIN ledger.entry AS e USING (entry_id)
        WHERE o.result = 'completed' AND o.request_id IN (
          SELECT request_id FROM ledger.reservation WHERE encode(serial, 'hex') = $1
          UNION SELECT request_id FROM ledger.certificate WHERE certificate_sha256 = $2)
        ORDER BY o.issuer
        """)
}
