/// A sum over records that does not depend on their order, under a key that nobody knows beforehand: two
/// readings of the same records give the same sum, and nobody can make others that do.
///
/// 128 bits of SipHash, keyed afresh in each process.
struct KeyedSum: Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private(set) var count = 0

    /// Adds one record, given by the octets that name it and those it says.
    mutating func add(_ name: [UInt8], _ content: [UInt8]) {
        let mark = Mark(name, content)
        low &+= mark.low
        high &+= mark.high
        count += 1
    }

    /// Adds all records of another sum.
    mutating func add(_ other: KeyedSum) {
        low &+= other.low
        high &+= other.high
        count += other.count
    }
}

/// 128 bits that stand for some octets while this process runs.
struct Mark: Hashable, Comparable {
    let low: UInt64
    let high: UInt64

    init(_ parts: [UInt8]...) {
        var first = Hasher()
        var second = Hasher()
        second.combine(1 as UInt8)
        for part in parts {
            first.combine(part.count)
            second.combine(part.count)
            part.withUnsafeBytes { octets in
                first.combine(bytes: octets)
                second.combine(bytes: octets)
            }
        }
        low = UInt64(bitPattern: Int64(first.finalize()))
        high = UInt64(bitPattern: Int64(second.finalize()))
    }

    static func < (left: Mark, right: Mark) -> Bool {
        left.low == right.low ? left.high < right.high : left.low < right.low
    }
}

/// Finds what is there twice among very many: 32 octets are kept of each.
struct Once {
    private var marks: [(mark: Mark, first: UInt64, second: UInt64)] = []

    /// Notes that the record `id`, 16 octets, uses up what `mark` stands for.
    mutating func add(_ mark: Mark, by id: [UInt8]) {
        func half(_ octets: ArraySlice<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }
        marks.append((mark, half(id.prefix(8)), half(id.dropFirst(8))))
    }

    /// How many there are.
    var count: Int { marks.count }

    /// The ids of records that use up what another did, each pair once.
    mutating func repeated() -> [[UInt8]] {
        marks.sort { ($0.mark, $0.first, $0.second) < ($1.mark, $1.first, $1.second) }
        return zip(marks, marks.dropFirst()).filter { $0.mark == $1.mark }.map { _, later in
            [later.first, later.second].flatMap { half in (0..<8).map { UInt8(half >> (56 - 8 * $0) & 255) } }
        }
    }

    /// Whether that mark is among them; only after `repeated`.
    func contains(_ mark: Mark) -> Bool {
        var (low, high) = (0, marks.count)
        while low < high {
            let middle = (low + high) / 2
            if marks[middle].mark < mark { low = middle + 1 } else { high = middle }
        }
        return low < marks.count && marks[low].mark == mark
    }
}
