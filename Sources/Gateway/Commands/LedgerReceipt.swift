import ArgumentParser
import EnrollmentCore
import Foundation
import Glibc
import Ledger
import Sequencing
import TransparencyLog

/// `gatehouse ledger receipt`: a proof, complete in itself, that a certificate is in the log.
struct LedgerReceipt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt", abstract: "Print the proof that a certificate is in the transparency log.",
        discussion: """
            A c2sp.org/tlog-proof@v1 whose extra data are the ledger's entry: it verifies offline, with \
            pki/log.vkey alone (gatehouse-verify receipt FILE).

            Exit codes: 0 printed; 2 no serial number, or the file exists; 4 the ledger knows no such \
            certificate; 5 no checkpoint covers it in time; 6 the log does not lead to it.

            Example: gatehouse ledger receipt 01d0f7 --out laptop.receipt
            """)

    @OptionGroup var common: CommonOptions
    @Argument(help: "The certificate's serial number or SHA-256, in hexadecimal, as openssl prints it too.")
    var serial: String
    @Option(help: "The issuing CA, where several have that serial number.") var issuer: String?
    @Option(help: "Write it to this file, which must not exist, instead of standard output.") var out: String?
    @Option(help: "Seconds to wait for a checkpoint that covers it.") var wait = 10

    func validate() throws {
        guard (0...3_600).contains(wait) else { throw ValidationError("--wait takes 0 to 3600 seconds") }
        guard common.output == .table else {
            throw ValidationError("a receipt has one form, which is text: leave --output out")
        }
    }

    func run() async throws {
        if let out, FileManager.default.fileExists(atPath: out) {
            throw StartupError("\(out) exists", remedy: "name another file", exitCode: .usage)
        }
        let stores = try Stores.open(common)
        let entry = try await entry(stores)
        let receipt = try await receipt(entry, stores)
        guard let out else { return Output.write(receipt) }
        do {
            try Data(receipt.utf8).write(to: URL(fileURLWithPath: out), options: .withoutOverwriting)
        } catch { throw StartupError.cannotWrite(out) }
    }

    private func entry(_ stores: Stores) async throws -> CertificateEntry {
        // `openssl x509 -serial` prints serial=01D0…, `-fingerprint` a name and = before the digits.
        let value = serial.split(separator: "=").last ?? ""
        let digits = value.filter { $0 != ":" && !$0.isWhitespace }.lowercased()
        guard !digits.isEmpty, digits.utf8.count <= 64,
            let octets = Hex.decode(digits.utf8.count % 2 == 0 ? digits : "0" + digits)
        else {
            throw StartupError(
                "“\(serial.prefix(80))” is no serial number", remedy: "write it in hexadecimal",
                exitCode: .usage)
        }
        let all = try await stores.receipts.certificates(octets)
        let found = all.filter { issuer == nil || $0.issuer == issuer }
        guard let entry = found.first else {
            throw StartupError(
                "the ledger knows no such certificate",
                remedy: all.isEmpty
                    ? "SELECT serial FROM issuance (gatehouse ledger query) lists those it knows"
                    : "that serial number is of \(all.map(\.issuer).joined(separator: ", "))",
                exitCode: .notFound)
        }
        guard found.count == 1 else {
            throw StartupError(
                "several issuers have that serial number: \(found.map(\.issuer).joined(separator: ", "))",
                remedy: "name one with --issuer", exitCode: .usage)
        }
        return entry
    }

    private func receipt(_ entry: CertificateEntry, _ stores: Stores) async throws -> String {
        let deadline = ContinuousClock.now.advanced(by: .seconds(wait))
        let quorum = stores.configuration.log.quorum
        while true {
            if let index = try await stores.log.leafIndex(entry: entry.entry),
                let checkpoint = try await stores.log.checkpoint(atLeast: index + 1, cosignatures: quorum)
            {
                return try await proof(entry, index, checkpoint, LogTiles(stores.log)).encoded
            }
            guard ContinuousClock.now < deadline else { throw try await overdue(entry, stores) }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Why there is no receipt yet: no checkpoint, or only none with enough cosignatures.
    private func overdue(_ entry: CertificateEntry, _ stores: Stores) async throws -> StartupError {
        guard let index = try await stores.log.leafIndex(entry: entry.entry),
            try await stores.log.checkpoint(atLeast: index + 1, cosignatures: 0) != nil
        else {
            return StartupError(
                "no checkpoint covers that certificate yet",
                remedy: "is a sequencer running? Wait longer with --wait SECONDS")
        }
        let quorum = stores.configuration.log.quorum
        return StartupError(
            "no checkpoint that covers that certificate has \(quorum) cosignatures yet",
            remedy: "see the sequencer's log for `no cosignature`")
    }

    private func proof(
        _ entry: CertificateEntry, _ index: Int64, _ checkpoint: StoredCheckpoint, _ tiles: LogTiles
    ) async throws -> LogProof {
        let note: SignedNote
        let head: Checkpoint
        do throws(LogFormatError) {
            note = try checkpoint.signedNote()
            head = try note.checkpoint()
        } catch { throw violated("the stored checkpoint is none: \(error)") }
        let hashes: [Digest]
        do { hashes = try await MerkleProof.inclusion(index: index, size: head.size, from: tiles) } catch let
            error as LedgerError
        { throw error } catch { throw violated("the stored tree does not lead to it: \(error)") }
        let leaf = MerkleHash.leaf(entry.body)
        guard MerkleProof.verifyInclusion(hashes, leaf: leaf, index: index, size: head.size, root: head.root)
        else { throw violated("the entry is not what was put into the log at index \(index)") }
        return LogProof(extra: entry.body, index: index, hashes: hashes, checkpoint: note)
    }

    private func violated(_ what: String) -> StartupError {
        StartupError(what, remedy: "run gatehouse ledger verify", exitCode: .integrityViolation)
    }
}
