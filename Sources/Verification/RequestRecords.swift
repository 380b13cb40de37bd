import EnrollmentCore
import Simulation

/// All that is recorded of one request. A class, since it is handed around for each of a million requests.
final class RequestRecords {
    let chain: EvidenceChain
    let entries: [ReadEntry]
    /// The kind of each entry that can be read.
    private let kinds: [EntryKind?]
    let request: ReadEntry?
    let decision: ReadEntry?
    /// What the reserved TBSCertificate says; nil when there is none that can be read.
    let reserved: CertificateFields?
    /// The id of the credential that the request names.
    let credential: [UInt8]?

    init(_ chain: EvidenceChain, _ entries: [ReadEntry]) {
        self.chain = chain
        self.entries = entries
        kinds = entries.map(\.readKind)
        request = kinds.firstIndex(of: .request).map { entries[$0] }
        decision = kinds.firstIndex(of: .decision).map { entries[$0] }
        reserved = chain.tbs.flatMap { CertificateFields(tbs: $0) }
        credential = request?.body?.octets("credential", "id")
    }

    func all(_ kind: EntryKind) -> [ReadEntry] {
        var found: [ReadEntry] = []
        for place in kinds.indices where kinds[place] == kind { found.append(entries[place]) }
        return found
    }

    /// The first of a kind; there is to be one.
    func one(_ kind: EntryKind) -> ReadEntry? { kinds.firstIndex(of: kind).map { entries[$0] } }
}

/// From when to when one reservation of a transaction counted.
struct Tenure {
    let transaction: Mark
    let decidedAt: Int64
    let notAfter: Int64
    /// When it was revoked; the beginning of time when it was closed, nil while it counts.
    let endedAt: Int64?
    let request: RecordID
}

extension ChainPass {
    /// Checks one request.
    mutating func take(_ records: RequestRecords, _ findings: inout Findings) throws(VerificationError) {
        for word in records.all(.approval) { takeWord(word) }
        for event in records.all(.credential) { try takeUse(event, records, &findings) }
        guard let request = records.request, let asked = request.body else {
            return try takeOrphans(records, &findings)
        }
        findings.count(.l6)
        let decisions = records.all(.decision)
        guard let decision = decisions.first, let decided = decision.body, decisions.count == 1,
            records.all(.request).count == 1
        else {
            return try violate(.l6, request, "it has \(decisions.count) decisions", &findings)
        }
        try DecisionCheck(
            records: records, request: request, asked: asked, decision: decision, decided: decided
        )
        .check(self, &findings)
        takeCitations(request, asked, decided)
        try replay?.take(request, decision, records.chain.privateValues, self, &findings)
        let reservations = records.all(.reservation)
        guard let reservation = reservations.first, let reserved = reservation.body else {
            for entry in records.all(.certificate) + records.all(.failure) {
                try violate(.l4, entry, "nothing was reserved for it", &findings)
            }
            return
        }
        if reservations.count > 1 { try violate(.l6, reservation, "there is a second one", &findings) }
        findings.count(.l3)
        if !decided.is("effect", word: "permit") || !asked.is("kind", word: "enroll") {
            try violate(.l3, reservation, "its request was not a permitted enrollment", &findings)
        }
        let signed = ReservedCertificate(
            records: records, asked: asked, decided: decided, reserved: reserved, reservation: reservation)
        try signed.check(self, &findings)
        takeSerial(reservation, reserved, &findings)
        takeTenure(request, records, asked, decided, reserved)
        takeRest(request, asked, records.credential)
    }

    /// What came of a request that is not on record; nothing when the request is there and cannot be read.
    private mutating func takeOrphans(
        _ records: RequestRecords, _ findings: inout Findings
    ) throws(VerificationError) {
        guard records.request == nil else { return }
        for kind in [EntryKind.decision, .reservation, .certificate, .failure] {
            for entry in records.all(kind) {
                try violate(.l6, entry, "its request is not on record", &findings)
            }
        }
    }

    // MARK: Serial numbers (L7)

