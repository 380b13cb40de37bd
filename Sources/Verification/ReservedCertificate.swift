import EnrollmentCore
import Simulation

/// What was reserved for one request, what was decided, and the certificate it became (L4).
struct ReservedCertificate {
    let records: RequestRecords
    let asked: RecordMembers
    let decided: RecordMembers
    let reserved: RecordMembers
    let reservation: ReadEntry

    func check(_ pass: ChainPass, _ findings: inout Findings) throws(VerificationError) {
        if let fault = reservationFault { try pass.violate(.l4, reservation, fault, &findings) }
        let certificates = records.all(.certificate)
        let failures = records.all(.failure)
        if certificates.count + failures.count > 1 {
            let last = certificates.last ?? failures.last ?? reservation
            try pass.violate(.l6, last, "the reservation ended more than once", &findings)
        }
        if certificates.isEmpty, failures.isEmpty,
            let age = reservation.entry.recordingTime?.age(at: pass.now), age > 60
        {
            try pass.violate(
                .l6, reservation, "it has neither certificate nor failure after \(age) s", &findings)
        }
        for certificate in certificates {
            findings.count(.l4)
            guard let body = certificate.body, let fault = certificateFault(body) else { continue }
            try pass.violate(.l4, certificate, fault, &findings)
        }
        for failure in failures {
            guard let body = failure.body, !isRevoked(as: body) else { continue }
            try pass.violate(.l6, failure, "its serial number is not revoked", &findings)
        }
    }

    private func isRevoked(as failure: RecordMembers) -> Bool {
        failure.is("serial", asIn: reserved) && failure.is("issuer", asIn: reserved)
            && records.all(.revocation).contains {
                $0.body?.is("serial", asIn: reserved) == true && $0.body?.is("issuer", asIn: reserved) == true
            }
    }

    private var reservationFault: String? {
        guard let tbs = records.chain.tbs else { return "its TBSCertificate is not on record" }
        guard reserved.isHex("tbs_sha256", of: Digest(of: tbs)) else {
            return "reservation.tbs is not the TBSCertificate that was reserved"
        }
        guard asked.is("public_key", asIn: reserved) else {
            return "it is for another key than was asked for"
        }
        guard let limit = decided.time("maximum_not_after"), let end = reserved.time("not_after"),
            end <= limit
        else { return "it is valid for longer than was decided" }
        guard let fields = records.reserved else { return "its TBSCertificate cannot be read" }
        guard reserved.isHex("serial", of: fields.serial) else {
            return "its TBSCertificate has another serial number"
        }
        guard reserved.isHex("public_key", of: Digest(of: fields.subjectPublicKeyInfo)) else {
            return "its TBSCertificate has another key"
        }
        guard Self.seconds(reserved.time("not_before")) == fields.notBefore,
            Self.seconds(end) == fields.notAfter
        else { return "its TBSCertificate has another validity" }
        return nil
    }

    private func certificateFault(_ body: RecordMembers) -> String? {
        for member in ["tbs_sha256", "issuer", "serial"] as [StaticString] {
            guard body.is(member, asIn: reserved) else { return "another \(member) was reserved" }
        }
        guard let certificate = records.chain.certificate else { return "its certificate is not on record" }
        guard body.isHex("certificate_sha256", of: Digest(of: certificate)) else {
            return "certificate.der is not the certificate that was recorded"
        }
        guard let tbs = records.chain.tbs, CertificateFields.certificate(certificate, contains: tbs) else {
            return "the certificate does not carry the TBSCertificate that was reserved"
        }
        return nil
    }

    private static func seconds(_ microseconds: Int64?) -> Int64? {
        microseconds.map { Timestamp(microseconds: $0).seconds }
    }
}
