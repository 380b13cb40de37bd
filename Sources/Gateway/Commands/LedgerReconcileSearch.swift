import EnrollmentCore
import Foundation
import Ledger
import PKIX

/// One of this state's authorities, as certificates are recognised by it.
struct OurIssuer {
    /// In the ledger.
    let name: String
    let subject: DistinguishedName
    let key: PublicKey

    /// The root and the issuing authority. Their certificates suffice: no key is read.
    static func all(_ state: StateDirectory) throws -> [OurIssuer] {
        try ["root", AuthorityStore.issuerName].map { name in
            let certificate = try OwnCertificates.kept(name, state)
            return OurIssuer(
                name: name, subject: certificate.subject,
                key: try PublicKey(subjectPublicKeyInfo: certificate.subjectPublicKeyInfo))
        }
    }

    /// Whether this authority's key signed it, whatever name it bears.
    func signed(_ certificate: X509Certificate) -> Bool {
        do {
            try SignatureVerification.verify(
                certificate.signature, over: certificate.toBeSigned.der,
                algorithm: certificate.signatureAlgorithm, by: key)
            return true
        } catch { return false }
    }
}

/// Goes through certificates that somebody has met, and looks up those of our issuers, a batch at a time.
struct RogueSearch {
    private struct Met {
        let looked: MetCertificate
        let place: String
        /// Nil when no start claims it, else whether it is what the claim says.
        let isOwn: Bool?
    }

    private static let batch = 500

    let ledger: PostgresLedger
    let issuers: [OurIssuer]
    let own: OwnCertificates
    /// The team that alerts are for; nil raises none.
    let owner: String?
    private(set) var others = 0
    /// Of our issuers, each time that one was met.
    private var met: [CertificateStanding: Int] = [:]
    /// A row for each certificate, however often it was met.
    private(set) var rogues: [[JSONValue]] = []
    /// Those that the ledger alone does not account for, and that are no finding.
    private(set) var noted: [[JSONValue]] = []
    private(set) var unreadable: [String] = []
    private var reported: Set<Digest> = []
    private var pending: [Met] = []

    init(ledger: PostgresLedger, issuers: [OurIssuer], own: OwnCertificates, alertsFor owner: String?) {
        self.ledger = ledger
        self.issuers = issuers
        self.own = own
        self.owner = owner
    }

    var ours: Int { met.values.reduce(0, +) }

    /// What was met, counted.
    var summary: String {
        let rogue = met.reduce(0) { $0 + ($1.key.isRogue ? $1.value : 0) }
        return "\(ours) certificates of our issuers: \(met[.known] ?? 0) on the ledger, "
            + "\(met[.retired] ?? 0) of retired months, \(met[.reserved] ?? 0) in flight, "
            + "\(met[.own] ?? 0) the gateways' own, \(rogue) rogue; "
            + "\(others) of other issuers; \(unreadable.count) not read"
    }

    mutating func run(_ files: CertificateFiles) async throws {
        var progress = ProgressBar(total: files.total, label: "reconciling")
        defer { progress.finish() }
        while let item = files.next() {
            switch item {
            case .unreadable(let fault): unreadable.append(fault)
            case .certificate(let der, let place): take(der, place)
            }
            if pending.count >= Self.batch { try await settle() }
            progress.advance(to: files.done)
        }
        try await settle()
    }

    private mutating func take(_ der: [UInt8], _ place: String) {
        // A rogue certificate need not keep to the rules for serial numbers.
        guard let certificate = try? X509Certificate(der: der, rules: .lenientSerial) else {
            return unreadable.append("\(place): no certificate")
        }
        guard let issuer = issuers.first(where: { $0.signed(certificate) }) else {
            // The name alone proves nothing, but an algorithm that we cannot check must not hide behind it.
            let bearsName = issuers.contains { $0.subject == certificate.issuer }
            if bearsName, !Self.isVerifiable(certificate, issuers) {
                return unreadable.append("\(place): signed by an algorithm that cannot be verified here")
            }
            others += 1
            return
        }
        let fingerprint = Digest(of: der)
        pending.append(
            Met(
                looked: MetCertificate(
                    fingerprint: fingerprint, issuer: issuer.name, serial: certificate.serialNumber,
                    notBefore: certificate.notBefore, notAfter: certificate.notAfter,
                    isListeners: own.isListeners(certificate, signedBy: issuer.name)), place: place,
                isOwn: own.judge(certificate, fingerprint, signedBy: issuer.name)))
    }

    private static func isVerifiable(_ certificate: X509Certificate, _ issuers: [OurIssuer]) -> Bool {
        issuers.contains { issuer in
            do throws(CertificateRequestError) {
                try SignatureVerification.verify(
                    certificate.signature, over: certificate.toBeSigned.der,
                    algorithm: certificate.signatureAlgorithm, by: issuer.key)
                return true
            } catch {
                if case .unacceptableAlgorithm = error { return false }
                return true
            }
        }
    }

    private mutating func settle() async throws(LedgerError) {
        let standings = try await ledger.standings(of: pending.map(\.looked))
        for (certificate, found) in zip(pending, standings) {
            let standing = Self.standing(found, isOwn: certificate.isOwn)
            met[standing, default: 0] += 1
            guard standing.isRogue || [.own, .retired].contains(standing),
                reported.insert(certificate.looked.fingerprint).inserted
            else { continue }
            try await report(certificate, standing)
        }
        pending.removeAll(keepingCapacity: true)
    }

    /// What is on record needs no claim. What a gateway makes for itself never had a serial number reserved.
    private static func standing(_ found: CertificateStanding, isOwn: Bool?) -> CertificateStanding {
        guard let isOwn, found != .known else { return found }
        return isOwn && [.unreserved, .retired].contains(found) ? .own : .claimedOwn
    }

    private mutating func report(_ met: Met, _ standing: CertificateStanding) async throws(LedgerError) {
        let serial = Hex.encode(met.looked.serial)
        let alert = standing.isRogue ? try await raise(met, standing, serial) : "none"
        let row: [JSONValue] = [
            .string(standing.rawValue), .string(met.looked.issuer), .string(serial),
            .string(met.looked.fingerprint.description),
            .string(Timestamp(seconds: met.looked.notAfter).rfc3339),
            .string(met.place), .string(alert),
        ]
        if standing.isRogue { rogues.append(row) } else { noted.append(row) }
    }

    /// What became of the alert.
    private func raise(
        _ met: Met, _ standing: CertificateStanding, _ serial: String
    ) async throws(LedgerError) -> String {
        guard let owner else { return "not raised" }
        let isNew = try await ledger.alertRogue(
            met.looked.fingerprint, owner: owner,
            detail: "a certificate of \(met.looked.issuer), serial \(serial), that the ledger does not know: "
                + Self.explanation(standing), at: SystemClock().now())
        return isNew ? "raised" : "raised before"
    }

    private static func explanation(_ standing: CertificateStanding) -> String {
        switch standing {
        case .claimedOwn: return "a gateway's start claims it as its own, and it is no such certificate"
        case .unreserved: return "its serial number was never reserved"
        case .closed: return "its serial number was reserved, closed unsigned and revoked"
        case .otherCertificate: return "its serial number belongs to another certificate"
        case .known, .own, .reserved, .retired: return "it is no finding"
        }
    }
}