    private mutating func takeSerial(
        _ reservation: ReadEntry, _ reserved: RecordMembers, _ findings: inout Findings
    ) {
        findings.count(.l7)
        serials.add(
            Mark(reserved.octets("issuer") ?? [], reserved.octets("serial") ?? []), by: reservation.entry.id)
    }

    // MARK: Uses of credentials (L5)

    private mutating func takeUse(
        _ event: ReadEntry, _ records: RequestRecords, _ findings: inout Findings
    ) throws(VerificationError) {
        guard let body = event.body, let id = body.octets("credential_id"), let kind = body.text("kind"),
            kind == "consume" || kind == "bind" || kind == "defer"
        else { return }
        if let asked = records.request?.body {
            let isOwn =
                records.credential == id
                && asked.is("transaction_key", asIn: body)
            if !isOwn { try violate(.l5, event, "its request names another credential", &findings) }
        }
        guard kind != "defer" else { return }
        findings.count(.l5)
        uses.add(Mark(id), by: event.entry.id)
        grants.add(
            Mark(id, kind == "bind" ? [] : body.octets("transaction_key") ?? []), by: event.entry.id)
    }

    /// A reservation rests on its credential's use for the same transaction, or on an account bound by it.
    private mutating func takeRest(_ request: ReadEntry, _ asked: RecordMembers, _ credential: [UInt8]?) {
        guard let id = credential else { return }
        let consumes = asked.isTrue("credential", "consumes")
        rests.append(
            (Mark(id, consumes ? asked.octets("transaction_key") ?? [] : []), request.entry.id))
    }

    /// Looks for credentials that were used twice, and for reservations whose credential was not.
    mutating func finishUses(_ findings: inout Findings) throws(VerificationError) {
        for entry in uses.repeated() {
            try violateEntry(.l5, "credential entry", entry, "the credential had been used before", &findings)
        }
        for entry in serials.repeated() {
            try violateEntry(
                .l7, "reservation entry", entry, "its issuer and serial number were reserved before",
                &findings)
        }
        _ = grants.repeated()
        for rest in rests where !grants.contains(rest.use) {
            try violateEntry(
                .l5, "request", rest.request, "its credential was not used for its transaction", &findings)
        }
    }

    private func violateEntry(
        _ invariant: Invariant, _ kind: String, _ id: RecordID, _ fault: String, _ findings: inout Findings
    ) throws(VerificationError) {
        guard !findings.isViolated(invariant) else { return findings.violate(invariant, "", "") }
        let index = try evidence.leafIndex(ofEntry: id)
        findings.violate(invariant, "\(kind) \(id.text)", fault) { index }
    }

    // MARK: One live reservation of a transaction (L6)

    private mutating func takeTenure(
        _ request: ReadEntry, _ records: RequestRecords, _ asked: RecordMembers, _ decided: RecordMembers,
        _ reserved: RecordMembers
    ) {
        var endedAt: Int64?
        if records.one(.failure) != nil { endedAt = .min }
        for revocation in records.all(.revocation) {
            endedAt = min(endedAt ?? .max, revocation.body?.time("at") ?? .max)
        }
        tenures.append(
            Tenure(
                transaction: Mark(asked.octets("transaction_key") ?? []),
                decidedAt: decided.time("decided_at") ?? 0, notAfter: reserved.time("not_after") ?? .max,
                endedAt: endedAt, request: request.entry.id))
    }

    /// The largest tolerance between two clocks that the ledger can be set to, in microseconds.
    private static let clockTolerance: Int64 = 3_600_000_000

    /// Looks for a reservation that was made while another of its transaction counted.
    mutating func finishTenures(_ findings: inout Findings) {
        tenures.sort { ($0.transaction, $0.decidedAt) < ($1.transaction, $1.decidedAt) }
        for (before, after) in zip(tenures, tenures.dropFirst()) where before.transaction == after.transaction
        {
            let end = min(before.endedAt ?? .max, before.notAfter)
            guard end > after.decidedAt.addingReportingOverflow(Self.clockTolerance).partialValue else {
                continue
            }
            findings.violate(
                .l6, "request \(after.request.text)",
                "request \(before.request.text) of its transaction had not ended"
            ) {
                try? evidence.leafIndex(ofEntry: after.request)
            }
        }
    }
}
