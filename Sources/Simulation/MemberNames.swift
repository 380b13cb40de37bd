import EnrollmentCore

/// The texts that one place of a recorded document may hold: the names of an object's members, or the words
/// of an enumeration.
struct MemberNames<Name: RawRepresentable & Sendable>: Sendable where Name.RawValue == String {
    private let names: [Name]
    /// All texts one after the other: a table of arrays would cost a reference count for each look.
    private let texts: [UInt8]
    /// Where each text lies in `texts`.
    private let places: [Range<Int>]

    /// - Parameter names: in canonical order, in which they are found at the first look.
    init(_ names: [Name]) {
        var texts: [UInt8] = []
        var places: [Range<Int>] = []
        for name in names {
            let start = texts.count
            texts += name.rawValue.utf8
            places.append(start..<texts.count)
        }
        self.names = names
        self.texts = texts
        self.places = places
    }

    /// All of them; the cases stand in canonical order.
    init() where Name: CaseIterable { self.init(Array(Name.allCases)) }

    /// The name written in `text[range]` and its place in the table; nil when there is none.
    ///
    /// - Parameter first: the place to look at first, not negative.
    func find(_ text: Span<UInt8>, _ range: Range<Int>, first: Int = 0) -> (place: Int, name: Name)? {
        var place = first
        for _ in places.indices {
            if place >= places.count { place = 0 }
            if text.has(texts.span.extracting(places[place]), exactlyAt: range) {
                return (place, names[place])
            }
            place += 1
        }
        return nil
    }
}
