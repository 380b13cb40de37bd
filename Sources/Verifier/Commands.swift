import ArgumentParser
import Database
import EnrollmentCore
import Foundation
import Verification

/// `gatehouse-verify database`
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Verify the ledger in a database, in one snapshot.",
        discussion: "Passwords and TLS are libpq's: PGPASSWORD, PGPASSFILE, PGSSLMODE, PGSSLROOTCERT.")

    @Option(help: "The server's name, address, or the directory of its socket.") var host: String
    @Option(help: "The server's port.") var port: Int = 5_432
    @Option(help: "The database.") var name: String
    @Option(help: "The login.") var user = "gatehouse_verifier"
    @OptionGroup var trust: TrustOptions
    @OptionGroup var ledger: LedgerOptions

    func run() throws {
        let options = try ledger.complete(try trust.options())
        let settings = ConnectionSettings([
            "host": place, "port": String(port), "dbname": name, "user": user,
            "application_name": "gatehouse-verify",
        ])
        var bar = ProgressBar(label: "verifying")
        let report = try Verification(options).run(try DatabaseEvidence(settings)) {
            bar.advance(to: $0, of: $1)
        }
        bar.finish()
        try report.end(trust.output)
    }

    /// A directory as libpq takes it, which is from the root on.
    private var place: String {
        var isDirectory: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: host, isDirectory: &isDirectory)
        return isThere && isDirectory.boolValue ? URL(fileURLWithPath: host).standardizedFileURL.path : host
    }
}

/// `gatehouse-verify export`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Verify what gatehouse ledger export --evidence wrote.")

    @Argument(help: "The export's directory.") var directory: String
    @Option(help: "The key that signed the manifest, where it is not the log's.") var exportKey: String?
    @OptionGroup var trust: TrustOptions
    @OptionGroup var ledger: LedgerOptions

    func run() throws {
        var options = try ledger.complete(try trust.options())
        if let exportKey { options.exporter = try TrustOptions.key(exportKey) }
        var bar = ProgressBar(label: "verifying")
        let evidence = try ExportEvidence(directory: directory)
        let report = try Verification(options).run(evidence) { bar.advance(to: $0, of: $1) }
        bar.finish()
        try report.end(trust.output)
    }
}

/// `gatehouse-verify receipt`
struct ReceiptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Verify the proof that one certificate is on the ledger.")

    @Argument(help: "The receipt.") var file: String
    @Option(help: "The certificate that it is to be of: PEM or DER.") var certificate: String?
    @OptionGroup var trust: TrustOptions

    func run() throws {
        let options = try trust.options()
        let receipt = try Receipt(parsing: String(decoding: try TrustOptions.read(file), as: UTF8.self))
        let fault = receipt.fault(options, certificate: try certificate.map(Self.read))
        let members: [(String, JSONValue)] = [
            ("verdict", .string(fault == nil ? "ok" : "VIOLATED")), ("fault", JSONValue(fault)),
            ("request_id", .string(receipt.requestID)), ("issuer", .string(receipt.issuer)),
            ("serial", .string(receipt.serial)), ("signed_at", .string(receipt.signedAt)),
            ("certificate_sha256", .string(receipt.certificate.description)),
            ("leaf_index", .integer(receipt.leafIndex)), ("tree_size", .integer(receipt.treeSize)),
        ]
        switch trust.output {
        case .table:
            for (name, value) in members where value != .null {
                let text = if case .string(let text) = value { text } else { value.canonicalText }
                Terminal.write(name + String(repeating: " ", count: 20 - name.count) + text + "\n")
            }
        case .json, .jsonl:
            let object = JSONValue.object(Dictionary(members, uniquingKeysWith: { $1 }))
            Terminal.write(object.canonicalText + "\n")
        }
        if fault != nil { throw ExitCode(6) }
    }

    /// A file that is no certificate at all says nothing of the receipt.
    private static func read(certificate path: String) throws -> [UInt8] {
        let octets = try TrustOptions.read(path)
        // A SEQUENCE of 128 octets or more (X.690 §8.1.3), or PEM.
        let isDER = octets.starts(with: [0x30, 0x81]) || octets.starts(with: [0x30, 0x82])
        guard isDER || String(decoding: octets, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            Terminal.message("gatehouse-verify: \(path) is no certificate\n  remedy: name one in PEM or DER")
            throw ExitCode(3)
        }
        return octets
    }
}

extension VerificationReport {
    /// Prints it, and answers 6 when something does not hold.
    fileprivate func end(_ format: TrustOptions.Format) throws {
        switch format {
        case .table: Terminal.write(text)
        case .json:
            let whole: JSONValue = [
                "leaves": .integer(treeSize), "entries": .integer(Int64(entries)),
                "root_sha256": .string(root.description), "sound": .bool(isSound), "lines": .array(documents),
            ]
            Terminal.write(whole.canonicalText + "\n")
        case .jsonl: for document in documents { Terminal.write(document.canonicalText + "\n") }
        }
        if !isSound { throw ExitCode(6) }
    }
}
