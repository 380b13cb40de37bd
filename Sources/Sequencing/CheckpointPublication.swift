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

    /// The largest checkpoint kept; nil when there is none. Its signature is for the caller to verify.
    func largestCheckpoint() async throws(PublicationError) -> SignedNote?
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
}
