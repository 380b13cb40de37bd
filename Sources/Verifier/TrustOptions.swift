import ArgumentParser
import EnrollmentCore
import Foundation
import TransparencyLog
import Verification

/// Keys and checkpoints from elsewhere than the ledger, and how to say what was found.
struct TrustOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, jsonl }

    @Option(help: "The log's public key: a vkey, or a file that holds it, a line for each generation.")
    var key: String
    @Option(help: "The public key of a witness, likewise; may be given several times.")
    var witnessKey: [String] = []
    @Option(help: "How many witnesses must have cosigned.") var quorum: Int = 0
    @Option(help: "How to print what was found: table, json or jsonl.") var output: Format = .table

    func validate() throws {
        guard (0...witnessKey.count).contains(quorum) else {
            throw ValidationError("--quorum takes 0 to as many as there are --witness-key")
        }
    }

    func options() throws(VerificationError) -> VerificationOptions {
        var options = VerificationOptions(log: try Self.logKey(key), now: Terminal.now())
        for text in witnessKey { options.witnesses.append(try Self.key(text)) }
        guard options.witnesses.allSatisfy({ $0.algorithm == .cosignature }) else {
            throw .key("--witness-key takes a key for cosignatures, which begins with 04")
        }
        options.quorum = quorum
        return options
    }

    /// A vkey as text or in a file.
    static func key(_ argument: String) throws(VerificationError) -> NoteVerifierKey {
        let text = try text(argument)
        do { return try NoteVerifierKey(parsing: text) } catch {
            throw .key("\(argument) is neither a key nor a file that holds one: \(error)")
        }
    }

    /// The log's, of which a file may have a line for each generation.
    static func logKey(_ argument: String) throws(VerificationError) -> NoteVerifierKey {
        let text = try text(argument)
        do { return try VerificationOptions.logKey(in: text) } catch {
            throw .key("\(argument) is neither a log's key nor a file that holds it: \(error)")
        }
    }

    /// What the file says, if the argument names one; else the argument.
    private static func text(_ argument: String) throws(VerificationError) -> String {
        guard let octets = FileManager.default.contents(atPath: argument) else {
            // A vkey is a name, a number and a key with `+` between them.
            guard argument.split(separator: "+").count >= 3 else { throw .file("\(argument) cannot be read") }
            return argument
        }
        return String(decoding: octets.prefix(65_536), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A whole file as text.
    static func read(_ path: String) throws(VerificationError) -> [UInt8] {
        guard let octets = FileManager.default.contents(atPath: path) else {
            throw .file("\(path) cannot be read")
        }
        return Array(octets)
    }
}

/// Options of those commands that read a whole ledger.
struct LedgerOptions: ParsableArguments {
    @Option(
        help: """
            An older checkpoint or receipt of the log, from a place of your own; may be given several times.
            """)
    var against: [String] = []
    @Flag(help: "Do not compute decisions again.") var skipReplay = false
    @Option(help: "When a copy was made (RFC 3339); entries are overdue by it instead of by now.")
    var asOf: String?

    func complete(_ options: VerificationOptions) throws -> VerificationOptions {
        var options = options
        for path in against {
            let text = String(decoding: try TrustOptions.read(path), as: UTF8.self)
            let note = (try? LogProof(parsing: text))?.checkpoint.encoded ?? text
            options.anchors.append(try options.anchor(name: path, note: note))
        }
        options.replays = !skipReplay
        if let asOf {
            guard let instant = Timestamp(rfc3339: asOf) else {
                throw ValidationError("--as-of takes a time as 2026-11-22T10:00:00Z")
            }
            options.now = instant
        }
        return options
    }
}
