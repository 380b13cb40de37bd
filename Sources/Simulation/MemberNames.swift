import EnrollmentCore

/// The texts that one place of a recorded document may hold: the names of an object's members, or the words
/// of an enumeration.
struct MemberNames<Name: RawRepresentable & Sendable>: Sendable where Name.RawValue == String {
    private let names: [Name]
    /// All texts one after the other, each in quotes with a colon behind: a table of arrays would cost a
    /// reference count for each look.
    private let texts: [UInt8]
    /// Where each lies in `texts`, with its quotes and colon.
    private let places: [Range<Int>]
    /// By place, the lowest bit for the first: those that an object must have.
    private let required: UInt64

    /// - Parameters:
    ///   - names: in canonical order, in which they are found at the first look. At most 64.
    ///   - isRequired: whether an object must have that member.
    init(_ names: [Name], requiring isRequired: (Name) -> Bool = { _ in false }) {
        var texts: [UInt8] = []
        var places: [Range<Int>] = []
        for name in names {
            let start = texts.count
            texts += Array("\"\(name.rawValue)\":".utf8)
            places.append(start..<texts.count)
        }
        self.names = names
        self.texts = texts
        self.places = places
        required = names.indices.reduce(0) { isRequired(names[$1]) ? $0 | Self.bit($1) : $0 }
    }

    /// All of them; the cases stand in canonical order.
    init(requiring isRequired: (Name) -> Bool = { _ in false }) where Name: CaseIterable {
        self.init(Array(Name.allCases), requiring: isRequired)
    }

    /// What stands for a name in a set of them.
    static func bit(_ place: Int) -> UInt64 { 1 << UInt64(truncatingIfNeeded: place) }

    /// The first that an object with these members lacks.
    func missing(from seen: UInt64) -> Name? {
        let missing = required & ~seen
        return missing == 0 ? nil : names[missing.trailingZeroBitCount]
    }

    /// The name written in `text[range]` and its place in the table; nil when there is none.
    ///
    /// - Parameter first: the place to look at first, not negative.
    func find(_ text: Span<UInt8>, _ range: Range<Int>, first: Int = 0) -> (place: Int, name: Name)? {
        var place = first
        for _ in places.indices {
            if place >= places.count { place = 0 }
            let (start, end) = (places[place].lowerBound + 1, places[place].upperBound - 2)
            if range.count == end - start, text.has(texts.span.extracting(start..<end), at: range.lowerBound)
            {
                return (place, names[place])
            }
            place += 1
        }
        return nil
    }

    /// The name at `place` in the table, if it is what stands at `start` as canonical text has it, and where
    /// the colon behind it ends.
    func expected(_ place: Int, _ text: Span<UInt8>, at start: Int, before end: Int) -> (
        name: Name, end: Int
    )? {
        guard place < places.count, end - start >= places[place].count,
            text.has(texts.span.extracting(places[place]), at: start)
        else { return nil }
        return (names[place], start + places[place].count)
    }
}
