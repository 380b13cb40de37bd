import Database
import EnrollmentCore
import Simulation

/// Compares the typed rows of one request, or of one entry, with the bodies (L9).
struct TypedCheck {
    private let records: RequestRecords
    private let context: BodyContext

    init(_ records: RequestRecords) {
        self.records = records
        context = BodyContext(
            request: records.request?.body, decision: records.decision?.body, reserved: records.reserved,
            credential: records.credential)
    }

    func run(_ pass: inout ChainPass, _ findings: inout Findings) throws(VerificationError) {
        let rows = records.chain.rows
        findings.count(.l9, rows.count)
        for row in rows {
            guard let entry = records.entries.first(where: { $0.entry.id == row.entry }) else {
                findings.violate(
                    .l9, "\(row.table.name) row of entry \(row.entry.text)",
                    "ledger.\(row.table.name) has a row that no entry tells of")
                continue
            }
            try compare(row, entry, &pass, &findings)
        }
        for entry in records.entries {
            guard let kind = entry.kind, let body = entry.body else { continue }
            let expected = TypedTable.tables(of: kind, body)
            for table in expected {
                let found = rows.indices.count { rows[$0].table == table && rows[$0].entry == entry.entry.id }
                guard found != table.rows(of: body) else { continue }
                let fault = found == 0 ? "has no row for it" : "has \(found) rows for it"
                try pass.violate(.l9, entry, "ledger.\(table.name) \(fault)", &findings)
            }
            let foreign = rows.indices.filter {
                rows[$0].entry == entry.entry.id && !expected.contains(rows[$0].table)
            }
            for place in foreign {
                let fault = "ledger.\(rows[place].table.name) has a row for it, which is of another kind"
                try pass.violate(.l9, entry, fault, &findings)
            }
        }
    }

    private func compare(
        _ row: TypedRow, _ entry: ReadEntry, _ pass: inout ChainPass, _ findings: inout Findings
    ) throws(VerificationError) {
        guard let kind = entry.kind, let body = entry.body else { return }
        var place = 2
        for column in row.table.columns {
            let holds: Bool
            do { holds = try column.holds(row.row, place, body, kind, context) } catch {
                throw VerificationError(error)
            }
            place += 1
            guard !holds else { continue }
            let fault = "\(row.table.name).\(column.name) is not what was hashed"
            try pass.violate(.l9, entry, fault, &findings)
        }
        if row.table == .request { try compareFollows(row.row, entry, pass, &findings) }
        if row.table == .redactedCommitment {
            try VerificationError.reading { () throws(DatabaseError) in
                guard let digest = try row.row.digest(2) else { return }
                pass.redactedFrom.append((digest, try row.row.id(3)))
            }
        }
    }

    /// A request follows the one its body names, unless that was not recorded.
    private func compareFollows(
        _ row: Row, _ entry: ReadEntry, _ pass: ChainPass, _ findings: inout Findings
    ) throws(VerificationError) {
        let follows = try VerificationError.reading { () throws(DatabaseError) in try row.optionalID(17) }
        let named = entry.body?.text("follows").flatMap { RecordID($0) }
        guard follows != named else { return }
        if follows == nil, let named, try pass.evidence.leafIndex(ofEntry: named) == nil { return }
        try pass.violate(.l9, entry, "request.follows is not what was hashed", &findings)
    }
}
