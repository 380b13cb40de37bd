import EnrollmentCore

/// A sum over records that does not depend on their order, under a key that nobody knows beforehand: two
/// readings of the same records give the same sum, and nobody can make others that do.
///
/// 128 bits of SipHash, keyed afresh in each process.
struct KeyedSum: Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private(set) var count = 0

    /// Adds one record, given by the number that names it and the hash of what it says.
    mutating func add(_ name: UInt128, _ content: Digest) {
        let mark = Mark(name, content)
        low &+= mark.low
        high &+= mark.high
        count += 1
    }
}

/// 128 bits that stand for some octets while this process runs.
struct Mark: Hashable, Comparable {
    let low: UInt64
    let high: UInt64

    /// Stands for a list of texts, each of its own length.
    init(_ parts: [UInt8]...) {
        self.init { hasher in
            for part in parts {
                hasher.combine(part.count)
                part.withUnsafeBytes { hasher.combine(bytes: $0) }
            }
        }
    }

    /// Stands for a record.
    init(_ name: UInt128, _ content: Digest) {
        self.init { hasher in
            hasher.combine(name)
            content.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private init(_ combine: (inout Hasher) -> Void) {
        var first = Hasher()
        combine(&first)
        // No record is another with an octet more.
        var second = first
        second.combine(1 as UInt8)
        low = UInt64(bitPattern: Int64(first.finalize()))
        high = UInt64(bitPattern: Int64(second.finalize()))
    }

    static func < (left: Mark, right: Mark) -> Bool {
        left.low == right.low ? left.high < right.high : left.low < right.low
    }
}

/// Finds what is there twice among very many: 32 octets are kept of each.
struct Once {
    private var marks: [(mark: Mark, id: RecordID)] = []

    /// Notes that a record uses up what `mark` stands for.
    mutating func add(_ mark: Mark, by id: RecordID) { marks.append((mark, id)) }

    /// The ids of records that use up what another did, each pair once.
    mutating func repeated() -> [RecordID] {
        marks.sort { ($0.mark, $0.id) < ($1.mark, $1.id) }
        return zip(marks, marks.dropFirst()).filter { $0.mark == $1.mark }.map { _, later in later.id }
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
