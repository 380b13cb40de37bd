import Database
import EnrollmentCore

/// One leaf of the log as it is stored.
struct EvidenceLeaf {
    let index: Int64
    /// What its entry is found by: the entry's id in a database, the leaf's index in an export.
    let name: UInt128
    let hash: Digest
}

/// One entry, its body exactly as hashed.
struct EvidenceEntry {
    let id: RecordID
    let kind: String
    let request: RecordID?
    let body: [UInt8]
    /// The leaf hash stored beside the body; nil in an export, which has none.
    let storedHash: Digest?
    /// As in `EvidenceLeaf`.
    let name: UInt128
    /// Nil in a database, which is asked for it when there is something to say.
    let leafIndex: Int64?
    /// Microseconds since 1970-01-01T00:00:00Z, by the database's clock; nil in an export.
    var recordedAt: Int64?
}

/// Everything that is recorded of one request, or one entry that belongs to none.
struct EvidenceChain {
    var entries: [EvidenceEntry] = []
    /// Rows of the typed tables; none in an export.
    var rows: [TypedRow] = []
    /// DER of what was reserved and of what was signed.
    var tbs: [UInt8]?
    var certificate: [UInt8]?
    /// The clear values that commitments in these bodies stand for.
    var privateValues: [PrivateValue] = []
}

/// A row of a typed table.
struct TypedRow {
    let table: TypedTable
    let row: Row
    /// The id of its entry.
    let entry: RecordID
}

/// A personal value, and what hides it in the commitment.
struct PrivateValue {
    /// The digest that stands in the bodies; nil when it is none.
    let commitment: Digest?
    let salt: [UInt8]
    let value: [UInt8]

    /// Whether the commitment is the digest of salt and value. With a salt of any length, octets could move
    /// from one to the other.
    var isSound: Bool { salt.count == 16 && Digest(of: salt + value) == commitment }
}

/// A checkpoint as it is stored.
struct StoredCheckpoint {
    let size: Int64
    /// Nil in an export.
    let origin: String?
    let note: String
    let cosignatures: [String]
}

/// A tree head as it is stored.
struct StoredHead {
    let size: Int64
    /// Nil when it is no digest.
    let root: Digest?
}

/// A full tile as it is stored.
struct StoredTile: Hashable {
    let level: Int64
    let index: Int64
    let hashes: [UInt8]
}

/// An entry that is no leaf.
struct WaitingEntry {
    let id: RecordID
    let hash: Digest
    /// Microseconds since 1970-01-01T00:00:00Z, by the database's clock.
    let recordedAt: Int64
}

/// A ledger to verify, read front to back. Each `next…` gives nil after the last.
protocol Evidence: AnyObject {
    /// Entries, or about as many: what the progress bar fills up with.
    var entryCount: Int { get }
    var checkpointCount: Int { get }
    /// Whether there are typed tables, stored tiles and tree heads to compare.
    var hasTables: Bool { get }

    /// Whether clear values were left out, by the word of who made this copy.
    var isWithoutPrivateValues: Bool { get }

    /// In the order of their index.
    func nextLeaf() throws(VerificationError) -> EvidenceLeaf?
    /// In the order of their size.
    func nextCheckpoint() throws(VerificationError) -> StoredCheckpoint?
    /// In the order of their size.
    func nextHead() throws(VerificationError) -> StoredHead?
    /// In the order in which the tree fills them, lower levels first.
    func nextTile() throws(VerificationError) -> StoredTile?
    /// Each request, and each entry that belongs to none, once, in no order that matters.
    func nextChain() throws(VerificationError) -> EvidenceChain?
    /// Entries that are no leaves.
    func nextWaiting() throws(VerificationError) -> WaitingEntry?
    /// Leaves whose entry is not there, with the id it had.
    func nextAbsent() throws(VerificationError) -> (leaf: EvidenceLeaf, entry: RecordID)?
    /// The octets of a bundle that was in force.
    func bundle(_ digest: Digest) throws(VerificationError) -> [UInt8]?
    /// The index of an entry's leaf.
    func leafIndex(ofEntry id: RecordID) throws(VerificationError) -> Int64?
    /// The first leaf of entries that belong to requests of this id or later ones; of a great many, of the
    /// earliest. Asked once every chain was read.
    func firstLeaf(ofRequestsFrom id: RecordID) throws(VerificationError) -> Int64?
    /// What only a database shows: the order of things that no body tells.
    func verifyOrders(_ findings: inout Findings) throws(VerificationError)
    /// Reads everything a second time to say which leaves are not what they were.
    func nameAlteredLeaves(_ findings: inout Findings) throws(VerificationError)
}

/// Why nothing could be verified.
package enum VerificationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The database gives no answer, or not the one it should.
    case database(String)
    /// A file that is not there or cannot be read.
    case file(String)
    /// A ledger whose shape is not a ledger's: the export's file and line, or the database, and what is
    /// wrong.
    case malformed(String, line: Int, String)
    /// A key or checkpoint that cannot be read.
    case key(String)
    /// A receipt that is none.
    case receipt(String)

    package var description: String {
        switch self {
        case .database(let reason): return "the database cannot be read: \(reason)"
        case .file(let reason), .receipt(let reason): return reason
        case .malformed(let file, let line, let reason):
            return file + (line > 0 ? ", line \(line)" : "") + ": " + reason
        case .key(let reason): return reason
        }
    }

    /// What to do about it.
    package var remedy: String {
        switch self {
        case .database:
            return "see that the server runs, and --host, --port, --name, --user and PGPASSWORD are right"
        case .file: return "name a file that is there and that you may read"
        case .malformed:
            return "have it exported again, or see that the database is a ledger of this version"
        case .key: return "take pki/log.vkey from the log's owner, and checkpoints of that log"
        case .receipt: return "take it again with gatehouse ledger receipt SERIAL"
        }
    }
}
