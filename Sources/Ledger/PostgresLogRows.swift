package import EnrollmentCore

/// An entry that is no leaf yet.
package struct PendingLeaf: Sendable, Hashable {
    package let entry: RequestID
    /// RFC 9162 §2.1.1.
    package let leafHash: Digest
}

/// The root of the log at one size: committed before it is signed.
package struct LogTreeHead: Sendable, Hashable {
    /// Leaves; at least 1.
    package let size: Int64
    package let root: Digest

    /// - Parameter size: leaves; at least 1.
    package init(size: Int64, root: Digest) {
        self.size = size
        self.root = root
    }
}

/// A signed tree head as it is stored.
package struct StoredCheckpoint: Sendable, Hashable {
    package let size: Int64
    /// The log's name in the note.
    package let origin: String
    /// The signed note (C2SP tlog-checkpoint) as the log signed it.
    package let note: String
    /// Signature lines of witnesses without their newlines, in the order they came.
    package let cosignatures: [String]
    /// When it was stored.
    package let publishedAt: Timestamp

    /// The note with the lines of its witnesses.
    package var cosignedNote: String { note + cosignatures.map { $0 + "\n" }.joined() }
}

/// A tile that became full, as it is stored.
package struct StoredTile: Sendable, Hashable {
    package let level: Int
    package let index: Int64
    /// 256 hashes of 32 octets.
    package let octets: [UInt8]

    /// - Parameter octets: 8,192 of them.
    package init(level: Int, index: Int64, octets: [UInt8]) {
        self.level = level
        self.index = index
        self.octets = octets
    }
}

/// Why the sequencer's write was refused.
package enum LogWriteError: Error, Sendable, Hashable {
    /// Another leads now: nothing that was kept of the log is worth anything.
    case leaseLost
    /// The log is not what the writer took it for.
    case conflict(String)
    case ledger(LedgerError)
}
