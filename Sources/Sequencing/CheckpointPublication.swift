import EnrollmentCore
import Ledger
package import TransparencyLog

/// A place that the database's administrator does not control, where checkpoints are kept for good.
///
/// One place holds one log: a log that goes on under another origin gets a place of its own.
package protocol CheckpointPublication: Sendable {
    /// What people call it in logs and metrics.
    var name: String { get }

    /// Keeps a checkpoint; returns once it is durable. An older one than the largest kept changes nothing.
    ///
    /// - Parameters:
    ///   - note: signed by the log, perhaps by witnesses too.
    ///   - tiles: those of the log, for a place that keeps them.
    func publish(_ note: SignedNote, tiles: any TileReader) async throws(PublicationError)

    /// What is kept there. A place that is not there keeps nothing.
    ///
    /// - Throws: `conflict` when there is something and nothing of it was signed by the log; `failed` when it
    ///   cannot be read, so that what it keeps is not known.
    func content() async throws(PublicationError) -> PublicationContent
}

extension CheckpointPublication {
    /// The largest checkpoint kept; nil when there is none.
    ///
    /// - Throws: as `content` does.
    package func largestCheckpoint() async throws(PublicationError) -> SignedNote? {
        try await content().largest
    }
}

/// What a place of publication was found to keep.
package struct PublicationContent: Sendable, Hashable {
    /// The largest checkpoint that the log's key signed; nil where nothing was published yet.
    package var largest: SignedNote?
    /// What claims to be a larger one and is none, at most `maximumForeign` of it: it counts for nothing.
    package var foreign: [String] = []

    static let maximumForeign = 5

    mutating func addForeign(_ what: String) {
        if foreign.count < Self.maximumForeign { foreign.append(what) }
    }
}

extension NoteVerifierKey {
    /// What a note says that this key signed as a checkpoint of its own log; nil when it is no such note.
    func checkpoint(in note: SignedNote) -> Checkpoint? {
        guard let checkpoint = try? note.checkpoint(), checkpoint.origin == name, checkpoint.size > 0,
            verify(note)
        else { return nil }
        return checkpoint
    }
}

extension SignedNote {
    /// What it says, once the log's signature is verified.
    func checkpoint(signedBy key: NoteVerifierKey, in place: String) throws(PublicationError) -> Checkpoint {
        let checkpoint = try publishable()
        guard checkpoint.origin == key.name else {
            throw .conflict("\(place) belongs to the log \(checkpoint.origin), not \(key.name)")
        }
        guard key.verify(self) else {
            throw .conflict("\(place) holds a checkpoint that the log's key did not sign")
        }
        return checkpoint
    }

    /// What it says.
    func publishable() throws(PublicationError) -> Checkpoint {
        do throws(LogFormatError) { return try checkpoint() } catch { throw .failed(error.description) }
    }
}

extension Checkpoint {
    /// Proves, as a witness would have it proved, that this is the history which a place holds already: two
    /// databases that were one, each under its own sequencer, differ at sizes that nobody else may ask for.
    ///
    /// - Throws: `conflict` unless it continues `kept`, which is not larger.
    func mustContinue(
        _ kept: Checkpoint, in place: String, tiles: any TileReader
    ) async throws(PublicationError) {
        let proof: [Digest]
        do { proof = try await MerkleProof.consistency(from: kept.size, to: size, from: tiles) } catch {
            throw .failed("no consistency proof from \(kept.size) to \(size): \(error)")
        }
        guard MerkleProof.verifyConsistency(proof, from: kept.size, kept.root, to: size, root) else {
            throw .conflict("\(place) has another history: \(size) leaves do not continue its \(kept.size)")
        }
    }
}

/// Why a checkpoint was not published.
package enum PublicationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place holds something else where this belongs: two logs, or a forged one. Nothing is published
    /// there until a person has looked.
    case conflict(String)
    /// Worth another try.
    case failed(String)

    package var description: String {
        switch self {
        case .conflict(let what), .failed(let what): what
        }
    }
}

/// How far one place has come.
package struct PublicationStatus: Sendable, Hashable {
    package let name: String
    /// Leaves under the largest checkpoint that it is known to keep.
    package var size: Int64 = 0
    /// Leaves under the newest checkpoint that it lacks.
    package var lag: Int64 = 0
    /// What went wrong at the last attempt; nil if nothing did.
    package var failure: String?
    /// Whether a conflict ended publication there.
    package var isStopped = false
    /// What was brought there last, by this process.
    var published: StoredCheckpoint?
}
