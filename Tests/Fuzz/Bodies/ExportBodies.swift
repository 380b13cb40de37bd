import Verification

/// The lines of a ledger's export, read as each file's would be.
enum ExportLineBody {
    static func run(_ octets: [UInt8]) { _ = readsAsExportLine(octets) }
}
