import Database
package import EnrollmentCore

/// A certificate that one of our issuers signed, as somebody met it.
package struct MetCertificate: Sendable, Hashable {
    package let fingerprint: Digest
    /// The issuer's name in the ledger.
    package let issuer: String
    /// Content octets of the serialNumber INTEGER.
    package let serial: [UInt8]
    /// Seconds since the epoch.
    package let notBefore: Int64
    package let notAfter: Int64
    /// Whether it is like those that gateways make for their own listeners, for nobody else's name.
    package let isListeners: Bool

    package init(
        fingerprint: Digest, issuer: String, serial: [UInt8], notBefore: Int64, notAfter: Int64,
        isListeners: Bool = false
    ) {
        self.fingerprint = fingerprint
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isListeners = isListeners
    }
}

/// What a gateway's own certificates are called where its start records them.
package enum OwnCertificate: String, Sendable, Hashable, CaseIterable {
    case root
    case issuing
    case registrationAuthority = "scep-ra"
    case listener = "tls"
}

/// What the ledger knows of a certificate that one of our issuers signed.
package enum CertificateStanding: String, Sendable, Hashable, CaseIterable {
    /// It is recorded.
    case known
    /// A gateway's own: its start recorded it, and it is what a gateway makes for itself. The ledger alone
    /// never says so.
    case own
    /// A start recorded it as its gateway's own, and it is no such certificate.
    case claimedOwn = "claimed_own"
    /// Its serial number was never reserved.
    case unreserved
    /// The ledger has no such serial number, and none of its time any more: it began in a month that was
    /// retired, and had ended before that, by two years where it is not a listener's. The export of the month
    /// tells.
    case retired
    /// Its serial number was reserved, neither completed nor closed: its gateway may be about to record it.
    case reserved
    /// Its serial number was reserved, closed unsigned and revoked.
    case closed
    /// Its serial number belongs to another certificate.
    case otherCertificate = "other_certificate"

    /// Whether the ledger has no account of it.
    package var isRogue: Bool {
        switch self {
        case .known, .own, .reserved, .retired: return false
        case .claimedOwn, .unreserved, .closed, .otherCertificate: return true
        }
    }
}

extension PostgresLedger {
    /// What the ledger knows of each of these certificates, in their order.
    ///
    /// - Parameter certificates: at most a few thousand.
    package func standings(
        of certificates: [MetCertificate]
    ) async throws(LedgerError) -> [CertificateStanding] {
        let values: [Parameter] = [
            .texts(certificates.map(\.fingerprint.description)), .texts(certificates.map(\.issuer)),
            .texts(certificates.map { Hex.encode($0.serial) }),
            .texts(certificates.map { String($0.notBefore) }),
            .texts(certificates.map { String($0.notAfter) }),
            .texts(certificates.map { String($0.isListeners) }),
        ]
        return try await read { connection throws(DatabaseError) in
            var standings: [CertificateStanding] = []
            for row in try connection.query(Self.standings, values) {
                guard let standing = CertificateStanding(rawValue: try row.text(0)) else {
                    throw .unexpectedRow("no standing")
                }
                standings.append(standing)
            }
            guard standings.count == certificates.count else { throw .unexpectedRow("standings are missing") }
            return standings
        }
    }

    /// SHA-256 of the certificates that starts of gateways claim as their own, with what they are said to be.
    /// A claim only: whoever has the gateway's login can record one.
    package func claimedCertificates() async throws(LedgerError) -> [Digest: Set<OwnCertificate>] {
        try await read { connection throws(DatabaseError) in
            var claims: [Digest: Set<OwnCertificate>] = [:]
            for row in try connection.query(Self.starts) {
                // “root HEX, issuing HEX, …”
                for claim in try row.text(0).split(separator: ", ") {
                    let words = claim.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                    guard words.count == 2, let name = words.first.flatMap(OwnCertificate.init),
                        let digest = words.last.flatMap({ Digest($0) })
                    else { continue }
                    claims[digest, default: []].insert(name)
                }
            }
            return claims
        }
    }

    /// Raises the alert of a certificate that the ledger does not know; false when it was raised before.
    package func alertRogue(
        _ fingerprint: Digest, owner: String, detail: String, at now: Timestamp
    ) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [
            newID(), .digest(fingerprint), .text(owner), .text(detail.storable), .timestamp(now),
        ]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.rogue, values).bool(0)
        }
    }

    private static let standings = Statement(
        """
        SELECT CASE WHEN c.request_id IS NOT NULL THEN 'known'
                    -- It is valid from a little before it was asked for.
                    WHEN r.request_id IS NULL AND EXISTS (
                      SELECT FROM ledger.retention AS t
                      WHERE to_timestamp(met.not_before::bigint)
                          >= t.month::timestamp AT TIME ZONE 'UTC' - interval '1 day'
                        AND to_timestamp(met.not_before::bigint)
                          < (t.month + interval '1 month')::timestamp AT TIME ZONE 'UTC'
                        AND to_timestamp(met.not_after::bigint)
                          < t.at - CASE met.is_listeners WHEN 'true' THEN interval '0'
                                   ELSE interval '2 years' END)
                      THEN 'retired'
                    WHEN r.request_id IS NULL THEN 'unreserved'
                    WHEN o.result = 'closed' THEN 'closed'
                    WHEN o.result = 'completed' THEN 'other_certificate'
                    ELSE 'reserved' END
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
          WITH ORDINALITY AS met (fingerprint, issuer, serial, not_before, not_after, is_listeners, place)
        LEFT JOIN ledger.certificate AS c ON c.certificate_sha256 = decode(met.fingerprint, 'hex')
        LEFT JOIN ledger.reservation AS r ON r.issuer = met.issuer AND r.serial = decode(met.serial, 'hex')
        LEFT JOIN ledger.outcome AS o ON o.request_id = r.request_id
        ORDER BY met.place
        """)
    private static let starts = Statement(
        "SELECT DISTINCT reason FROM ledger.admin_event WHERE action = 'gateway.start'")
    private static let rogue = Statement("SELECT ledger.alert_rogue_certificate($1, $2, $3, $4, $5)")
}
