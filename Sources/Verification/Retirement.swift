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
    let first: RecordID
    let end: RecordID
    /// No request from this id on was a leaf before the last of the month: a day after its end.
    let late: RecordID
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
        first = RecordID(firstOf: start)
        end = RecordID(firstOf: next)
        late = RecordID(firstOf: next.adding(seconds: 86_400))
        guard body.text("from_id") == first.text, body.text("to_id") == end.text else {
            throw Fault("its ids are not those of \(month)")
        }
        guard abs(at.seconds(since: entry.entry.id.instant)) <= Self.clockTolerance else {
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
    func contains(_ id: RecordID) -> Bool { first <= id && id < end }

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
