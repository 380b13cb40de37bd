import Foundation
import Ledger

/// Where pgAudit is installed, the private server logs what auditors and verifiers read (invariant L14), in
/// `server.log` of its cluster.
extension EmbeddedPostgres {
    /// What the server is started with besides its configuration, as pg_ctl hands it to a shell.
    var options: String {
        // The state may have been moved since its configuration was written.
        let socket = "-k \(Self.quoted(socketDirectory))"
        guard let binaries = Self.binaryDirectory else { return socket }
        let library = URL(fileURLWithPath: binaries).deletingLastPathComponent()
            .appendingPathComponent("lib/pgaudit.so").path
        guard FileManager.default.fileExists(atPath: library) else { return socket }
        return LedgerSchema.auditSettings.reduce(socket) { "\($0) -c \(Self.quoted($1))" }
    }

    /// Has reads logged, if the server was started for it. Once the schema is there; again is fine.
    func auditReads() throws {
        guard try psql(["-tAc", "SHOW shared_preload_libraries"]).contains("pgaudit") else { return }
        try run(LedgerSchema.auditing, in: Self.databaseName)
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
