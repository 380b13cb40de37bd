import Database
import EnrollmentCore
import Simulation

/// Compares the typed rows of one request, or of one entry, with the bodies (L9).
struct TypedCheck {
    private let records: RequestRecords

    init(_ records: RequestRecords) { self.records = records }

    func run(_ pass: inout ChainPass, _ findings: inout Findings) throws(VerificationError) {
        var found: [[TypedTable]] = Array(repeating: [], count: records.entries.count)
        for row in records.chain.rows {
            findings.count(.l9)
            guard let index = records.entries.firstIndex(where: { $0.entry.id == row.entry }) else {
                findings.violate(
                    .l9, "\(row.table.name) row of entry \(UUIDText.text(row.entry))",
                    "ledger.\(row.table.name) has a row that no entry tells of")
                continue
            }
            found[index].append(row.table)
            try compare(row, records.entries[index], &pass, &findings)
        }
        for (entry, tables) in zip(records.entries, found) {
            guard let kind = entry.kind, let body = entry.body else { continue }
            let expected = TypedTable.tables(of: kind, body)
            for table in expected {
                let rows = tables.count { $0 == table }
                guard rows != table.rows(of: body) else { continue }
                let fault = rows == 0 ? "has no row for it" : "has \(rows) rows for it"
                try pass.violate(.l9, entry, "ledger.\(table.name) \(fault)", &findings)
            }
            for table in tables where !expected.contains(table) {
                let fault = "ledger.\(table.name) has a row for it, which is of another kind"
                try pass.violate(.l9, entry, fault, &findings)
            }
        }
    }

    private func compare(
        _ row: TypedRow, _ entry: ReadEntry, _ pass: inout ChainPass, _ findings: inout Findings
    ) throws(VerificationError) {
        guard let kind = entry.kind, let body = entry.body else { return }
        let context = BodyContext(
            kind: kind, own: body, request: records.request?.body, decision: records.decision?.body,
            privateValues: records.chain.privateValues)
        for (place, column) in row.table.columns.enumerated() {
            let holds = try VerificationError.reading { () throws(DatabaseError) in
                try column.holds(row.row, place + 2, context)
            }
            guard !holds else { continue }
            let fault = "\(row.table.name).\(column.name) is not what was hashed"
            try pass.violate(.l9, entry, fault, &findings)
        }
        if row.table == .request { try compareFollows(row.row, entry, pass, &findings) }
        if row.table == .redactedCommitment {
            let (digest, request) = try VerificationError.reading { () throws(DatabaseError) in
                (try row.row.bytes(2), try row.row.uuid(3))
            }
            pass.redactedFrom.append((digest, request))
        }
    }

    /// A request follows the one its body names, unless that was not recorded.
    private func compareFollows(
        _ row: Row, _ entry: ReadEntry, _ pass: ChainPass, _ findings: inout Findings
    ) throws(VerificationError) {
        let follows = try VerificationError.reading { () throws(DatabaseError) in try row.optionalUUID(17) }
        let named = entry.body?.text("follows").flatMap(UUIDText.parse)
        guard follows != named else { return }
        if follows == nil, let named, try pass.evidence.leafIndex(ofEntry: named) == nil { return }
        try pass.violate(.l9, entry, "request.follows is not what was hashed", &findings)
    }
}
