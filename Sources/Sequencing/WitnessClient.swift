import EnrollmentCore
package import Ledger
package import Logging
package import TransparencyLog

/// How far one witness has come.
package struct WitnessStatus: Sendable, Hashable {
    package let name: String
    /// Leaves under the newest checkpoint that it has cosigned.
    package var size: Int64
    /// Whether it has answered as if it had been shown another history, and cosigned nothing since.
    package var isContradicting: Bool

    package init(name: String, size: Int64 = 0, isContradicting: Bool = false) {
        self.name = name
        self.size = size
        self.isContradicting = isContradicting
    }
}

/// Asks one witness to cosign checkpoints (C2SP tlog-witness, `add-checkpoint`).
package actor WitnessClient {
    /// What a witness that failed is left alone for at most, in seconds.
    private static let longestPause: Int64 = 16

    package nonisolated var name: String { key.name }
    private let key: NoteVerifierKey
    private let url: String
    private let transport: any WitnessTransport
    private let tiles: any TileReader
    private let logger: Logger
    /// The largest tree the witness is known to have seen.
    private var seen: Int64 = 0
    private var isBeingAsked = false
    /// Seconds that it is left alone for after the next failure.
    private var pause: Int64 = 1
    private var rested = ContinuousClock.now
    /// Nil while this process does not ask it.
    package private(set) var status: WitnessStatus?
    /// Leaves under the largest checkpoint it is known to have cosigned.
    private var cosigned: Int64 { status?.size ?? 0 }

    /// - Parameters:
    ///   - key: verifies what the witness answers; its name is the witness's.
    ///   - prefix: the witness's submission prefix, an URL without a slash at its end.
    ///   - transport: for the URL's scheme.
    ///   - tiles: those of the log.
    package init(
        key: NoteVerifierKey, prefix: String, transport: any WitnessTransport, tiles: any TileReader,
        logger: Logger
    ) {
        self.key = key
        url = prefix + "/add-checkpoint"
        self.transport = transport
        self.tiles = tiles
        self.logger = logger
    }

    /// The line with which the witness cosigns a checkpoint of `size` leaves.
    ///
    /// The witness names the size it has seen when ours is another one (409), and is asked again from there.
    ///
    /// - Throws: `WitnessError`; `refused` when the line does not verify, `contradicted` when the witness has
    ///   seen more than `size`, or does not find the proof good.
    package func cosign(_ note: SignedNote, size: Int64) async throws(WitnessError) -> NoteSignature {
        for _ in 0..<3 {
            let answer = try await transport.post(url, body: try await request(note, size: size))
            switch answer.status {
            case 200:
                let line = try signature(in: answer.body, of: note)
                seen = size
                return line
            case 409:
                seen = try told(in: answer.body, askedFor: size)
            case 422 where seen == size:
                throw Self.otherRoot(key.name, size)
            // Everything continues nothing: then it says nothing of this log.
            case 422 where seen > 0:
                throw .contradicted(
                    "the witness \(key.name) does not find that \(size) leaves continue its \(seen)",
                    seen: seen)
            default:
                let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
                    .split(whereSeparator: \.isNewline).joined(separator: " ")
                throw .refused("the witness \(key.name) answers \(answer.status): \(text)")
            }
        }
        throw .refused("the witness \(key.name) does not settle on a size")
    }

    /// Has a checkpoint cosigned unless it is already, and stores the line. While the witness is being asked,
    /// and for a while after it failed, it is left alone. Failures are logged: see `status`.
    package func cosign(_ newest: StoredCheckpoint, in log: PostgresLog, epoch: Int64) async {
        guard !isBeingAsked, ContinuousClock.now >= rested else { return }
        isBeingAsked = true
        defer { isBeingAsked = false }
        do throws(WitnessError) {
            if status == nil { try await learn(from: log, newest.origin) }
            guard newest.size > cosigned else { return }
            let note: SignedNote
            do throws(LogFormatError) { note = try SignedNote(parsing: newest.note) } catch {
                throw .log(error.description)
            }
            let line = try await cosign(note, size: newest.size)
            do throws(LogWriteError) {
                try await log.addCosignature(
                    epoch: epoch, size: newest.size, witness: key.name, line: line.line)
            } catch { throw .log("the cosignature was not stored: \(error)") }
            pause = 1
            status = WitnessStatus(name: key.name, size: newest.size)
        } catch {
            // What was broken off by our own end says nothing of the witness.
            if !Task.isCancelled { await report(error, askedFor: newest.size, log) }
        }
    }

    /// Another leads, who asks it from now on: what it answered this process says nothing any more.
    package func leave() { status = nil }

    /// What it has cosigned of this log, whoever asked it.
    private func learn(from log: PostgresLog, _ origin: String) async throws(WitnessError) {
        let stored: StoredCheckpoint?
        do throws(LedgerError) { stored = try await log.reader.latestCheckpoint(cosignedBy: key.name) } catch
        {
            throw .log("\(error)")
        }
        status = WitnessStatus(name: key.name)
        guard let stored, stored.origin == origin, let note = try? stored.signedNote(),
            key.cosignatureTime(in: note) != nil
        else { return }
        seen = stored.size
        status?.size = stored.size
    }

    private func report(_ error: WitnessError, askedFor size: Int64, _ log: PostgresLog) async {
        let metadata: Logger.Metadata = ["witness": "\(key.name)", "cause": "\(error)"]
        if case .log = error {
            logger.warning("a witness could not be asked", metadata: metadata)
            return
        }
        rested = ContinuousClock.now + .seconds(pause)
        pause = min(pause * 2, Self.longestPause)
        if case .contradicted(_, let seen) = error, await !hasGrown(log, from: size, to: seen) {
            status?.isContradicting = true
            logger.error("a witness may have been shown another history of this log", metadata: metadata)
        } else {
            logger.warning("no cosignature", metadata: metadata)
        }
    }

    /// Whether the log has what the witness has seen beyond our question: from another, who leads now.
    private func hasGrown(_ log: PostgresLog, from size: Int64, to seen: Int64) async -> Bool {
        guard seen > size, let newest = try? await log.reader.latestCheckpoint() else { return false }
        return newest.size >= seen
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

    /// What it has seen, by its answer: a decimal number and a newline, of media type `text/x.tlog.size`.
    private func told(in body: [UInt8], askedFor size: Int64) throws(WitnessError) -> Int64 {
        let digits = body.last == 10 ? body.dropLast() : body[...]
        guard let told = Int64(String(decoding: digits, as: UTF8.self)), told >= 0,
            digits.elementsEqual(String(told).utf8)
        else {
            // There are witnesses that say so of another tree of that size.
            if seen == size { throw Self.otherRoot(key.name, size) }
            throw .refused("the witness \(key.name) answers 409 without the size it has seen")
        }
        if told > size {
            throw .contradicted(
                "the witness \(key.name) has seen \(told) leaves, the log has \(size)", seen: told)
        }
        if told == seen {
            // Asked from where it is, it has nothing to object to but the tree.
            if seen == size { throw Self.otherRoot(key.name, size) }
            throw .refused("the witness \(key.name) refuses to go on from the \(told) leaves it has seen")
        }
        if told < cosigned {
            logger.warning(
                "a witness has forgotten what it cosigned",
                metadata: ["witness": "\(key.name)", "seen": "\(told)", "cosigned": "\(cosigned)"])
        }
        return told
    }

    private static func otherRoot(_ name: String, _ size: Int64) -> WitnessError {
        .contradicted("the witness \(name) has another root of \(size) leaves", seen: size)
    }
}
