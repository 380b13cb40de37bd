import ArgumentParser
import Database
import EnrollmentCore
import Foundation
import Ledger

/// `gatehouse ledger export`: rows or evidence as files, with a signed manifest.
struct LedgerExport: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, jsonl }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write rows or the whole evidence to files, with a signed manifest.",
        discussion: """
            Rows: --query SQL or --view NAME, as the auditor, to --out FILE; beside it FILE.manifest.json \
            and FILE.manifest.note, which signs it. Evidence: --evidence DIR, for gatehouse-verify; unless \
            --without-private, it is recorded as the administrator's act `ledger.export`.

            Exit codes: 0 written; 1 the database refused the statement; 2 usage, or the file exists; 4 no \
            such view; 5 the database does not answer, or the disk is full.

            Examples:
              gatehouse ledger export --view issuance --since 2026-10-01T00:00:00Z --out october.csv
              gatehouse ledger export --evidence evidence-2026-10
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "csv (the default) or jsonl.") var format: Format?
    @Option(help: "One SQL statement on the views of schema audit.") var query: String?
    @Option(help: "A view of schema audit, in the order of its time.") var view: String?
    @Option(help: "Rows of --view from this instant on (RFC 3339).") var since: String?
    @Option(help: "Rows of --view before this instant (RFC 3339).") var until: String?
    @Option(help: "The file for the rows; it must not exist.") var out: String?
    @Option(help: "The folder for the evidence; it must not exist.") var evidence: String?
    @Flag(help: "Leave clear values of personal fields out of the evidence.") var withoutPrivate = false

    func validate() throws {
        guard [query, view, evidence].compactMap({ $0 }).count == 1 else {
            throw ValidationError("give one of --query, --view, --evidence")
        }
        guard (evidence == nil) == (out != nil) else {
            throw ValidationError("--out FILE goes with --query or --view, and only with them")
        }
        guard format != nil || common.output != .json else {
            throw ValidationError("rows are written as csv or as jsonl")
        }
        guard evidence != nil || !withoutPrivate else {
            throw ValidationError("--without-private goes with --evidence")
        }
        guard view != nil || (since == nil && until == nil) else {
            throw ValidationError("--since and --until go with --view")
        }
        for text in [since, until].compactMap({ $0 }) where Timestamp(rfc3339: text) == nil {
            throw ValidationError("“\(text.prefix(80))” is no RFC 3339 instant, as 2026-11-22T00:00:00Z")
        }
    }

    private var rowFormat: Format { format ?? (common.output == .jsonl ? .jsonl : .csv) }

    func run() async throws {
        let stores = try Stores.open(common)
        do {
            guard let checkpoint = try await stores.ledger.newestCheckpoint() else {
                throw StartupError(
                    "the log has no checkpoint yet", remedy: "wait a second; is a sequencer running?")
            }
            let key = try await ExportKey.open(stores, origin: checkpoint.origin)
            if let evidence {
                let settings = try Stores.settings(common) { $0.verifier }
                try await EvidenceFolder(path: evidence, key: key).write(
                    EvidenceSnapshot(settings, withPrivate: !withoutPrivate)
                ) { manifest in
                    // Whoever takes personal values along is on record before there is a copy of them.
                    if withoutPrivate { return }
                    try await stores.ledger.append(
                        AdminEvent(
                            at: SystemClock().now(), actor: try stores.actor(), action: "ledger.export",
                            target: manifest.description, reason: "evidence with personal values"))
                }
                return Output.message("wrote \(evidence)")
            }
            let rows = try exportRows()
            try manifest(rows, checkpoint, stores).write(beside: rows.file.path, key, checkpoint.origin)
            Output.message("wrote \(rows.count) rows to \(rows.file.path), its manifest beside it")
        } catch let error as DatabaseError { throw Self.fault(error) }
    }

    private struct Rows {
        let sql: String
        let columns: [String]
        let count: Int
        let file: HashedFile.Summary
    }

    private func exportRows() throws -> Rows {
        var settings = try Stores.settings(common) { $0.auditor }
        settings.isReadOnly = true
        settings.statementTimeout = 3_600_000
        let connection = try Connection(settings)
        let sql = try query ?? statement(on: connection)
        let encoder = RowEncoder(format: rowFormat)
        var columns = TextColumns(names: [], types: [])
        var count = 0
        var file = try HashedFile(at: out ?? "")
        do {
            try connection.streamText(sql, limit: .seconds(3_600)) { found in
                columns = found
                try file.write(encoder.header(found))
            } row: { row in
                count += 1
                try file.write(encoder.line(row, columns))
            }
            return Rows(sql: sql, columns: columns.names, count: count, file: try file.finish())
        } catch {
            file.discard()
            throw error
        }
    }

    /// The rows of a view, bounded and in order by its time, when it has one.
    private func statement(on connection: Connection) throws -> String {
        let name = view ?? ""
        let columns = try connection.query(Self.columns, [.text(name)]).map { row throws(DatabaseError) in
            try row.text(0)
        }
        guard !columns.isEmpty else {
            throw StartupError(
                "there is no view \(name)", remedy: "SELECT DISTINCT view FROM dictionary lists them",
                exitCode: .notFound)
        }
        let times = ["recorded_at", "at", "received_at", "minted_at", "published_at", "minute", "since"]
        let time = times.first { columns.contains($0) }
        guard time != nil || (since == nil && until == nil) else {
            throw StartupError(
                "the view \(name) has no time", remedy: "leave --since and --until out",
                exitCode: .usage)
        }
        // The name is that of a view; instants are written anew from what was parsed.
        var sql = "SELECT * FROM audit.\"\(name)\""
        let bounds = [(since, ">="), (until, "<")].compactMap { text, comparison in
            text.flatMap { Timestamp(rfc3339: $0) }.map { "\(time ?? "") \(comparison) '\($0)'" }
        }
        if !bounds.isEmpty { sql += " WHERE " + bounds.joined(separator: " AND ") }
        return time.map { "\(sql) ORDER BY \($0)" } ?? sql
    }

    private func manifest(
        _ rows: Rows, _ checkpoint: NewestCheckpoint, _ stores: Stores
    ) throws -> ExportManifest {
        ExportManifest(
            document: [
                "format": .string("gatehouse-rows/1"), "rows_format": .string(rowFormat.rawValue),
                "query": .string(rows.sql), "columns": .array(rows.columns.map(JSONValue.string)),
                "rows": .integer(Int64(rows.count)), "octets": .integer(rows.file.octets),
                "sha256": .string(rows.file.digest.description), "checkpoint": .string(checkpoint.note),
                "exported_at": .string(SystemClock().now().description),
                "exporter": .string(try stores.actor()),
            ])
    }

    private static let columns = Statement(
        "SELECT column_name::text FROM audit.dictionary WHERE view = $1")

    private static func fault(_ error: DatabaseError) -> StartupError {
        switch error {
        case .refused(let state, let message):
            return StartupError(
                "the database refused (\(state)): \(message)",
                remedy: "see SELECT * FROM audit.dictionary for what an auditor may read", exitCode: .negative
            )
        case .unavailable, .unexpectedRow: return StartupError(error)
        }
    }
}
