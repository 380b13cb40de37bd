/// Which leaves may be without their entry, since their month was retired on record.
///
/// The body of such an entry is gone: all that is left here is its hash, and the id that it had, which no
/// hash covers. So the id must fit the place of the leaf among those that are still there.
struct RetiredMonths {
    /// In the order in which they were retired, with how many leaves of the month are without their entry,
    /// and below which leaf these must lie.
    private var months: [(retirement: Retirement, absent: Int64, below: Int64)] = []

    /// Leaves without entry that a retirement explains.
    var absent: Int64 { months.reduce(0) { $0 + $1.absent } }

    /// Whether a month, as in `2023-01`, was retired.
    func contains(month: Substring) -> Bool { months.contains { $0.retirement.month == month } }

    /// Takes a retirement in, later ones after earlier ones.
    ///
    /// - Parameters:
    ///   - isPublished: whether a checkpoint of the exported tree's size is there.
    ///   - bound: the first leaf of a request that came after the month; nil when there is none.
    mutating func add(_ retirement: Retirement, isPublished: Bool, bound: Int64?) throws(Retirement.Fault) {
        guard isPublished else {
            throw Retirement.Fault("no checkpoint has the \(retirement.treeSize) leaves of its export")
        }
        guard !months.contains(where: { $0.retirement.month == retirement.month }) else {
            throw Retirement.Fault("\(retirement.month) had been retired before")
        }
        months.append((retirement, 0, min(retirement.treeSize, bound ?? .max)))
    }

    /// Whether a leaf without entry is explained; it counts then.
    mutating func explains(leaf: Int64, entry id: RecordID) -> Bool {
        guard let place = months.firstIndex(where: { $0.retirement.contains(id) }),
            leaf < months[place].below
        else { return false }
        months[place].absent += 1
        return true
    }

    /// Retirements that took more or fewer entries than they say, with what is wrong.
    ///
    /// An entry that its own month's retirement left may go with a later one, never with an earlier: so from
    /// each on, no more are gone than went on record; and in all, as many.
    func miscounts() -> [(leaf: Int64, fault: String)] {
        var found: [(leaf: Int64, fault: String)] = []
        var (gone, recorded): (Int64, Int64) = (0, 0)
        for (place, (retirement, absent, _)) in months.enumerated().reversed() {
            gone += absent
            recorded =
                recorded.addingReportingOverflow(retirement.entries).overflow
                ? .max : recorded + retirement.entries
            guard gone > recorded || place == 0 && gone != recorded else { continue }
            let fault =
                "\(gone) entries of \(retirement.month) and later are gone, \(recorded) went on record"
            found.append((retirement.leaf, fault))
        }
        return found.reversed()
    }

    /// For people: how many entries nobody can read here any more, and of which months; nil when none.
    var summary: String? {
        guard absent > 0 else { return nil }
        let list = months.filter { $0.absent > 0 }.sorted { $0.retirement.month < $1.retirement.month }
            .map { "\($0.absent) of \($0.retirement.month)" }
        return "\(absent) RETIRED, known by their hashes only: \(list.joined(separator: ", "))"
    }
}
