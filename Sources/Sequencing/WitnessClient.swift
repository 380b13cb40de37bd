import EnrollmentCore
package import Ledger
package import Logging
package import TransparencyLog

/// Asks one witness to cosign checkpoints (C2SP tlog-witness, `add-checkpoint`).
package actor WitnessClient {
    private let key: NoteVerifierKey
    private let url: String
    private let transport: any WitnessTransport
    private let tiles: any TileReader
    /// The largest tree the witness is known to have seen.
    private var seen: Int64 = 0
    /// The largest checkpoint it has cosigned.
    private var cosigned: Int64 = 0

    /// - Parameters:
    ///   - key: verifies what the witness answers; its name is the witness's.
    ///   - prefix: the witness's submission prefix, an URL without a slash at its end.
    ///   - transport: for the URL's scheme.
    ///   - tiles: those of the log.
    package init(
        key: NoteVerifierKey, prefix: String, transport: any WitnessTransport, tiles: any TileReader
    ) {
        self.key = key
        url = prefix + "/add-checkpoint"
        self.transport = transport
        self.tiles = tiles
    }

    /// The line with which the witness cosigns a checkpoint of `size` leaves.
    ///
    /// The witness names the size it has seen when ours is another one (409), and is asked again from there.
    ///
    /// - Throws: `WitnessError`; `refused` when the line does not verify.
    package func cosign(_ note: SignedNote, size: Int64) async throws(WitnessError) -> NoteSignature {
        for _ in 0..<3 {
            let answer = try await transport.post(url, body: try await request(note, size: size))
            switch answer.status {
            case 200:
                let line = try signature(in: answer.body, of: note)
                seen = size
                return line
            case 409:
                let told = try Self.size(in: answer.body)
                guard told <= size, told != seen else {
                    throw .refused("the witness \(key.name) has seen \(told) leaves, the log has \(size)")
                }
                seen = told
            default:
                let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
                throw .refused("the witness \(key.name) answers \(answer.status): \(text)")
            }
        }
        throw .refused("the witness \(key.name) does not settle on a size")
    }

    /// Has the newest checkpoint cosigned unless it is already, and stores the line. Failures are logged.
    package func cosignNewest(of log: PostgresLog, epoch: Int64, logger: Logger) async {
        do throws(WitnessError) {
            guard let newest = try await Self.newest(of: log), newest.size > cosigned else { return }
            let note: SignedNote
            do throws(LogFormatError) { note = try SignedNote(parsing: newest.note) } catch {
                throw .log(error.description)
            }
            let line = try await cosign(note, size: newest.size)
            do throws(LogWriteError) {
                try await log.addCosignature(
                    epoch: epoch, size: newest.size, witness: key.name, line: line.line)
            } catch { throw .log("the cosignature was not stored: \(error)") }
            cosigned = newest.size
        } catch {
            logger.warning("no cosignature", metadata: ["witness": "\(key.name)", "cause": "\(error)"])
        }
    }

    /// `old <size>`, the consistency proof a hash a line, an empty line, and the note.
    private func request(_ note: SignedNote, size: Int64) async throws(WitnessError) -> [UInt8] {
        let proof: [Digest]
        do { proof = try await MerkleProof.consistency(from: seen, to: size, from: tiles) } catch {
            throw .log("no consistency proof from \(seen) to \(size): \(error)")
        }
        let lines = ["old \(seen)"] + proof.map { Base64.encode($0.bytes) } + ["", note.encoded]
        return Array(lines.joined(separator: "\n").utf8)
    }

    /// The witness's own line among those it answers.
    private func signature(in body: [UInt8], of note: SignedNote) throws(WitnessError) -> NoteSignature {
        for line in String(decoding: body, as: UTF8.self).split(separator: "\n") {
            guard let signature = try? NoteSignature(parsing: String(line)), signature.name == key.name,
                key.cosignatureTime(in: SignedNote(text: note.text, signatures: [signature])) != nil
            else { continue }
            return signature
        }
        throw .refused("the witness \(key.name) answers without a cosignature of its key")
    }

    /// A decimal number and a newline, of media type `text/x.tlog.size`.
    private static func size(in body: [UInt8]) throws(WitnessError) -> Int64 {
        let digits = body.last == 10 ? body.dropLast() : body[...]
        guard let size = Int64(String(decoding: digits, as: UTF8.self)), size >= 0,
            digits.elementsEqual(String(size).utf8)
        else { throw .refused("a witness answers 409 without the size it has seen") }
        return size
    }

    private static func newest(of log: PostgresLog) async throws(WitnessError) -> StoredCheckpoint? {
        do throws(LedgerError) { return try await log.reader.latestCheckpoint() } catch {
            throw .log("\(error)")
        }
    }
}
