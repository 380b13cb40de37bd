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
            let path = "\(state.pki)/\(name).pem"
            guard let data = FileManager.default.contents(atPath: path) else {
                throw StartupError("cannot read \(path)", remedy: "restore it from the backup")
            }
            let text = String(decoding: data, as: UTF8.self)
            guard let der = try PEM.decode(text, label: "CERTIFICATE").first else {
                throw StartupError("\(path) holds no certificate", remedy: "restore it from the backup")
            }
            let certificate = try X509Certificate(der: der)
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
        let notAfter: Int64
        let place: String
    }

    private static let batch = 500

    let ledger: PostgresLedger
    let issuers: [OurIssuer]
    let own: Set<Digest>
    /// The team that alerts are for; nil raises none.
    let owner: String?
    private(set) var ours = 0
    private(set) var others = 0
    private(set) var rogues: [[JSONValue]] = []
    private(set) var unreadable: [String] = []
    private var reported: Set<Digest> = []
    private var pending: [Met] = []

    init(ledger: PostgresLedger, issuers: [OurIssuer], own: Set<Digest>, alertsFor owner: String?) {
        self.ledger = ledger
        self.issuers = issuers
        self.own = own
        self.owner = owner
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
        ours += 1
        pending.append(
            Met(
                looked: MetCertificate(
                    fingerprint: Digest(of: der), issuer: issuer.name, serial: certificate.serialNumber),
                notAfter: certificate.notAfter, place: place))
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
        let looked = pending.map(\.looked)
        let standings = try await ledger.standings(of: looked)
        for (met, found) in zip(pending, standings) {
            let standing = own.contains(met.looked.fingerprint) ? .own : found
            if standing.isRogue, reported.insert(met.looked.fingerprint).inserted {
                try await report(met, standing)
            }
        }
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func report(_ met: Met, _ standing: CertificateStanding) async throws(LedgerError) {
        let serial = Hex.encode(met.looked.serial)
        let alert = try await raise(met, standing, serial)
        rogues.append([
            .string(standing.rawValue), .string(met.looked.issuer), .string(serial),
            .string(met.looked.fingerprint.description), .string(Timestamp(seconds: met.notAfter).rfc3339),
            .string(met.place), .string(alert),
        ])
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
        case .unreserved: return "its serial number was never reserved"
        case .closed: return "its serial number was reserved, closed unsigned and revoked"
        case .otherCertificate: return "its serial number belongs to another certificate"
        case .known, .own, .reserved: return "it is known"
        }
    }
}
