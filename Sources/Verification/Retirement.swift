import EnrollmentCore
import Simulation

/// A month whose entries were taken out of the database, as its `retention` entry has it.
struct Retirement {
    /// Why an entry of this kind explains nothing.
    struct Fault: Error, Hashable {
        let text: String

        init(_ text: String) { self.text = text }
    }

    /// How far the clocks of those who record may be apart, in seconds.
    static let clockTolerance: Int64 = 3_600

    /// `2023-01`.
    let month: String
    /// The first ids of the month and of the next.
    let first: [UInt8]
    let end: [UInt8]
    /// No request from this id on was a leaf before the last of the month: a day after its end.
    let late: [UInt8]
    /// How many entries went.
    let entries: Int64
    /// Leaves of the exported tree.
    let treeSize: Int64
    /// The index of the entry's own leaf.
    let leaf: Int64

    /// Reads the body of an entry, and refuses what the ledger would have refused.
    init(_ entry: ReadEntry, leaf: Int64) throws(Fault) {
        guard entry.kind == .retention, let body = entry.body, entry.fault == nil,
            let month = body.text("month"), let at = body.text("at").flatMap({ Timestamp(rfc3339: $0) }),
            let entries = body.text("entries").flatMap({ Int64($0) }), entries >= 0,
            let treeSize = body.text("tree_size").flatMap({ Int64($0) }), treeSize > 0
        else { throw Fault("its body is not of a retired month") }
        guard let start = Self.start(of: month, monthsLater: 0),
            let next = Self.start(of: month, monthsLater: 1),
            let permitted = Self.start(of: month, monthsLater: 25)
        else { throw Fault("\(month) is no month") }
        first = Self.firstID(of: start)
        end = Self.firstID(of: next)
        late = Self.firstID(of: next.adding(seconds: 86_400))
        guard body.text("from_id") == UUIDText.text(first), body.text("to_id") == UUIDText.text(end) else {
            throw Fault("its ids are not those of \(month)")
        }
        guard abs(at.seconds(since: Self.instant(of: entry.entry.id))) <= Self.clockTolerance else {
            throw Fault("it says another time than its own id")
        }
        guard at.adding(seconds: Self.clockTolerance) >= permitted else {
            throw Fault("\(month) had ended less than two years before")
        }
        guard treeSize <= leaf else {
            throw Fault("the tree of its export, of \(treeSize) leaves, came after it")
        }
        self.month = month
        self.entries = entries
        self.treeSize = treeSize
        self.leaf = leaf
    }

    /// Whether an id is one of the month's.
    func contains(_ id: [UInt8]) -> Bool {
        !id.lexicographicallyPrecedes(first) && id.lexicographicallyPrecedes(end)
    }

    /// The smallest UUIDv7 of an instant, as the ledger bounds its months by (RFC 9562 §5.7).
    static func firstID(of instant: Timestamp) -> [UInt8] {
        let milliseconds = UInt64(clamping: instant.microseconds / 1_000)
        return (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * $0)) }
            + [UInt8](repeating: 0, count: 10)
    }

    /// The time in a UUIDv7.
    static func instant(of id: [UInt8]) -> Timestamp {
        Timestamp(microseconds: id.prefix(6).reduce(0) { $0 << 8 | Int64($1) } * 1_000)
    }

    /// The first instant, in UTC, of a month that is so many months after another; nil when that is none.
    private static func start(of month: String, monthsLater later: Int) -> Timestamp? {
        let parts = month.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, month.utf8.count == 7, parts[0].utf8.count == 4,
            let year = Int(parts[0]), let number = Int(parts[1]), (1_970...9_000).contains(year),
            (1...12).contains(number)
        else { return nil }
        let months = number - 1 + later
        let name = months % 12 + 1
        return Timestamp(rfc3339: "\(year + months / 12)-\(name < 10 ? "0" : "")\(name)-01T00:00:00Z")
    }
}
